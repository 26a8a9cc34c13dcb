"""Rate limits: a token bucket a key, in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

from daemon.core.limits import RATE_LIMIT_KEYS_MAX

_ROUNDING_S = 1e-6  # who waited exactly as long as told must not be refused for a rounding error


class RateLimits:
    """Buckets of `burst` tokens that refill with `per_s` tokens a second; each is full when first seen.

    A bucket is one number: the time at which it will be full again. Taking a token moves that time on by `1 / per_s`;
    with burst 3 and 0.5 a second a fourth call in the same instant is told to wait 2 s. A bucket that is full
    again is forgotten without loss; beyond `RATE_LIMIT_KEYS_MAX` of them those closest to full go first.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._full_at: dict[Hashable, float] = {}

    def take(self, key: Hashable, *, burst: int, per_s: float) -> float:
        """0.0 when a token was taken; else the seconds until there is one, and nothing was taken."""
        now = self._monotonic()
        full_at = max(self._full_at.get(key, now), now)
        wait_s = full_at - now - (burst - 1) / per_s
        if wait_s > _ROUNDING_S:
            return wait_s
        if key not in self._full_at and len(self._full_at) >= RATE_LIMIT_KEYS_MAX:
            self._make_room(now)
        self._full_at[key] = full_at + 1 / per_s
        return 0.0

    def __len__(self) -> int:
        return len(self._full_at)

    def _make_room(self, now: float) -> None:
        """Leave at most three quarters, so that the sorting is paid for by the calls that fill the rest."""
        kept = sorted(((at, key) for key, at in self._full_at.items() if at > now), key=lambda pair: pair[0])
        self._full_at = {key: at for at, key in kept[-(RATE_LIMIT_KEYS_MAX * 3 // 4) :]}

"""Token buckets in the memory of this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from daemon.core.limits import RATE_LIMIT_KEYS_MAX
from daemon.services.rate_limits.buckets import Bucket, Refusal

_ROUNDING_S = 1e-6  # who waited exactly as long as told must not be refused for a rounding error

_Key = tuple[str, tuple[int | str, ...]]


class MemoryBuckets:
    """Buckets of `burst` tokens that refill with `per_s` tokens a second; each is full when first seen.

    A bucket is one number: the time at which it will be full again. Taking a token moves that time on by `1 / per_s`;
    with burst 3 and 0.5 a second a fourth call in the same instant is told to wait 2 s. A bucket that is full
    again is forgotten without loss; beyond `RATE_LIMIT_KEYS_MAX` of them those closest to full go first.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._full_at: dict[_Key, float] = {}

    def take(self, buckets: Sequence[Bucket]) -> Refusal | None:
        """Take a token from each of `buckets`, or from none."""
        now = self._monotonic()
        known = self._full_at
        refusal: Refusal | None = None
        for scope, owner, rate in buckets:
            wait_s = known.get((scope, owner), now) - now - (rate.burst - 1) / rate.per_s
            if wait_s > _ROUNDING_S and (refusal is None or wait_s > refusal.wait_s):
                refusal = Refusal(wait_s, scope)
        if refusal is not None:
            return refusal
        for scope, owner, rate in buckets:
            key = (scope, owner)
            if key not in known and len(known) >= RATE_LIMIT_KEYS_MAX:
                known = self._make_room(now)
            known[key] = max(known.get(key, now), now) + 1 / rate.per_s
        return None

    def __len__(self) -> int:
        return len(self._full_at)

    def _make_room(self, now: float) -> dict[_Key, float]:
        """Leave at most three quarters, so that the sorting is paid for by the calls that fill the rest."""
        kept = sorted(((at, key) for key, at in self._full_at.items() if at > now), key=lambda pair: pair[0])
        self._full_at = {key: at for at, key in kept[-(RATE_LIMIT_KEYS_MAX * 3 // 4) :]}
        return self._full_at

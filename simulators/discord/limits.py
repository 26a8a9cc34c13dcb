"""Rate limits in real time: fixed windows per bucket, and 50 requests a second for each bot."""

from __future__ import annotations

import time
from dataclasses import dataclass

GLOBAL_PER_S = 50


@dataclass(frozen=True, slots=True)
class Quota:
    """So many requests in so many seconds."""

    limit: int
    per_s: float


@dataclass(frozen=True, slots=True)
class Taken:
    """Outcome of one request against its bucket; `is_global` when the bot's 50 a second were spent."""

    is_allowed: bool
    quota: Quota
    remaining: int
    reset_after_s: float
    is_global: bool = False


class RateLimits:
    """Counts requests; `is_on = False` lets everything through and says in the headers that nothing was used."""

    def __init__(self) -> None:
        self.is_on = True
        self.global_per_s = GLOBAL_PER_S
        self._windows: dict[str, tuple[float, int]] = {}

    def take(self, key: str, quota: Quota) -> Taken:
        """One request in the bucket `key`."""
        used, left_s = self._count(key, quota.per_s, quota.limit)
        if not self.is_on:
            return Taken(True, quota, quota.limit, left_s)
        return Taken(used <= quota.limit, quota, max(0, quota.limit - used), left_s)

    def take_global(self, bot: str) -> Taken | None:
        """One request of a bot; None while it is under its 50 a second."""
        quota = Quota(self.global_per_s, 1.0)
        used, left_s = self._count(f"global:{bot}", 1.0, quota.limit)
        if used <= quota.limit or not self.is_on:
            return None
        return Taken(False, quota, 0, left_s, is_global=True)

    def _count(self, key: str, per_s: float, limit: int) -> tuple[int, float]:
        now = time.monotonic()
        start, used = self._windows.get(key, (now, 0))
        if now - start >= per_s:
            start, used = now, 0
            if len(self._windows) > 10_000:
                self._windows.clear()
        used = min(used + 1, limit + 1)
        self._windows[key] = (start, used)
        return used, max(0.0, start + per_s - now)

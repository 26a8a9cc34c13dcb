"""Discord resets the token of a bot that identifies too often (1,000 times a day): this keeps count."""

from __future__ import annotations

import time
from collections.abc import Callable

_RESERVE = 20  # left for the operator, who may have to start the bot by hand
_DAY_S = 24 * 3600.0
_UNKNOWN_REMAINING = 300  # when Discord did not tell


class IdentifyBudget:
    """How many more times this token may identify, as Discord said last, counted down by ourselves in between."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._remaining = _UNKNOWN_REMAINING
        self._total = _UNKNOWN_REMAINING
        self._resets_at_s = monotonic() + _DAY_S

    def learn(self, remaining: int, total: int, reset_after_s: float) -> None:
        """Take over `session_start_limit` of GET /gateway/bot."""
        self._remaining = remaining
        self._total = max(total, 1)
        self._resets_at_s = self._monotonic() + reset_after_s

    def take(self) -> float:
        """Count one identify. Seconds to wait before it: 0.0 while more than the reserve is left."""
        now_s = self._monotonic()
        if now_s >= self._resets_at_s:
            self._remaining, self._resets_at_s = self._total, now_s + _DAY_S
        if self._remaining <= min(_RESERVE, self._total // 10):
            return self._resets_at_s - now_s
        self._remaining -= 1
        return 0.0

    @property
    def remaining(self) -> int:
        """How many are left until the reset."""
        return self._remaining

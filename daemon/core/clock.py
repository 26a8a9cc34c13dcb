"""Time as a dependency: whoever needs the hour is given a clock."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time and waiting on it; in tests both follow a simulator."""

    def now(self) -> datetime:
        """Wall time, aware, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return once this clock has moved on by `seconds`; at once for zero or less."""
        ...

"""The simulators' time for parts of the daemon that a test builds itself."""

from __future__ import annotations

from datetime import UTC, datetime

from simulators.clock import SimClock


class SimTime:
    """The simulator's clock as the daemon's."""

    def __init__(self, clock: SimClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

"""The simulators' time: it can run fast, stand still and jump, and others can follow it over HTTP."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable

DEFAULT_START = 1_768_593_600.0  # Friday 16 January 2026, 20:00 UTC: an evening with something on
HOLD_S = 10.0  # real seconds a follower's question is held while nothing changes


class SimClock:
    """Unix seconds that advance at `speed` simulated seconds a real second (0: stands still).

    `version` grows with every change of speed and every jump; between changes a follower computes the time itself.
    One event loop at a time; `monotonic` is only replaced to make a test independent of real time.
    """

    def __init__(
        self, start: float | None = None, speed: float = 1.0, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._monotonic = monotonic
        self._base = DEFAULT_START if start is None else start
        self._since = monotonic()
        self._speed = _checked(speed)
        self._version = 1
        self._changed = asyncio.Event()

    def now(self) -> float:
        """Simulated Unix time in seconds."""
        return self._base + (self._monotonic() - self._since) * self._speed

    @property
    def speed(self) -> float:
        """Simulated seconds a real second."""
        return self._speed

    @property
    def version(self) -> int:
        """How many times the course of time was changed, counted from 1."""
        return self._version

    def set_speed(self, speed: float) -> None:
        """Go on from the present instant at another speed; ValueError for a negative or infinite one."""
        self._restart(self.now(), _checked(speed))

    def jump(self, seconds: float) -> None:
        """Skip ahead; ValueError for a negative amount, because players and timers never run backwards."""
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError(f"cannot jump by {seconds} seconds")
        self._restart(self.now() + seconds, self._speed)

    async def wait_change(self, version: int, timeout: float | None = None) -> int:
        """Return the present version once it differs from `version`, or after `timeout` real seconds."""
        try:
            async with asyncio.timeout(timeout):
                while self._version == version:
                    await self._changed.wait()
        except TimeoutError:
            pass
        return self._version

    async def sleep(self, seconds: float) -> None:
        """Return when the clock has moved on by `seconds` simulated seconds, jumps included."""
        await self.sleep_until(self.now() + seconds)

    async def sleep_until(self, instant: float) -> None:
        """Return when `now()` has reached `instant`."""
        while (left := instant - self.now()) > 0:
            await self.wait_change(self._version, left / self._speed if self._speed else None)

    async def follow(self, version: int | None = None, hold_s: float = HOLD_S) -> dict[str, float]:
        """The answer of `GET .../clock[?version=N]`: `now`, `speed`, `version`; held while `version` is current."""
        if version is not None:
            await self.wait_change(version, hold_s)
        return {"now": self.now(), "speed": self._speed, "version": self._version}

    def _restart(self, base: float, speed: float) -> None:
        self._base, self._since, self._speed = base, self._monotonic(), speed
        self._version += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _checked(speed: float) -> float:
    if not (math.isfinite(speed) and speed >= 0):
        raise ValueError(f"a clock cannot run at speed {speed}")
    return speed

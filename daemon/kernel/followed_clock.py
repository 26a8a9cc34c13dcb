"""A wall clock that follows a simulator."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import aiohttp
import structlog

_LOG = structlog.get_logger(__name__)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOLD_S = 10.0  # how long the simulator holds an unchanged answer back
_ANSWER_S_MAX = _HOLD_S + 5.0
_RETRY_S = 0.25
_STEP_BACK_S = 1.0  # a clock that is further behind than this was set back; less is the jitter of the answers
_NAP_S_MIN = 0.001


class FollowedClock:
    """The clock of a simulator at `url`, with its speed and its jumps.

    `GET url` answers {"now": unix seconds, "speed": float, "version": int}; `GET url?version=N` is held back until the
    version differs from N, 10 s at most. Between answers time goes on at the last speed. Until the first answer it is
    the machine's clock, and a simulator that goes away is waited for. `run` does the following and never returns.
    """

    def __init__(self, url: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._monotonic = monotonic
        self._base_unix_s = time.time()
        self._base_passed_s = 0.0
        self._base_at_s = monotonic()
        self._speed = 1.0
        self._version: int | None = None
        self._changed = asyncio.Event()
        self._followed = asyncio.Event()

    def now(self) -> datetime:
        """The simulator's wall time, aware, UTC."""
        return _EPOCH + timedelta(seconds=self._base_unix_s + self._since_base_s())

    async def sleep(self, seconds: float) -> None:
        """Return once the followed clock has moved on by `seconds`, by a jump or at whatever speed.

        Setting the clock back, and the step from the machine's clock to the simulator's, count as no time.
        """
        until_s = self._passed_s() + seconds
        while (remaining_s := until_s - self._passed_s()) > 0:
            changed = self._changed
            nap_s = max(_NAP_S_MIN, remaining_s / self._speed) if self._speed > 0 else None
            try:
                async with asyncio.timeout(nap_s):
                    await changed.wait()
            except TimeoutError:
                continue

    async def wait_followed(self, timeout_s: float) -> bool:
        """Whether the simulator has answered at least once, waiting for that up to `timeout_s` of real time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._followed.wait()
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Follow the simulator until cancelled. For the supervisor."""
        is_lost = False
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_ANSWER_S_MAX)) as http:
            while True:
                try:
                    await self._follow_once(http)
                except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
                    if not is_lost:
                        _LOG.warning("clock_lost", url=self._url, error=repr(error))
                    is_lost = True
                    await asyncio.sleep(_RETRY_S)
                else:
                    if is_lost:
                        _LOG.info("clock_found", url=self._url)
                    is_lost = False

    async def _follow_once(self, http: aiohttp.ClientSession) -> None:
        known = self._version
        params = {} if known is None else {"version": str(known)}
        asked_at_s = self._monotonic()
        async with http.get(self._url, params=params) as answer:
            answer.raise_for_status()
            told = await answer.json()
        now_s, speed, version = float(told["now"]), float(told["speed"]), int(told["version"])
        self._take(now_s, speed, version)
        if version == known and self._monotonic() - asked_at_s < _RETRY_S:
            await asyncio.sleep(_RETRY_S)  # a simulator that does not hold answers back must not be asked in a loop

    def _take(self, now_s: float, speed: float, version: int) -> None:
        moved_s = self._since_base_s()
        stepped_s = now_s - (self._base_unix_s + moved_s)
        if self._version is None or stepped_s < -_STEP_BACK_S:
            stepped_s = 0.0
        self._base_passed_s += moved_s + stepped_s
        self._base_unix_s = now_s
        self._base_at_s = self._monotonic()
        self._speed = max(0.0, speed)
        self._version = version
        self._followed.set()
        self._changed.set()
        self._changed = asyncio.Event()

    def _since_base_s(self) -> float:
        return (self._monotonic() - self._base_at_s) * self._speed

    def _passed_s(self) -> float:
        """Seconds that have passed for sleepers since this object was made."""
        return self._base_passed_s + self._since_base_s()

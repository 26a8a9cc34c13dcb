"""Closing parts one after the other within a time, whatever one of them does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from daemon.kernel.tasks import Supervisor

_LOG = structlog.get_logger(__name__)

Close = Callable[[], Awaitable[object]]

_OWNER = "closing"


class Closing:
    """Parts to close in the opposite order of `add`, all of them within `within_s` from the first on.

    A part that fails is logged by the supervisor, one that hangs is left behind when the time is up; either way the
    next one has its turn, and at least `least_s` for it.
    """

    def __init__(self, supervisor: Supervisor, *, within_s: float, least_s: float = 0.5) -> None:
        self._supervisor = supervisor
        self._within_s = within_s
        self._least_s = least_s
        self._parts: list[tuple[str, Close]] = []

    def add(self, name: str, close: Close) -> None:
        """The part `name` has been opened."""
        self._parts.append((name, close))

    async def close(self) -> None:
        """Close everything added, last first. Nothing is left to close after it."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._within_s
        while self._parts:
            name, close = self._parts.pop()
            left_s = max(self._least_s, deadline_s - loop.time())
            task = self._supervisor.spawn(f"close:{name}", self._close_one(name, close, left_s), owner=_OWNER)
            # Another half of the least is for a part that takes its time to be cancelled.
            await asyncio.wait([task], timeout=left_s + self._least_s / 2)

    async def _close_one(self, name: str, close: Close, within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s):
                await close()
        except TimeoutError:
            _LOG.error("close_timed_out", part=name, within_s=round(within_s, 1))

"""An event loop whose time is a number: when nothing can run, it jumps to the next timer. No threads, no waiting."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from unittest import mock

T = TypeVar("T")


class _NoSelector(selectors.BaseSelector):
    """Waiting moves the time."""

    def __init__(self, jump: Callable[[float], None]) -> None:
        self._jump = jump

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, 0, None)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("the simulation waits for something that nobody will do")
        self._jump(timeout)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return {}


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` begins at 0. What would run in a thread runs at once, in place."""

    def __init__(self) -> None:
        self._now_s = 0.0
        super().__init__(_NoSelector(self._jump))

    def time(self) -> float:
        """Seconds since the beginning."""
        return self._now_s

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        """Run it now."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  handed to whoever waits
            done.set_exception(error)
        return done

    def _jump(self, seconds: float) -> None:
        # Never less than a tick: a timer that float arithmetic puts a hair before its due time must be reached.
        self._now_s += max(seconds, 1e-6) if seconds else 0.0


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `main()` on a loop of its own, with the monotonic clocks of the program being the loop's."""
    loop = VirtualLoop()
    try:
        with _clocks_of(loop):
            return loop.run_until_complete(main())
    finally:
        loop.close()


@contextmanager
def _clocks_of(loop: VirtualLoop) -> Iterator[None]:
    with mock.patch.object(time, "monotonic", loop.time), mock.patch.object(time, "perf_counter", loop.time):
        yield

"""Threads for calls that block, and that nobody waits for when the process ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class Threads:
    """At most `count` threads, begun when first needed.

    They are daemon threads, unlike those of `ThreadPoolExecutor`, which Python joins at its exit: one that still waits
    for a server's answer would keep a daemon that has stopped from ending until the time-out.
    """

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._name = name
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._is_closed = False

    async def run(self, work: Callable[[], T]) -> T:
        """`work()` in a thread. Cancelled while it waits for one, it is dropped; later it goes on unheard."""
        if self._is_closed:
            raise RuntimeError("these threads take no more work")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        context = copy_context()  # what is logged in the thread carries the caller's trace id

        def job() -> None:
            if self._is_closed or future.cancelled():
                settle: Callable[[], Any] = future.cancel
            else:
                settle = context.run(_done, future, work)
            with suppress(RuntimeError):  # the loop has ended: nobody waits any more
                loop.call_soon_threadsafe(settle)

        self._jobs.put(job)
        if len(self._threads) < self._count:
            thread = threading.Thread(target=self._serve, name=f"{self._name}-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        return await future

    def close(self) -> None:
        """Take no more work and drop what has not begun; what runs is left to itself."""
        self._is_closed = True
        for _ in self._threads:
            self._jobs.put(None)

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def _done(future: asyncio.Future[T], work: Callable[[], T]) -> Callable[[], None]:
    """Do the work now; the result tells the future how it ended, and is to be called on its loop."""
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001  handed on to whoever awaits the work
        failure = error
        return lambda: None if future.done() else future.set_exception(failure)
    return lambda: None if future.done() else future.set_result(result)

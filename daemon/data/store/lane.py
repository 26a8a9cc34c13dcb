"""Lanes: a queue of units of work, and the threads that work it off."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

import structlog
from sqlalchemy import Connection

from daemon.core.errors import UpstreamError
from daemon.core.limits import STORE_SLOW_S, STORE_WAITING_MAX
from daemon.data.failures import busy, translate, unreachable
from daemon.data.store.told import Told, begin, merge
from daemon.kernel.metrics import Metrics
from daemon.kernel.trace import current_trace_id, name_of

_LOG = structlog.get_logger(__name__)

T = TypeVar("T")


class Job(Generic[T]):
    """A unit of work on its way: run in a thread, its outcome given to `future` on the event loop."""

    __slots__ = ("ended_s", "error", "future", "result", "told", "trace_id", "unit")

    def __init__(self, unit: Callable[[Connection], T], future: asyncio.Future[T], trace_id: str) -> None:
        self.unit = unit
        self.future = future
        self.trace_id = trace_id
        self.ended_s = 0.0  # by time.perf_counter, once it has run
        self.result: T | None = None
        self.error: BaseException | None = None
        self.told: Told = {}

    def run(self, tx: Connection) -> None:
        """Run the unit and keep its result or its error, whatever it is: the caller gets it."""
        self.told = begin()
        try:
            self.result = self.unit(tx)
        except BaseException as error:  # noqa: BLE001 - handed to the caller, not swallowed
            self.error = error
        self.ended_s = time.perf_counter()

    def settle(self) -> str:
        """On the event loop: wake the caller. The outcome for the metrics."""
        future, error = self.future, self.error
        if error is None:
            if not future.done():
                future.set_result(self.result)  # type: ignore[arg-type]  # set when there is no error
            return "ok"
        self.error = translate(error)
        if not future.done():
            future.set_exception(self.error)
        return "failed"


class Worker(Protocol):
    """What one thread of a lane does. Every method is called in that thread."""

    group_max: int

    def run(self, jobs: list[Job[Any]]) -> None:
        """Run the jobs and leave an outcome in each; an exception means that none of them happened."""
        ...

    def end(self) -> None:
        """Give back what the thread holds."""
        ...


class Lane:
    """Takes units on one event loop and runs them in `threads` threads, in the order they came.

    A lane is bounded: with `STORE_WAITING_MAX` units waiting, more are refused with `UpstreamError`.
    """

    def __init__(
        self,
        kind: str,
        make_worker: Callable[[], Worker],
        threads: int,
        metrics: Metrics,
        tell: Callable[[Told], None] = lambda told: None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._kind = kind
        self._tell_listeners = tell
        self._queue: queue.SimpleQueue[Job[Any] | None] = queue.SimpleQueue()
        self._waiting = 0
        self._is_closed = False
        self._make_worker = make_worker
        self._outcomes = {
            outcome: metrics.store_units_total.labels(kind, outcome) for outcome in ("ok", "failed", "refused")
        }
        self._ended = [self._loop.create_future() for _ in range(threads)]
        for index, ended in enumerate(self._ended):
            # Daemon threads: an interpreter that ends without `close` must not hang. What was confirmed is committed.
            threading.Thread(target=self._work, args=(ended,), name=f"store-{kind}-{index}", daemon=True).start()

    def submit(self, unit: Callable[[Connection], T]) -> asyncio.Future[T]:
        """Queue a unit. A caller that is cancelled while it waits may find it done or not done, never half done."""
        if self._is_closed:
            raise unreachable("closed")
        if self._waiting >= STORE_WAITING_MAX:
            self._outcomes["refused"].inc()
            raise busy(f"{self._waiting} units of work are waiting")
        self._waiting += 1
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(Job(unit, future, current_trace_id()))
        return future

    async def close(self) -> None:
        """Take no more, finish what waits, end the threads."""
        if not self._is_closed:
            self._is_closed = True
            for _ in self._ended:
                self._queue.put(None)
        await asyncio.gather(*self._ended)

    def _work(self, ended: asyncio.Future[None]) -> None:
        worker = self._make_worker()
        is_open = True
        while is_open:
            group, is_open = self._gather(self._queue.get(), worker.group_max)
            if group:
                self._run(worker, group)
        worker.end()
        self._tell(_finish, ended)

    def _gather(self, first: Job[Any] | None, size_max: int) -> tuple[list[Job[Any]], bool]:
        """The job and those that already wait behind it; False when the thread shall end after them."""
        group: list[Job[Any]] = []
        job = first
        while job is not None:
            group.append(job)
            if len(group) >= size_max or self._queue.empty():
                return group, True
            job = self._queue.get()
        return group, False

    def _run(self, worker: Worker, group: list[Job[Any]]) -> None:
        jobs = [job for job in group if not job.future.cancelled()]
        began_s = time.perf_counter()
        try:
            if jobs:
                worker.run(jobs)
        except BaseException as error:  # noqa: BLE001 - handed to every caller of the group
            for job in jobs:
                job.error = error
        self._tell(self._settle, group)
        if time.perf_counter() - began_s > STORE_SLOW_S:
            self._tell(partial(self._name_slow, jobs), began_s)

    def _settle(self, group: list[Job[Any]]) -> None:
        self._waiting -= len(group)
        told: Told = {}
        reported = ""
        failed = 0
        for job in group:
            if job.settle() == "failed":
                failed += 1
                if isinstance(job.error, UpstreamError) and str(job.error) != reported:
                    reported = str(job.error)  # a whole group fails for one reason
                    self._log(job, "unit_failed", error=reported)
            elif job.told:
                merge(told, job.told)
        self._outcomes["ok"].inc(len(group) - failed)
        self._outcomes["failed"].inc(failed)
        if told:
            self._tell_listeners(told)

    def _name_slow(self, jobs: list[Job[Any]], began_s: float) -> None:
        """Which unit took so long, commits aside; the jobs ran one after the other."""
        for job in jobs:
            if job.ended_s - began_s > STORE_SLOW_S:
                self._log(job, "unit_slow", seconds=round(job.ended_s - began_s, 3))
            began_s = max(began_s, job.ended_s)

    def _log(self, job: Job[Any], event: str, **fields: object) -> None:
        if job.trace_id:
            fields["trace_id"] = job.trace_id
        _LOG.warning(event, kind=self._kind, unit=name_of(job.unit), **fields)

    def _tell(self, callback: Callable[[Any], None], argument: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(callback, argument)


def _finish(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)

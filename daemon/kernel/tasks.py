"""Background tasks: named, owned, restarted with back-off, drained. The only place that creates tasks."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

from structlog.typing import FilteringBoundLogger

from daemon.core.errors import MarqueeError
from daemon.core.limits import RESTART_BACKOFF_FIRST_S, RESTART_BACKOFF_MAX_S
from daemon.kernel.metrics import Metrics
from daemon.kernel.retry import backoff

T = TypeVar("T")

_CANCEL_S = 5.0  # a task that has not ended this long after being cancelled is reported and left


class TaskKind(StrEnum):
    """ETERNAL tasks never end by themselves; ONE_SHOT tasks end when their work is done."""

    ETERNAL = "eternal"
    ONE_SHOT = "one-shot"


@dataclass(frozen=True, slots=True)
class TaskState:
    """What is known of one task. A crashed task that is not restarted stays listed with `is_running` False."""

    name: str
    owner: str
    kind: TaskKind
    is_running: bool
    restarts: int = 0
    last_error: str | None = None


@dataclass(slots=True, eq=False)
class _Entry:
    name: str
    owner: str
    kind: TaskKind
    task: asyncio.Task[Any] | None = None
    restarts: int = 0
    last_error: str | None = None

    def is_running(self) -> bool:
        return self.task is not None and not self.task.done()


class Supervisor:
    """Runs tasks so that the crash of one never stops another, and none is left behind.

    `backoff_first_s` and `backoff_max_s` bound the waits between restarts (see `retry.backoff`); a task that ran for
    longer than `backoff_max_s` starts again with the first wait.
    """

    def __init__(
        self,
        *,
        log: FilteringBoundLogger,
        metrics: Metrics | None = None,
        rng: random.Random | None = None,
        backoff_first_s: float = RESTART_BACKOFF_FIRST_S,
        backoff_max_s: float = RESTART_BACKOFF_MAX_S,
    ) -> None:
        self._log = log
        self._metrics = metrics
        self._rng = rng or random.Random()
        self._backoff_first_s = backoff_first_s
        self._backoff_max_s = backoff_max_s
        self._entries: list[_Entry] = []
        if metrics:
            for kind in TaskKind:
                metrics.tasks.labels(kind.value).set_function(partial(self._running, kind))

    def start(self, name: str, run: Callable[[], Awaitable[None]], *, owner: str = "app", restart: bool = True) -> None:
        """Run `run()` for ever: again after a crash and after an unexpected return, unless `restart` is False.

        The task gets an empty context, so that nothing of the caller (its trace id, say) clings to it. Raises
        ValueError when a task of this owner and name is already running.
        """
        if any(e.is_running() and e.name == name and e.owner == owner for e in self._entries):
            raise ValueError(f"task {name} of {owner} is already running")
        self._entries = [e for e in self._entries if e.is_running() or (e.name, e.owner) != (name, owner)]
        entry = _Entry(name, owner, TaskKind.ETERNAL)
        self._entries.append(entry)
        if self._metrics:
            self._metrics.tasks_restarted_total.labels(task=name)  # 0 from here on, so that the first crash is seen
        work = self._run_for_ever(entry, run) if restart else self._run_once(entry, run)
        entry.task = asyncio.get_running_loop().create_task(work, name=f"{owner}:{name}", context=Context())

    def spawn(self, name: str, work: Coroutine[Any, Any, T], *, owner: str = "app") -> asyncio.Task[T]:
        """Run `work` once. Its exception is logged here and also raised to whoever awaits the task."""
        entry = _Entry(name, owner, TaskKind.ONE_SHOT)
        task = asyncio.get_running_loop().create_task(work, name=f"{owner}:{name}")
        entry.task = task
        self._entries.append(entry)
        task.add_done_callback(lambda done: self._end_one_shot(entry, done))
        return task

    async def cancel(self, owner: str) -> None:
        """Cancel every task of `owner` and wait until they have ended; the calling task itself is spared."""
        await self._end([e for e in self._entries if e.owner == owner])
        self._entries = [e for e in self._entries if e.owner != owner or e.is_running()]

    async def finish(self, timeout_s: float) -> bool:
        """Wait for the one-shot tasks, those started meanwhile included; False when some outlive `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                while pending := [e.task for e in self._entries if e.kind is TaskKind.ONE_SHOT and self._is_other(e)]:
                    await asyncio.wait([task for task in pending if task is not None])
        except TimeoutError:
            left = [state.name for state in self.states() if state.kind is TaskKind.ONE_SHOT]
            self._log.warning("drain_timed_out", tasks=left)
            return False
        return True

    async def drain(self, timeout_s: float) -> bool:
        """`finish`, then cancel everything that still runs, eternal tasks included."""
        has_finished = await self.finish(timeout_s)
        await self._end(list(self._entries))
        return has_finished

    def states(self) -> tuple[TaskState, ...]:
        """Every task, oldest first; one-shot tasks only while they run."""
        return tuple(
            TaskState(e.name, e.owner, e.kind, e.is_running(), e.restarts, e.last_error) for e in self._entries
        )

    def count(self, owner: str) -> int:
        """How many tasks of `owner` are running."""
        return sum(1 for e in self._entries if e.owner == owner and e.is_running())

    def _running(self, kind: TaskKind) -> int:
        return sum(1 for e in tuple(self._entries) if e.kind is kind and e.is_running())

    async def _run_for_ever(self, entry: _Entry, run: Callable[[], Awaitable[None]]) -> None:
        attempt = 0
        while True:
            began_s = time.monotonic()
            await self._run_once(entry, run)
            attempt = 0 if time.monotonic() - began_s > self._backoff_max_s else attempt
            wait_s = backoff(attempt, first_s=self._backoff_first_s, max_s=self._backoff_max_s, rng=self._rng)
            attempt += 1
            entry.restarts += 1
            if self._metrics:
                self._metrics.tasks_restarted_total.labels(task=entry.name).inc()
            self._log.warning("task_restarts", task=entry.name, owner=entry.owner, wait_s=round(wait_s, 3))
            await asyncio.sleep(wait_s)

    async def _run_once(self, entry: _Entry, run: Callable[[], Awaitable[None]]) -> None:
        try:
            await run()
        except Exception as error:  # noqa: BLE001  a named border: one crash never stops another task
            self._note_crash(entry, error)

    def _note_crash(self, entry: _Entry, error: BaseException) -> None:
        entry.last_error = f"{type(error).__name__}: {error}"
        # An error of ours says what happened in its text; a traceback is for what nobody foresaw.
        exc_info = None if isinstance(error, MarqueeError) else error
        self._log.error("task_crashed", task=entry.name, owner=entry.owner, error=entry.last_error, exc_info=exc_info)

    def _end_one_shot(self, entry: _Entry, task: asyncio.Task[Any]) -> None:
        if entry in self._entries:
            self._entries.remove(entry)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._note_crash(entry, error)

    def _is_other(self, entry: _Entry) -> bool:
        return entry.is_running() and entry.task is not asyncio.current_task()

    async def _end(self, entries: list[_Entry]) -> None:
        tasks = [e.task for e in entries if e.task is not None and self._is_other(e)]
        for task in tasks:
            task.cancel()
        if not tasks:
            return
        _, stuck = await asyncio.wait(tasks, timeout=_CANCEL_S)
        if stuck:
            self._log.error("tasks_ignore_cancellation", tasks=[task.get_name() for task in stuck])

"""PostgreSQL: each unit is one transaction on a pooled connection; what the server asks to repeat is repeated whole."""

from __future__ import annotations

import random
import time
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from daemon.core.limits import STORE_RETRIES_MAX
from daemon.data.failures import can_repeat
from daemon.data.store.lane import Job
from daemon.kernel.metrics import Metrics
from daemon.kernel.retry import backoff


class _Worker:
    group_max = 1

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def end(self) -> None:
        """Connections go back to the pool after each unit."""


class Writer(_Worker):
    """Runs a unit until it is committed or fails for a reason of its own."""

    def __init__(self, engine: Engine, metrics: Metrics) -> None:
        super().__init__(engine)
        self._metrics = metrics
        self._random = random.Random()

    def run(self, jobs: list[Job[Any]]) -> None:
        """One unit, one transaction. A lost connection is not repeated: whether it was committed is not known."""
        (job,) = jobs
        for attempt in range(STORE_RETRIES_MAX):
            job.error = None
            try:
                self._run_once(job)
            except DBAPIError as error:  # the commit itself
                job.error = error
            if job.error is None or not can_repeat(job.error):
                return
            time.sleep(backoff(attempt, first_s=0.01, max_s=0.5, rng=self._random))

    def _run_once(self, job: Job[Any]) -> None:
        with self._engine.connect() as tx:  # whose end undoes what was not committed
            transaction = tx.begin()
            job.run(tx)
            if job.error is not None:
                return
            if not transaction.is_active:
                raise RuntimeError("a unit of work must not commit or roll back")
            started = time.perf_counter()
            transaction.commit()
        self._metrics.store_commit_seconds.observe(time.perf_counter() - started)
        self._metrics.store_group_size.observe(1)


class Reader(_Worker):
    """Gives each unit one consistent snapshot that it cannot write to."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True))

    def run(self, jobs: list[Job[Any]]) -> None:
        """Run the job in a read-only transaction."""
        with self._engine.connect() as tx:
            jobs[0].run(tx)

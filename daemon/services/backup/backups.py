"""Backups of the running daemon: made by schedule, announced as events, watched by health."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import datetime
from typing import Any

import structlog

from daemon.core.clock import Clock
from daemon.core.errors import UpstreamError
from daemon.core.events import BackupFailed, BackupMade, Event
from daemon.data.store import Store, Unit
from daemon.kernel.health import Check, Status
from daemon.kernel.metrics import Metrics
from daemon.kernel.trace import current_trace_id
from daemon.services.backup.errors import BackupError
from daemon.services.backup.place import Archive, Place, list_archives, retire
from daemon.services.events import Events
from daemon.services.schedule.slots import Slots

log = structlog.get_logger(__name__)

_SOURCE = "schedule backup"


class Backups:
    """Makes a backup when told to, and knows whether the newest one is as new as it should be.

    `slots` is when one is due. The folder is the memory: whatever stands there under its final name has been read
    back, whether it was made here, by `marquee backup` or before the last restart.
    """

    def __init__(
        self, place: Place, *, keep: int, slots: Slots, store: Store, events: Events, clock: Clock, metrics: Metrics
    ) -> None:
        self._place = place
        self._keep = keep
        self._slots = slots
        self._store = store
        self._events = events
        self._clock = clock
        self._metrics = metrics
        self._began_at = clock.now()
        self._problem = ""  # of the last attempt; empty when it succeeded

    async def run_once(self) -> Unit[Any]:
        """Make a backup in a thread and delete those that are too many; the unit that says so to others.

        BackupError or UpstreamError when there is none; the first time in a row that is an event, too.
        """
        started = time.monotonic()
        try:
            archive, rows = await self._make()
        except (BackupError, UpstreamError) as error:
            await self._note_failure(error)
            raise
        self._problem = ""
        seconds = round(time.monotonic() - started, 1)
        log.info("backup_made", file=archive.path.name, size_bytes=archive.size_bytes, rows=rows, seconds=seconds)
        made = BackupMade(name=archive.path.name, size_bytes=archive.size_bytes, occurred_at=archive.name.created_at)
        return self._publishing(made)

    async def check(self) -> Check:
        """The health check `backup`, and its metrics: looks into the folder."""
        try:
            archives = await asyncio.to_thread(list_archives, self._place.folder)
        except BackupError as error:
            return Check(Status.WARN, str(error))
        newest = next((archive for archive in archives if not archive.name.is_safety), None)
        if newest is not None:
            self._metrics.backup_last_success_timestamp_seconds.set(newest.name.created_at.timestamp())
            self._metrics.backup_size_bytes.set(newest.size_bytes)
        return self._judge(newest, self._clock.now())

    def _judge(self, newest: Archive | None, now: datetime) -> Check:
        made_at = None if newest is None else newest.name.created_at
        said = "there is no backup yet" if made_at is None else f"the newest backup is of {made_at:%Y-%m-%d %H:%M} UTC"
        age_s = None if made_at is None else round((now - made_at).total_seconds())
        unit = None if age_s is None else "s"
        if self._problem:
            return Check(Status.WARN, f"the last backup failed: {self._problem}; {said}", age_s, unit)
        missed = self._slots.after(made_at or self._began_at)
        missed = None if missed is None else self._slots.after(missed)
        if missed is not None and missed < now:
            return Check(Status.WARN, f"{said}, and two have been due since", age_s, unit)
        return Check(Status.PASS, said, age_s, unit)

    async def _make(self) -> tuple[Archive, int]:
        stopped = threading.Event()

        def report(*_: object) -> None:
            if stopped.is_set():
                raise BackupError("the daemon stops")

        def work() -> tuple[Archive, int]:
            # Imported late: a daemon does without compression and encryption until its first backup.
            from daemon.services.backup.making import make

            archive, manifest = make(self._place, at=self._clock.now(), report=report)
            retire(self._place.folder, self._keep)
            return archive, manifest.rows()

        try:
            return await asyncio.to_thread(work)
        finally:
            stopped.set()  # who is cancelled waits no longer, and the thread shall not go on without

    async def _note_failure(self, error: BackupError | UpstreamError) -> None:
        is_first, self._problem = not self._problem, str(error)
        log.error("backup_failed", problem=self._problem)
        if is_first and isinstance(error, BackupError):  # otherwise the database is away, and with it the events
            await self._store.write(
                self._publishing(BackupFailed(problem=self._problem, occurred_at=self._clock.now()))
            )

    def _publishing(self, event: Event) -> Unit[bool]:
        trace_id = current_trace_id()
        return lambda tx: self._events.publish(tx, event, source=_SOURCE, trace_id=trace_id)

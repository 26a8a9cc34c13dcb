"""A message as its handler sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeAlias

from daemon.data.columns import from_micros
from daemon.data.store import Unit
from daemon.services.queue.hand import Work
from daemon.services.queue.spec import Progress
from daemon.services.queue.upkeep import Reports


class Message:
    """One attempt at a message. `attempt` counts from 1; `event_seq` is the event it delivers, or None."""

    def __init__(self, queue: str, work: Work, body: bytes, reports: Reports) -> None:
        row = work.row
        self.queue = queue
        self.message_id = row.id
        self.topic = row.topic
        self.key = row.key
        self.body = body
        self.digest = row.digest  # SHA-256 of the body
        self.attempt = row.attempts
        self.event_seq = row.event_seq
        self.source = row.source
        self.trace_id = row.trace_id
        self._work = work
        self._reports = reports

    @property
    def enqueued_at(self) -> datetime:
        """When it was put into the queue."""
        return from_micros(self._work.row.enqueued_at)

    def report(self, done: int, total: int, note: str = "") -> None:
        """Say how far the job is; stored at most every `PROGRESS_S`, the last word winning."""
        self._reports.note(self._work, Progress(done, total, note))


Handler: TypeAlias = Callable[[Message], Awaitable[Unit[Any] | None]]
"""Does the slow reading and sending, then returns its effect on the database as a unit of work, or None for none.

The unit is committed together with the message's completion, so it happens once, however often the handler runs.
"""

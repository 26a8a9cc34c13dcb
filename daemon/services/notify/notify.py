"""Asking for notices, in the unit of work of what they are about."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from daemon.core.clock import Clock
from daemon.core.limits import NOTICE_ATTEMPTS_MAX, NOTICE_RETRY_MAX_S, NOTICES_AT_ONCE
from daemon.data import notices
from daemon.data.store import Store
from daemon.kernel.metrics import Metrics
from daemon.services.notify.delivery import Delivery, new_row
from daemon.services.notify.notice import Notice, encode
from daemon.services.notify.sender import NoticeSender
from daemon.services.queue import Queue, QueueSpec

QUEUE = "notify"


class Notify:
    """Messages to Discord that are said once, however often they are asked for and whatever fails on the way."""

    def __init__(self, store: Store, queue: Queue, clock: Clock, metrics: Metrics) -> None:
        self._store = store
        self._queue = queue
        self._clock = clock
        self._metrics = metrics
        spec = QueueSpec(
            QUEUE,
            concurrency=NOTICES_AT_ONCE,
            attempts_max=NOTICE_ATTEMPTS_MAX,
            retry_max_s=NOTICE_RETRY_MAX_S,
        )
        queue.declare(spec)

    def post(self, tx: Connection, notice: Notice) -> str | None:
        """Have `notice` posted once this unit is committed. Its nonce; None when its key was used before."""
        if not notices.add(tx, new_row(notice, self._clock.now())):
            return None
        body, source, trace_id = encode(notice), notice.source, notice.trace_id
        self._queue.put(tx, QUEUE, notice.module, body, key=notice.order, source=source, trace_id=trace_id)
        return notice.nonce

    def deliver(self, sender: NoticeSender) -> Callable[[], None]:
        """Have the notices that wait posted by this process; call what is returned to end that."""
        return self._queue.handle(QUEUE, "", Delivery(self._store, self._clock, sender, self._metrics).handle)

"""Bringing notices into Discord, each once: whatever was lost, crashed, or done twice on the way.

Before a post its time is stored, so that a later attempt knows that the message may stand there already. While Discord
remembers the nonce, posting again is safe: it answers with the first message. Afterwards the channel is read, and only
what is not found is posted again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import structlog
from sqlalchemy import Connection

from daemon.core.clock import Clock
from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.ids import AppId, ChannelId, MessageId
from daemon.core.limits import NONCE_WINDOW_S, NOTICE_ASKED_LAST_S, NOTICE_PATIENCE_S, NOTICE_REFUSALS_MAX
from daemon.data import notices
from daemon.data.notices import NoticeRow
from daemon.data.store import Store, Unit
from daemon.kernel.metrics import Metrics
from daemon.services.notify.notice import Notice, decode
from daemon.services.notify.sender import Answer, Fate, NoticeSender
from daemon.services.queue import Message, Reject

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Job:
    notice: Notice
    row: NoticeRow
    waits_since: datetime


class Delivery:
    """The handler of the queue of notices, in a process with bots that are logged in."""

    def __init__(self, store: Store, clock: Clock, sender: NoticeSender, metrics: Metrics) -> None:
        self._store = store
        self._clock = clock
        self._sender = sender
        self._metrics = metrics
        self._refused: dict[tuple[AppId, str], float] = {}  # until which loop time a bot is asked last

    async def handle(self, message: Message) -> Unit[None] | None:
        """Post it, or find it; the unit notes that it stands there.

        UpstreamError for what may be better later, Reject for what will not be and for what has waited too long.
        """
        notice = self._read(message)
        row = await self._row(notice)
        if row.message_id is not None:
            return None
        job = _Job(notice, row, message.enqueued_at)
        answer = await self._settle_try(job) or await self._post_first(job)
        return self._note(notice, MessageId(answer.snowflake))

    def _read(self, message: Message) -> Notice:
        try:
            return decode(message.body)
        except (msgspec.DecodeError, ValueError) as error:
            raise self._drop(f"no notice: {error}") from error

    async def _row(self, notice: Notice) -> NoticeRow:
        """What is known of the notice; one that was cleaned away since is as good as new."""
        row = await self._store.read(lambda tx: notices.get(tx, notice.nonce))
        if row is None:
            row = new_row(notice, self._clock.now())
            await self._store.write(lambda tx: notices.add(tx, row))
        return row

    async def _settle_try(self, job: _Job) -> Answer | None:
        """Find out whether an earlier try has arrived, or repeat it; None when there is none that can have."""
        row = job.row
        if row.tried_at is None or row.app_id is None or row.channel_id is None:
            return None
        if self._is_remembered(row.tried_at):
            answer = await self._sender.post(row.app_id, row.channel_id, job.notice)
            outcome, refusal = "posted", ""
        else:
            answer = await self._sender.find(row.app_id, row.channel_id, row.nonce, row.tried_at)
            outcome, refusal = "found", "whether it was posted cannot be told: "
        match answer.fate:
            case Fate.DONE:
                self._count(job, outcome)
                return answer
            case Fate.ABSENT:
                return None
            case Fate.REFUSED:
                raise self._drop(refusal + answer.detail)
            case _:
                raise self._retry(job, answer.detail)

    async def _post_first(self, job: _Job) -> Answer:
        """Have it posted by the first bot that can; no try of any has arrived."""
        speakers = self._sender.speakers(job.notice.module)
        refusals: list[str] = []
        for app_id in self._ordered(speakers.app_ids, job.notice):
            answer = await self._post_as(app_id, job)
            if answer.fate is Fate.DONE:
                self._count(job, "posted")
                return answer
            if answer.fate is Fate.UNKNOWN:
                raise self._retry(job, answer.detail)
            await self._store.write(lambda tx: notices.clear_try(tx, job.row.nonce))
            if answer.fate is not Fate.REFUSED:
                raise self._retry(job, answer.detail)
            refusals.append(answer.detail)
            self._ask_last(app_id, job.notice)
        if speakers.is_complete and refusals:
            raise self._drop("; ".join(dict.fromkeys(refusals)))
        raise self._retry(job, "; ".join(["not every bot is logged in", *refusals]))

    async def _post_as(self, app_id: AppId, job: _Job) -> Answer:
        opened = await self._open(app_id, job.notice)
        if opened.fate is not Fate.DONE:
            return opened
        channel_id, now = ChannelId(opened.snowflake), self._clock.now()
        await self._store.write(lambda tx: notices.note_try(tx, job.row.nonce, app_id, channel_id, now))
        if not self._is_remembered(now):
            # The process stood still between these lines: another may have posted it, and Discord forgotten it.
            return Answer(Fate.UNKNOWN, detail="it took too long to begin")
        return await self._sender.post(app_id, channel_id, job.notice)

    async def _open(self, app_id: AppId, notice: Notice) -> Answer:
        if notice.member_id is not None:
            return await self._sender.open_direct(app_id, notice.member_id)
        return Answer(Fate.DONE, notice.channel_id or 0)

    def _is_remembered(self, tried_at: datetime) -> bool:
        """Whether Discord still knows the nonce of a post that began then."""
        return (self._clock.now() - tried_at).total_seconds() <= NONCE_WINDOW_S

    def _ordered(self, app_ids: Sequence[AppId], notice: Notice) -> list[AppId]:
        """As given, but those that were refused there a short while ago come last."""
        now = asyncio.get_running_loop().time()
        return sorted(app_ids, key=lambda app_id: self._refused.get((app_id, notice.order), 0.0) > now)

    def _ask_last(self, app_id: AppId, notice: Notice) -> None:
        while len(self._refused) >= NOTICE_REFUSALS_MAX:
            del self._refused[next(iter(self._refused))]
        self._refused[app_id, notice.order] = asyncio.get_running_loop().time() + NOTICE_ASKED_LAST_S

    def _note(self, notice: Notice, message_id: MessageId) -> Unit[None]:
        now = self._clock.now()

        def note(tx: Connection) -> None:
            notices.note_posted(tx, notice.nonce, message_id, now)

        return note

    def _count(self, job: _Job, outcome: str) -> None:
        self._metrics.notices_total.labels(outcome).inc()
        log.info("notice_delivered", nonce=job.row.nonce, outcome=outcome)
        if outcome == "posted":
            waited_s = (self._clock.now() - job.row.asked_at).total_seconds()
            self._metrics.event_to_discord_seconds.observe(max(0.0, waited_s))

    def _retry(self, job: _Job, detail: str) -> UpstreamError | Reject:
        """What the handler raises to be asked again later."""
        if (self._clock.now() - job.waits_since).total_seconds() > NOTICE_PATIENCE_S:
            return self._drop(f"it could not be posted for too long: {detail}")
        self._metrics.notices_total.labels("retried").inc()
        return UpstreamError("Discord", UpstreamKind.BUSY, detail)

    def _drop(self, detail: str) -> Reject:
        """What the handler raises to have the message put aside, for an owner to see."""
        self._metrics.notices_total.labels("dropped").inc()
        return Reject(detail)


def new_row(notice: Notice, at: datetime) -> NoticeRow:
    """A notice that nobody has tried to post yet."""
    return NoticeRow(
        nonce=notice.nonce,
        app_id=None,
        channel_id=notice.channel_id,
        member_id=notice.member_id,
        message_id=None,
        source=notice.source,
        trace_id=notice.trace_id,
        asked_at=at,
    )

"""What the owners are told of, and where: each event becomes a notice in the unit of work that handles it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from daemon.core.events import (
    BackupFailed,
    Event,
    MessageDied,
    ServerBack,
    ServerLost,
    WatcherAlarmed,
    WatcherCleared,
)
from daemon.core.ids import ChannelId, MemberId, ModuleId
from daemon.data.store import Unit
from daemon.kernel.trace import current_trace_id
from daemon.services.notify import QUEUE, Notice, Notify
from integrations.discord.ui.layout import safe

MODULE = ModuleId("ops")
BAD, GOOD = 0xDA373C, 0x23A55A


@dataclass(frozen=True, slots=True)
class _Words:
    """What is said; `key` tells it from everything else that is said."""

    key: str
    title: str
    text: str
    accent: int


class Telling:
    """Handlers of events. Without a channel each owner is told directly; without owners nobody is."""

    def __init__(
        self, notify: Notify, channel: ChannelId | None, owners: Sequence[MemberId], died_every_min: int
    ) -> None:
        self._notify = notify
        self._channel = channel
        self._owners = owners
        self._died_every_min = died_every_min

    async def server_lost(self, event: ServerLost) -> Unit[object]:
        """A Plex server cannot be used any more."""
        text = f"Plex server **{safe(event.server)}** {safe(event.problem)}, since {_clock(event.occurred_at)}."
        return self._tell(event, _Words(event.event_id(), "Plex server lost", text, BAD))

    async def server_back(self, event: ServerBack) -> Unit[object]:
        """It answers again."""
        away = _span((event.occurred_at - event.lost_at).total_seconds())
        text = f"Plex server **{safe(event.server)}** answers again. It was away for {away}."
        return self._tell(event, _Words(event.event_id(), "Plex server back", text, GOOD))

    async def message_died(self, event: MessageDied) -> Unit[object] | None:
        """A message was given up: told once a queue in each stretch of `died_every_min` minutes of the clock."""
        if (event.queue, event.topic) == (QUEUE, MODULE):
            return None  # what could not be told was about trouble itself: another notice would fare no better
        stretch = int(event.occurred_at.timestamp()) // (self._died_every_min * 60)
        text = (
            f"Queue **{safe(event.queue)}**: {safe(event.topic)} {safe(event.reason)} after {_times(event.attempts)}, "
            f"now dead letter {event.letter_id}. `/ops dead-letters` shows it, and whatever else dies; "
            f"of this queue you are told once in {self._died_every_min} minutes."
        )
        key = f"died:{event.queue}:{self._died_every_min}:{stretch}"
        return self._tell(event, _Words(key, "Work was given up", text, BAD))

    async def watcher_alarmed(self, event: WatcherAlarmed) -> Unit[object]:
        """Deliveries are not as published."""
        found = ", ".join(f"{count} {safe(kind)}" for kind, count in sorted(event.findings.items()))
        text = f"What was published and what was handled differ: {found}. The health page says which events they are."
        return self._tell(event, _Words(event.event_id(), "Events went astray", text, BAD))

    async def watcher_cleared(self, event: WatcherCleared) -> Unit[object]:
        """They are again."""
        text = "Every event has been handled as it was published."
        return self._tell(event, _Words(event.event_id(), "Events are in order again", text, GOOD))

    async def backup_failed(self, event: BackupFailed) -> Unit[object]:
        """There is no fresh backup."""
        text = f"The backup of {_clock(event.occurred_at)} could not be made: {safe(event.problem)}"
        return self._tell(event, _Words(event.event_id(), "Backup failed", text, BAD))

    def _tell(self, event: Event, words: _Words) -> Unit[object]:
        trace_id, source = current_trace_id(), f"event {event.TYPE}"
        notices = [
            Notice(
                MODULE,
                f"{MODULE}:{words.key}" + ("" if member is None else f":{member}"),
                words.text,
                channel_id=self._channel if member is None else None,
                member_id=member,
                title=words.title,
                accent=words.accent,
                source=source,
                trace_id=trace_id,
            )
            for member in ((None,) if self._channel is not None else self._owners)
        ]

        return lambda tx: [self._notify.post(tx, notice) for notice in notices]


def _clock(at: datetime) -> str:
    return f"<t:{int(at.timestamp())}:t>"


def _times(attempts: int) -> str:
    return "1 attempt" if attempts == 1 else f"{attempts} attempts"


def _span(seconds: float) -> str:
    """`40 seconds`, `12 minutes`, `3 hours`: the largest unit that there are two of."""
    for unit, unit_s in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * unit_s:
            return f"{int(seconds // unit_s)} {unit}"
    return f"{int(seconds)} seconds"

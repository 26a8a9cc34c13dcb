"""From an event to the notices that owners get: on real queues, up to the point where Discord would be asked."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from daemon.core.events import (
    BackupFailed,
    Event,
    MessageDied,
    ServerBack,
    ServerLost,
    WatcherAlarmed,
    WatcherCleared,
)
from daemon.core.ids import ChannelId, MemberId
from daemon.data.store import Store
from daemon.modules.ops.telling import Telling
from daemon.services.events import CATALOG, EVENTS_QUEUE, Events
from daemon.services.notify import Notify
from daemon.services.queue import DatabaseClaims, DatabaseTransport
from tests.integration.queue.station import AT, ManualClock, Station, until

CHANNEL = ChannelId(77)
OLIVIA, OSCAR = MemberId(1), MemberId(2)
TRACE = "0123456789abcdef" * 2


def died(
    number: int, *, queue: str = "work", topic: str = "pets", minutes: float = 0.0, attempts: int = 1
) -> MessageDied:
    return MessageDied(
        letter_id=number,
        queue=queue,
        topic=topic,
        reason="rejected",
        attempts=attempts,
        source="command play",
        occurred_at=AT + timedelta(minutes=minutes),
    )


@asynccontextmanager
async def told(store: Store, channel: ChannelId | None, owners: Sequence[MemberId] = ()) -> Any:
    """Publishes events, waits until they are handled, and gives the notices that wait, oldest first."""
    clock = ManualClock()
    station = Station(store, clock, DatabaseTransport(), DatabaseClaims(store, clock), EVENTS_QUEUE)
    events = Events(store, station.queue, clock, CATALOG, station.metrics)
    telling = Telling(Notify(store, station.queue, clock, station.metrics), channel, owners, 15)
    for name, event_type, handler in (
        ("servers", ServerLost, telling.server_lost),
        ("servers", ServerBack, telling.server_back),
        ("watcher", WatcherAlarmed, telling.watcher_alarmed),
        ("watcher", WatcherCleared, telling.watcher_cleared),
        ("message_died", MessageDied, telling.message_died),
        ("backup_failed", BackupFailed, telling.backup_failed),
    ):
        events.subscribe(f"ops.{name}", event_type, handler)
    await events.sync()
    await station.queue.start([EVENTS_QUEUE.name])

    async def publish(*published: Event) -> list[dict[str, Any]]:
        for event in published:
            await store.write(lambda tx, event=event: events.publish(tx, event, trace_id=TRACE))

        async def are_handled() -> bool:
            return all(row["queue"] == "notify" for row in await station.rows())

        await until(are_handled)
        assert await station.dead() == []
        rows = await station.rows()
        assert {row["trace_id"] for row in rows} <= {TRACE}
        return [msgspec.json.decode(row["body"]) for row in rows]

    try:
        yield publish
    finally:
        await station.stop(0.0)


async def test_a_server_that_comes_and_goes(store: Store) -> None:
    lost = ServerLost(server="attic_*", problem="is unreachable", occurred_at=AT)
    back = ServerBack(server="attic_*", lost_at=AT, occurred_at=AT + timedelta(minutes=12))
    async with told(store, CHANNEL, [OLIVIA]) as publish:
        notices = await publish(lost, back, lost, back)
    assert [(notice["channel_id"], notice["title"]) for notice in notices] == [
        (CHANNEL, "Plex server lost"),
        (CHANNEL, "Plex server back"),
    ]
    assert notices[0]["text"] == f"Plex server **attic\\_\\*** is unreachable, since <t:{int(AT.timestamp())}:t>."
    assert notices[1]["text"] == "Plex server **attic\\_\\*** answers again. It was away for 12 minutes."
    assert {notice["source"] for notice in notices} == {"event server_lost", "event server_back"}


async def test_without_a_channel_each_owner_is_told(store: Store) -> None:
    async with told(store, None, [OLIVIA, OSCAR]) as publish:
        notices = await publish(BackupFailed(problem="the disk is full", occurred_at=AT))
    assert [(notice["member_id"], notice["channel_id"]) for notice in notices] == [(OLIVIA, None), (OSCAR, None)]
    assert notices[0]["text"].endswith("could not be made: the disk is full")
    assert len({notice["key"] for notice in notices}) == 2


async def test_without_channel_and_owners_nobody_is_told(store: Store) -> None:
    async with told(store, None) as publish:
        assert await publish(BackupFailed(problem="the disk is full", occurred_at=AT), died(1)) == []


async def test_many_dead_letters_of_a_queue_are_told_once_in_a_while(store: Store) -> None:
    async with told(store, CHANNEL) as publish:
        many = [died(number, minutes=number / 100) for number in range(1, 101)]
        notices = await publish(*many, died(101, queue="other"), died(102, minutes=15, attempts=6))
    other, first, later = sorted(notice["text"] for notice in notices)
    assert other.startswith("Queue **other**")
    assert first.startswith("Queue **work**: pets rejected after 1 attempt, now dead letter ")
    assert "after 6 attempts, now dead letter 102." in later


async def test_a_notice_about_trouble_that_could_not_be_told_is_not_told(store: Store) -> None:
    """Else one that Discord refuses would be followed by another about it, for ever."""
    async with told(store, CHANNEL) as publish:
        assert await publish(died(1, queue="notify", topic="ops")) == []
        (notice,) = await publish(died(2, queue="notify", topic="playback"))
        assert "Queue **notify**" in notice["text"]


async def test_the_watcher_is_told_of(store: Store) -> None:
    async with told(store, CHANNEL) as publish:
        notices = await publish(
            WatcherAlarmed(findings={"stuck": 1, "missing": 20}, after=0, occurred_at=AT),
            WatcherCleared(after=1, occurred_at=AT),
        )
    assert [notice["title"] for notice in notices] == ["Events went astray", "Events are in order again"]
    assert "differ: 20 missing, 1 stuck." in notices[0]["text"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 seconds"), (119, "119 seconds"), (120, "2 minutes"), (7_200, "2 hours"), (172_800, "2 days")],
)
async def test_how_long_it_was_away(store: Store, seconds: int, words: str) -> None:
    async with told(store, CHANNEL) as publish:
        (notice,) = await publish(ServerBack(server="a", lost_at=AT - timedelta(seconds=seconds), occurred_at=AT))
    assert notice["text"].endswith(f"away for {words}.")

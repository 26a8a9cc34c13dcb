"""Retention deletes what is settled and old, keeps what is not, and bounds the table of events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest_asyncio
from sqlalchemy import Connection, insert

from daemon.core.limits import RETENTION_BATCH
from daemon.data import interactions
from daemon.data.notices import notices
from daemon.data.schedules import schedule_runs
from daemon.data.store import Store
from daemon.kernel.health import Check, Status
from daemon.services.queue import QueueSpec, Reject
from daemon.services.retention import Keep, Retention
from daemon.services.watcher import Watcher
from tests.integration.events.bus import Book, Bus, Fed, Walked, done, fed, process

KEEP = Keep()
DAY = timedelta(days=1)


@pytest_asyncio.fixture
async def bus(store: Store) -> AsyncIterator[Bus]:
    async with process(store) as made:
        yield made


def retention(bus: Bus, keep: Keep = KEEP) -> Retention:
    return Retention(bus.store, bus.queue.claims, bus.clock, bus.health, bus.metrics, keep)


def check(bus: Bus) -> Check:
    return bus.health.report().checks["retention"]


async def meals(bus: Bus) -> list[str]:
    return [row[0] for row in await bus.rows("SELECT event_id FROM events ORDER BY seq")]


async def subscribed(bus: Bus, *names: str) -> None:
    for name in names:
        bus.events.subscribe(name, Fed, Book())
    await bus.events.sync()


async def test_what_was_handled_long_ago_goes_with_its_marks(bus: Bus) -> None:
    await subscribed(bus, "a.fed", "b.fed")
    await bus.start()
    count = RETENTION_BATCH + 20
    await bus.publish(*(fed(meal) for meal in range(count)), Walked(pet="rex", metres=1, occurred_at=bus.clock.now()))
    await bus.drained()
    assert (await retention(bus).run_once())["events"] == 0
    bus.clock.ahead = KEEP.events_days * DAY + timedelta(minutes=5)
    await bus.publish(fed(count))
    await bus.drained()
    removed = await retention(bus).run_once()
    assert removed["events"] == count + 1
    assert await meals(bus) == [f"fed:rex:{count}"]
    assert await bus.count("event_marks") == 2
    assert len(await done(bus)) == 2 * (count + 1)
    assert await bus.metric("table_rows", table="events") == 1
    assert await bus.metric("table_rows", table="event_marks") == 2
    assert check(bus) == Check(Status.PASS, "1 of at most 1,000,000 events", 1, "events")
    assert set((await retention(bus).run_once()).values()) == {0}


async def test_what_is_not_settled_stays_however_old(bus: Bus) -> None:
    await subscribed(bus, "a.fed", "b.fed")
    await bus.publish(*(fed(meal) for meal in range(4)))
    await bus.change("DELETE FROM queue_messages WHERE event_seq = 1 AND topic = 'a.fed'")  # lost
    await bus.change(  # handled by a, waits for b
        "INSERT INTO event_marks SELECT event_seq, topic, digest, 1, 1 FROM queue_messages WHERE topic = 'a.fed'"
    )
    await bus.change("DELETE FROM queue_messages WHERE topic = 'a.fed' OR event_seq IN (1, 3)")
    await bus.change("INSERT INTO event_marks SELECT seq, 'b.fed', digest, 1, 1 FROM events WHERE seq IN (1, 3)")
    bus.clock.ahead = 400 * DAY
    assert (await retention(bus).run_once())["events"] == 1
    assert await meals(bus) == ["fed:rex:0", "fed:rex:1", "fed:rex:3"]
    await Watcher(bus.store, bus.events, bus.clock, bus.health, bus.metrics, settle_s=0).look()  # repairs
    await bus.start()
    await bus.drained()
    assert (await retention(bus).run_once())["events"] == 3
    assert await bus.count("event_marks") == 0


async def test_an_event_with_a_dead_letter_is_settled(bus: Bus) -> None:
    async def fail(event: Fed) -> None:
        raise Reject("no")

    bus.events.subscribe("a.fed", Fed, fail)
    await bus.events.sync()
    await bus.start()
    await bus.publish(fed(1))
    await bus.drained()
    bus.clock.ahead = (KEEP.events_days + 1) * DAY
    removed = await retention(bus).run_once()
    assert (removed["events"], removed["dead_letters"]) == (1, 0)
    bus.clock.ahead = (KEEP.dead_letters_days + 1) * DAY
    assert (await retention(bus).run_once())["dead_letters"] == 1
    assert await bus.count("event_marks") == 0


async def test_a_dead_letter_that_goes_before_its_event_leaves_it_settled(bus: Bus) -> None:
    async def fail(event: Fed) -> None:
        raise Reject("no")

    bus.events.subscribe("a.fed", Fed, fail)
    await bus.events.sync()
    await bus.start()
    await bus.publish(fed(1))
    await bus.drained()
    bus.clock.ahead = 2 * DAY
    assert (await retention(bus, Keep(dead_letters_days=1)).run_once())["dead_letters"] == 1
    assert await meals(bus) == ["fed:rex:1"]
    assert await Watcher(bus.store, bus.events, bus.clock, bus.health, bus.metrics, settle_s=0).look() == []
    assert await bus.count("queue_messages") == 0


async def test_marks_whose_event_is_gone_go(bus: Bus) -> None:
    await bus.publish(fed(1), fed(2))
    await bus.change("INSERT INTO event_marks SELECT seq, 'a.fed', digest, 1, 1 FROM events")
    await bus.change("DELETE FROM events WHERE seq = 1")
    assert (await retention(bus).run_once())["event_marks"] == 1
    assert await bus.rows("SELECT event_seq FROM event_marks") == [(2,)]


async def test_the_table_of_events_is_bounded(bus: Bus) -> None:
    await subscribed(bus, "a.fed")
    await bus.start()
    await bus.publish(*(fed(meal) for meal in range(2500)))
    await bus.drained()
    assert (await retention(bus, Keep(events_max=1000)).run_once())["events"] == 1500
    assert (await meals(bus))[0] == "fed:rex:1500"
    assert check(bus).status is Status.PASS
    assert (await retention(bus, Keep(events_max=1000)).run_once())["events"] == 0


async def test_a_bound_that_cannot_be_met_is_said_and_nothing_unsettled_goes(bus: Bus) -> None:
    await subscribed(bus, "a.fed")
    await bus.publish(*(fed(meal) for meal in range(30)))
    keep = Keep(events_max=10)
    assert (await retention(bus, keep).run_once())["events"] == 0
    assert check(bus).status is Status.WARN
    assert check(bus).output.startswith("30 events are kept, more than events_max = 10")
    await bus.start()
    await bus.drained()
    assert (await retention(bus, keep).run_once())["events"] == 20
    assert check(bus).status is Status.PASS


async def test_dedupe_keys_go_unless_their_message_waits(bus: Bus) -> None:
    bus.queue.declare(QueueSpec("jobs"))
    await bus.queue.send("jobs", "old", dedupe="waits")
    await bus.queue.send("jobs", "old", dedupe="done")
    await bus.change("DELETE FROM queue_messages WHERE dedupe = 'done'")
    bus.clock.ahead = (KEEP.dedupe_days + 1) * DAY
    await bus.queue.send("jobs", "new", dedupe="new")
    await bus.change("DELETE FROM queue_messages WHERE dedupe = 'new'")
    assert (await retention(bus).run_once())["queue_dedupe"] == 1
    assert await bus.rows("SELECT dedupe FROM queue_dedupe ORDER BY dedupe") == [("new",), ("waits",)]


async def test_notices_runs_and_interactions(bus: Bus) -> None:
    now = bus.clock.now()

    def fill(tx: Connection) -> None:
        for days in (1, 40, 100):
            for is_posted in (True, False):
                add_notice(tx, f"{days}-{is_posted}", now - days * DAY, is_posted=is_posted)
            add_run(tx, f"run-{days}", now - days * DAY)
            interactions.see(tx, interactions.InteractionId(days), now - days * DAY)

    await bus.store.write(fill)
    removed = await retention(bus).run_once()
    assert {name: removed[name] for name in ("notices", "schedule_runs", "interactions_seen")} == {
        "notices": 3,
        "schedule_runs": 1,
        "interactions_seen": 3,
    }
    kept = await bus.rows("SELECT nonce FROM notices ORDER BY nonce")
    assert kept == [("1-False",), ("1-True",), ("40-False",)]
    assert await bus.rows("SELECT name FROM schedule_runs ORDER BY name") == [("run-1",), ("run-40",)]


async def test_large_bodies_that_nobody_needs_go(bus: Bus) -> None:
    bus.queue.declare(QueueSpec("jobs"))
    await bus.queue.send("jobs", "big", b"x" * 300_000)
    await bus.queue.send("jobs", "big", b"y" * 300_000)
    await bus.change("DELETE FROM queue_messages WHERE id = (SELECT min(id) FROM queue_messages)")
    bus.clock.ahead = DAY
    assert (await retention(bus).run_once())["claims"] == 1
    assert await bus.count("claim_bodies") == 1


def add_notice(tx: Connection, nonce: str, at: datetime, *, is_posted: bool) -> None:
    row = {"nonce": nonce, "channel_id": 1, "source": "", "trace_id": "", "asked_at": at}
    tx.execute(insert(notices).values(**row, posted_at=at if is_posted else None))


def add_run(tx: Connection, name: str, at: datetime) -> None:
    tx.execute(insert(schedule_runs).values(name=name, slot_at=at, asked_at=at, detail="", trace_id=""))

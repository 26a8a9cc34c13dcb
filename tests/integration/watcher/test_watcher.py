"""The watcher tells by name what a broken dispatcher did, mends what can be mended, and cries about each thing once."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlalchemy import Connection

from daemon.core.events import Event, WatcherAlarmed, WatcherCleared
from daemon.core.limits import WATCH_ATTEMPTS, WATCH_RANGE_ROWS
from daemon.data.store import Store
from daemon.kernel.health import Check, Status
from daemon.services.queue import Message
from daemon.services.watcher import Kind, Watcher
from tests.integration.events.bus import CATALOG, Book, Bus, Fed, done, eventually, fed, process


@pytest_asyncio.fixture
async def bus(store: Store) -> AsyncIterator[Bus]:
    async with process(store) as made:
        yield made


def watcher(bus: Bus, *, repairs: bool = True, settle_s: float = 0.0) -> Watcher:
    return Watcher(
        bus.store, bus.events, bus.clock, bus.health, bus.metrics, settle_s=settle_s, stuck_s=600, repairs=repairs
    )


async def found(watching: Watcher) -> list[tuple[Kind, str, str]]:
    return sorted((one.kind, one.delivery.event_id, one.delivery.subscription) for one in await watching.look())


def check(bus: Bus) -> Check:
    return bus.health.report().checks["events"]


async def told(bus: Bus) -> list[Event]:
    rows = await bus.rows("SELECT body FROM events WHERE type LIKE 'watcher_%' ORDER BY seq")
    return [CATALOG.decode(row[0]) for row in rows]


async def gauges(bus: Bus) -> dict[str, float]:
    return {kind.value: await bus.metric("watcher_findings", kind=kind.value) for kind in Kind}


async def subscribed(bus: Bus, *names: str) -> Book:
    book = Book()
    for name in names:
        bus.events.subscribe(name, Fed, book)
    await bus.events.sync()
    return book


async def test_all_is_well(bus: Bus) -> None:
    await subscribed(bus, "a.fed", "b.fed")
    await bus.publish(fed(0), *(fed(meal) for meal in range(1, 40)))
    watching = watcher(bus)
    assert await found(watching) == []  # everything waits
    await bus.start()
    await bus.drained()
    await bus.publish(fed(40))
    assert await found(watching) == []
    await bus.drained()
    assert await found(watching) == []
    assert check(bus).status is Status.PASS
    assert await gauges(bus) == {"missing": 0, "stuck": 0, "truncated": 0, "unknown": 0}
    assert await bus.metric("watcher_runs_total") == 3
    assert await told(bus) == []


async def test_a_delivery_that_was_deleted_is_named_and_repaired(bus: Bus) -> None:
    book = await subscribed(bus, "a.fed", "b.fed")
    await bus.publish(fed(1), fed(2), fed(3))
    await bus.change("DELETE FROM queue_messages WHERE topic = 'a.fed' AND source = 'event 2'")
    watching = watcher(bus)
    missing = [(Kind.MISSING, "fed:rex:2", "a.fed")]
    assert await found(watching) == missing
    assert check(bus).status is Status.WARN
    assert check(bus).output == "1 missing (event 2 (fed:rex:2) for a.fed)"
    assert await gauges(bus) == {"missing": 1, "stuck": 0, "truncated": 0, "unknown": 0}
    assert await bus.rows("SELECT count(*) FROM queue_messages WHERE topic = 'a.fed'") == [(3,)]
    assert await found(watching) == missing  # enqueued, and not handled yet
    assert await bus.rows("SELECT count(*) FROM queue_messages WHERE topic = 'a.fed'") == [(3,)]
    await bus.start()
    await bus.drained()
    assert await found(watching) == []
    assert check(bus).status is Status.PASS
    assert sorted(event.event_id() for event in book.seen) == sorted(f"fed:rex:{meal}" for meal in (1, 2, 3) * 2)
    assert [type(event) for event in await told(bus)] == [WatcherAlarmed, WatcherCleared]


async def test_without_repairs_it_only_tells(bus: Bus) -> None:
    await subscribed(bus, "a.fed")
    await bus.publish(fed(1))
    await bus.change("DELETE FROM queue_messages")
    watching = watcher(bus, repairs=False)
    for _ in range(3):
        assert await found(watching) == [(Kind.MISSING, "fed:rex:1", "a.fed")]
    assert await bus.count("queue_messages") == 0
    (alarm,) = await told(bus)
    assert isinstance(alarm, WatcherAlarmed)
    assert alarm.findings == {"missing": 1}


async def test_a_dispatcher_that_swallows_is_found_out(bus: Bus) -> None:
    async def swallow(message: Message) -> None:
        return None

    await subscribed(bus, "good.fed")
    end = bus.events.subscribe("bad.fed", Fed, Book())
    await bus.events.sync()
    end()
    undo = bus.queue.handle("events", "bad.fed", swallow)
    await bus.start()
    await bus.publish(fed(1), fed(2))
    await bus.drained()
    watching = watcher(bus)
    missing = [(Kind.MISSING, f"fed:rex:{meal}", "bad.fed") for meal in (1, 2)]
    for _ in range(3):
        assert await found(watching) == missing
        await bus.drained()  # what was repaired was swallowed again
    undo()
    bus.events.subscribe("bad.fed", Fed, Book())
    await found(watching)
    await bus.drained()
    assert await found(watching) == []
    assert sorted(await done(bus)) == ["fed:rex:1"] * 2 + ["fed:rex:2"] * 2


async def test_a_delivery_that_was_dropped_after_the_first_look(bus: Bus) -> None:
    await subscribed(bus, "a.fed")
    await bus.publish(fed(1), fed(2))
    watching = watcher(bus, repairs=False)
    assert await found(watching) == []
    await bus.change("DELETE FROM queue_messages WHERE source = 'event 1'")
    assert await found(watching) == [(Kind.MISSING, "fed:rex:1", "a.fed")]


async def test_a_body_that_was_cut_in_the_table(bus: Bus) -> None:
    await subscribed(bus, "a.fed")
    await bus.publish(fed(1), fed(2))
    await bus.change("UPDATE events SET body = substr(body, 1, 20) WHERE seq = 1")
    await bus.change("DELETE FROM queue_messages WHERE source = 'event 1'")
    watching = watcher(bus)
    assert await found(watching) == [(Kind.MISSING, "fed:rex:1", "a.fed"), (Kind.TRUNCATED, "fed:rex:1", "")]
    assert await bus.count("queue_messages") == 1  # what is cut is not sent again
    assert await found(watching) == [(Kind.MISSING, "fed:rex:1", "a.fed"), (Kind.TRUNCATED, "fed:rex:1", "")]
    assert check(bus).output == "1 missing (event 1 (fed:rex:1) for a.fed), 1 truncated (event 1 (fed:rex:1))"


async def test_what_was_handled_is_not_what_was_published(bus: Bus) -> None:
    await subscribed(bus, "a.fed", "b.fed")
    await bus.publish(fed(1))
    other = CATALOG.encode(replace(fed(1), pet="tom"))
    await bus.change(
        "UPDATE queue_messages SET body = :body, size_bytes = :size, digest = :digest WHERE topic = 'b.fed'",
        body=other,
        size=len(other),
        digest=hashlib.sha256(other).digest(),
    )
    await bus.start()
    await bus.drained()
    assert await found(watcher(bus)) == [(Kind.TRUNCATED, "fed:rex:1", "b.fed")]


async def test_what_waits_too_long_or_fails_too_often_is_stuck(bus: Bus) -> None:
    await subscribed(bus, "a.fed")
    await bus.publish(fed(1))
    watching = watcher(bus)
    assert await found(watching) == []
    bus.clock.ahead = timedelta(minutes=11)
    await bus.publish(fed(2), fed(3))
    assert await found(watching) == [(Kind.STUCK, "fed:rex:1", "a.fed")]
    await bus.change("UPDATE queue_messages SET attempts = :n WHERE source = 'event 3'", n=WATCH_ATTEMPTS)
    assert await found(watching) == [(Kind.STUCK, f"fed:rex:{meal}", "a.fed") for meal in (1, 3)]
    await bus.start()
    await bus.drained()
    assert await found(watching) == []


async def test_messages_for_nobody(bus: Bus) -> None:
    await bus.queue.send("events", "gone.fed", b"{}")
    await bus.publish(fed(1))
    watching = watcher(bus)
    assert await found(watching) == [(Kind.UNKNOWN, "", "gone.fed")]
    assert check(bus).output == "1 unknown (a message for gone.fed)"


async def test_a_dead_letter_is_not_missing(bus: Bus) -> None:
    async def fail(event: Fed) -> None:
        raise KeyError("always")

    bus.events.subscribe("a.fed", Fed, fail)
    await bus.events.sync()
    await bus.publish(fed(1))
    await bus.change("UPDATE queue_messages SET attempts = 7")
    await bus.start()
    await eventually(lambda: has(bus, "dead_letters", 1))
    assert await found(watcher(bus)) == []


async def test_what_was_published_before_a_subscription_is_not_missed(bus: Bus) -> None:
    await bus.publish(fed(1))
    await subscribed(bus, "a.fed")
    await bus.publish(fed(2))
    await bus.start()
    await bus.drained()
    assert await found(watcher(bus)) == []


async def test_young_events_are_left_alone(bus: Bus) -> None:
    await subscribed(bus, "a.fed")
    await bus.publish(fed(1))
    await bus.change("DELETE FROM queue_messages")
    watching = watcher(bus, repairs=False, settle_s=60)
    assert await found(watching) == []
    bus.clock.ahead = timedelta(seconds=61)
    assert await found(watching) == [(Kind.MISSING, "fed:rex:1", "a.fed")]


async def test_of_one_alarm_several_processes_tell_once_and_a_restart_does_not_repeat_it(bus: Bus) -> None:
    await subscribed(bus, "a.fed")
    await bus.publish(fed(1))
    await bus.change("DELETE FROM queue_messages")
    both = [watcher(bus, repairs=False) for _ in range(2)]
    for watching in both * 2:
        await watching.look()
    restarted = watcher(bus, repairs=False)
    await restarted.look()
    assert len(await told(bus)) == 1
    await bus.queue.send("events", "gone.fed", b"{}")
    for watching in (*both, restarted):
        await watching.look()
    alarms = await told(bus)
    assert [alarm.findings for alarm in alarms if isinstance(alarm, WatcherAlarmed)] == [
        {"missing": 1},
        {"missing": 1, "unknown": 1},
    ]
    await bus.change("DELETE FROM queue_messages")
    await bus.store.write(lambda tx: bus.events.redeliver(tx, 1, "a.fed"))
    await bus.start()
    await bus.drained()
    for watching in (*both, restarted):
        assert await watching.look() == []
    assert [type(event) for event in (await told(bus))[2:]] == [WatcherCleared]


async def test_it_does_not_cry_about_its_own_events(bus: Bus) -> None:
    async def swallow(message: Message) -> None:
        return None

    for kind in (WatcherAlarmed, WatcherCleared):
        end = bus.events.subscribe("ops.alarms", kind, Book())
        await bus.events.sync()
        end()
    # both gone from this process, kept in the database
    await bus.change("INSERT INTO event_subscriptions VALUES ('ops.alarms', 'watcher_alarmed', 0, 0)")
    bus.queue.handle("events", "ops.alarms", swallow)
    await bus.start()
    await bus.publish(fed(1))
    await bus.queue.send("events", "gone.fed", b"{}")
    watching = watcher(bus)
    for _ in range(4):
        await watching.look()
        await eventually(lambda: has(bus, "queue_messages", 1))
    assert (Kind.MISSING, "watcher:0", "ops.alarms") in await found(watching)
    assert len(await told(bus)) == 1
    await bus.change("DELETE FROM queue_messages WHERE topic = 'gone.fed'")
    await watching.look()
    assert [type(event) for event in await told(bus)] == [WatcherAlarmed, WatcherCleared]
    for _ in range(3):
        assert {finding.kind for finding in await watching.look()} == {Kind.MISSING}  # of its own alarm
    assert len(await told(bus)) == 2


async def test_many_ranges_are_looked_at_and_let_go(bus: Bus) -> None:
    await subscribed(bus, "a.fed")
    count = WATCH_RANGE_ROWS * 2 + 10
    for start in range(0, count, 1000):
        await bus.publish(*(fed(meal) for meal in range(start, min(count, start + 1000))))
    lost = (1, WATCH_RANGE_ROWS, WATCH_RANGE_ROWS + 1, count)
    await bus.change(f"DELETE FROM queue_messages WHERE event_seq IN {lost}")
    await mark_all(bus)
    watching = watcher(bus)
    assert [one.delivery.seq for one in await watching.look()] == list(lost)
    assert await bus.rows("SELECT event_seq FROM queue_messages ORDER BY event_seq") == [(seq,) for seq in lost]
    await bus.start()
    await bus.drained()
    assert await watching.look() == []


async def mark_all(bus: Bus) -> None:
    """What waits was handled."""

    def unit(tx: Connection) -> None:
        tx.exec_driver_sql(
            "INSERT INTO event_marks (event_seq, subscription, digest, attempts, handled_at) "
            "SELECT event_seq, topic, digest, 1, 1 FROM queue_messages"
        )
        tx.exec_driver_sql("DELETE FROM queue_messages")

    await bus.store.write(unit)


async def test_a_database_that_does_not_answer_shows_in_health(bus: Bus, database_url: str) -> None:
    if database_url.startswith("postgresql"):
        pytest.skip("the same code; a closed store is enough")
    watching = watcher(bus)
    await bus.store.close()
    bus.supervisor.start("watcher", watching.run)
    await eventually(lambda: shows(bus, "could not be compared"))
    assert check(bus).status is Status.WARN


async def has(bus: Bus, table: str, count: int) -> bool:
    return await bus.count(table) == count


async def shows(bus: Bus, text: str) -> bool:
    checks = bus.health.report().checks
    return "events" in checks and text in checks["events"].output

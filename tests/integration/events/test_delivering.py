"""Deliveries: each effect once, with its mark, whatever happens between."""

from __future__ import annotations

import asyncio
import hashlib
import json
from contextlib import suppress
from functools import partial

from sqlalchemy import Connection, text

from daemon.data import events as data
from daemon.data.store import Store, Unit
from daemon.kernel.trace import current_trace_id
from daemon.services.queue import Reject
from tests.integration.events.bus import (
    AT,
    CATALOG,
    Book,
    Bus,
    Fed,
    MovedClock,
    Walked,
    done,
    effect,
    eventually,
    fed,
    process,
)

DEAD = "SELECT topic, reason, detail FROM dead_letters ORDER BY id"


async def subscribed(bus: Bus, *names: str) -> Book:
    book = Book()
    for name in names:
        bus.events.subscribe(name, Fed, book)
    await bus.events.sync()
    return book


async def test_each_subscription_has_its_effect_and_its_mark(bus: Bus) -> None:
    book = await subscribed(bus, "a.fed", "b.fed")
    await bus.start()
    await bus.publish(fed(1))
    await bus.drained()
    assert book.seen == [fed(1)] * 2
    assert await done(bus) == ["fed:rex:1"] * 2
    marks = await bus.rows("SELECT subscription, digest, attempts FROM event_marks ORDER BY subscription")
    digest = hashlib.sha256(CATALOG.encode(fed(1))).digest()
    assert marks == [("a.fed", digest, 1), ("b.fed", digest, 1)]
    for name in ("a.fed", "b.fed"):
        assert await bus.metric("events_handled_total", subscription=name, outcome="handled") == 1
        assert await bus.metric("event_handle_seconds_count", subscription=name) == 1
    assert await bus.metric("event_delay_seconds_count") == 2


async def test_a_handler_without_an_effect_is_marked_as_well(bus: Bus) -> None:
    seen = []

    async def look(event: Fed) -> None:
        seen.append((event, current_trace_id()))

    bus.events.subscribe("a.look", Fed, look)
    await bus.events.sync()
    await bus.start()
    await bus.publish(fed(1), trace_id="0123abcd")
    await bus.drained()
    assert seen == [(fed(1), "0123abcd")]
    assert await bus.count("event_marks") == 1


async def test_an_effect_that_fails_leaves_neither_effect_nor_mark(bus: Bus) -> None:
    tries = 0

    async def handle(event: Fed) -> Unit[None]:
        nonlocal tries
        tries += 1

        def unit(tx: Connection) -> None:
            effect(f"try {tries}")(tx)
            if tries < 3:
                tx.execute(text("INSERT INTO nowhere VALUES (1)"))

        return unit

    bus.events.subscribe("a.fed", Fed, handle)
    await bus.events.sync()
    await bus.start()
    await bus.publish(fed(1))
    await bus.drained()
    assert await done(bus) == ["try 3"]
    assert await bus.rows("SELECT attempts FROM event_marks") == [(3,)]


async def test_what_was_delivered_twice_has_one_effect(bus: Bus) -> None:
    await subscribed(bus, "a.fed")
    await bus.publish(fed(1))
    (seq,) = (await bus.rows("SELECT seq FROM events"))[0]
    for _ in range(3):
        assert await bus.store.write(lambda tx: bus.events.redeliver(tx, seq, "a.fed"))
    assert await bus.count("queue_messages") == 4
    await bus.start()
    await bus.drained()
    assert await done(bus) == ["fed:rex:1"]
    assert await bus.metric("events_handled_total", subscription="a.fed", outcome="handled") == 1
    assert await bus.metric("events_handled_total", subscription="a.fed", outcome="duplicate") == 3


async def test_two_workers_that_hold_the_same_delivery_have_one_effect(store: Store) -> None:
    """The lease of the first runs out while it handles; both come to an end, and one of them is too late."""
    clock, entered, may_end = MovedClock(), asyncio.Semaphore(0), asyncio.Event()

    async def slow(name: str, event: Fed) -> Unit[None]:
        entered.release()
        await may_end.wait()
        return effect(name)

    async with process(store, clock, poll_s=3600) as one, process(store, clock) as two:
        for name, bus in (("one", one), ("two", two)):
            bus.events.subscribe("a.fed", Fed, partial(slow, name))
        await one.events.sync()
        await one.start()
        await one.publish(fed(1))
        await entered.acquire()
        await two.start()
        while entered.locked():
            # As if the process had stood still for too long; it may be the one that claims it again, and goes on.
            await one.change("UPDATE queue_messages SET due_at = 1")
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await entered.acquire()
                    break
        may_end.set()
        await one.drained()
        await eventually(lambda: lost(one, two))
        assert len(await done(one)) == 1
        assert await one.count("event_marks") == 1


async def lost(*processes: Bus) -> bool:
    return sum([await bus.metric("queue_messages_total", queue="events", outcome="lost") for bus in processes]) == 1


async def test_processes_share_a_subscription(store: Store) -> None:
    async with process(store) as one, process(store) as two:
        books = [await subscribed(one, "a.fed"), await subscribed(two, "a.fed")]
        assert await one.count("event_subscriptions") == 1
        await one.start()
        await two.start()
        for start in range(0, 300, 50):
            await one.publish(*(fed(meal) for meal in range(start, start + 50)))
        await one.drained()
        assert sorted(await done(one)) == sorted(f"fed:rex:{meal}" for meal in range(300))
        assert await one.count("event_marks") == 300
        assert sum(len(book.seen) for book in books) == 300


async def test_events_of_one_key_come_in_their_order_even_when_one_fails(bus: Bus) -> None:
    tries: dict[str, int] = {}

    async def handle(event: Fed) -> Unit[None]:
        name = event.event_id()
        tries[name] = tries.get(name, 0) + 1
        if event.meal % 3 == 0 and tries[name] == 1:
            raise KeyError("not the first time")
        return effect(name)

    bus.events.subscribe("a.fed", Fed, handle)
    await bus.events.sync()
    await bus.start()
    for meal in range(12):
        await bus.publish(*(fed(meal, pet, is_ordered=True) for pet in ("rex", "tom")))
    await bus.drained()
    effects = await done(bus)
    for pet in ("rex", "tom"):
        assert [name for name in effects if pet in name] == [f"fed:{pet}:{meal}" for meal in range(12)]


async def test_a_body_of_an_older_program_is_lifted(bus: Bus) -> None:
    seen = []

    async def handle(event: Walked) -> None:
        seen.append(event)

    bus.events.subscribe("a.walked", Walked, handle)
    await bus.events.sync()
    await store_raw(bus, "walked", 1, {"pet": "rex", "distance": 900, "occurred_at": AT.isoformat()})
    await bus.start()
    await bus.drained()
    assert seen == [Walked(pet="rex", metres=900, occurred_at=AT)]
    assert await bus.count("event_marks") == 1


async def test_what_this_program_cannot_read_is_a_dead_letter_at_once(bus: Bus) -> None:
    bus.events.subscribe("a.walked", Walked, Book())
    await bus.events.sync()
    await store_raw(bus, "walked", 3, {"pet": "rex", "steps": 900})
    await store_raw(bus, "sung", 1, {"song": "la"}, topic_type="walked")
    await bus.queue.send("events", "a.walked", b"no event at all")
    await bus.start()
    await bus.drained()
    assert await bus.rows(DEAD) == [
        ("a.walked", "rejected", "event walked has version 3; this program knows it up to 2"),
        ("a.walked", "rejected", "this program knows no event sung"),
        ("a.walked", "rejected", "the message names no event"),
    ]


async def test_while_a_module_stops_half_its_handlers_may_be_gone(bus: Bus) -> None:
    walks = Book()
    bus.events.subscribe("a.pets", Fed, Book())
    end = bus.events.subscribe("a.pets", Walked, walks)
    await bus.events.sync()
    end()
    await bus.start()
    walked = Walked(pet="rex", metres=1, occurred_at=AT)
    await bus.publish(walked, fed(1))
    await eventually(lambda: has_effects(bus, 1))
    assert await bus.count("dead_letters") == 0
    bus.events.subscribe("a.pets", Walked, walks)
    await bus.drained()
    assert walks.seen == [walked]


async def test_a_handler_may_refuse_for_good(bus: Bus) -> None:
    async def handle(event: Fed) -> None:
        raise Reject("rex does not eat that")

    bus.events.subscribe("a.fed", Fed, handle)
    await bus.events.sync()
    await bus.start()
    await bus.publish(fed(1))
    await bus.drained()
    assert await bus.rows(DEAD) == [("a.fed", "rejected", "rex does not eat that")]
    assert await bus.metric("events_handled_total", subscription="a.fed", outcome="dead") == 1


async def test_a_subscription_that_fails_holds_up_no_other(bus: Bus) -> None:
    async def fail(event: Fed) -> None:
        raise KeyError("always")

    bus.events.subscribe("bad.fed", Fed, fail)
    book = await subscribed(bus, "good.fed")
    await bus.start()
    await bus.publish(*(fed(meal, is_ordered=True) for meal in range(20)))
    await eventually(lambda: has_effects(bus, 20))
    assert [event.event_id() for event in book.seen] == [f"fed:rex:{meal}" for meal in range(20)]
    assert await bus.metric("events_handled_total", subscription="bad.fed", outcome="retried") >= 1


async def has_effects(bus: Bus, count: int) -> bool:
    return len(await done(bus)) == count


async def store_raw(
    bus: Bus, event_type: str, version: int, fields: dict[str, object], *, topic_type: str | None = None
) -> None:
    """An event as another program wrote it, past the catalog of this one."""
    body = json.dumps({"type": event_type, "version": version, "event": fields}).encode()

    def unit(tx: Connection) -> None:
        new = data.NewEvent(
            f"raw:{event_type}:{version}", topic_type or event_type, version, body, hashlib.sha256(body).digest(),
            "raw", "", 1, 1,
        )  # fmt: skip
        seq = data.add(tx, new)
        assert seq is not None
        assert data.deliver(tx, seq, new, None)

    await bus.store.write(unit)

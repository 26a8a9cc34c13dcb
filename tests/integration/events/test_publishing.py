"""Publishing: in the caller's unit, one fact one event, to whom it concerns, within bounds."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import ClassVar

import pytest
from sqlalchemy import Connection

from daemon.core.events import Event
from daemon.core.limits import EVENT_BYTES_MAX
from daemon.services.events import EVENTS_QUEUE, EventTooBig
from daemon.services.queue import QueueFull
from tests.integration.events.bus import AT, CATALOG, Book, Bus, Walked, fed, make_bus

DELIVERIES = "SELECT topic, key, event_seq, source, trace_id FROM queue_messages ORDER BY id"


async def test_an_event_is_a_row_and_a_message_for_each_subscription(bus: Bus) -> None:
    bus.events.subscribe("a.fed", type(fed(1)), Book())
    bus.events.subscribe("b.fed", type(fed(1)), Book())
    bus.events.subscribe("b.walked", Walked, Book())
    await bus.events.sync()
    event = fed(1)
    assert await bus.publish(event, source="command feed", trace_id="abc") == 1
    body = CATALOG.encode(event)
    rows = await bus.rows("SELECT seq, event_id, type, version, body, digest, source, trace_id FROM events")
    (seq, *rest) = rows[0]
    assert rest == ["fed:rex:1", "fed", 1, body, hashlib.sha256(body).digest(), "command feed", "abc"]
    assert await bus.rows(DELIVERIES) == [
        ("a.fed", None, seq, f"event {seq}", "abc"),
        ("b.fed", None, seq, f"event {seq}", "abc"),
    ]
    messages = await bus.rows("SELECT body, digest FROM queue_messages")
    assert messages == [(body, hashlib.sha256(body).digest())] * 2
    assert await bus.metric("events_published_total", type="fed") == 1


async def test_the_same_fact_is_one_event(bus: Bus) -> None:
    bus.events.subscribe("a.fed", type(fed(1)), Book())
    await bus.events.sync()
    assert await bus.publish(fed(1), fed(1), fed(2)) == 2
    assert await bus.publish(fed(1)) == 0
    assert not await bus.store.write(lambda tx: bus.events.publish(tx, fed(2)))
    both = await asyncio.gather(*(bus.publish(fed(3)) for _ in range(20)))
    assert sum(both) == 1
    assert await bus.count("events") == 3
    assert await bus.count("queue_messages") == 3


async def test_what_is_undone_was_not_published(bus: Bus) -> None:
    bus.events.subscribe("a.fed", type(fed(1)), Book())
    await bus.events.sync()

    def fail(tx: Connection) -> None:
        assert bus.events.publish(tx, fed(1))
        raise KeyError("the rest of the unit")

    with pytest.raises(KeyError):
        await bus.store.write(fail)
    assert (await bus.count("events"), await bus.count("queue_messages")) == (0, 0)
    assert await bus.metric("events_published_total", type="fed") == 0
    assert await bus.publish(fed(1)) == 1


async def test_a_key_is_the_subscriptions_own(bus: Bus) -> None:
    for name in ("a.fed", "b.fed"):
        bus.events.subscribe(name, type(fed(1)), Book())
    await bus.events.sync()
    await bus.publish(fed(1, is_ordered=True))
    assert await bus.rows("SELECT key FROM queue_messages ORDER BY id") == [("a.fed:rex",), ("b.fed:rex",)]


async def test_an_event_too_big_is_refused_and_nothing_of_its_unit_stays(bus: Bus) -> None:
    with pytest.raises(EventTooBig):
        await bus.publish(fed(1), fed(2, pet="x" * EVENT_BYTES_MAX))
    assert await bus.count("events") == 0


async def test_an_event_outside_the_catalog_is_refused(bus: Bus) -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Sung(Event):
        TYPE: ClassVar[str] = "sung"

        def event_id(self) -> str:
            return "sung"

    with pytest.raises(ValueError, match="Sung is not in the catalog"):
        await bus.publish(Sung(occurred_at=AT))
    with pytest.raises(ValueError, match="Sung is not in the catalog"):
        bus.events.subscribe("a.sung", Sung, Book())


async def test_the_bound_of_the_queue_holds_for_events(bus: Bus) -> None:
    bus.events.subscribe("a.fed", type(fed(1)), Book())
    await bus.events.sync()
    await bus.publish(fed(0))
    await bus.change(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count) INSERT INTO queue_messages "
        "(id, queue, priority, due_at, topic, body, size_bytes, digest, attempts, token, source, trace_id, enqueued_at)"
        "SELECT -i, queue, priority, due_at, topic, body, size_bytes, digest, 0, 0, '', '', enqueued_at "
        "FROM queue_messages, n",
        count=EVENTS_QUEUE.length_max - 3,
    )
    assert await bus.count("queue_messages") == EVENTS_QUEUE.length_max - 2
    other = make_bus(bus.store)  # which has not counted yet
    assert await other.publish(fed(1)) == 1
    with pytest.raises(QueueFull):
        await other.publish(fed(2))
    assert await bus.count("events") == 2
    assert await other.publish(Walked(pet="rex", metres=1, occurred_at=AT)) == 1  # nobody waits for that

"""Dead letters become events: each once, whoever looks, and never about themselves for ever."""

from __future__ import annotations

from datetime import timedelta

from daemon.core.events import MessageDied
from daemon.core.limits import DEATHS_BATCH
from daemon.services.dead_letters import DeadLetters
from daemon.services.events import Deaths
from daemon.services.queue import Message, QueueSpec, Reject
from tests.integration.events.bus import CATALOG, Book, Bus, eventually

JOBS = QueueSpec("jobs")


async def refuse(message: Message) -> None:
    raise Reject("no use")


async def told(bus: Bus) -> list[MessageDied]:
    events = [CATALOG.decode(row[0]) for row in await bus.rows("SELECT body FROM events ORDER BY seq")]
    return [event for event in events if isinstance(event, MessageDied)]


async def letters(bus: Bus, count: int) -> None:
    """So many messages die."""
    before = await bus.count("dead_letters")
    for number in range(count):
        await bus.queue.send("jobs", f"job-{number}", b"x", source="command test", trace_id="abc")
    await eventually(lambda: has_died(bus, before + count))


async def has_died(bus: Bus, count: int) -> bool:
    return await bus.count("dead_letters") == count


async def test_a_death_is_told_at_once_and_once(bus: Bus) -> None:
    bus.queue.declare(JOBS)
    bus.queue.handle("jobs", "", refuse)
    book = Book()
    bus.events.subscribe("ops.died", MessageDied, book)
    await bus.events.sync()
    await bus.start()
    deaths = Deaths(bus.store, bus.events, bus.clock)
    bus.supervisor.start("deaths", deaths.run)
    await letters(bus, 1)
    await eventually(lambda: has_told(bus, 1))
    (event,) = await told(bus)
    (row,) = await bus.rows("SELECT id, trace_id FROM dead_letters")
    assert (event.letter_id, event.queue, event.topic, event.reason) == (row[0], "jobs", "job-0", "rejected")
    assert (event.attempts, event.source) == (1, "command test")
    assert await bus.rows("SELECT trace_id FROM events") == [("abc",)]
    assert await deaths.publish() == 0
    assert await Deaths(bus.store, bus.events, bus.clock).publish() == 0  # of another process
    await bus.drained()
    assert book.seen == [event]


async def has_told(bus: Bus, count: int) -> bool:
    return len(await told(bus)) == count


async def test_what_died_while_nobody_told_is_told_at_the_next_start(bus: Bus) -> None:
    bus.queue.declare(JOBS)
    bus.queue.handle("jobs", "", refuse)
    await bus.start()
    await letters(bus, DEATHS_BATCH + 5)
    assert await Deaths(bus.store, bus.events, bus.clock).publish() == DEATHS_BATCH + 5
    bus.clock.ahead = timedelta(days=2)
    await bus.change("DELETE FROM events")  # as retention may
    assert await Deaths(bus.store, bus.events, bus.clock).publish() == 0


async def test_the_death_of_the_news_is_no_news(bus: Bus) -> None:
    async def fail(event: MessageDied) -> None:
        raise Reject("does not want to know")

    bus.queue.declare(JOBS)
    bus.queue.handle("jobs", "", refuse)
    bus.events.subscribe("ops.died", MessageDied, fail)
    await bus.events.sync()
    await bus.start()
    await letters(bus, 1)
    deaths = Deaths(bus.store, bus.events, bus.clock)
    assert await deaths.publish() == 1
    await eventually(lambda: has_died(bus, 2))
    assert await deaths.publish() == 0
    assert await bus.rows("SELECT topic FROM dead_letters ORDER BY id") == [("job-0",), ("ops.died",)]


async def test_a_dropped_letter_leaves_its_event_settled(bus: Bus) -> None:
    async def fail(event: MessageDied) -> None:
        raise Reject("does not want to know")

    bus.queue.declare(JOBS)
    bus.queue.handle("jobs", "", refuse)
    bus.events.subscribe("ops.died", MessageDied, fail)
    await bus.events.sync()
    await bus.start()
    await letters(bus, 1)
    await Deaths(bus.store, bus.events, bus.clock).publish()
    await eventually(lambda: has_died(bus, 2))
    assert await DeadLetters(bus.store, bus.clock).drop_all() == 2
    assert await bus.rows("SELECT subscription FROM event_marks") == [("ops.died",)]

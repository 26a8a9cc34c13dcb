"""Who is told: from when on, until when, and what becomes of what waits."""

from __future__ import annotations

import asyncio

import pytest

from daemon.data.store import Store
from tests.integration.events.bus import AT, Book, Bus, Fed, Walked, done, fed, process


async def test_what_was_published_before_is_not_delivered(bus: Bus) -> None:
    await bus.publish(fed(1))
    book = Book()
    bus.events.subscribe("a.fed", Fed, book)
    await bus.publish(fed(2))  # subscribed in this process, unknown to the database
    await bus.events.sync()
    await bus.start()
    await bus.publish(fed(3))
    await bus.drained()
    assert book.seen == [fed(3)]


async def test_what_is_published_while_nobody_runs_is_delivered_later(store: Store) -> None:
    async with process(store) as first:
        first.events.subscribe("a.fed", Fed, Book())
        await first.events.sync()
        await first.start()
        await first.publish(fed(1))
        await first.drained()
        await first.stop()
        await first.publish(fed(2))
    async with process(store) as other:
        await other.publish(fed(3))  # before its modules have started
        book = Book()
        other.events.subscribe("a.fed", Fed, book)
        await other.events.sync()
        await other.start()
        await other.drained()
        assert sorted(event.event_id() for event in book.seen) == ["fed:rex:2", "fed:rex:3"]
        assert sorted(await done(other)) == ["fed:rex:1", "fed:rex:2", "fed:rex:3"]


async def test_while_a_module_restarts_its_deliveries_wait(bus: Bus) -> None:
    end = bus.events.subscribe("a.fed", Fed, Book())
    await bus.events.sync()
    await bus.start()
    end()
    await bus.publish(fed(1))
    book = Book()
    bus.events.subscribe("a.fed", Fed, book)
    await bus.events.sync()
    await bus.drained()
    assert book.seen == [fed(1)]


async def test_a_module_that_failed_keeps_what_waits_and_a_disabled_one_does_not(store: Store) -> None:
    async with process(store) as first:
        for name in ("pets.fed", "pets.walks", "shop.fed"):
            first.events.subscribe(name, Fed if "fed" in name else Walked, Book())
        await first.events.sync()
        await first.publish(fed(1), Walked(pet="rex", metres=5, occurred_at=AT))
    async with process(store) as second:
        second.events.subscribe("shop.fed", Fed, Book())
        await second.events.sync(keep={"pets"})
        assert await second.count("event_subscriptions") == 3
        await second.publish(fed(2))
        assert await topics(second) == ["pets.fed"] * 2 + ["pets.walks"] + ["shop.fed"] * 2
        await second.events.sync()
        assert await second.rows("SELECT subscription FROM event_subscriptions") == [("shop.fed",)]
        assert await topics(second) == ["shop.fed"] * 2


async def test_a_type_that_a_subscription_gives_up_is_dropped_alone(store: Store) -> None:
    async with process(store) as first:
        first.events.subscribe("pets.all", Fed, Book())
        first.events.subscribe("pets.all", Walked, Book())
        await first.events.sync()
        await first.publish(fed(1), Walked(pet="rex", metres=5, occurred_at=AT))
    async with process(store) as second:
        book = Book()
        second.events.subscribe("pets.all", Walked, book)
        await second.events.sync()
        await second.start()
        await second.drained()
        assert book.seen == [Walked(pet="rex", metres=5, occurred_at=AT)]


async def test_who_comes_back_begins_anew(store: Store) -> None:
    async with process(store) as bus:
        end = bus.events.subscribe("a.fed", Fed, Book())
        await bus.events.sync()
        await bus.publish(fed(1))
        end()
        await bus.events.sync()
        await bus.publish(fed(2))
        book = Book()
        bus.events.subscribe("a.fed", Fed, book)
        await bus.events.sync()
        await bus.publish(fed(3))
        await bus.start()
        await bus.drained()
        assert book.seen == [fed(3)]


async def test_a_subscription_has_one_handler_for_a_type(bus: Bus) -> None:
    end = bus.events.subscribe("a.fed", Fed, Book())
    with pytest.raises(ValueError, match=r"a\.fed has a handler for fed already"):
        bus.events.subscribe("a.fed", Fed, Book())
    end()
    end()
    bus.events.subscribe("a.fed", Fed, Book())


async def test_whoever_publishes_while_a_subscription_comes_is_heard_or_lies_before_it(store: Store) -> None:
    """No event may have a number behind the subscription's and yet no delivery."""
    async with process(store) as bus, process(store) as late:
        late.events.subscribe("a.fed", Fed, Book())

        async def publish(pet: str) -> None:
            for meal in range(60):
                await bus.publish(fed(meal, pet))

        publishing = [asyncio.ensure_future(publish(f"pet-{number}")) for number in range(8)]
        while await bus.count("events") < 50:  # noqa: ASYNC110  what is waited for is in the database
            await asyncio.sleep(0)
        await late.events.sync()
        await asyncio.gather(*publishing)
        (since,) = (await bus.rows("SELECT since_seq FROM event_subscriptions"))[0]
        behind = await bus.rows("SELECT seq FROM events WHERE seq > :since ORDER BY seq", since=since)
        delivered = await bus.rows("SELECT event_seq FROM queue_messages ORDER BY event_seq")
        assert 0 < len(behind) < 480
        assert delivered == behind


async def topics(bus: Bus) -> list[str]:
    return [row[0] for row in await bus.rows("SELECT topic FROM queue_messages ORDER BY topic, id")]

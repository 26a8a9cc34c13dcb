"""What is handled when: keys, priorities, due times, dedupe keys, the bound on length."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.services.queue import Entry, Message, Priority, QueueFull, QueueSpec
from tests.integration.queue.conftest import MakeStation
from tests.integration.queue.station import AT, ManualClock, Station, effect, until


async def test_one_key_is_handled_in_order_and_keys_side_by_side(station: Station) -> None:
    running: set[str] = set()
    widest = 0

    async def overlap(message: Message) -> None:
        nonlocal widest
        assert message.key is not None
        assert message.key not in running
        running.add(message.key)
        widest = max(widest, len(running))
        await asyncio.sleep(0.002)
        running.remove(message.key)

    station.handle(overlap)
    entries = [Entry("topic", b"%d" % n, key=key) for n in range(20) for key in "abc"]
    await station.store.write(lambda tx: station.queue.put_many(tx, "work", entries))
    await station.queue.start()
    await until(station.is_empty)
    for key in "abc":
        bodies = [int(message.body) for message in station.handled if message.key == key]
        assert bodies == list(range(20))
    assert widest > 1
    await until(lambda: station.count("done") == 60)


async def test_order_holds_when_the_effect_is_a_unit_and_messages_come_meanwhile(station: Station) -> None:
    async def write(message: Message) -> Any:
        return effect(int(message.body))

    station.handle(write)
    await station.queue.start()
    for n in range(30):
        await station.put(data=b"%d" % n, key="k")
    await until(station.is_empty)
    assert [int(message.body) for message in station.handled] == list(range(30))
    assert await station.effects() == list(range(30))


async def test_a_failing_head_holds_up_its_own_key_only(station: Station, clock: ManualClock) -> None:
    async def fail_first(message: Message) -> None:
        if message.body == b"first" and message.attempt < 3:
            raise LookupError("not yet")

    station.handle(fail_first)
    await station.queue.start()
    first, second, other, free = [
        await station.put(data=data, key=key)
        for data, key in ((b"first", "k"), (b"second", "k"), (b"other", "l"), (b"free", None))
    ]
    await until(lambda: {first, other, free} <= set(station.ids()))
    await until(lambda: station.count("retried") == 1)
    assert second not in station.ids()
    for retries in (2, 3):
        clock.advance(400)
        await until(lambda: station.count("retried") == min(retries, 2))  # noqa: B023
    await until(station.is_empty)
    assert [i for i in station.ids() if i in (first, second)] == [first, first, first, second]


async def test_a_poisoned_message_dies_alone_and_frees_its_key(station: Station, clock: ManualClock) -> None:
    async def choke(message: Message) -> None:
        if message.body == b"poison":
            raise RuntimeError("boom")

    station.handle(choke)
    poison = await station.put(data=b"poison", key="k")
    behind = await station.put(key="k")
    neighbours = [await station.put() for _ in range(20)]
    await station.queue.start()
    await until(lambda: set(neighbours) <= set(station.ids()))
    for retries in (1, 2):
        await until(lambda: station.count("retried") == retries)  # noqa: B023
        clock.advance(2)
    await until(station.is_empty)
    assert await station.dead() == [(poison, "failed")]
    assert station.ids().count(behind or 0) == 1
    assert station.ids().index(behind or 0) > 2
    (letter,) = await station.rows("dead_letters")
    assert letter["attempts"] == 3
    assert "RuntimeError: boom" in letter["detail"]


async def test_urgent_before_normal_before_low_each_in_order(make_station: MakeStation) -> None:
    station = make_station(QueueSpec("work", concurrency=1))
    levels = [Priority.LOW, Priority.URGENT, Priority.NORMAL] * 5
    entries = [Entry("topic", b"%d" % n, priority=priority) for n, priority in enumerate(levels)]
    await station.store.write(lambda tx: station.queue.put_many(tx, "work", entries))
    station.handle()
    await station.queue.start()
    await until(station.is_empty)
    handled = [int(message.body) for message in station.handled]
    assert handled == sorted(range(15), key=lambda n: (levels[n], n))


async def test_what_is_not_due_waits(station: Station, clock: ManualClock) -> None:
    later = await station.put(data=b"later", due_at=AT + timedelta(seconds=60))
    soon = await station.put(data=b"soon", due_at=AT + timedelta(seconds=30))
    past = await station.put(data=b"past", due_at=AT - timedelta(days=1))
    station.handle()
    await station.queue.start()
    await until(lambda: station.count("done") == 1)
    assert (await station.queue.depths())["work"].delayed == 2
    clock.advance(30)
    await until(lambda: station.count("done") == 2)
    clock.advance(29.9)
    added = await station.put(data=b"added", due_at=clock.now() + timedelta(seconds=0.05))
    assert len(station.handled) == 2
    clock.advance(0.1)
    await until(station.is_empty)
    assert station.ids()[:2] == [past, soon]
    assert sorted(station.ids()[2:]) == sorted([later or 0, added or 0])


async def test_a_dedupe_key_is_used_once_before_and_after_completion(station: Station) -> None:
    station.handle()
    first = await station.put(data=b"1", dedupe="slot 7")
    assert first is not None
    assert await station.put(data=b"2", dedupe="slot 7") is None
    await station.queue.start()
    await until(station.is_empty)
    assert await station.put(data=b"3", dedupe="slot 7") is None
    other = await station.put(data=b"4", dedupe="slot 8")
    await until(lambda: station.ids() == [first, other])


async def test_many_with_dedupe_keys_skip_only_the_known_ones(station: Station) -> None:
    await station.put(dedupe="b")
    entries = [
        Entry("topic", data, dedupe=dedupe) for data, dedupe in ((b"1", "a"), (b"2", "b"), (b"3", "a"), (b"4", None))
    ]
    ids = await station.store.write(lambda tx: station.queue.put_many(tx, "work", entries))
    assert [message_id is not None for message_id in ids] == [True, False, False, True]
    assert [row["body"] for row in await station.rows()][1:] == [b"1", b"4"]
    assert len({*ids} - {None}) == 2


async def test_of_many_at_once_one_gets_the_dedupe_key(make_station: MakeStation) -> None:
    stations = [make_station(), make_station()]
    puts = [station.put(dedupe="one") for station in stations for _ in range(10)]
    ids = [message_id for message_id in await asyncio.gather(*puts) if message_id is not None]
    assert len(ids) == 1
    assert [row["id"] for row in await stations[0].rows()] == ids


async def test_a_unit_that_fails_puts_nothing_in_and_uses_no_key(station: Station) -> None:
    def unit(tx: Any) -> None:
        station.queue.put(tx, "work", "topic", dedupe="d")
        raise LookupError

    with pytest.raises(LookupError):
        await station.store.write(unit)
    assert await station.is_empty()
    assert await station.put(dedupe="d") is not None


async def test_a_full_queue_refuses_loudly_and_drops_nothing(make_station: MakeStation) -> None:
    station = make_station(QueueSpec("work", length_max=10))
    for n in range(8):
        await station.put(data=b"%d" % n)
    three = [Entry("topic")] * 3
    with pytest.raises(QueueFull) as refused:
        await station.store.write(lambda tx: station.queue.put_many(tx, "work", three))
    assert isinstance(refused.value, UpstreamError)
    assert refused.value.kind is UpstreamKind.BUSY
    assert station.count("refused") == 3
    await station.store.write(lambda tx: station.queue.put_many(tx, "work", three[:2]))
    with pytest.raises(QueueFull):
        await station.put()
    assert len(await station.rows()) == 10
    station.handle()
    await station.queue.start()
    await until(station.is_empty)
    await until(lambda: station.count("done") == 10)
    assert await station.put() is not None


async def test_the_bound_is_exact_when_many_put_at_once_on_sqlite(make_station: MakeStation) -> None:
    station = make_station(QueueSpec("work", length_max=50))
    outcomes = await asyncio.gather(*(station.put() for _ in range(200)), return_exceptions=True)
    put = sum(isinstance(outcome, int) for outcome in outcomes)
    assert put + station.count("refused") == 200
    rows = len(await station.rows())
    assert rows == put
    if station.store.dialect == "sqlite":
        assert rows == 50
    else:
        assert 50 <= rows <= 50 + 6  # units that run at the same moment do not see one another


async def test_a_queue_that_was_not_declared_is_unknown(station: Station) -> None:
    with pytest.raises(LookupError, match="no queue other"):
        await station.queue.send("other", "topic")
    with pytest.raises(ValueError, match="differently"):
        station.queue.declare(QueueSpec("work", concurrency=5))
    station.handle()
    with pytest.raises(ValueError, match="already"):
        station.handle()


async def test_ids_never_come_back(station: Station) -> None:
    first = await station.put()
    await station.queue.cancel(first or 0)
    assert await station.is_empty()
    second = await station.put()
    await station.store.write(lambda tx: tx.execute(text("DELETE FROM queue_messages")) and None)
    third = await station.put()
    assert (first or 0) < (second or 0) < (third or 0)

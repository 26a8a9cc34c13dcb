"""Dead letters: made by a queue, looked at, replayed, dropped; and the story of a trace id."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import text

from daemon.core.errors import UserError
from daemon.core.ids import ProfileId
from daemon.data.store import Store
from daemon.kernel import logs
from daemon.services.dead_letters import DeadLetters, preview
from daemon.services.queue import DatabaseClaims, DatabaseTransport, Message, QueueSpec, Reject
from daemon.services.stories import Stories
from tests.integration.queue.station import ManualClock, Station, until

TRACE = "0123456789abcdef0123456789abcdef"
SPEC = QueueSpec("work", attempts_max=2, retry_first_s=0.0, retry_max_s=0.0)


class Desk:
    """A queue whose handler refuses everything until `is_mended`, and the service on its dead letters."""

    def __init__(self, store: Store) -> None:
        self.clock = ManualClock()
        self.store = store
        self.station = Station(store, self.clock, DatabaseTransport(), DatabaseClaims(store, self.clock), SPEC)
        self.letters = DeadLetters(store, self.clock)
        self.stories = Stories(store)
        self.is_mended = False
        self.done: list[Message] = []
        self.station.handle(self.refuse)

    async def refuse(self, message: Message) -> None:
        if self.is_mended:
            self.done.append(message)
        elif message.topic == "odd":
            raise ValueError("what nobody\nforesaw")
        else:
            raise Reject(f"no room for {message.topic}")

    async def bury(self, *bodies: bytes, topic: str = "pets", **rest: str) -> None:
        _, before = await self.letters.page()
        for body in bodies:
            await self.station.put(topic, body, **rest)

        async def are_there() -> bool:
            self.clock.advance(1)
            return (await self.letters.page())[1] == before + len(bodies)

        await until(are_there)


@pytest_asyncio.fixture
async def desk(store: Store) -> AsyncIterator[Desk]:
    made = Desk(store)
    await made.station.queue.start()
    yield made
    await made.station.stop(0.0)


async def test_they_are_listed_newest_first_in_pages(desk: Desk) -> None:
    assert await desk.letters.page() == ([], 0)
    await desk.bury(b"1", b"2", b"3", source="command play", trace_id=TRACE, key="k")
    found, total = await desk.letters.page(limit=2)
    assert (total, [letter.letter_id for letter in found]) == (3, [3, 2])
    assert [letter.letter_id for letter in (await desk.letters.page(offset=2))[0]] == [1]
    assert await desk.letters.page("other") == ([], 0)
    assert (await desk.letters.page("work"))[1] == 3
    (newest, _) = found
    assert (newest.queue, newest.topic, newest.key, newest.reason) == ("work", "pets", "k", "rejected")
    assert (newest.detail, newest.headline, newest.attempts) == ("no room for pets", "no room for pets", 1)
    assert (newest.source, newest.trace_id, newest.size_bytes) == ("command play", TRACE, 1)
    assert await desk.letters.get(3) == newest
    assert await desk.letters.get(4) is None


async def test_a_traceback_has_a_headline(desk: Desk) -> None:
    await desk.bury(b"x", topic="odd")
    letter = await desk.letters.get(1)
    assert letter is not None
    assert letter.attempts == 2
    assert letter.detail.startswith("Traceback")
    assert letter.headline == "foresaw"


@pytest.mark.parametrize("size", [0, 1, 300_000])
async def test_a_replayed_letter_is_the_same_message_anew(desk: Desk, size: int) -> None:
    body = os.urandom(size)
    await desk.bury(body, source="command play", trace_id=TRACE, key="k")
    desk.is_mended = True
    assert await desk.letters.replay([1, 7]) == 1
    await until(lambda: desk.done)
    (message,) = desk.done
    assert message.body == body
    assert (message.topic, message.key, message.attempt) == ("pets", "k", 1)
    assert (message.source, message.trace_id) == ("replay of 1", TRACE)
    assert message.message_id != 1
    assert await desk.letters.page() == ([], 0)
    await until(desk.station.is_empty)


async def test_what_is_not_mended_dies_again(desk: Desk) -> None:
    await desk.bury(b"1", b"2")
    assert await desk.letters.replay_all() == 2

    async def are_back() -> bool:
        letters, total = await desk.letters.page()
        return total == 2 and {letter.letter_id for letter in letters} == {3, 4}

    await until(are_back)


async def test_all_of_a_queue_are_replayed_or_dropped_and_no_others(desk: Desk) -> None:
    await desk.bury(*(b"%d" % number for number in range(450)))
    moved = "UPDATE dead_letters SET queue = 'other' WHERE id % 2 = 0"
    await desk.store.write(lambda tx: tx.execute(text(moved)) and None)
    assert await desk.letters.drop_all("other") == 225
    desk.is_mended = True
    assert await desk.letters.replay_all("work") == 225
    await until(lambda: len(desk.done) == 225)
    assert [int(message.body) % 2 for message in desk.done] == [0] * 225
    assert await desk.letters.page() == ([], 0)


async def test_two_who_replay_at_once_replay_once(desk: Desk) -> None:

    await desk.bury(*(b"%d" % number for number in range(20)))
    desk.is_mended = True
    counts = await asyncio.gather(*(desk.letters.replay(range(1, 21)) for _ in range(4)))
    assert sorted(counts) == [0, 0, 0, 20]
    await until(lambda: len(desk.done) == 20)
    await until(desk.station.is_empty)
    assert len(desk.done) == 20


async def test_what_was_done_with_them_is_on_record(desk: Desk) -> None:
    await desk.bury(b"1", b"2", trace_id=TRACE)
    assert await desk.letters.drop([1], ProfileId(7)) == 1
    await desk.letters.replay([2])
    sql = text("SELECT actor_profile_id, action, target, trace_id FROM audit_log ORDER BY id")
    rows = await desk.store.read(lambda tx: [tuple(row) for row in tx.execute(sql)])
    assert rows == [
        (7, "dead letter dropped", "dead letter 1", TRACE),
        (None, "dead letter replayed", "dead letter 2", TRACE),
    ]


async def test_previews_are_short_and_hold_no_secret(desk: Desk) -> None:
    logs.add_secret("hunter2-hunter2")
    await desk.bury(b'{"password": "hunter2-hunter2"}', b"\x00\xff\x10" * 1000, b"", "né\n".encode() * 1000)
    previews = [await desk.letters.preview(number) for number in (1, 2, 3, 4)]
    assert previews[0] == '{"password": "[redacted]"}'
    assert previews[1] is not None
    assert previews[1].startswith("00 ff 10 00")
    assert len(previews[1]) == 600
    assert previews[2] == ""
    assert previews[3] is not None
    assert previews[3].startswith("né\nné\n")
    assert await desk.letters.preview(5) is None
    assert preview("né".encode()[:2]) == "6e c3"


async def test_a_body_in_the_claim_store_is_previewed_when_it_lies_in_the_database(desk: Desk) -> None:
    await desk.bury(b"large " * 100_000)
    shown = await desk.letters.preview(1)
    assert shown is not None
    assert shown.startswith("large large")
    await desk.store.write(lambda tx: tx.execute(text("DELETE FROM claim_bodies")) and None)
    assert await desk.letters.preview(1) is None


async def test_the_story_of_a_message_that_died_and_was_replayed(desk: Desk) -> None:
    await desk.bury(b"1", trace_id=TRACE, source="command play")
    desk.clock.advance(60)
    await desk.station.queue.stop()
    await desk.letters.replay([1])
    trace_id, happenings = await desk.stories.tell(TRACE[:8].upper())
    assert trace_id == TRACE
    assert [one.what for one in happenings] == ["dead letter replayed", "put into queue work"]
    assert happenings[0].detail == ('dead letter 1 by Marquee {"queue":"work","reason":"rejected","topic":"pets"}')
    assert "pets from replay of 1; waits until" in happenings[1].detail


async def test_the_story_of_a_dead_letter(desk: Desk) -> None:
    logs.add_secret("hunter2-hunter2")
    await desk.bury(b"1", topic="hunter2-hunter2", trace_id=TRACE)
    _, happenings = await desk.stories.tell(TRACE)
    assert [one.what for one in happenings] == ["put into queue work", "dead letter 1"]
    assert happenings[1].detail == "message 1, rejected after 1 attempts: no room for [redacted]"
    assert happenings[0].at <= happenings[1].at


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("", "give 8 of them at least"),
        ("0123456", "give 8 of them at least"),
        ("0123456%", "give 8 of them at least"),
        (TRACE + "0", "give 8 of them at least"),
        ("fedcba98", "Nothing is known of fedcba98."),
        ("01234567", f"Several trace ids begin with 01234567: {TRACE[:-1]}e, {TRACE}."),
    ],
)
async def test_what_has_no_story(desk: Desk, asked: str, sentence: str) -> None:
    await desk.bury(b"1", trace_id=TRACE)
    await desk.bury(b"2", trace_id=TRACE[:-1] + "e")
    with pytest.raises(UserError) as refused:
        await desk.stories.tell(asked)

    assert sentence in refused.value.text

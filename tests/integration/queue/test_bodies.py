"""What is put in comes out, byte for byte, from either claim store; what does not is named and buried."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from daemon.core.limits import CLAIM_BYTES_MIN, CLAIM_KEPT_S, QUEUE_BODY_BYTES_MAX
from daemon.data.store import Store
from daemon.services.queue import Body, ClaimStore, DatabaseClaims, Entry, FileClaims, Reject
from tests.integration.queue.station import ManualClock, Station, until

KB = 1024
SIZES = (0, 1, KB, 10 * KB, 100 * KB, CLAIM_BYTES_MIN, CLAIM_BYTES_MIN + 1, KB * KB, 10 * KB * KB)
LARGE = random.Random(2).randbytes(CLAIM_BYTES_MIN + 1)

Change = Callable[[bytes, Callable[[bytes], bytes | None]], Awaitable[None]]


@pytest.fixture(params=["files", "table"])
def claims(request: pytest.FixtureRequest, store: Store, clock: ManualClock, tmp_path: Path) -> ClaimStore:
    return FileClaims(tmp_path / "claims", store, clock) if request.param == "files" else DatabaseClaims(store, clock)


@pytest.fixture
def change(store: Store, claims: ClaimStore, tmp_path: Path) -> Change:
    """Make the stored form of a body something else, or nothing."""

    async def in_file(body: bytes, how: Callable[[bytes], bytes | None]) -> None:
        name = hashlib.sha256(body).hexdigest()
        path = tmp_path / "claims" / name[:2] / name
        changed = how(body)
        await asyncio.to_thread(path.unlink) if changed is None else await asyncio.to_thread(path.write_bytes, changed)

    async def in_table(body: bytes, how: Callable[[bytes], bytes | None]) -> None:
        values = {"digest": hashlib.sha256(body).digest(), "body": how(body)}
        sql = "DELETE FROM claim_bodies" if values["body"] is None else "UPDATE claim_bodies SET body = :body"
        await store.write(lambda tx: tx.execute(text(f"{sql} WHERE digest = :digest"), values) and None)

    return in_file if isinstance(claims, FileClaims) else in_table


async def test_every_size_comes_out_as_it_went_in(station: Station) -> None:
    rng = random.Random(1)
    sent = {await station.put("topic", body := rng.randbytes(size)): body for size in SIZES}
    station.handle()
    await station.queue.start()
    await until(lambda: len(station.handled) == len(SIZES))
    assert {message.message_id: message.body for message in station.handled} == sent
    assert all(message.digest == hashlib.sha256(message.body).digest() for message in station.handled)
    await until(station.is_empty)


async def test_a_body_that_is_too_large_is_refused(station: Station) -> None:
    with pytest.raises(ValueError, match="larger than"):
        await station.put("topic", bytes(QUEUE_BODY_BYTES_MAX + 1))
    with pytest.raises(ValueError, match="has to be staged"):
        await station.store.write(lambda tx: station.queue.put(tx, "work", "topic", bytes(CLAIM_BYTES_MIN + 1)))
    assert await station.is_empty()


async def test_bytes_that_are_put_in_a_unit_are_there_with_it(station: Station) -> None:
    staged = await station.queue.stage(LARGE)
    assert staged.inline is None
    entries = [Entry("topic", b"small"), Entry("topic", staged), Entry("topic", Body.of(b"\0\xff"))]
    await station.store.write(lambda tx: station.queue.put_many(tx, "work", entries))
    station.handle()
    await station.queue.start()
    await until(lambda: len(station.handled) == 3)
    assert sorted(message.body for message in station.handled) == sorted([b"small", LARGE, b"\0\xff"])


@pytest.mark.parametrize(
    ("body", "reason"), [(b"1234", "truncated"), (b"", "truncated"), (b"other", "corrupt")], ids=repr
)
async def test_a_damaged_row_dies_at_once(station: Station, body: bytes, reason: str) -> None:
    message_id = await station.put("topic", b"12345")
    sql = text("UPDATE queue_messages SET body = :body")
    await station.store.write(lambda tx: tx.execute(sql, {"body": body}) and None)
    station.handle()
    await station.queue.start()
    await until(station.is_empty)
    assert await station.dead() == [(message_id, reason)]
    assert station.handled == []
    await until(lambda: station.count("dead") == 1)


async def test_damaged_claims_die_at_once_and_neighbours_live(station: Station, change: Change) -> None:
    bodies = [LARGE + bytes([n]) for n in range(4)]
    ids = [await station.put("topic", body) for body in bodies]
    await change(bodies[0], lambda body: body[:-1])
    await change(bodies[1], lambda body: body[:-1] + b"x")
    await change(bodies[2], lambda _: None)
    station.handle()
    await station.queue.start()
    await until(station.is_empty)
    assert sorted(await station.dead()) == sorted(zip(ids, ["truncated", "corrupt", "missing-body"], strict=False))
    assert station.ids() == [ids[3]]
    letters = await station.rows("dead_letters")
    assert {letter["digest"] for letter in letters} == {hashlib.sha256(body).digest() for body in bodies[:3]}
    assert {letter["attempts"] for letter in letters} == {1}


async def test_staging_mends_a_truncated_claim(station: Station, change: Change) -> None:
    await station.queue.stage(LARGE)
    await change(LARGE, lambda body: body[:7])
    body = await station.queue.stage(LARGE)
    assert await station.queue.claims.get(body.digest, body.size_bytes) == LARGE


async def test_garbage_is_what_nothing_refers_to_for_an_hour(station: Station, clock: ManualClock) -> None:
    waiting, dead, lone, again = (LARGE + bytes([n]) for n in range(4))

    async def reject(_: object) -> None:
        raise Reject("no")

    station.handle(reject, "dies")
    await station.put("dies", dead)
    await station.queue.start()
    await until(station.is_empty)
    await station.stop()
    await station.put("topic", waiting)
    staged = {body: await station.queue.stage(body) for body in (waiting, dead, lone, again)}
    claims = station.queue.claims
    clock.advance(CLAIM_KEPT_S - 1)
    assert await claims.collect_garbage() == 0
    await station.queue.stage(again)
    clock.advance(2)
    assert await claims.collect_garbage() == 1
    left = {body: await _is_there(claims, staged[body]) for body in staged}
    assert left == {waiting: True, dead: True, lone: False, again: True}


async def _is_there(claims: ClaimStore, body: Body) -> bool:
    try:
        await claims.get(body.digest, body.size_bytes)
    except Reject:
        return False
    return True

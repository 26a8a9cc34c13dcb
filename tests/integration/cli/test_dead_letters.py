"""`marquee dead-letters` and `marquee trace`, beside whoever else has the database open."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from daemon.data.store import Store
from daemon.kernel.clock import SystemClock
from daemon.services.queue import DatabaseClaims, DatabaseTransport, QueueSpec, Reject
from tests.integration.cli.marquee import call, environment
from tests.integration.queue.station import Station, until

TRACE = "0123456789abcdef0123456789abcdef"
PEPPER = "pepper-and-salt-0123456789"


@pytest.fixture
def environ(database_url: str, tmp_path: Path) -> dict[str, str]:
    """The environment of the commands; its secret is what one of the letters holds."""
    return environment(
        tmp_path,
        DATABASE__URL=database_url,
        PLEX__SERVERS__ATTIC__URL="http://127.0.0.1:1",
        PLEX__SERVERS__ATTIC__TOKEN=PEPPER,
    )


@pytest_asyncio.fixture
async def buried(store: Store) -> AsyncIterator[Station]:
    """Three dead letters: two of the queue "work", one of "other"; nobody works any more."""
    clock = SystemClock()
    station = Station(store, clock, DatabaseTransport(), DatabaseClaims(store, clock), QueueSpec("work"))
    other = Station(store, clock, DatabaseTransport(), DatabaseClaims(store, clock), QueueSpec("other"))

    async def refuse(message: object) -> None:
        raise Reject(f"no [bold]room[/bold] for {PEPPER}")

    for one in (station, other):
        one.handle(refuse)
        await one.queue.start()
    for number, one in enumerate((station, station, other), start=1):
        await one.put("pets", f"token={PEPPER} number {number}".encode(), trace_id=TRACE, source="command play")

        async def is_dead(wanted: int = number) -> bool:
            return len(await station.dead()) == wanted

        await until(is_dead)
    for one in (station, other):
        await one.queue.stop()
    yield station
    for one in (station, other):
        await one.stop(0.0)


async def test_they_are_listed(environ: dict[str, str], buried: Station) -> None:
    listed = await call(environ, "dead-letters", "list")
    assert (listed.code, listed.err) == (0, "")
    assert "3 of 3 dead letters" in listed.out
    assert "no [bold]room[/bold] for [redacted]" in listed.out
    assert PEPPER not in listed.out
    one = await call(environ, "dead-letters", "list", "--queue", "work", "--limit", "1", "--json")
    document = json.loads(one.out)
    assert document["total"] == 2
    (letter,) = document["letters"]
    assert (letter["queue"], letter["topic"], letter["reason"], letter["trace_id"]) == (
        "work",
        "pets",
        "rejected",
        TRACE,
    )
    none = await call(environ, "dead-letters", "list", "--queue", "nobody")
    assert (none.code, none.out) == (0, "There are no dead letters of the queue nobody.\n")


async def test_one_is_shown(environ: dict[str, str], buried: Station) -> None:
    shown = await call(environ, "dead-letters", "show", "1")
    assert (shown.code, shown.err) == (0, "")
    for words in ("work", "pets", "rejected", TRACE, "command play", "41 bytes", "token=[redacted] number 1"):
        assert words in shown.out, shown.out
    assert PEPPER not in shown.out
    document = json.loads((await call(environ, "dead-letters", "show", "1", "--json")).out)
    assert (document["letter"]["letter_id"], document["body"]) == (1, "token=[redacted] number 1")
    unknown = await call(environ, "dead-letters", "show", "99")
    assert (unknown.code, unknown.out) == (1, "")
    assert unknown.err == "There is no dead letter 99; `marquee dead-letters list` shows which there are.\n"


async def test_one_is_replayed_and_others_are_dropped(environ: dict[str, str], buried: Station) -> None:
    unknown = await call(environ, "dead-letters", "replay", "1", "99")
    assert unknown.code == 1
    assert "There is no dead letter 99" in unknown.err
    assert len(await buried.dead()) == 3
    assert (await call(environ, "dead-letters", "replay", "1")).out == "Replayed 1.\n"
    (row,) = await buried.rows()
    assert (row["queue"], row["source"], row["attempts"]) == ("work", "replay of 1", 0)
    asked = await call(environ, "dead-letters", "drop", "--all")
    assert asked.code == 1
    assert "Drop all dead letters for good?" in asked.out + asked.err
    assert len(await buried.dead()) == 2
    assert (await call(environ, "dead-letters", "drop", "--all", "--queue", "other", "--yes")).out == "Dropped 1.\n"
    assert (await call(environ, "dead-letters", "replay", "--all", "--yes")).out == "Replayed 1.\n"
    assert await buried.dead() == []
    assert (await call(environ, "dead-letters", "list")).out == "There are no dead letters.\n"


@pytest.mark.parametrize("arguments", [[], ["1", "--all"], ["1", "--queue", "work"], ["0"]])
async def test_what_cannot_be_meant_is_told(tmp_path: Path, arguments: list[str]) -> None:
    assert (await call(environment(tmp_path), "dead-letters", "drop", *arguments)).code == 2


async def test_the_story_of_a_trace_id(environ: dict[str, str], buried: Station) -> None:
    told = await call(environ, "trace", TRACE[:8])
    assert (told.code, told.err) == (0, "")
    assert told.out.index("put into queue work") < told.out.index("dead letter 1")
    assert TRACE in told.out
    assert PEPPER not in told.out
    document = json.loads((await call(environ, "trace", TRACE, "--json")).out)
    assert document["trace_id"] == TRACE
    assert len(document["happenings"]) == 6
    unknown = await call(environ, "trace", "ffffffff")
    assert (unknown.code, unknown.out, unknown.err) == (1, "", "Nothing is known of ffffffff.\n")
    assert (await call(environ, "trace", "xyz")).code == 1


async def test_a_database_that_is_not_there_or_does_not_answer(tmp_path: Path) -> None:
    missing = await call(environment(tmp_path), "dead-letters", "list")
    assert missing.code == 1
    assert missing.err.startswith("there is no database yet; `marquee run`")
    assert await asyncio.to_thread(os.listdir, tmp_path) == []
    away = environment(tmp_path, DATABASE__URL="postgresql://nobody@127.0.0.1:1/none")
    for command in (["dead-letters", "list"], ["trace", TRACE], ["schedules", "list"]):
        assert (await call(away, *command)).code == 69

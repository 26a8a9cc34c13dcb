"""`marquee db check`: it finds what was broken on purpose, and nothing in a house in order."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, text, update

from daemon.core.ids import ChannelId
from daemon.data import schema, version
from daemon.data.events import event_marks, event_subscriptions
from daemon.data.migrations import run
from daemon.data.notices import notices
from daemon.data.queue.tables import queue_messages
from daemon.data.schedules import schedule_runs
from daemon.services.backup import Place
from daemon.services.examination import examine
from daemon.services.notify import Notice, encode
from tests.integration.backup.house import AT, PLAYBACK, House, fill, in_house, place_of
from tests.integration.cli.marquee import call, environment

NOW = datetime.now(UTC)


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Place:
    place = place_of(database_url, tmp_path)
    schema.upgrade(database_url, tmp_path)
    in_house(place, fill)
    return place


def write(place: Place, *units: Callable[[Connection], object]) -> None:
    async def visit(house: House) -> None:
        for unit in units:
            await house.store.write(unit)

    in_house(place, visit)


def found_in(place: Place, now: datetime = NOW) -> dict[str, int]:
    found = examine(place.database_url, place.claims, now)
    assert found is not None
    assert found.problems == []
    assert found.is_fine == (not found.orphans)
    return {orphans.what: orphans.count for orphans in found.orphans}


def test_a_house_in_order_has_nothing_to_mend(place: Place) -> None:
    found = examine(place.database_url, place.claims, NOW)
    assert found is not None
    assert found.is_fine, (found.problems, found.orphans)
    sizes = {table.name: table for table in found.tables}
    assert sizes["audit_log"].rows == 300
    assert (sizes["audit_log"].table_bytes or 0) > 8192
    assert (sizes["queue_messages"].index_bytes or 0) > 0
    assert found.claims.count == 2
    assert found.claims.size_bytes == 2_000_000
    assert found.database_bytes > 100_000
    assert (found.log_bytes is None) == place.database_url.startswith("postgresql")


def test_bodies_that_are_gone_or_damaged_are_named(place: Place) -> None:
    gone, damaged = sorted(place.claims.glob("??/*"))
    gone.unlink()
    damaged.write_bytes(b"?" + damaged.read_bytes()[1:])
    assert found_in(place) == {"large bodies that are gone": 1, "large bodies that are damaged": 1}


def test_bodies_that_nobody_needs_are_found_once_they_are_old(place: Place) -> None:
    name = "ab" * 32
    unused = place.claims / "ab" / name
    unused.parent.mkdir(exist_ok=True)
    unused.write_bytes(b"staged")
    assert found_in(place) == {}
    old = (NOW - timedelta(days=2)).timestamp()
    for path in place.claims.glob("??/*"):
        os.utime(path, (old, old))
    found = examine(place.database_url, place.claims, NOW)
    assert found is not None
    assert [(one.count, one.examples) for one in found.orphans] == [(1, (name,))]


def test_deliveries_runs_and_notices_that_lead_nowhere_are_found(place: Place) -> None:
    run = {"name": "backup", "slot_at": AT, "asked_at": AT, "detail": "", "trace_id": "r"}
    notice = Notice(PLAYBACK, "key", "text", ChannelId(5))
    row = {"nonce": notice.nonce, "channel_id": 5, "source": "", "trace_id": "", "asked_at": AT}
    subscription = {"subscription": "ops.lost", "event_type": "server_lost", "since_seq": 0, "added_at": AT}
    mark = {"event_seq": 99, "subscription": "ops.lost", "digest": b"d" * 32, "attempts": 1, "handled_at": AT}
    write(
        place,
        lambda tx: tx.execute(insert(schedule_runs).values(run)),
        lambda tx: tx.execute(insert(notices).values(row)),
        lambda tx: tx.execute(insert(event_subscriptions).values(subscription)),
        lambda tx: tx.execute(insert(event_marks).values(mark)),
        lambda tx: tx.execute(update(queue_messages).values(queue="events", event_seq=77)),
    )
    assert found_in(place) == {
        "runs of schedules that nobody will do": 1,
        "notices that nobody will post": 1,
        "handled events that do not exist": 1,
        "deliveries of events that do not exist": 1,
        "deliveries of events that were lost": 1,
    }


def test_what_waits_is_no_orphan(place: Place) -> None:
    run = {"name": "backup", "slot_at": AT, "asked_at": AT, "detail": "", "trace_id": "r"}
    notice = Notice(PLAYBACK, "key", "text", ChannelId(5))
    row = {"nonce": notice.nonce, "channel_id": 5, "source": "", "trace_id": "", "asked_at": AT}
    message = {
        "queue": "notify", "priority": 1, "due_at": AT, "topic": "playback", "body": encode(notice),
        "size_bytes": len(encode(notice)), "digest": b"d" * 32, "attempts": 0, "token": 0, "source": "",
        "trace_id": "", "enqueued_at": AT,
    }  # fmt: skip
    job = {**message, "queue": "jobs", "topic": "backup", "trace_id": "r"}
    write(
        place,
        lambda tx: tx.execute(insert(schedule_runs).values(run)),
        lambda tx: tx.execute(insert(notices).values(row)),
        lambda tx: tx.execute(insert(queue_messages).values(message)),
        lambda tx: tx.execute(insert(queue_messages).values(job)),
    )
    assert found_in(place) == {}


def test_events_that_are_not_as_published_are_found(place: Place) -> None:
    write(place, lambda tx: tx.execute(text("UPDATE events SET body = digest")))
    assert found_in(place) == {"events whose body is not as published": 1}


def test_a_table_that_is_missing_is_told_and_the_rest_left_out(place: Place) -> None:
    write(place, lambda tx: tx.execute(text("DROP TABLE notices")))
    found = examine(place.database_url, place.claims, NOW)
    assert found is not None
    missing, rest = found.problems
    assert missing == "notices is missing"
    assert rest.startswith("therefore not all of it could be looked at (")


def test_an_old_database_is_told_and_not_searched_for_orphans(database_url: str, tmp_path: Path) -> None:
    run.migrate(database_url, "0002")
    found = examine(database_url, tmp_path / "claims", NOW)
    assert found is not None
    assert found.revision == "0002"
    assert found.problems == [
        f"it is at revision 0002, needed is {version.HEAD}: orphans were not looked for",
        "dead_letters is missing",
    ]
    assert "panels" in {table.name for table in found.tables}


async def test_the_command_says_it_to_people_and_machines(database_url: str, tmp_path: Path) -> None:
    environ = environment(tmp_path, DATABASE__URL=database_url)
    nothing = await call(environ, "db", "check")
    assert (nothing.code, nothing.out) == (1, "")
    assert "no database of Marquee yet" in nothing.err
    assert (await call(environ, "db", "upgrade")).code == 0
    fine = await call(environ, "db", "check")
    assert (fine.code, fine.err) == (0, "")
    assert "All is well." in fine.out
    machine = await call(environ, "db", "check", "--json")
    document = json.loads(machine.out)
    assert (machine.code, document["status"], document["orphans"]) == (0, "ok", [])


async def test_a_damaged_file_is_described_and_fails(tmp_path: Path) -> None:
    environ = environment(tmp_path)
    assert (await call(environ, "db", "upgrade")).code == 0

    def damage() -> None:
        with closing(sqlite3.connect(tmp_path / "marquee.db")) as database:
            database.executemany(
                "INSERT INTO audit_log (at, action, target, detail, trace_id) VALUES (?, 'a', '', '{}', '')",
                [(number,) for number in range(2_000)],
            )
            database.commit()
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            pages = [row[0] for row in database.execute("SELECT pageno FROM dbstat WHERE name = 'ix_audit_log_at'")]
        with (tmp_path / "marquee.db").open("r+b") as file:
            file.seek((max(pages) - 1) * 4096 + 2000)
            file.write(b"\xff" * 600)

    await asyncio.to_thread(damage)
    found = await call(environ, "db", "check")
    assert found.code == 1
    assert "WRONG" in found.out
    assert "Traceback" not in found.err
    refused = await call(environ, "backup")
    assert refused.code == 1
    assert refused.err.startswith("The database is damaged, see `marquee db check`: ")
    assert len(refused.err.splitlines()) == 1
    left = await asyncio.to_thread(lambda: [path.name for path in (tmp_path / "backups").iterdir()])
    assert left == [".marquee-backup.lock"]

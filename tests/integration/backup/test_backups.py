"""Backups of the daemon itself: on schedule, announced, watched, and no more of them than wanted."""

from __future__ import annotations

import asyncio
import fcntl
import os
import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
import structlog
from sqlalchemy import select

from daemon.data.events import events as events_table
from daemon.data.store import Store
from daemon.kernel.health import Status
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.backup import BackupError, Backups, list_archives, retire
from daemon.services.backup.manifest import ArchiveName
from daemon.services.events import CATALOG, Events
from daemon.services.queue import DatabaseClaims, DatabaseTransport, Queue
from daemon.services.schedule import Schedule, Schedules
from daemon.services.schedule.timetable import Times
from tests.integration.backup.house import AT, place_of, until

NIGHTLY = Schedule("backup", cron="30 4 * * *")


class SetClock:
    """Stands still until it is moved; whoever sleeps on it only lets others work."""

    def __init__(self) -> None:
        self.at = AT

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0.01)


class Desk:
    """The service and what it needs, on a store of both kinds."""

    def __init__(self, store: Store, url: str, folder: Path) -> None:
        self.store = store
        self.clock = SetClock()
        self.metrics = Metrics()
        self.supervisor = Supervisor(log=structlog.get_logger("test"), metrics=self.metrics)
        self.place = place_of(url, folder)
        self.queue = Queue(
            store, self.clock, claims=DatabaseClaims(store, self.clock), transport=DatabaseTransport(),
            supervisor=self.supervisor, metrics=self.metrics, rng=random.Random(1),
        )  # fmt: skip
        events = Events(store, self.queue, self.clock, CATALOG, self.metrics)
        self.backups = Backups(
            self.place, keep=2, slots=Times(NIGHTLY), store=store, events=events, clock=self.clock,
            metrics=self.metrics,
        )  # fmt: skip

    async def make(self) -> None:
        """As the schedule does it: the run, then its unit."""
        await self.store.write(await self.backups.run_once())

    async def names(self) -> list[str]:
        found = await asyncio.to_thread(list_archives, self.place.folder)
        return [archive.path.name for archive in found]

    async def published(self) -> list[str]:
        return list(
            await self.store.read(
                lambda tx: tx.execute(select(events_table.c.type).order_by(events_table.c.seq)).scalars().all()
            )
        )

    def gauge(self, name: str) -> float:
        return self.metrics.registry.get_sample_value(f"marquee_{name}") or 0.0


@pytest_asyncio.fixture
async def desk(store: Store, database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(store, database_url, tmp_path)
    yield desk
    await desk.queue.stop()
    await desk.supervisor.drain(0.0)


async def test_a_backup_is_made_announced_and_old_ones_go(desk: Desk) -> None:
    for _ in range(3):
        await desk.make()
        desk.clock.at += timedelta(days=1)
    names = await desk.names()
    assert [name[:24] for name in names] == ["marquee-20261122T043000.", "marquee-20261121T043000."]
    assert await desk.published() == ["backup_made"] * 3
    check = await desk.backups.check()
    assert (check.status, check.output) == (Status.PASS, "the newest backup is of 2026-11-22 04:30 UTC")
    assert desk.gauge("backup_last_success_timestamp_seconds") == (AT + timedelta(days=2)).timestamp()
    assert desk.gauge("backup_size_bytes") > 500


async def test_health_warns_when_two_in_a_row_were_missed(desk: Desk) -> None:
    assert (await desk.backups.check()).output == "there is no backup yet"
    desk.clock.at = AT + timedelta(days=1, hours=23)
    assert (await desk.backups.check()).status is Status.PASS
    desk.clock.at = AT + timedelta(days=2, hours=1)
    missed = await desk.backups.check()
    assert (missed.status, missed.output) == (Status.WARN, "there is no backup yet, and two have been due since")
    await desk.make()
    assert (await desk.backups.check()).status is Status.PASS
    desk.clock.at += timedelta(days=3)
    late = await desk.backups.check()
    assert late.status is Status.WARN
    assert (late.observed, late.unit) == (3 * 86400, "s")


async def test_a_failure_is_an_event_once_and_a_warning_until_it_succeeds(desk: Desk) -> None:
    await asyncio.to_thread(desk.place.folder.write_text, "a file where the folder should be")
    for _ in range(2):
        with pytest.raises(BackupError, match="backups cannot be put into"):
            await desk.make()
    assert await desk.published() == ["backup_failed"]
    check = await desk.backups.check()
    assert check.status is Status.WARN
    assert check.output.startswith("backups cannot be looked for in ")
    await asyncio.to_thread(desk.place.folder.unlink)
    check = await desk.backups.check()
    assert check.status is Status.WARN
    assert check.output.startswith("the last backup failed: backups cannot be put into")
    await desk.make()
    assert (await desk.backups.check()).status is Status.PASS
    assert await desk.published() == ["backup_failed", "backup_made"]


async def test_it_runs_as_a_scheduled_job(desk: Desk) -> None:
    schedules = Schedules(desk.store, desk.clock, desk.queue, supervisor=desk.supervisor, metrics=desk.metrics)
    await schedules.add(NIGHTLY, desk.backups.run_once)
    await desk.queue.start()
    await schedules.start()

    async def is_declared() -> bool:
        return bool(await schedules.listing())

    async def is_made() -> bool:
        return await desk.published() == ["backup_made"]

    await until(is_declared)
    desk.clock.at += timedelta(days=1)
    await until(is_made)
    (run,) = await schedules.history("backup", 5)
    assert run.outcome == "done"
    assert len(await desk.names()) == 1
    await schedules.stop()


async def test_a_daemon_that_stops_does_not_wait_for_a_backup(desk: Desk) -> None:
    """The thread ends by itself at its next step, and leaves nothing of what it had begun."""

    def lock_bodies() -> int:
        desk.place.claims.mkdir()
        file = os.open(desk.place.claims / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        return file

    def count_parts() -> int:
        return len(list(desk.place.folder.glob("*.part")))

    async def has_begun() -> bool:
        return await asyncio.to_thread(count_parts) == 1

    async def has_ended() -> bool:
        return await asyncio.to_thread(count_parts) == 0

    lock = await asyncio.to_thread(lock_bodies)  # the backup stands still there
    making = asyncio.ensure_future(desk.backups.run_once())
    await until(has_begun)
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert await has_begun()
    await asyncio.to_thread(os.close, lock)
    await until(has_ended)
    assert await desk.names() == []


def test_only_archives_of_ours_are_counted_and_the_newest_always_stays(tmp_path: Path) -> None:
    def add(days: int, *, is_safety: bool = False, is_sealed: bool = False) -> str:
        name = str(ArchiveName(AT + timedelta(days=days), "0003", is_sealed, is_safety))
        (tmp_path / name).write_bytes(b"x")
        return name

    kept = [add(9, is_sealed=True), add(8)]
    old = [add(7), add(1)]
    safety = [add(day, is_safety=True) for day in range(7)]
    others = ["notes.txt", "before-upgrade-20261120T043000.123456Z-from-0002.sqlite3", "marquee-1.tar.zst"]
    for name in others:
        (tmp_path / name).write_text("not ours")
    assert {path.name for path in retire(tmp_path, 2)} == {*old, *safety[:2]}
    assert {path.name for path in tmp_path.iterdir()} == {*kept, *others, *safety[2:]}
    retire(tmp_path, 0)
    assert kept[0] in {path.name for path in tmp_path.iterdir()}
    assert retire(tmp_path / "none", 2) == []

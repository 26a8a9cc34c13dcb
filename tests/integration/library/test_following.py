"""The mirror follows a running server: notices of its websocket, looks at its stamps, a nightly reading of all."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_asyncio
from sqlalchemy import text

from daemon.services.library import Mirror, Mirroring
from daemon.services.queue import DatabaseClaims, DatabaseTransport, Queue
from daemon.services.schedule import Schedules
from simulators.plex.items import Item
from simulators.plex.scan import appear, vanish
from simulators.plex.sim import PlexSim
from tests.integration.plex.stage import ATTIC, running, until
from tests.integration.plex.stage import Stage as PlexStage
from tests.simtime import SimTime


@dataclass
class Follower:
    sim: PlexSim
    on: PlexStage
    mirroring: Mirroring

    async def keys(self, kind: str = "movie") -> set[int]:
        sql = text("SELECT rating_key FROM library_titles WHERE kind = :kind")
        return set(await self.on.store.read(lambda tx: list(tx.execute(sql, {"kind": kind}).scalars())))

    async def one(self, sql: str, **values: Any) -> Any:
        return await self.on.store.read(lambda tx: tx.execute(text(sql), values).scalar())

    def is_current(self) -> bool:
        return "as the server has them" in self.output()

    def output(self) -> str:
        check = self.on.health.report().checks.get("library:attic")
        return check.output if check else ""

    async def until_there(self, kind: str = "movie") -> None:
        for _ in range(1000):
            if await self.keys(kind) == {item.key for item in self.sim.world.listed(None, kind)}:
                return
        raise AssertionError("the mirror does not follow")

    def pages(self) -> int:
        return sum(seen.path.endswith("/all") and ("includeGuids", "1") in seen.query for seen in self.sim.requests)


@asynccontextmanager
async def following(sim: PlexSim, folder: Path) -> AsyncIterator[Follower]:
    async with running(sim, folder) as on:
        clock = SimTime(sim.clock)
        queue = Queue(
            on.store, clock, claims=DatabaseClaims(on.store, clock), transport=DatabaseTransport(),
            supervisor=on.supervisor, metrics=on.metrics, rng=random.Random(1),
        )  # fmt: skip
        schedules = Schedules(on.store, clock, queue, supervisor=on.supervisor, metrics=on.metrics)
        mirror = Mirror(on.store, clock, on.metrics, process="one", retry_first_s=0.001)
        mirroring = Mirroring(mirror, on.plex, clock, on.supervisor, on.health, every_s=60.0, settle_s=0.01)
        await on.ready()
        # Its notices come, and that some may have been missed before has been told.
        await until(lambda: sim.server.notifications.listeners == 1 and on.changes.count((ATTIC, None)) > 1)
        await mirroring.start(schedules)
        follower = Follower(sim, on, mirroring)
        try:
            await until(follower.is_current, 30.0)
            yield follower
        finally:
            await mirroring.stop()


@pytest_asyncio.fixture
async def follower(tmp_path: Path) -> AsyncIterator[Follower]:
    async with PlexSim(seed=7, life=False, buffering_s=0.0) as sim, following(sim, tmp_path) as made:
        yield made


async def test_titles_that_come_change_and_go_are_followed_without_reading_the_library(follower: Follower) -> None:
    world, server = follower.sim.world, follower.sim.server
    await follower.until_there()
    pages = follower.pages()
    new = [
        appear(server, Item(0, "movie", f"New Film {n}", 1, world.now + n, 2026, 5_400_000, ("Drama",)))
        for n in range(50)
    ]
    vanish(server, world.listed(1, "movie")[0])
    edited = world.listed(1, "movie")[7]
    world.edit(edited, world.now + 99, title="Quite Another Name")
    server.tell_timeline(edited, 5, "processed")
    await follower.until_there()
    assert {item.key for item in new} <= await follower.keys()
    for _ in range(1000):
        if await follower.one("SELECT name FROM library_titles WHERE rating_key = :k", k=edited.key) == edited.title:
            break
    else:
        raise AssertionError("an edit is not followed")
    assert follower.pages() == pages


async def test_episodes_go_with_their_show_though_nobody_names_them(follower: Follower) -> None:
    world, server = follower.sim.world, follower.sim.server
    show, season = world.listed(2, "show")[0], world.listed(2, "season")[-1]
    assert len(world.leaves(show)) > 3
    assert season.top is not show
    vanish(server, show)
    vanish(server, season)
    for kind in ("show", "season", "episode"):
        await follower.until_there(kind)


async def test_after_notices_the_library_does_not_count_as_changed(follower: Follower) -> None:
    world, server = follower.sim.world, follower.sim.server
    appear(server, Item(0, "movie", "New Film", 1, world.now + 5, 2026, 5_400_000, ("Drama",)))
    await follower.until_there()
    stamp = "SELECT stamp FROM libraries WHERE key = '1'"
    for _ in range(1000):
        if await follower.one(stamp) == str(world.sections[1].changed):
            return
    raise AssertionError("the stamp does not follow")


async def test_a_replaced_file_keeps_its_title(follower: Follower) -> None:
    world, server = follower.sim.world, follower.sim.server
    film = world.listed(1, "movie")[4]
    before = await follower.one("SELECT id FROM library_titles WHERE rating_key = :k", k=film.key)
    assert before
    world.rekey(film)
    server.tell_timeline(film, 5, "processed")
    await follower.until_there()
    assert await follower.one("SELECT id FROM library_titles WHERE rating_key = :k", k=film.key) == before


async def test_two_copies_of_a_film_are_not_one_that_was_replaced(follower: Follower) -> None:
    world, server = follower.sim.world, follower.sim.server
    film = world.listed(1, "movie")[4]
    twin = Item(0, "movie", film.title, 1, world.now + 5, film.year, film.duration_ms, film.genres)
    twin.given["guid"] = world.facts(film).guid
    appear(server, twin)
    await follower.until_there()
    ids = {
        item.key: await follower.one("SELECT id FROM library_titles WHERE rating_key = :k", k=item.key)
        for item in (film, twin)
    }
    assert None not in ids.values()
    await follower.mirroring.read_all()
    await until(lambda: follower.on.metrics.mirror_passes_total.labels("attic", "read")._value.get() == 8, 30.0)
    vanish(server, film)
    await follower.until_there()
    assert await follower.one("SELECT id FROM library_titles WHERE rating_key = :k", k=twin.key) == ids[twin.key]


async def test_what_nobody_told_is_found_at_night(follower: Follower) -> None:
    world = follower.sim.world
    await follower.until_there()
    world.remove(world.listed(1, "movie")[2])
    world.sections[1].changed -= 1  # and the stamp is silent, too
    await follower.mirroring.read_all()
    await follower.until_there()


async def test_a_server_that_fails_is_said_in_health_and_followed_again(follower: Follower) -> None:
    world, server = follower.sim.world, follower.sim.server
    fault = server.faults.add("/library/", 401)
    appear(server, Item(0, "movie", "Late Film", 1, world.now + 5, 2026, 5_400_000, ("Drama",)))
    await until(lambda: "rejected the token" in follower.output())
    server.faults.remove(fault)
    await follower.until_there()
    await until(follower.is_current)

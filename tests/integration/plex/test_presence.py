"""Lost and back: said once as an event, also over restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from sqlalchemy import text

from integrations.plex import PlexServerConfig
from simulators.plex.sim import PlexSim
from tests.integration.events.bus import eventually
from tests.integration.plex.stage import ATTIC, QUICK, Stage, running

PROBED = replace(QUICK, connect_s=0.5, request_s=0.5)


async def events(stage: Stage) -> list[str]:
    rows = "SELECT type FROM events ORDER BY seq"
    return await stage.store.read(lambda tx: [row[0] for row in tx.execute(text(rows))])


def says(stage: Stage, *expected: str) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return await events(stage) == list(expected)

    return check


async def has_missed(stage: Stage, times: int) -> bool:
    labels = {"server": str(ATTIC), "outcome": "unreachable"}
    found = await asyncio.to_thread(stage.metrics.registry.get_sample_value, "marquee_plex_requests_total", labels)
    return (found or 0) >= times


async def test_a_server_that_goes_and_comes_back(sim: PlexSim, tmp_path: Path) -> None:
    async with running(sim, tmp_path, timeouts=PROBED) as stage:
        await stage.ready()
        assert await events(stage) == []
        sim.server.restart(down_s=3600)
        await eventually(says(stage, "server_lost"))
        sim.clock.jump(3600)
        await eventually(says(stage, "server_lost", "server_back"))


async def test_what_is_known_to_be_lost_is_not_lost_again_after_a_restart(sim: PlexSim, tmp_path: Path) -> None:
    async with running(sim, tmp_path, timeouts=PROBED) as stage:
        await stage.ready()
    gone = {ATTIC: PlexServerConfig("http://127.0.0.1:9", sim.token)}
    for _ in range(2):
        async with running(sim, tmp_path, servers=gone, timeouts=PROBED) as stage:
            await eventually(says(stage, "server_lost"))  # it went away while nobody looked
            await eventually(partial(has_missed, stage, 6))
            assert await events(stage) == ["server_lost"]
    async with running(sim, tmp_path, timeouts=PROBED) as stage:
        await eventually(says(stage, "server_lost", "server_back"))

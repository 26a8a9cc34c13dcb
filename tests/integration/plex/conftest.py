from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from simulators.plex.sim import PlexSim
from tests.integration.plex.stage import Stage, running


@pytest_asyncio.fixture
async def sim() -> AsyncIterator[PlexSim]:
    """A Plex house where nobody watches; every route that the daemon uses must be known to it."""
    async with PlexSim(seed=7, life=False, buffering_s=0.0) as opened:
        yield opened
        assert opened.unknown_routes == []


@pytest_asyncio.fixture
async def stage(sim: PlexSim, tmp_path: Path) -> AsyncIterator[Stage]:
    """The integration, started, with all titles read."""
    async with running(sim, tmp_path) as made:
        await made.ready()
        yield made

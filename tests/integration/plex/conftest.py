from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from simulators.plex.sim import PlexSim
from tests.integration.plex.stage import CLIENT, Stage, running


@pytest_asyncio.fixture
async def sim() -> AsyncIterator[PlexSim]:
    """A Plex house where nobody watches.

    Whatever a test does: every route asked for exists, the server's tokens stand in no URL, and each request says
    who asks by the one identifier that was made for this installation.
    """
    async with PlexSim(seed=7, life=False, buffering_s=0.0) as opened:
        yield opened
        tokens = {account.token for account in opened.world.accounts.values()}
        assert opened.unknown_routes == []
        for seen in opened.requests:
            assert not {value for _, value in seen.query} & tokens, seen.path
            assert not any(name.lower() == "x-plex-token" for name, _ in seen.query), seen.path
            assert seen.header("X-Plex-Client-Identifier") == CLIENT, seen.path


@pytest_asyncio.fixture
async def stage(sim: PlexSim, tmp_path: Path) -> AsyncIterator[Stage]:
    """The integration, started, its server up."""
    async with running(sim, tmp_path) as made:
        await made.ready()
        yield made

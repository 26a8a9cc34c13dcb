from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from daemon.data.store import Store
from simulators.plex.sim import PlexSim
from tests.integration.library.stage import Stage, mirroring


@pytest_asyncio.fixture
async def stage(store: Store) -> AsyncIterator[Stage]:
    """An empty mirror beside a Plex house where nobody watches."""
    async with PlexSim(seed=7, life=False, buffering_s=0.0) as sim, mirroring(sim, store) as made:
        yield made

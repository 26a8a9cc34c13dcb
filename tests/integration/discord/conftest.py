from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from simulators.discord.sim import DiscordSim
from tests.integration.discord.stage import SPEC, Stage, running


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[DiscordSim]:
    """A Discord that holds every request against the OpenAPI document, when it is there, and against its own rules.

    A test that provokes problems on purpose clears them.
    """
    async with DiscordSim(SPEC) as sim:
        yield sim
        assert not list(sim.problems), str(sim.problems)


@pytest_asyncio.fixture
async def stage(lab: DiscordSim, tmp_path: Path) -> AsyncIterator[Stage]:
    """The demo module on one connected bot."""
    async with running(lab, tmp_path) as made:
        yield made


@pytest_asyncio.fixture
async def hasty(lab: DiscordSim, tmp_path: Path) -> AsyncIterator[Stage]:
    """The same, but every handler that waits for something is overtaken by the deferral."""
    async with running(lab, tmp_path, defer_after_s=0.02) as made:
        yield made

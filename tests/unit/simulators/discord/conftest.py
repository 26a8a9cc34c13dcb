from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from simulators.discord.sim import DiscordSim


@pytest.fixture
async def lab() -> AsyncIterator[DiscordSim]:
    async with DiscordSim() as lab:
        yield lab

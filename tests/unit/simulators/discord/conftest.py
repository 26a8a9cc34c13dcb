from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from simulators.clock import SimClock
from simulators.discord.sim import DiscordSim

SPEC = Path(__file__).resolve().parents[4].parent / "shared" / "discord-api-spec" / "openapi.json"
HAS_SPEC = SPEC.exists()


@pytest.fixture
async def lab() -> AsyncIterator[DiscordSim]:
    """A simulator that judges every request and answer where Discord's document is at hand."""
    async with DiscordSim(SPEC if HAS_SPEC else None, SimClock(speed=0)) as lab:
        yield lab
        assert not lab.problems, str(lab.problems)

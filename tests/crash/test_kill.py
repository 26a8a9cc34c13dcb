"""kill -9 at random moments: nothing is lost, no effect and no message happens twice."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from simulators.discord.sim import DiscordSim
from tests.crash.rounds import Ground

ROUNDS, SOAK_ROUNDS = 10, int(os.environ.get("KILL_ROUNDS", "200"))
SEED = int(os.environ.get("KILL_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[DiscordSim]:
    """A Discord without a document to check against: the load is what matters."""
    async with DiscordSim() as lab:
        yield lab


async def on_sqlite(lab: DiscordSim, folder: Path, rounds: int) -> None:
    print(f"KILL_SEED={SEED}")
    ground = Ground(f"sqlite:///{folder}/crash.db", folder, lab, SEED)
    await ground.play(rounds)
    await asyncio.to_thread(ground.judge)


async def on_servers(lab: DiscordSim, folder: Path, rounds: int, postgres_url: str, redis_url: str) -> None:
    print(f"KILL_SEED={SEED}")
    ground = Ground(postgres_url, folder, lab, SEED, redis_url, workers=2)
    await ground.play(rounds)
    await asyncio.to_thread(ground.judge)


@pytest.mark.timeout(300)
async def test_one_process_on_sqlite(lab: DiscordSim, tmp_path: Path) -> None:
    await on_sqlite(lab, tmp_path, ROUNDS)


@pytest.mark.timeout(300)
async def test_two_workers_on_postgresql_and_redis(
    lab: DiscordSim, tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    await on_servers(lab, tmp_path, ROUNDS, postgres_url, redis_url)


@pytest.mark.soak
async def test_for_long_on_sqlite(lab: DiscordSim, tmp_path: Path) -> None:
    await on_sqlite(lab, tmp_path, SOAK_ROUNDS)


@pytest.mark.soak
async def test_for_long_on_postgresql_and_redis(
    lab: DiscordSim, tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    await on_servers(lab, tmp_path, SOAK_ROUNDS, postgres_url, redis_url)

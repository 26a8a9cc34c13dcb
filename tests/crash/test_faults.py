"""What the load stands on fails and comes back: the work goes on, and the ledger of events closes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio

from simulators.discord.sim import DiscordSim
from tests.crash.rounds import Ground
from tests.servers import Server, start_postgres, start_redis

pytestmark = pytest.mark.timeout(240)
SOME = 25  # confirmed numbers between two faults


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[DiscordSim]:
    async with DiscordSim() as lab:
        yield lab


@pytest.fixture
def own_redis() -> Iterator[Server]:
    """One that may be broken."""
    server = start_redis(is_durable=True)
    yield server
    server.stop()


def url_of(redis: Server) -> str:
    return f"redis://:{redis.password}@127.0.0.1:{redis.port}/0"


def pid_of(redis: Server) -> int:
    found = subprocess.run(["pgrep", "-f", f"redis-server.*:{redis.port}"], capture_output=True, text=True, check=True)
    return int(found.stdout.split()[0])


async def test_redis_stands_still_dies_and_returns(
    lab: DiscordSim, tmp_path: Path, postgres_url: str, own_redis: Server
) -> None:
    ground = Ground(postgres_url, tmp_path, lab, 1, url_of(own_redis))
    async with ground.load() as confirmed:
        await confirmed(SOME)
        pid = await asyncio.to_thread(pid_of, own_redis)
        os.kill(pid, signal.SIGSTOP)
        await confirmed(SOME)
        os.kill(pid, signal.SIGCONT)
        await confirmed(SOME)
        await asyncio.to_thread(own_redis.stop)
        await confirmed(SOME)
        assert await asyncio.to_thread(own_redis.start)
        await confirmed(SOME)
    await asyncio.to_thread(ground.judge)


@pytest.fixture
def own_postgres() -> Iterator[str]:
    """One that may be broken, and that has what it confirmed on the disk."""
    server = start_postgres(is_durable=True)
    yield f"postgresql://{server.name}@127.0.0.1:{server.port}/postgres"
    server.stop()


async def test_postgresql_restarts_after_a_crash_of_its_own(
    lab: DiscordSim, tmp_path: Path, own_postgres: str, redis_url: str
) -> None:
    ground = Ground(own_postgres, tmp_path, lab, 2, redis_url)
    async with ground.load() as confirmed:
        for _ in range(2):
            await confirmed(SOME)
            await asyncio.to_thread(crash_postgres, own_postgres)
        await confirmed(SOME)
    assert ground.refused > 0
    await asyncio.to_thread(ground.judge)


def crash_postgres(url: str) -> None:
    """Kill one of its processes, upon which it ends all others and recovers."""
    with psycopg.connect(url, autocommit=True) as db:
        row = db.execute("SELECT pg_backend_pid()").fetchone()
        assert row is not None
        os.kill(row[0], signal.SIGKILL)


async def test_the_disk_of_the_claim_store_is_full(lab: DiscordSim, tmp_path: Path) -> None:
    claims = tmp_path / "claims"
    await asyncio.to_thread(claims.mkdir)
    mounted = await asyncio.to_thread(
        subprocess.run,
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(claims)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("a small disk cannot be mounted here")
    ground = Ground(f"sqlite:///{tmp_path}/crash.db", tmp_path, lab, 3)
    try:
        filler = claims / "filler"
        await asyncio.to_thread(filler.write_bytes, bytes(1024 * 1024 - 64 * 1024))
        async with ground.load() as confirmed:
            await confirmed(3 * SOME)
            refused = ground.refused
            assert refused > 0
            await asyncio.to_thread(filler.unlink)
            await confirmed(2 * SOME)
        await asyncio.to_thread(ground.judge)
    finally:
        await asyncio.to_thread(subprocess.run, ["umount", "-l", str(claims)], check=True)

"""Several processes share the work on one PostgreSQL and one Redis, and the death of a worker loses nothing."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
import pytest_asyncio

from tests.acceptance.stage import LIVING_ROOM, Daemon, Stage, open_stage
from tests.integration.cli.marquee import call
from tests.servers import start_postgres, start_redis

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class House:
    """Who runs where."""

    stage: Stage
    bots: Daemon
    workers: tuple[Daemon, Daemon]
    web: Daemon


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[House]:
    """One process for Discord, two workers, one for HTTP."""
    postgres, redis = start_postgres(), start_redis()
    servers = {
        "MARQUEE_DATABASE__URL": f"postgresql://{postgres.name}@127.0.0.1:{postgres.port}/postgres",
        "MARQUEE_REDIS__URL": f"redis://:{redis.password}@127.0.0.1:{redis.port}/0",
    }
    try:
        async with open_stage(is_started=False, **servers) as stage:
            stage.titles_min = 0  # libraries are read by workers, which come later
            bots = await stage.launch("--role", "bots")
            await stage.wait_for(stage.is_up, "the bots to be up")
            workers = (await stage.launch("--role", "worker"), await stage.launch("--role", "worker"))
            web = await stage.launch("--role", "web")
            for daemon in (*workers, web):
                await stage.wait_for(lambda daemon=daemon: _is_ready(daemon), "a process to be ready")
            stage.daemon = bots
            yield House(stage, bots, workers, web)
            for daemon in (*workers, web):
                if daemon.process.returncode is None:
                    stage.exit_codes.append(await daemon.stop())
    finally:
        redis.stop()
        postgres.stop()


async def _is_ready(daemon: Daemon) -> bool:
    if not daemon.url and not await daemon.find_url():
        return False
    async with aiohttp.ClientSession() as http, http.get(f"{daemon.url}/health/ready") as answer:
        return answer.status == 200


async def test_each_says_what_it_does(house: House) -> None:
    started = [
        next(line["role"] for line in await daemon.logs() if line["event"] == "started")
        for daemon in (house.bots, *house.workers, house.web)
    ]
    assert started == ["bots", "worker", "worker", "web"]
    assert (await house.web.health())["checks"]["redis"][0]["status"] == "pass"


async def test_a_member_plays_and_the_card_goes_on(house: House) -> None:
    stage = house.stage
    alice = stage.controller()
    title = stage.named_once("movie")[0]
    card = await alice.slash("play", title=f"t:attic:{title.key}", player=LIVING_ROOM, **{"from": "start"})
    await card.until("▶ Playing", 20)
    stage.player(LIVING_ROOM).pause(stage.clock.now())
    await card.until("⏸ Paused", 20)
    public = [seen for seen in alice.sees() if not seen.is_private]
    assert [seen.message_id for seen in public] == [card.message_id]


async def test_the_work_of_a_killed_worker_is_done_by_the_other(house: House) -> None:
    first, second = house.workers
    first.process.send_signal(signal.SIGKILL)
    await first.process.wait()
    ended = await call(house.stage.environment(), "schedules", "run", "retention")
    assert ended.code == 0, ended.err
    await house.stage.wait_for(lambda: _has_cleaned_up(second), "the other worker to do it", 60)


async def _has_cleaned_up(worker: Daemon) -> bool:
    async with aiohttp.ClientSession() as http, http.get(f"{worker.url}/metrics") as answer:
        text = await answer.text()
    return 'marquee_schedule_runs_total{outcome="done",schedule="retention"} 1.0' in text

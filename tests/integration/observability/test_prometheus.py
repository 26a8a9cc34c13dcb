"""A real Prometheus on a running daemon: every graph has a line, every alert can be judged."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests import nursery
from tests.acceptance.stage import LIVING_ROOM, SHIELD, Stage, answered, open_stage
from tests.integration.observability import prometheus as files
from tests.integration.observability.evening import an_outage, exposed
from tests.integration.observability.prometheus import Panel, Prometheus, find, scraping

DRAWN_S = 90.0


@dataclass(frozen=True)
class Setting:
    """What is installed and what is judged; read before a loop runs."""

    prometheus: str
    promtool: str
    panels: list[Panel]
    rules: list[dict[str, Any]]


async def an_evening(stage: Stage) -> None:
    """Some of everything: commands, suggestions, a refusal, playing by hand."""
    member, guest = stage.controller(), stage.guest()
    title = stage.named_once("movie")[0].title
    await member.type_in("play", "title", title[:4])
    await answered(await member.slash("play", title=title, player=SHIELD))
    await answered(await member.slash("now"))
    await answered(await guest.slash("pause", player=SHIELD))
    stage.watch(LIVING_ROOM)


async def a_night(stage: Stage) -> None:
    """Scheduled jobs, run by hand."""
    for job in ("retention", "backup"):
        process = await nursery.spawn("daemon", "schedules", "run", job, environ=stage.environment())
        assert await process.wait() == 0


async def undrawn(prometheus: Prometheus, panels: Sequence[Panel]) -> dict[str, list[str]]:
    """Panels with expressions that give no number, and which these are."""
    found = {
        panel.title: [expression for expression in panel.expressions if not await prometheus.query(expression)]
        for panel in panels
    }
    return {title: expressions for title, expressions in found.items() if expressions}


@pytest.fixture
def setting() -> Setting:
    return Setting(find("prometheus"), find("promtool"), files.panels(), files.rules())


@pytest.mark.timeout(300)
async def test_every_panel_draws_and_every_alert_is_judged(setting: Setting) -> None:
    async with open_stage(is_started=False) as stage:
        channel = stage.lab.world.add_channel(stage.lab.guild, "trouble")
        stage.settings["MARQUEE_MODULES__OPS__CHANNEL"] = str(channel.channel_id)
        await stage.start()
        await a_night(stage)
        await stage.restart()  # it looks at its backups when it starts, and then once a minute
        assert stage.daemon is not None
        async with scraping(setting.prometheus, stage.daemon.url, stage.folder) as prometheus:
            await stage.wait_for(partial(is_scraped, prometheus), "a first scrape")
            left = await draw(stage, prometheus, setting.panels)
            assert left == {}
            assert len(setting.panels) > 40
            for rule in setting.rules:
                await prometheus.query(rule["expr"])
                for name in files.metric_names(rule["expr"]):
                    assert await prometheus.query(f"count({name}) or count({name}_count)"), f"{name} is never said"
            states = await prometheus.loaded_alerts()
            assert set(states) == {rule["alert"] for rule in setting.rules}
            assert {name for name, state in states.items() if state == "firing"} == set()
            await lint(setting.promtool, await exposed(stage))


async def draw(stage: Stage, prometheus: Prometheus, panels: Sequence[Panel]) -> dict[str, list[str]]:
    """Have the daemon do things until every panel has something to draw; what has not, after a while."""
    deadline = time.monotonic() + DRAWN_S
    left: dict[str, list[str]] = {"everything": []}
    while left and time.monotonic() < deadline:
        await an_evening(stage)
        await an_outage(stage)
        await a_night(stage)
        left = await undrawn(prometheus, panels)
    return left


async def is_scraped(prometheus: Prometheus) -> bool:
    return await prometheus.targets() == ["up"]


async def lint(promtool: str, exposed: str) -> None:
    """What promtool thinks of our names."""
    command, given = [promtool, "check", "metrics"], exposed.encode()
    done = await asyncio.to_thread(subprocess.run, command, input=given, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")

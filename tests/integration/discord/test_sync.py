"""Commands reach Discord with one GET and at most one PUT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from integrations.discord.sync import Change, SyncRefused
from simulators.discord.sim import DiscordSim
from tests.integration.discord.stage import DEMO, Stage, running, stage_at

PUT, GET = "bulk_set_application_commands", "list_application_commands"


async def test_the_first_start_puts_once_and_the_second_not_at_all(lab: DiscordSim, tmp_path: Path) -> None:
    async with running(lab, tmp_path) as stage:
        assert len(stage.ops(PUT)) == 1
        for command in stage.ops(PUT)[0].body:
            assert (command["contexts"], command["integration_types"]) == ([0], [0])
    async with running(lab, tmp_path) as stage:
        assert len(stage.ops(PUT)) == 1
        assert len(stage.ops(GET)) == 2


async def test_reconnecting_syncs_nothing(stage: Stage) -> None:
    stage.lab.gateway.drop_all()
    await stage.until(lambda: stage.status("marquee") == "warn")
    await stage.until(lambda: stage.status("marquee") == "pass")
    assert len(stage.ops(GET)) == 1


async def test_commands_of_a_failed_module_stay(stage: Stage) -> None:
    names = [command["name"] for command in stage.lab.user("alice").commands()]
    await stage.fleet.surface.remove_owner(DEMO)
    await stage.fleet.sync_commands(keep=names)
    assert [command["name"] for command in stage.lab.user("alice").commands()] == names
    assert len(stage.ops(PUT)) == 1


async def test_an_empty_set_deletes_nothing_without_force(stage: Stage) -> None:
    await stage.fleet.surface.remove_owner(DEMO)
    await stage.fleet.sync_commands()
    assert "would be deleted" in stage.output("marquee:commands")
    assert stage.status("marquee:commands") == "warn"
    assert len(stage.ops(PUT)) == 1
    with pytest.raises(SyncRefused):
        await stage.fleet.apply_commands("marquee")
    planned = await stage.fleet.apply_commands("marquee", force=True)
    assert len(planned.names(Change.DELETE)) == len(planned.steps) == 9
    assert stage.lab.user("alice").commands() == []


async def test_discords_daily_limit_parks_the_sync(lab: DiscordSim, tmp_path: Path) -> None:
    async with stage_at(lab, tmp_path) as stage:
        fault = lab.faults.add(PUT, status=400, code=30034, times=None)
        await stage.add_demo_and_start()
        await stage.until(lambda: "no more new commands today" in stage.output("marquee:commands"))
        await stage.fleet.sync_commands()
        assert fault.hits == 1
        lab.faults.clear()
        lab.clock.jump(25 * 3600)
        await stage.fleet.sync_commands()
        assert stage.status("marquee:commands") == "pass"


async def test_a_failed_sync_is_made_up_for_at_the_next_session(lab: DiscordSim, tmp_path: Path) -> None:
    lab.faults.add(GET, status=503)
    async with stage_at(lab, tmp_path) as stage:
        await stage.add_demo_and_start()
        await stage.until(lambda: stage.status("marquee") == "pass")
        await stage.until(lambda: stage.status("marquee:commands") == "pass")


async def test_plans_need_no_gateway(lab: DiscordSim, tmp_path: Path) -> None:
    async with stage_at(lab, tmp_path) as stage:
        await stage.fleet.prepare()
        await stage.add_demo()
        planned = await stage.fleet.plan_commands("marquee")
        assert len(planned.names(Change.CREATE)) == 9
        assert not lab.sessions.all()
        assert stage.ops(PUT) == []
        await stage.fleet.apply_commands("marquee")
        again = await stage.fleet.plan_commands("marquee")
        assert again.is_empty
        stored: list[Any] = lab.user("alice").commands()
        assert [command["name"] for command in stored] == sorted(again.names(Change.UNCHANGED))

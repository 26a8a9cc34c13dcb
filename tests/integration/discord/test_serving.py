"""Two bots in one server, each with its modules; and bots that only post and edit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import discord
import pytest
from discord import app_commands
from discord.ext import commands

from daemon.core.ids import AppId, BotName, ModuleId
from integrations.discord.messages import Edited
from integrations.discord.replies import reply
from simulators.discord.objects import App
from simulators.discord.sim import DiscordSim
from simulators.discord.user import Refused
from tests.integration.discord.stage import DEMO, Stage, running, stage_at

OTHER = ModuleId("other")


class OtherCog(commands.Cog):
    @app_commands.command(description="Another module's")
    async def wave(self, interaction: Any) -> None:
        await reply(interaction, "waved")


class OtherGroup(commands.GroupCog, group_name="waves", description="Another module's group"):
    @app_commands.command(description="One of them")
    async def count(self, interaction: Any) -> None:
        await reply(interaction, "three")


@pytest.fixture
def second(lab: DiscordSim) -> App:
    """Another bot in the same server."""
    app = lab.world.add_app("Second")
    lab.world.join(lab.guild, app.person)
    return app


def offered(stage: Stage) -> dict[str, set[str]]:
    """Bots by the commands that members are offered."""
    found: dict[str, set[str]] = {}
    for command in stage.lab.user("alice").commands():
        app = stage.lab.world.apps[int(command["application_id"])]
        found.setdefault(command["name"], set()).add(app.name)
    return found


async def test_a_named_module_is_on_its_own_bot_alone(lab: DiscordSim, tmp_path: Path, second: App) -> None:
    async with running(lab, tmp_path, modules={"second": ("demo",)}) as stage:
        await stage.fleet.surface.add_cog(OTHER, OtherCog)
        await stage.up()
        alice = lab.user("alice")
        assert offered(stage)["say"] == {"Second"}
        assert offered(stage)["wave"] == {"Marquee"}
        assert (await alice.slash("say")).text == "said"
        assert (await alice.slash("wave")).text == "waved"
        with pytest.raises(Refused):
            await alice.slash("say", app="Marquee")
        assert stage.fleet.surface.counts(DEMO)["instances"] == 1
        assert [bot.name for bot in stage.fleet.bots_for(DEMO)] == ["second", "marquee"]
        assert [bot.name for bot in stage.fleet.bots_for(OTHER)] == ["marquee", "second"]


async def test_what_no_bot_names_is_on_all_without_a_list(lab: DiscordSim, tmp_path: Path, second: App) -> None:
    third = lab.world.add_app("Third")
    lab.world.join(lab.guild, third.person)
    async with running(lab, tmp_path, modules={"third": ("other",)}) as stage:
        await stage.fleet.surface.add_cog(OTHER, OtherCog)
        await stage.up()
        assert offered(stage)["say"] == {"Marquee", "Second"}
        assert offered(stage)["wave"] == {"Third"}


async def test_a_module_moves_to_another_bot_and_its_panels_go_on(lab: DiscordSim, tmp_path: Path, second: App) -> None:
    async with running(lab, tmp_path) as stage:
        await stage.fleet.surface.add_cog(OTHER, OtherGroup)
        await stage.up()
        assert offered(stage)["say"] == offered(stage)["waves"] == {"Marquee", "Second"}
        panel = await lab.user("alice").slash("show", app="Marquee")
    # Everything of one bot goes: without the operator's word for it such a plan would be refused.
    async with stage_at(lab, tmp_path, modules={"second": ("demo", "other")}) as stage:
        await stage.fleet.start()
        await stage.add_demo()
        await stage.fleet.surface.add_cog(OTHER, OtherGroup)
        await stage.up()
        assert set(map(frozenset, offered(stage).values())) == {frozenset({"Second"})}
        await panel.click("Press")
        assert stage.script.diary == [(("7",), ())]


async def test_odd_lists_are_warned_of(lab: DiscordSim, tmp_path: Path, second: App) -> None:
    async with stage_at(lab, tmp_path, modules={"second": ("demmo",), "marquee": ("other",)}) as stage:
        stage.fleet.check_modules([DEMO, OTHER])
        assert stage.status("second:modules") == stage.status("modules") == "warn"
        assert "demmo" in stage.output("second:modules")
        assert "no bot serves demo:" in stage.output("modules")
        assert stage.status("marquee:modules") == ""


async def test_a_worker_posts_and_edits_and_does_nothing_else(lab: DiscordSim, tmp_path: Path) -> None:
    async with stage_at(lab, tmp_path, gateway=False) as stage:
        await stage.fleet.start()
        await stage.add_demo()
        await stage.until(lambda: stage.status("marquee") == "pass")
        await stage.fleet.sync_commands()
        assert "to post and edit" in stage.output()
        view = stage.panel.panel()
        posted = await stage.fleet.messages.post(stage.app_id, stage.general, nonce="n", view=view)
        assert posted.message_id is not None
        changed = stage.panel.panel("Changed")
        edited = await stage.fleet.messages.edit(stage.app_id, stage.general, posted.message_id, view=changed)
        assert edited is Edited.OK
        assert [shown.text.split("\n")[0] for shown in lab.user("bob").sees()] == ["Changed"]
        assert not lab.sessions.all()
        assert not stage.ops("get_bot_gateway")
        assert not stage.ops("list_application_commands")
        assert stage.status("marquee:commands") == ""


async def test_a_worker_logs_in_again_after_a_failure(lab: DiscordSim, tmp_path: Path) -> None:
    lab.faults.add("get_my_user", status=403, times=2)
    async with stage_at(lab, tmp_path, gateway=False) as stage:
        await stage.fleet.start()
        await stage.until(lambda: stage.status("marquee") == "pass")
        (bot,) = stage.fleet.bots_for(DEMO)
        assert isinstance(bot, discord.Client)
        assert (bot.name, AppId(bot.application_id or 0)) == (BotName("marquee"), stage.app_id)

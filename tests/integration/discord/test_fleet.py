"""Bots by token: what Discord and the network may do to a connection without taking the daemon down."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from discord.ext import commands
from discord.gateway import KeepAliveHandler

from daemon.core.errors import ModuleError
from daemon.core.ids import ModuleId
from integrations.discord.connection import ConnectorFactory
from simulators.discord.sim import DiscordSim
from tests.integration.discord.stage import DEMO, DemoCog, DemoPanel, Stage, running, stage_at


async def says(stage: Stage, member: str = "alice") -> str:
    return (await stage.lab.user(member).slash("say")).text


async def test_only_guilds_are_asked_for_and_nothing_privileged(stage: Stage) -> None:
    session = stage.lab.sessions.all()[0]
    assert session.intents == 1


async def test_a_refused_first_handshake_is_survived(lab: DiscordSim, tmp_path: Path) -> None:
    lab.faults.refuse_ws = 1
    async with running(lab, tmp_path) as stage:
        assert await says(stage) == "said"
        assert lab.faults.refuse_ws == 0


async def test_an_outage_at_the_login_is_survived(lab: DiscordSim, tmp_path: Path) -> None:
    lab.faults.add("get_my_user", status=503, times=2)
    lab.faults.add("get_my_user", drop=True)
    async with running(lab, tmp_path) as stage:
        assert await says(stage) == "said"


async def test_a_malformed_event_is_skipped(stage: Stage) -> None:
    before = len(stage.ops("get_my_user"))
    for event in ("GUILD_CREATE", "INTERACTION_CREATE", "CHANNEL_UPDATE", "MESSAGE_CREATE"):
        stage.lab.gateway.send_malformed(event)
    assert await says(stage) == "said"
    assert len(stage.ops("get_my_user")) == before  # the session was not even lost


@pytest.mark.parametrize("code", [None, 4000, 1001])
async def test_a_dropped_connection_is_resumed_or_made_anew(stage: Stage, code: int | None) -> None:
    stage.lab.gateway.drop_all(code)
    await stage.until(lambda: stage.status("marquee") == "warn")
    await stage.until(lambda: stage.status("marquee") == "pass")
    assert await says(stage) == "said"


async def test_no_heartbeat_outlives_a_bot_that_is_closed_while_it_connects(lab: DiscordSim, tmp_path: Path) -> None:
    before = set(threading.enumerate())

    def hearts() -> list[KeepAliveHandler]:
        return [thread for thread in set(threading.enumerate()) - before if isinstance(thread, KeepAliveHandler)]

    async with running(lab, tmp_path) as stage:
        assert await says(stage) == "said"
        first = hearts()
        lab.gateway.invalidate_all()
        # HELLO has come on a new connection; discord.py now waits five seconds before it identifies again
        await stage.until(lambda: any(heart not in first for heart in hearts()))
        late = hearts()
    assert [heart.name for heart in late if not heart._stop_ev.is_set()] == []


async def test_a_wrong_token_is_not_tried_again_and_the_other_bot_works(lab: DiscordSim, tmp_path: Path) -> None:
    async with stage_at(lab, tmp_path, bots={**lab.tokens, "broken": "not-a-token"}) as stage:
        await stage.fleet.start()
        await stage.add_demo()
        await stage.up()
        await stage.until(lambda: "rejected the token" in stage.output("broken"))
        assert stage.status("broken") == "warn"
        tries = sum(seen.status == 401 for seen in stage.ops("get_my_user"))
        await asyncio.sleep(0.1)
        assert sum(seen.status == 401 for seen in stage.ops("get_my_user")) == tries == 1
        assert await says(stage) == "said"
        assert "not-a-token" not in repr(stage.fleet) + repr(vars(stage.fleet))


async def test_a_token_revoked_while_connected_is_given_up(stage: Stage) -> None:
    stage.lab.gateway.drop_all(4004)
    await stage.until(lambda: "rejected the token" in stage.output())


async def test_two_bots_have_the_same_module_and_their_own_commands(lab: DiscordSim, tmp_path: Path) -> None:
    second = lab.world.add_app("Second")
    lab.world.join(lab.guild, second.person)
    async with running(lab, tmp_path) as stage:
        for app in ("Marquee", "Second"):
            shown = await lab.user("alice").slash("show", app=app)
            await shown.click("Press")
        assert len(stage.script.diary) == 2
        assert stage.fleet.surface.counts(DEMO) == {"cogs": 1, "instances": 2, "components": 7, "roles": 0}
        await stage.fleet.surface.remove_owner(DEMO)
        assert not any(stage.fleet.surface.counts(DEMO).values())


async def test_modules_come_and_go_while_bots_run(stage: Stage) -> None:
    for _ in range(3):
        await stage.fleet.surface.remove_owner(DEMO)
        bot = stage.fleet._bot_of(stage.app_id)
        assert bot is not None
        assert bot.tree.get_commands() == []
        assert bot.cogs == {}
        await stage.add_demo()
    assert await says(stage) == "said"


async def test_nothing_of_a_command_or_panel_stays_in_discord_py(stage: Stage) -> None:
    bot = stage.fleet._bot_of(stage.app_id)
    assert bot is not None
    store = bot._connection._view_store

    def kept() -> tuple[int, ...]:
        return len(store._views), len(store._synced_message_views), len(store._modals), len(store._dynamic_items)

    before = kept()
    alice = stage.lab.user("alice")
    for _ in range(3):
        shown = await alice.slash("show")
        await shown.click("Press")
        await shown.click("Ask")
    assert kept() == before == (0, 0, 0, 1)


class Twin(commands.Cog):
    @commands.Cog.listener()
    async def on_ready(self) -> None: ...


async def test_a_cog_that_collides_or_breaks_a_rule_leaves_nothing(stage: Stage) -> None:
    other = ModuleId("other")
    bot = stage.fleet._bot_of(stage.app_id)
    assert bot is not None
    before = {command.qualified_name for command in bot.tree.walk_commands()}
    with pytest.raises(ModuleError, match="exists already"):
        await stage.fleet.surface.add_cog(other, DemoCog, (stage.script, DemoPanel(stage.script)))
    with pytest.raises(ModuleError, match="cannot be made"):
        await stage.fleet.surface.add_cog(other, DemoCog, ())
    assert not any(stage.fleet.surface.counts(other).values())
    assert {command.qualified_name for command in bot.tree.walk_commands()} == before
    await stage.fleet.surface.add_cog(other, Twin)
    with pytest.raises(ModuleError, match="cannot be added"):
        await stage.fleet.surface.add_cog(ModuleId("third"), Twin)
    assert await says(stage) == "said"


async def test_a_bot_that_comes_back_has_its_modules(stage: Stage) -> None:
    await stage.supervisor.cancel("discord")
    stage.lab.problems.clear()
    await stage.fleet.start()
    await stage.until(lambda: stage.status("marquee") == "pass")
    assert await says(stage) == "said"
    assert stage.fleet.surface.counts(DEMO)["instances"] == 1


async def test_the_invite_link_asks_for_little(stage: Stage) -> None:
    link = stage.fleet.invite_links()["marquee"]  # type: ignore[index]
    assert f"client_id={stage.app_id}" in link
    assert "scope=bot+applications.commands" in link


async def test_spent_identifies_are_waited_for(lab: DiscordSim, tmp_path: Path) -> None:
    app: Any = next(iter(lab.world.apps.values()))
    app.identifies_left = 5
    async with stage_at(lab, tmp_path) as stage:
        await stage.fleet.start()
        await stage.until(lambda: len(stage.ops("get_bot_gateway")) == 1)
        await asyncio.sleep(0.1)
        assert app.identifies_left == 5
        assert not lab.sessions.all()


@pytest.mark.parametrize("host", ["192.0.2.1", "8.8.8.8"])
def test_discord_is_found_elsewhere_on_loopback_only(host: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        ConnectorFactory((host, 443), None)

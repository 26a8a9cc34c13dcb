"""The control face, and a second guild made through it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import discord
import pytest

from simulators.discord.sim import DiscordSim
from tests.unit.simulators.discord.bot import Bot, connector, eventually, running

Call = Any


@pytest.fixture
async def call(lab: DiscordSim) -> AsyncIterator[Call]:
    async with aiohttp.ClientSession() as session:

        async def call(method: str, path: str, body: Any = None, status: int = 200) -> Any:
            async with session.request(method, lab.control_url + path, json=body) as answer:
                assert answer.status == status, await answer.text()
                return await answer.json()

        yield call


async def test_the_clock_is_served_and_set(lab: DiscordSim, call: Call) -> None:
    before = await call("GET", "/clock")
    assert before == {"now": lab.clock.now(), "speed": 0, "version": lab.clock.version}
    after = await call("POST", "/clock", {"jump": 60, "speed": 2})
    assert after["now"] >= before["now"] + 60
    assert after["speed"] == 2
    assert (await call("GET", f"/clock?version={before['version']}"))["version"] == after["version"]
    await call("POST", "/clock", {"jump": -1}, status=400)


async def test_a_guild_elsewhere(lab: DiscordSim, call: Call) -> None:
    async with running(lab, Bot(await connector(lab))) as bot:

        @bot.tree.command(description="where")
        async def where(interaction: discord.Interaction) -> None:
            await interaction.response.send_message(interaction.guild.name if interaction.guild else "nowhere")

        await bot.tree.sync()
        made = await call(
            "POST",
            "/guilds",
            {"name": "Elsewhere", "owner": "mallory", "members": ["alice"], "apps": ["Marquee"]},
        )
        guild = lab.world.guilds[int(made["id"])]
        await eventually(lambda: bot.get_guild(guild.guild_id))
        assert (await lab.user("alice", guild).slash("where")).text == "Elsewhere"
        assert (await lab.user("alice").slash("where")).text == "Marquee House"
        assert lab.user("bob", guild).channels() != lab.user("bob").channels()
        assert lab.user("bob", guild).channels() == []


async def test_a_member_is_driven_from_outside(lab: DiscordSim, call: Call) -> None:
    async with running(lab, Bot(await connector(lab))) as bot:

        @bot.tree.command(description="echo")
        async def echo(interaction: discord.Interaction, text: str) -> None:
            view = discord.ui.View()
            button: discord.ui.Button[discord.ui.View] = discord.ui.Button(label="More", custom_id="more")

            async def more(inner: discord.Interaction) -> None:
                await inner.response.send_message("more", ephemeral=True)

            button.callback = more  # type: ignore[method-assign]
            view.add_item(button)
            await interaction.response.send_message(text, view=view)

        await bot.tree.sync()
        shown = await call("POST", "/users/alice/slash", {"command": "echo", "options": {"text": "hi"}})
        assert shown["text"] == "hi\n(More)"
        message_id = shown["messages"][0]["id"]
        more = await call("POST", "/users/bob/click", {"message_id": message_id, "button": "More"})
        assert more["text"] == "more"
        assert [fact["kind"] for fact in more["facts"]] == ["callback:message"]
        assert len(await call("GET", "/users/bob/messages")) == 2
        assert len(await call("GET", "/users/alice/messages")) == 1
        refused = await call("POST", "/users/bob/slash", {"command": "nope"}, status=409)
        assert "not offered" in refused["error"]
        await call("POST", "/users/bob/fly", {}, status=409)
        await call("POST", "/users/bob/delete", {"message_id": message_id}, status=409)
        await call("POST", "/users/olivia/delete", {"message_id": message_id})
        await call("POST", "/users/bob/dismiss", {"message_id": more["messages"][0]["id"]})
        assert await call("GET", "/users/bob/messages") == []


async def test_faults_and_problems_from_outside(lab: DiscordSim, call: Call) -> None:
    async with running(lab, Bot(await connector(lab))) as bot:
        await call("POST", "/faults", {"op": "get_user", "status": 503, "rate_limits": False})
        with pytest.raises(discord.DiscordServerError):
            await bot.fetch_user(lab.user("bob").user_id)
        assert (await bot.fetch_user(lab.user("bob").user_id)).name == "bob"
        assert [seen["status"] for seen in await call("GET", "/requests") if seen["op"] == "get_user"] == [503, 200]
        await call("POST", "/gateway", {"refuse_resume": 0, "drop": None})
        await eventually(lambda: "resumed" in bot.events)
        await call("DELETE", "/faults")
    assert not lab.limits.is_on
    lab.problems.add("gateway", "made up")
    assert await call("GET", "/problems") == [{"kind": "gateway", "what": "made up", "detail": ""}]
    await call("DELETE", "/problems")


async def test_people_apps_and_permissions_from_outside(lab: DiscordSim, call: Call) -> None:
    await call("POST", "/people", {"username": "zoe", "roles": ["Controllers"]})
    zoe = lab.user("zoe")
    assert lab.guild.members[zoe.user_id].role_ids
    app = await call("POST", "/apps", {"name": "Usher", "token": "a.b.c"})
    assert lab.tokens["usher"] == "a.b.c"
    body = {"channel": "bot-log", "target_id": str(lab.guild.guild_id), "deny": ["view_channel"]}
    await call("POST", "/overwrites", body)
    assert "bot-log" not in {channel["name"] for channel in zoe.channels()}
    world = await call("GET", "/world")
    assert app in world["apps"]
    assert len(world["guilds"][0]["members"]) == 7


async def test_an_interaction_can_arrive_twice(lab: DiscordSim) -> None:
    async with running(lab, Bot(await connector(lab))) as bot:
        ids: list[int] = []

        @bot.tree.command(description="once")
        async def once(interaction: discord.Interaction) -> None:
            ids.append(interaction.id)
            if len(ids) == 1:
                await interaction.response.send_message("done")

        await bot.tree.sync()
        lab.faults.repeat_interactions = 1
        await lab.user("alice").slash("once")
        await eventually(lambda: len(ids) == 2)
        assert ids[0] == ids[1]


async def test_a_malformed_event_kills_discord_py(lab: DiscordSim) -> None:
    async with Bot(await connector(lab)) as bot:

        async def on_ready() -> None:
            lab.gateway.send_malformed()

        bot.on_ready = on_ready  # type: ignore[method-assign]
        with pytest.raises((KeyError, TypeError)):
            await bot.start(lab.tokens["marquee"])

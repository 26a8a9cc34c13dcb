"""The gateway and REST under faults, as discord.py meets them."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import discord
import pytest
import zstandard

from simulators.discord import permissions as perms
from simulators.discord.sim import DiscordSim
from tests.unit.simulators.discord.bot import Bot, connector, eventually, running


@pytest.fixture
async def bot(lab: DiscordSim) -> AsyncIterator[Bot]:
    async with running(lab, Bot(await connector(lab))) as bot:
        yield bot


def general(lab: DiscordSim, bot: Bot) -> discord.TextChannel:
    channel = bot.get_channel(lab.channel("general").channel_id)
    assert isinstance(channel, discord.TextChannel)
    return channel


@pytest.mark.parametrize("how", ["cut", "close", "reconnect"])
async def test_a_dropped_socket_is_resumed_and_nothing_is_missed(lab: DiscordSim, bot: Bot, how: str) -> None:
    match how:
        case "cut":
            assert lab.gateway.drop_all() == 1
        case "close":
            lab.gateway.drop_all(4000)
        case _:
            lab.gateway.reconnect_all()
    lab.user("bob").say("general", "while you were away")
    async with asyncio.timeout(10):
        await bot.resumes.acquire()
    await eventually(lambda: bot.seen)
    assert bot.events == ["ready", "resumed"]


async def test_a_session_can_be_refused_and_forgotten(lab: DiscordSim) -> None:
    token = lab.tokens["marquee"]

    async def resume(session_id: str) -> Any:
        async with session.ws_connect("wss://gateway.discord.gg/?v=10&encoding=json") as socket:
            await socket.receive()
            await socket.send_json({"op": 6, "d": {"token": token, "session_id": session_id, "seq": 1}})
            return json.loads((await socket.receive(timeout=5)).data)

    async with aiohttp.ClientSession(connector=await connector(lab)) as session:
        assert await resume("unknown") == {"op": 9, "d": False}
        async with session.ws_connect("wss://gateway.discord.gg/?v=10&encoding=json") as socket:
            await socket.receive()
            await socket.send_json({"op": 2, "d": {"token": token, "intents": 1}})
            ready = json.loads((await socket.receive(timeout=5)).data)
            lab.gateway.drop_all()
            await eventually(lambda: not lab.gateway.connections)
        session_id = ready["d"]["session_id"]
        lab.faults.refuse_resume = 1
        assert await resume(session_id) == {"op": 9, "d": False}
        replayed = await resume(session_id)
        assert (replayed["t"], replayed["s"]) == ("GUILD_CREATE", 2)


async def test_heartbeats_can_go_unanswered(lab: DiscordSim) -> None:
    lab.gateway.heartbeat_ms = 50
    lab.faults.mute_acks = True
    async with running(lab, Bot(await connector(lab), heartbeat_timeout=0.2)) as bot, asyncio.timeout(10):
        await bot.resumes.acquire()


@pytest.mark.parametrize(
    ("options", "token", "error"),
    [
        ({"intents": discord.Intents.all()}, None, discord.PrivilegedIntentsRequired),
        ({}, "no.such.token", discord.LoginFailure),
    ],
)
async def test_who_is_not_let_in(lab: DiscordSim, options: Any, token: str | None, error: type[Exception]) -> None:
    bot = Bot(await connector(lab), **options)
    async with bot:
        with pytest.raises(error):
            await bot.start(token or lab.tokens["marquee"])
    lab.problems.clear()


async def test_a_refused_handshake_kills_discord_py(lab: DiscordSim) -> None:
    lab.faults.refuse_ws = 1
    async with Bot(await connector(lab)) as bot:
        with pytest.raises(AttributeError):
            await bot.start(lab.tokens["marquee"])


async def test_privileged_intents_that_are_on_are_given(lab: DiscordSim) -> None:
    app = lab.world.app_of_token(lab.tokens["marquee"])
    assert app
    app.privileged_intents = (1 << 1) | (1 << 8) | (1 << 15)
    async with running(lab, Bot(await connector(lab), intents=discord.Intents.all())) as bot:
        guild = bot.get_guild(lab.guild.guild_id)
        assert guild
        assert {member.name for member in guild.members} == {"olivia", "alice", "bob", "mallory", "Marquee"}
        lab.user("bob").say("general", "read me")
        await eventually(lambda: bot.seen)
        assert bot.seen[0].content == "read me"


async def test_content_is_blank_without_the_intent(lab: DiscordSim, bot: Bot) -> None:
    lab.user("bob").say("general", "secret")
    await eventually(lambda: bot.seen)
    assert bot.seen[0].content == ""


@pytest.mark.parametrize("compress", ["zlib-stream", "zstd-stream", None])
async def test_every_compression_carries_the_same(lab: DiscordSim, compress: str | None) -> None:
    inflate: Any = {
        "zlib-stream": zlib.decompressobj(),
        "zstd-stream": zstandard.ZstdDecompressor().decompressobj(),
    }.get(compress or "")
    query = f"?v=10&encoding=json&compress={compress}" if compress else "?v=10&encoding=json"

    async def next_frame(socket: aiohttp.ClientWebSocketResponse) -> Any:
        message = await socket.receive(timeout=5)
        raw = inflate.decompress(message.data) if inflate else message.data
        return json.loads(raw)

    async with (
        aiohttp.ClientSession(connector=await connector(lab)) as session,
        session.ws_connect(f"wss://gateway.discord.gg/{query}") as socket,
    ):
        assert (await next_frame(socket))["op"] == 10
        await socket.send_json({"op": 1, "d": None})
        assert (await next_frame(socket))["op"] == 11
        await socket.send_json({"op": 2, "d": {"token": lab.tokens["marquee"], "intents": 1, "properties": {}}})
        assert [(await next_frame(socket))["t"] for _ in range(2)] == ["READY", "GUILD_CREATE"]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("nonsense", 4002),
        (json.dumps({"op": 8, "d": {}}), 4003),
        (json.dumps({"op": 2, "d": {"token": "x", "intents": 1}}), 4004),
        (json.dumps({"op": 1, "d": "x" * 5000}), 4002),
        (json.dumps({"op": 2, "d": {"token": "?", "intents": 1 << 40}}), 4013),
        (json.dumps({"op": 2, "d": {"token": "?", "intents": 1 << 15}}), 4014),
        (json.dumps({"op": 2, "d": {"token": "?", "intents": 1, "shard": [2, 2]}}), 4010),
    ],
)
async def test_close_codes(lab: DiscordSim, frame: str, code: int) -> None:
    async with (
        aiohttp.ClientSession(connector=await connector(lab)) as session,
        session.ws_connect("wss://gateway.discord.gg/?v=10&encoding=json") as socket,
    ):
        await socket.receive()
        await socket.send_str(frame.replace('"?"', json.dumps(lab.tokens["marquee"])))
        await socket.receive(timeout=5)
        assert socket.close_code == code
    assert len(lab.problems.of("gateway")) == 1
    lab.problems.clear()


async def test_a_flood_of_frames_is_cut_off(lab: DiscordSim) -> None:
    async with (
        aiohttp.ClientSession(connector=await connector(lab)) as session,
        session.ws_connect("wss://gateway.discord.gg/?v=10&encoding=json") as socket,
    ):
        for _ in range(121):
            await socket.send_json({"op": 1, "d": None})
        async for _ in socket:
            pass
        assert socket.close_code == 4008
    lab.problems.clear()


async def test_an_answer_lost_after_commit_is_not_posted_twice_with_a_nonce(lab: DiscordSim, bot: Bot) -> None:
    lab.faults.add("create_message", status=500, after_commit=True)
    message = await general(lab, bot).send("once", nonce="n1")
    assert [one.text for one in lab.user("bob").sees()] == ["once"]
    assert str(message.id) == lab.user("bob").messages()[0]["id"]
    url = f"https://discord.com/api/v10/channels/{message.channel.id}/messages"
    headers = {"Authorization": f"Bot {lab.tokens['marquee']}"}
    async with aiohttp.ClientSession(connector=await connector(lab), headers=headers) as session:
        for _ in range(2):
            (await session.post(url, json={"content": "twice", "nonce": "n2"})).close()
    assert [one.text for one in lab.user("bob").sees()] == ["once", "twice", "twice"]


async def test_a_nonce_is_forgotten_after_its_window_and_never_read_back(lab: DiscordSim, bot: Bot) -> None:
    first = await general(lab, bot).send("once", nonce="n1")
    assert first.nonce == "n1"
    assert (await general(lab, bot).send("once", nonce="n1")).id == first.id
    assert [message.nonce async for message in general(lab, bot).history()] == [None]
    lab.clock.jump(600)
    assert (await general(lab, bot).send("once", nonce="n1")).id != first.id


async def test_a_channel_whose_history_is_hidden_reads_as_empty(lab: DiscordSim, bot: Bot) -> None:
    message = await general(lab, bot).send("here")
    lab.world.set_overwrite(lab.channel("general"), bot.application_id or 0, 0, perms.READ_MESSAGE_HISTORY)
    assert [found async for found in message.channel.history()] == []


async def test_the_ids_that_an_app_gives_to_components_are_read_back(lab: DiscordSim, bot: Bot) -> None:
    view = discord.ui.LayoutView()
    view.add_item(discord.ui.Container(discord.ui.TextDisplay("text", id=2_000_000_000), id=77))
    await general(lab, bot).send(view=view)
    (read,) = [message async for message in general(lab, bot).history()]
    container = read.components[0]
    assert isinstance(container, discord.Container)
    assert (container.id, container.children[0].id) == (77, 2_000_000_000)


async def test_who_takes_no_direct_messages_is_not_written_to(lab: DiscordSim, bot: Bot) -> None:
    bob = lab.user("bob")
    user = await bot.fetch_user(bob.user_id)
    await user.send("between us")
    assert [shown.text for shown in bob.sees(int(bob.dm("Marquee")["id"]))] == ["between us"]
    bob.person.takes_dms = False
    with pytest.raises(discord.Forbidden) as refused:
        await user.send("and again")
    assert refused.value.code == 50007


async def test_a_lost_callback_leaves_its_message(lab: DiscordSim, bot: Bot) -> None:
    codes: list[int] = []

    @bot.tree.command(description="hi")
    async def hi(interaction: discord.Interaction) -> None:
        try:
            await interaction.response.send_message("hi")
        except discord.HTTPException as error:
            codes.append(error.code)

    await bot.tree.sync()
    lab.faults.add("create_interaction_response", status=503, after_commit=True)
    shown = await lab.user("alice").slash("hi")
    assert shown.text == "hi"
    await eventually(lambda: codes)
    assert codes == [40060]


@pytest.mark.parametrize("is_global", [False, True])
async def test_429_is_waited_out(lab: DiscordSim, bot: Bot, is_global: bool) -> None:
    lab.faults.add("create_message", status=429, retry_after_s=0.02, is_global=is_global)
    await general(lab, bot).send("patience")
    assert [seen.status for seen in lab.requests if seen.op == "create_message"] == [429, 200]


async def test_faults_are_counted(lab: DiscordSim, bot: Bot) -> None:
    lab.limits.is_on = False
    fault = lab.faults.add("create_message", status=503, times=2, skip=1)
    channel = general(lab, bot)
    await channel.send("a")
    for _ in range(2):
        with pytest.raises(discord.DiscordServerError):
            await channel.send("b")
    await channel.send("c")
    assert fault.hits == 2
    lab.faults.add("create_message", drop=True)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await channel.send("d")
    assert [one.text for one in lab.user("bob").sees()] == ["a", "c"]


async def test_the_bucket_empties_and_says_so(lab: DiscordSim) -> None:
    url = f"https://discord.com/api/v10/channels/{lab.channel('general').channel_id}/messages"
    headers = {"Authorization": f"Bot {lab.tokens['marquee']}"}
    async with aiohttp.ClientSession(connector=await connector(lab), headers=headers) as session:
        for left in (4, 3, 2, 1, 0):
            async with session.post(url, json={"content": "x"}) as answer:
                assert answer.headers["X-RateLimit-Remaining"] == str(left)
                assert answer.headers["Content-Type"] == "application/json"
        async with session.post(url, json={"content": "x"}) as answer:
            body = await answer.json()
            assert (answer.status, answer.headers["X-RateLimit-Scope"]) == (429, "user")
            assert body["global"] is False
            assert 0 < body["retry_after"] <= 5.1


async def test_the_global_limit_spares_interactions(lab: DiscordSim) -> None:
    headers = {"Authorization": f"Bot {lab.tokens['marquee']}"}
    lab.limits.global_per_s = 2
    async with aiohttp.ClientSession(connector=await connector(lab), headers=headers) as session:
        statuses = []
        for _ in range(3):
            async with session.get("https://discord.com/api/v10/users/@me") as answer:
                statuses.append(answer.status)
        assert statuses == [200, 200, 429]
        async with session.post("https://discord.com/api/v10/interactions/1/x/callback", json={"type": 1}) as answer:
            assert (answer.status, (await answer.json())["code"]) == (404, 10062)


async def test_what_the_bot_may_not(lab: DiscordSim, bot: Bot) -> None:
    channel, everyone = lab.channel("bot-log"), lab.guild.guild_id
    there = await bot.fetch_channel(channel.channel_id)
    assert isinstance(there, discord.TextChannel)
    marquee = next(role for role in lab.guild.roles.values() if role.name == "Marquee")
    lab.world.set_overwrite(channel, marquee.role_id, 0, perms.SEND_MESSAGES)
    with pytest.raises(discord.Forbidden) as failure:
        await there.send("x")
    assert failure.value.code == 50013
    lab.world.set_overwrite(channel, marquee.role_id, 0, perms.VIEW_CHANNEL)
    with pytest.raises(discord.Forbidden) as failure:
        await there.send("x")
    assert failure.value.code == 50001
    lab.world.set_overwrite(channel, everyone, 0, perms.VIEW_CHANNEL)
    assert "bot-log" not in {one["name"] for one in lab.user("bob").channels()}
    with pytest.raises(discord.NotFound) as missing:
        await general(lab, bot).fetch_message(1)
    assert missing.value.code == 10008


async def test_old_messages_are_edited_sparingly(lab: DiscordSim, bot: Bot) -> None:
    lab.limits.is_on = False
    message = await general(lab, bot).send("v0")
    for number in range(1, 5):
        await message.edit(content=f"v{number}")
    lab.clock.jump(4000)
    for number in range(5, 8):
        await message.edit(content=f"v{number}")
    url = f"https://discord.com/api/v10/channels/{message.channel.id}/messages/{message.id}"
    headers = {"Authorization": f"Bot {lab.tokens['marquee']}"}
    async with (
        aiohttp.ClientSession(connector=await connector(lab), headers=headers) as session,
        session.patch(url, json={"content": "v8"}) as answer,
    ):
        body = await answer.json()
        assert (answer.status, body["code"], body["retry_after"]) == (429, 30046, 20.0)
    lab.clock.jump(21)
    await message.edit(content="v8")


async def test_an_unknown_route_is_recorded(lab: DiscordSim) -> None:
    async with (
        aiohttp.ClientSession(connector=await connector(lab)) as session,
        session.get("https://discord.com/api/v10/nonsense") as answer,
    ):
        assert answer.status == 404
    assert [str(problem) for problem in lab.problems] == ["unknown route: GET /api/v10/nonsense"]
    lab.problems.clear()


async def test_a_wrong_body_is_answered_like_the_real_one(lab: DiscordSim, bot: Bot) -> None:
    with pytest.raises(discord.HTTPException) as failure:
        await general(lab, bot).send("x" * 2001)
    assert failure.value.code == 50035
    assert "content" in str(failure.value)
    assert lab.problems.of("invalid request")
    lab.problems.clear()

"""The chat page's server and the simulators' process, without a browser."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from simulators.discord.chat import Chat
from simulators.discord.posts import write
from simulators.discord.sim import DiscordSim
from tests.acceptance.cinema_bot import CinemaBot
from tests.unit.simulators.discord.bot import connector, running

Page = tuple[DiscordSim, Chat, aiohttp.ClientSession]


@pytest.fixture
async def served() -> AsyncIterator[Page]:
    async with (
        DiscordSim() as lab,
        Chat(lab.world, lab.interactions, lab.guild, lab.clock) as chat,
        aiohttp.ClientSession(chat.url) as http,
    ):
        yield lab, chat, http


def acting(lab: DiscordSim, name: str = "alice", channel: str = "general", **body: Any) -> dict[str, Any]:
    ids = {"as": str(lab.user(name).user_id), "channel": str(lab.channel(channel).channel_id)}
    return {"json": ids | body}


async def state_of(http: aiohttp.ClientSession, **query: str) -> dict[str, Any]:
    async with http.ws_connect("/api/live", params=query) as live:
        return dict(await live.receive_json(timeout=5))


async def test_direct_messages_are_shown_to_the_two_alone(served: Page) -> None:
    lab, _, http = served
    alice, bob = lab.user("alice"), lab.user("bob")
    async with http.ws_connect("/api/live", params={"as": str(alice.user_id)}) as live:
        before = await live.receive_json(timeout=5)
        channel = alice.dm("Marquee")
        during = await live.receive_json(timeout=5)
        app = next(iter(lab.world.apps.values()))
        write(lab.world, lab.world.channel(channel["id"]), app.person, {"content": "psst"}, app_id=app.app_id)
        news = await live.receive_json(timeout=5)
    assert not any(one["is_direct"] for one in before["channels"])
    assert [(one["name"], one["id"]) for one in during["channels"] if one["is_direct"]] == [("Marquee", channel["id"])]
    assert news["message"]["content"] == "psst"
    assert channel["id"] not in (await state_of(http, **{"as": str(bob.user_id)}))["messages"]


async def test_every_file_the_page_names_is_served_under_a_strict_policy(served: Page) -> None:
    _, _, http = served
    async with http.get("/") as answer:
        text = await answer.text()
        policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    names = [part.split('"')[0] for part in text.split('="page/')[1:]]
    assert len(names) > 5
    for name in names:
        async with http.get(f"/page/{name}") as answer:
            assert answer.status == 200, name
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "http://" not in text
    assert "https://" not in text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example:80"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 200),
    ],
)
async def test_other_sites_may_not_use_it(served: Page, headers: dict[str, str], status: int) -> None:
    lab, _, http = served
    async with http.post("/api/say", headers=headers, **acting(lab, content="hi")) as answer:
        assert answer.status == status
    assert len(lab.user("bob").sees()) == (status == 200)


@pytest.mark.parametrize("path", ["/page/..%2fchat.py", "/page/%2e%2e%2fchat.py", "/page/none.js", "/cdn/none.png"])
async def test_nothing_but_the_page_is_served(served: Page, path: str) -> None:
    _, _, http = served
    async with http.get(path) as answer:
        assert answer.status == 404


async def test_files_that_could_be_active_are_only_downloaded(served: Page) -> None:
    lab, _, http = served
    lab.world.store_file("/attachments/1/2/a.svg", b"<svg/>", "image/svg+xml")
    lab.world.store_file("/attachments/1/2/a.png", b"png", "application/octet-stream")
    async with http.get("/cdn/attachments/1/2/a.svg?ex=1") as answer:
        assert answer.headers["Content-Disposition"] == "attachment"
        assert answer.content_type == "application/octet-stream"
    async with http.get("/cdn/attachments/1/2/a.png") as answer:
        assert answer.headers["Content-Disposition"] == "inline"
        assert answer.content_type == "image/png"


@pytest.mark.parametrize(
    "body",
    [{}, {"as": "x", "channel": "1"}, {"as": "1", "channel": "1", "content": "hi"}, {"as": None, "channel": None}],
)
async def test_nonsense_is_refused_with_a_sentence(served: Page, body: dict[str, Any]) -> None:
    _, _, http = served
    for name in ("say", "run", "suggest", "press", "submit", "dismiss"):
        async with http.post(f"/api/{name}", json=body) as answer:
            assert answer.status == 400
            assert (await answer.json())["error"]
    async with http.post("/api/clock", json={"speed": "fast"}) as answer:
        assert answer.status == 400
    async with http.post("/api/say", data=b"\xff{") as answer:
        assert answer.status == 400


async def test_nobody_speaks_as_the_bot(served: Page) -> None:
    lab, _, http = served
    async with http.post("/api/say", **acting(lab, "Marquee", content="obey")) as answer:
        assert answer.status == 400
    assert lab.user("bob").sees() == []


async def test_a_member_sees_channels_and_private_messages_of_their_own_only(served: Page) -> None:
    lab, _, http = served
    bot = CinemaBot(await connector(lab))
    lab.world.set_overwrite(lab.channel("bot-log"), lab.user("bob").user_id, 0, 1 << 10)
    lab.user("olivia").say("bot-log", "secret")
    async with running(lab, bot):
        await bot.tree.sync()
        await lab.user("alice").slash("volume", level=3)
    alice = await state_of(http, **{"as": str(lab.user("alice").user_id)})
    bob = await state_of(http, **{"as": str(lab.user("bob").user_id)})
    assert [channel["name"] for channel in bob["channels"]] == ["general", "movie-night"]
    assert len(alice["channels"]) == 3
    general = str(lab.channel("general").channel_id)
    assert [message["content"] for message in alice["messages"][general]] == ["Volume is **3**"]
    assert bob["messages"][general] == []
    assert "secret" not in json.dumps(bob)
    assert "token" not in json.dumps(alice)
    assert {command["name"] for command in bob["commands"]} == {"play", "volume", "slow", "silent", "queue"}


async def test_news_arrive_and_a_vanished_reader_does_no_harm(served: Page) -> None:
    lab, _, http = served
    bob = lab.user("bob")
    async with http.ws_connect("/api/live") as live:
        assert (await live.receive_json(timeout=5))["me"] == str(lab.guild.owner_id)
        said = bob.say("general", "one")
        assert (await live.receive_json(timeout=5))["message"]["content"] == "one"
        bob.delete(said["id"])
        assert await live.receive_json(timeout=5) == {
            "type": "gone",
            "channel_id": str(lab.channel("general").channel_id),
            "id": said["id"],
        }
        lab.clock.set_speed(60)
        assert (await live.receive_json(timeout=5))["clock"]["speed"] == 60
        lab.world.add_channel(lab.guild, "late-show")
        assert "late-show" in [channel["name"] for channel in (await live.receive_json(timeout=5))["channels"]]
    for number in range(50):
        bob.say("general", str(number))
    state = await state_of(http)
    assert len(state["messages"][str(lab.channel("general").channel_id)]) == 50


@asynccontextmanager
async def simulators(*arguments: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators", *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def described(process: Process) -> dict[str, Any]:
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 30)
    return dict(json.loads(line))


async def test_the_demo_is_one_process_with_one_clock_and_ends_with_its_parent() -> None:
    async with simulators("--demo", "--with-parent", "--chat-port", "0") as process, aiohttp.ClientSession() as http:
        told = await described(process)
        assert set(told) == {"plex", "discord", "chat"}
        assert set(told["plex"]) == {"url", "token", "account_url", "control_url"}
        assert set(told["discord"]["bots"]) == {"marquee"}
        async with http.post(f"{told['chat']['url']}api/clock", json={"jump_s": 3600, "speed": 0}) as answer:
            assert answer.status == 200
        times = []
        for part in ("plex", "discord"):
            async with http.get(f"{told[part]['control_url']}/clock") as answer:
                times.append((await answer.json())["now"])
        assert times[0] == times[1]
        assert process.stdin is not None
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 15) == 0


async def test_a_taken_chat_port_is_said_and_another_one_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        async with simulators("discord", "--chat-port", str(port)) as process, aiohttp.ClientSession() as http:
            told = await described(process)
            async with http.get(told["chat"]["url"]) as answer:
                assert answer.status == 200
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 15) == 0
            assert process.stderr is not None
            said = (await process.stderr.read()).decode()
    assert f"Port {port} is taken; the chat page is at {told['chat']['url']} instead." in said
    assert "plex" not in told


async def test_ids_are_the_same_at_every_start() -> None:
    told = []
    for _ in range(2):
        async with simulators("discord", "--chat-port", "0") as process:
            told.append(await described(process))
    assert told[0]["discord"]["guild_id"] == told[1]["discord"]["guild_id"]
    assert told[0]["discord"]["owner_id"] == told[1]["discord"]["owner_id"]

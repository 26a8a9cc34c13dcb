"""Every answer of the simulator is valid by the response schemas of Discord's OpenAPI document."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from simulators.clock import SimClock
from simulators.discord.interactions import Interaction
from simulators.discord.sim import DiscordSim
from simulators.discord.spec import SpecDocument

SPEC = Path(__file__).resolve().parents[3].parent / "shared" / "discord-api-spec" / "openapi.json"
pytestmark = pytest.mark.skipif(not SPEC.exists(), reason=f"Discord's OpenAPI document is not at {SPEC}")

API = "https://discord.com/api/v10"
V2 = 1 << 15
LAYOUT = [
    {
        "type": 17,
        "components": [
            {
                "type": 9,
                "components": [{"type": 10, "content": "Dune"}],
                "accessory": {"type": 11, "media": {"url": "attachment://a.png"}},
            },
            {"type": 14},
            {"type": 12, "items": [{"media": {"url": "https://example.org/a.png"}}]},
            {"type": 13, "file": {"url": "attachment://a.png"}},
            {"type": 1, "components": [{"type": 2, "style": 1, "label": "Pause", "custom_id": "pause"}]},
            {"type": 1, "components": [{"type": 5, "custom_id": "user"}]},
        ],
    }
]


class Loopback(AbstractResolver):
    def __init__(self, port: int) -> None:
        self.port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = ResolveResult(hostname=host, host="127.0.0.1", port=self.port, family=socket.AF_INET, proto=0, flags=0)
        return [found]

    async def close(self) -> None:
        return None


class Caller:
    """Talks REST to a judging simulator; each answer was checked by the document when it arrives here."""

    def __init__(self, lab: DiscordSim, session: aiohttp.ClientSession) -> None:
        self.lab = lab
        self._session = session

    async def call(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        async with self._session.request(method, API + path, json=body) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json() if status != 204 else None

    async def send_file(self, path: str, body: Any) -> Any:
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("payload_json", json.dumps(body))
        form.add_field("files[0]", b"no picture", filename="a.png", content_type="image/png")
        async with self._session.post(API + path, data=form) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def answer(self, interaction: Interaction, body: Any) -> Any:
        path = f"/interactions/{interaction.interaction_id}/{interaction.token}/callback?with_response=1"
        return await self.call("POST", path, body)


@asynccontextmanager
async def judged() -> AsyncIterator[Caller]:
    async with DiscordSim(SPEC, SimClock(speed=0)) as lab:
        lab.limits.is_on = False
        trust = await asyncio.to_thread(ssl.create_default_context, cafile=str(lab.ca_file))
        wire = aiohttp.TCPConnector(resolver=Loopback(lab.port), ssl=trust)
        headers = {"Authorization": f"Bot {lab.tokens['marquee']}"}
        async with aiohttp.ClientSession(connector=wire, headers=headers) as session:
            yield Caller(lab, session)
        assert lab.requests, "nothing was asked"
        assert not lab.problems, str(lab.problems)


async def test_reading_the_world() -> None:
    async with judged() as caller:
        guild, general = caller.lab.guild.guild_id, caller.lab.channel("general").channel_id
        bob, role = caller.lab.user("bob").user_id, next(iter(caller.lab.guild.roles))
        for path in (
            "/gateway",
            "/gateway/bot",
            "/applications/@me",
            "/oauth2/applications/@me",
            "/users/@me",
            f"/users/{bob}",
            "/users/@me/guilds",
            f"/guilds/{guild}?with_counts=1",
            f"/guilds/{guild}/channels",
            f"/guilds/{guild}/members/{bob}",
            f"/guilds/{guild}/members/search?query=b",
            f"/guilds/{guild}/roles",
            f"/guilds/{guild}/roles/{role}",
            f"/guilds/{guild}/threads/active",
            f"/channels/{general}",
        ):
            assert await caller.call("GET", path)
        assert await caller.call("POST", "/users/@me/channels", {"recipient_id": str(bob)})


async def test_commands_with_their_defaults() -> None:
    async with judged() as caller:
        app = next(iter(caller.lab.world.apps))
        path, in_guild = (
            f"/applications/{app}/commands",
            f"/applications/{app}/guilds/{caller.lab.guild.guild_id}/commands",
        )
        given = {
            "name": "play",
            "description": "Play",
            "name_localizations": {"de": "spielen", "fr": "play"},
            "options": [{"type": 3, "name": "title", "description": "What", "required": False, "choices": []}],
        }
        made = await caller.call("POST", path, given, status=201)
        assert made["name_localizations"] == {"de": "spielen"}
        assert "required" not in made["options"][0]
        again = await caller.call("POST", path, given)
        assert again == made
        assert "name_localizations" not in (await caller.call("GET", path))[0]
        assert await caller.call("GET", f"{path}?with_localizations=true") == [made]
        replaced = await caller.call("PUT", path, [given | {"description": "Play it"}, given | {"name": "now"}])
        assert replaced[0]["id"] == made["id"]
        assert replaced[0]["version"] != made["version"]
        one = f"{path}/{made['id']}"
        assert (await caller.call("PATCH", one, {"description": "Third"}))["description"] == "Third"
        assert (await caller.call("GET", one))["name"] == "play"
        await caller.call("DELETE", one, status=204)
        await caller.call("GET", one, status=404)
        await caller.call("PUT", in_guild, [given])
        assert len(await caller.call("GET", in_guild)) == 1
        assert await caller.call("GET", f"{in_guild}/permissions") == []


async def test_messages_of_every_kind() -> None:
    async with judged() as caller:
        path = f"/channels/{caller.lab.channel('general').channel_id}/messages"
        first = await caller.call("POST", path, {"content": f"hi <@{caller.lab.user('bob').user_id}>"})
        assert [user["username"] for user in first["mentions"]] == ["bob"]
        reply = {"content": "re", "message_reference": {"message_id": first["id"]}}
        assert (await caller.call("POST", path, reply))["type"] == 19
        embed = {"title": "t", "image": {"url": "https://example.org/a.png"}, "fields": [{"name": "n", "value": "v"}]}
        await caller.call("POST", path, {"embeds": [embed]})
        card = await caller.send_file(path, {"flags": V2, "components": LAYOUT, "attachments": [{"id": 0}]})
        section = card["components"][0]["components"][0]
        assert section["accessory"]["media"]["attachment_id"]
        assert card["attachments"] == []
        await caller.call("PATCH", f"{path}/{card['id']}", {"components": LAYOUT})
        await caller.call("PUT", f"{path}/{card['id']}/reactions/%F0%9F%91%8D/@me", status=204)
        await caller.call("GET", f"{path}/{card['id']}")
        await caller.call("GET", f"{path}/{card['id']}/reactions/%F0%9F%91%8D")
        await caller.call("PUT", f"{path}/pins/{card['id']}", status=204)
        assert len((await caller.call("GET", f"{path}/pins"))["items"]) == 1
        assert len(await caller.call("GET", f"{path}?limit=3")) == 3
        await caller.call("DELETE", f"{path}/{card['id']}", status=204)


async def test_interactions_and_their_follow_ups() -> None:
    async with judged() as caller:
        lab, alice = caller.lab, caller.lab.user("alice")
        app = next(iter(lab.world.apps))
        await caller.call("PUT", f"/applications/{app}/commands", [{"name": "go", "description": "Go"}])
        hook = f"/webhooks/{app}/"
        sent = alice.send_slash("go")
        await caller.answer(sent, {"type": 5, "data": {"flags": 64}})
        await caller.call("GET", hook + f"{sent.token}/messages/@original")
        filled = await caller.call("POST", hook + f"{sent.token}?wait=true", {"content": "done"})
        assert filled["id"] == str(sent.original_id)
        extra = await caller.call("POST", hook + f"{sent.token}?wait=true", {"content": "more"})
        await caller.call("PATCH", hook + f"{sent.token}/messages/{extra['id']}", {"content": "more!"})
        await caller.call("PATCH", hook + f"{sent.token}/messages/@original", {"content": "done!"})
        await caller.call("DELETE", hook + f"{sent.token}/messages/{extra['id']}", status=204)

        row = {"type": 1, "components": [{"type": 2, "style": 1, "label": "More", "custom_id": "more"}]}
        sent = alice.send_slash("go")
        await caller.answer(sent, {"type": 4, "data": {"content": "x", "components": [row]}})
        message = lab.channel("general").posts[sent.original_id or 0]
        button = message.data["components"][0]["components"][0]
        client = alice.message(message.message_id)._client
        await caller.answer(client.press(message, button), {"type": 7, "data": {"content": "y"}})
        await caller.answer(client.press(message, button), {"type": 6})
        await caller.answer(client.press(message, button), {"type": 4, "data": {"content": "z"}})
        opener = client.press(message, button)
        field = {"type": 18, "label": "Name", "component": {"type": 4, "custom_id": "name", "style": 1}}
        form = {"custom_id": "form", "title": "Form", "components": [field]}
        await caller.answer(opener, {"type": 9, "data": form})
        await caller.answer(client.submit(opener, {"Name": "Ada"}), {"type": 4, "data": {"content": "thanks"}})


async def test_errors_have_the_shape_of_errors() -> None:
    document = await asyncio.to_thread(SpecDocument.load, SPEC)
    async with judged() as caller:
        path = f"/channels/{caller.lab.channel('general').channel_id}/messages"
        unknown = await caller.call("GET", f"{path}/1", status=404)
        assert (unknown["code"], document.schema_violations("ErrorResponse", unknown)) == (10008, [])
        empty = await caller.call("POST", path, {}, status=400)
        assert (empty["code"], document.schema_violations("ErrorResponse", empty)) == (50006, [])
        wrong = await caller.call("POST", path, {"embeds": [{"title": "x" * 257}]}, status=400)
        # The document says that codes inside `errors` are numbers; the documentation and the real one say words.
        assert (wrong["code"], document.schema_violations("Error", wrong)) == (50035, [])
        assert wrong["errors"]["embeds"]["0"]["title"]["_errors"][0]["code"] == "BASE_TYPE_BAD_LENGTH"
        caller.lab.problems.clear()
        caller.lab.faults.add("create_message", status=429)
        limited = await caller.call("POST", path, {"content": "x"}, status=429)
        assert document.schema_violations("RatelimitedResponse", limited) == []


async def test_gateway_payloads_hold_valid_objects() -> None:
    document = await asyncio.to_thread(SpecDocument.load, SPEC)
    async with judged() as caller:
        lab = caller.lab
        app = next(iter(lab.world.apps.values()))
        session = lab.sessions.open(app, 1 | 1 << 9, (0, 1))
        lab.sessions.ready(session, "wss://example.org")
        await caller.call("POST", f"/channels/{lab.channel('general').channel_id}/messages", {"content": "hi"})
        events = {frame["t"]: frame["d"] for frame in session.replay}
        assert set(events) == {"READY", "GUILD_CREATE", "MESSAGE_CREATE"}
        guild = events["GUILD_CREATE"]
        assert document.schema_violations("GuildResponse", guild) == []
        assert guild["channels"]
        for channel in guild["channels"]:
            assert document.schema_violations("GuildChannelResponse", channel | {"guild_id": guild["id"]}) == []
        for member in guild["members"]:
            assert document.schema_violations("GuildMemberResponse", member) == []
        assert document.schema_violations("MessageResponse", events["MESSAGE_CREATE"]) == []

"""What people, forged clients and hostile names send: a clear sentence, and nothing falls over."""

from __future__ import annotations

import re
from typing import Any

import pytest

from simulators.discord.components import walk
from simulators.discord.interactions import COMMAND, COMPONENT
from simulators.discord.posts import write
from simulators.discord.user import Shown
from tests.acceptance.stage import LIVING_ROOM, SHIELD, Member, Stage, answered, open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

OUT_OF_DATE = "This panel is out of date"

# ---------------------------------------------------------------- hostile titles


TITLES = {
    "long": "Long " * 400,
    "control characters": "Be\x07ep\x00 \x1b[31mRed\x1b[0m\r\nand \u202eback\u2066wards",
    "right to left": "ארבע העונות של \u200fהיונה",
    "emoji": "👩\u200d🚀🏳️\u200d🌈 in 🪐",
    "markdown": "**b** _i_ `c` ||s|| ~~d~~ # h > q [x](https://example.invalid) <t:0:R>",
    "pings": "@everyone @here <@1> <@&1> <#1> </play:1>",
    "nothing to see": "\u200b\u200b\u2060",
}


@pytest.mark.parametrize("name", TITLES.values(), ids=TITLES.keys())
async def test_a_hostile_title_is_only_a_title(stage: Stage, name: str) -> None:
    """On a card, on a pressed card, in the list of what plays, in a queue and while typing."""
    alice = stage.controller()
    movie, other = stage.named_once("movie")[:2]
    known, now = movie.title, int(stage.clock.now())
    stage.plex.world.edit(movie, now, title=name)
    try:
        card = await alice.slash("play", title=f"t:attic:{movie.key}", player=LIVING_ROOM)
        await card.until("▶ Playing", 20)
        await card.click("Pause")
        await card.until("⏸ Paused")
        stage.plex.play(SHIELD, other)
        shown = [card]
        for command, options in (
            ("now", {}),
            ("queue add", {"title": f"t:attic:{movie.key}", "player": LIVING_ROOM}),
            ("queue show", {"player": LIVING_ROOM}),
            ("queue remove", {"item": "1", "player": LIVING_ROOM}),
        ):
            shown.append(await answered(await alice.slash(command, **options)))
            assert "Something went wrong" not in shown[-1].text
        for choices in (
            await alice.type_in("queue remove", "item", "", player=LIVING_ROOM),
            await alice.type_in("play", "title", name[:80].strip("\u200b\u2060") or "the"),
        ):
            assert all(0 < len(choice["name"].strip()) <= 100 for choice in choices)
    finally:
        stage.plex.world.edit(movie, now, title=known)
    for one in shown:
        assert all(not message["mention_everyone"] for message in one.messages)
        assert all(message["mentions"] == message["mention_roles"] == [] for message in one.messages)
        assert not any(mark in one.text for mark in ("\u202e", "\u2066", "\x07", "\x1b", "\x00"))
        read = [
            part["content"] for message in one.messages for part in walk(message["components"]) if part["type"] == 10
        ]
        assert read
        assert not any(re.search(r"(?<!\\)(\*\*b|_i_|`c|\|\|s|~~d|\[x\]\()", text) for text in read), read


@pytest.mark.parametrize(
    "name", [*TITLES.values(), "\u202e" * 50, "%s{0}${x}'\";--", "0", "t:attic:", "t:x:1", "p:a:b"]
)
@pytest.mark.parametrize("command", ["play", "queue add"])
async def test_whatever_is_typed_for_a_title_gets_a_sentence(stage: Stage, command: str, name: str) -> None:
    alice = stage.controller()
    shown = await answered(await alice.slash(command, title=name, player=LIVING_ROOM))
    assert shown.is_private or "Pause" in shown.buttons
    assert "Something went wrong" not in shown.text
    assert len(shown.text) < 2_000
    await alice.type_in(command, "title", name)
    stage.player(LIVING_ROOM).stop(stage.clock.now())


# ---------------------------------------------------------------- forged payloads


def option(name: str, value: Any, kind: int = 3) -> dict[str, Any]:
    return {"name": name, "type": kind, "value": value}


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("volume", [option("level", 500, 4)]),
        ("volume", [option("level", -1, 4)]),
        ("volume", [option("level", "loud")]),
        ("volume", [option("level", 10**30, 4)]),
        ("volume", []),
        ("play", []),
        ("play", [option("title", 7, 4)]),
        ("play", [option("title", "x"), option("shuffle", "perhaps")]),
        ("play", [option("title", "x"), option("from", "the middle")]),
        ("pause", [option("player", "x"), option("surprise", "y")]),
        ("queue", []),
        ("queue", [{"name": "burn", "type": 1, "options": []}]),
        ("seek", [option("position", "9" * 6_000)]),
        ("self-destruct", []),
    ],
    ids=str,
)
async def test_a_forged_command_gets_a_sentence_and_does_nothing(
    stage: Stage, command: str, options: list[dict[str, Any]]
) -> None:
    alice = stage.controller()
    stage.watch(LIVING_ROOM)
    sent = orders(stage)
    shown = await answered(await forge(stage, alice, command, options))
    assert shown.is_private
    assert "Something went wrong" not in shown.text
    assert len(orders(stage)) == len(sent), orders(stage)[len(sent) :]


async def forge(stage: Stage, member: Member, command: str, options: list[dict[str, Any]]) -> Shown:
    """Send a slash command as no client would."""
    known = {data["name"]: data["id"] for data in member.user.commands(member.channel)}
    app = next(iter(stage.lab.world.apps.values()))
    data = {"id": known.get(command, "1"), "name": command, "type": 1, "options": options}
    channel = stage.lab.channel(member.channel)
    sent = stage.lab.interactions.start(COMMAND, member.user.user_id, channel, app, data)
    await stage.lab.interactions.answer_to(sent)
    return Shown(member.user._client, interaction=sent)


def orders(stage: Stage) -> list[str]:
    return [r.path for r in stage.plex.requests if r.path.startswith("/player/playback/")]


async def play(stage: Stage, member: Member, number: int = 0, player: str = LIVING_ROOM) -> Shown:
    title = f"t:attic:{stage.named_once('movie')[number].key}"
    card = await member.slash("play", title=title, player=player)
    return await card.until("▶ Playing", 20)


def custom_ids(shown: Shown) -> list[str]:
    """Of every button and menu, top to bottom."""
    rows = [part for part in shown.message["components"][0]["components"] if part["type"] == 1]
    return [str(part["custom_id"]) for row in rows for part in row["components"]]


@pytest.mark.parametrize(
    "forgery", ["", "v1", "v1:", "v2:playback:pause:1:AAAAAA", "\u202e", "x" * 100, "v1:core:boom::x"]
)
async def test_a_forged_component_is_out_of_date(stage: Stage, forgery: str) -> None:
    alice = stage.controller()
    card = await play(stage, alice)
    sent = orders(stage)
    shown = await alice.user.press_forged(card.message_id, forgery)
    assert OUT_OF_DATE in shown.text
    assert shown.is_private
    assert orders(stage) == sent


@pytest.mark.parametrize("value", ["999999", "-7", "", "English'; DROP TABLE panels;--", "x" * 100])
async def test_a_forged_choice_gets_a_sentence(stage: Stage, value: str) -> None:
    alice = stage.controller()
    card = await play(stage, alice)
    sent = orders(stage)
    audio = next(custom_id for custom_id in custom_ids(card) if ":audio:" in custom_id)
    shown = await choose_forged(stage, alice, card, audio, [value])
    await answered(shown)
    assert shown.is_private
    assert "Something went wrong" not in shown.text
    assert orders(stage) == sent


async def test_a_menu_without_a_choice_gets_a_sentence(stage: Stage) -> None:
    alice = stage.controller()
    card = await play(stage, alice)
    audio = next(custom_id for custom_id in custom_ids(card) if ":audio:" in custom_id)
    shown = await answered(await choose_forged(stage, alice, card, audio, []))
    assert shown.is_private
    assert "Something went wrong" not in shown.text


async def choose_forged(stage: Stage, member: Member, card: Shown, custom_id: str, values: list[str]) -> Shown:
    """Choose in a menu what it does not offer."""
    channel = stage.lab.channel(member.channel)
    post = channel.posts[card.message_id]
    app = next(iter(stage.lab.world.apps.values()))
    data = {"id": 1, "custom_id": custom_id, "component_type": 3, "values": values}
    sent = stage.lab.interactions.start(COMPONENT, member.user.user_id, channel, app, data, post=post)
    await stage.lab.interactions.answer_to(sent)
    return Shown(member.user._client, interaction=sent)


async def test_a_menu_of_somebody_else_is_refused(stage: Stage) -> None:
    """Private menus are not seen by others; a forged press with the genuine id gets nowhere either."""
    alice = stage.controller()
    carol = stage.controller(alice.channel)
    menu = await answered(await alice.slash("play", title="the", player=LIVING_ROOM))
    card = await carol.slash("now")
    await answered(card)
    sent = orders(stage)
    shown = await choose_forged(stage, carol, card, custom_ids(menu)[0], ["t:attic:1"])
    await answered(shown)
    assert "is out of date" in shown.text
    assert shown.is_private
    assert orders(stage) == sent


# ---------------------------------------------------------------- other guilds


async def test_other_guilds_are_not_served_and_reach_nothing_of_ours() -> None:
    async with open_stage(is_started=False) as stage:
        world, ours = stage.lab.world, stage.lab.guild
        stage.settings["MARQUEE_DISCORD__GUILDS"] = str(ours.guild_id)
        mallory, app = world.person("mallory"), next(iter(world.apps.values()))
        theirs = world.add_guild("Elsewhere", mallory)
        world.join(theirs, app.person)
        lair = world.add_channel(theirs, "lair")
        await stage.start()
        stranger = stage.lab.user("mallory", theirs)
        card = await play(stage, stage.controller())
        sent = orders(stage)
        shown = await stranger.slash("pause", channel=lair.channel_id, player=LIVING_ROOM)
        assert "does not serve this server" in shown.text
        assert shown.is_private
        assert await stranger.type_in("play", "title", "the", channel=lair.channel_id) == []
        button = {"type": 2, "style": 2, "label": "Stop", "custom_id": custom_ids(card)[0], "id": 3}
        row = {"type": 1, "id": 2, "components": [button]}
        post = write(world, lair, app.person, {"content": "", "components": [row], "flags": 1 << 15}, app_id=app.app_id)
        for custom_id in (*custom_ids(card), "v1:x:y::z"):
            shown = await stranger.press_forged(post.message_id, custom_id)
            assert "does not serve this server" in shown.text
            assert shown.is_private
        assert orders(stage) == sent
        assert stage.player(LIVING_ROOM).state == "playing"

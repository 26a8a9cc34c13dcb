"""The card: what it shows, how it follows its player, what its buttons do, and when it is given up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from simulators.discord import permissions as perms
from simulators.discord.user import Shown, User
from tests.acceptance.stage import LIVING_ROOM, ROKU, SHIELD, TABLET, Member, Stage

OUT_OF_DATE = "This panel is out of date — open a new one."
KITCHEN, IPAD = "Kitchen Plexamp", "Yuki's iPad"

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def play(stage: Stage, member: Member, number: int = 0, player: str = LIVING_ROOM, kind: str = "movie") -> Shown:
    item = stage.named_once(kind)[number]
    stage.plex.world.change_view(1, item).offset_ms = 0
    shown = await member.slash("play", title=f"t:attic:{item.key}", player=player)
    return await shown.until("▶ Playing")


def edits(stage: Stage, shown: Shown) -> int:
    return sum(r.op == "update_message" and str(shown.message_id) in r.path for r in stage.lab.requests)


async def test_the_bar_moves_by_itself(stage: Stage) -> None:
    shown = await play(stage, stage.controller())
    stage.clock.jump(1_800)
    await shown.until(" 30:")
    assert "▰▰▰" in shown.text


async def test_buttons_do_what_they_say(stage: Stage) -> None:
    shown = await play(stage, stage.controller())
    player = lambda: stage.player(LIVING_ROOM)  # noqa: E731
    await shown.click("Pause")
    await shown.until("⏸ Paused")
    assert player().state == "paused"
    assert "Resume" in shown.buttons
    await shown.click("+30 s")
    await shown.until("0:3")
    assert 30_000 <= player().position_ms(stage.clock.now()) < 45_000
    await shown.click("-30 s")
    assert player().position_ms(stage.clock.now()) < 15_000
    await shown.click("Volume -")
    await shown.until("volume 90 %")
    assert player().volume == 90
    await shown.click("Volume +")
    await shown.until("volume 100 %")
    await shown.click("Resume")
    await shown.until("▶ Playing")
    await shown.click("Stop")
    await shown.until("⏹ Ended")
    assert player().item is None
    assert shown.buttons == {}


async def test_next_and_previous_change_title_and_poster(stage: Stage) -> None:
    shown = await play(stage, stage.controller(), kind="show")
    first = stage.player(LIVING_ROOM).item
    assert first is not None
    await shown.click("Next")
    second = stage.player(LIVING_ROOM).item
    assert second is not None
    await shown.until(f"### {second.title}")
    await shown.click("Previous")
    await shown.until(f"### {first.title}")
    assert first.top.title in shown.text


async def test_tracks_are_chosen_from_menus(stage: Stage) -> None:
    shown = await play(stage, stage.controller())
    assert shown.options["Subtitles"][0] == "Off"
    for menu in ("Audio", "Subtitles"):
        wanted = shown.options[menu][-1]
        await shown.choose(menu, wanted)
        await shown.until(f"{wanted}*")


async def test_the_card_follows_what_others_do(stage: Stage) -> None:
    alice = stage.controller()
    shown = await play(stage, alice)
    stage.player(LIVING_ROOM).pause(stage.clock.now())
    await shown.until("⏸ Paused")
    stage.player(LIVING_ROOM).resume(stage.clock.now())
    await shown.until("▶ Playing")
    await alice.slash("pause", player=LIVING_ROOM)
    await shown.until("⏸ Paused")


async def test_nothing_is_edited_while_nothing_changes(stage: Stage) -> None:
    shown = await play(stage, stage.controller())
    await shown.click("Pause")
    await shown.until("⏸ Paused")
    stage.clock.jump(16)
    before = edits(stage, shown)
    looks = sum(r.path == "/status/sessions" for r in stage.plex.requests)
    for _ in range(3):
        stage.clock.jump(16)

        def has_looked(seen: int = looks) -> bool:
            return sum(r.path == "/status/sessions" for r in stage.plex.requests) > seen

        await stage.wait_for(has_looked, "another look", 10)
        looks = sum(r.path == "/status/sessions" for r in stage.plex.requests)
    assert edits(stage, shown) <= before + 1


async def test_the_card_says_when_it_is_over(stage: Stage) -> None:
    shown = await play(stage, stage.controller())
    stage.player(LIVING_ROOM).stop(stage.clock.now())
    stage.clock.jump(6)
    stage.clock.jump(6)
    await shown.until("⏹ Ended")
    assert shown.buttons == {}
    assert shown.options == {}


async def test_a_newer_card_in_the_channel_replaces_the_older(stage: Stage) -> None:
    alice = stage.controller()
    older = await play(stage, alice, 0)
    newer = await play(stage, alice, 1)
    await older.until("A newer card shows this player")
    assert older.buttons == {}
    assert "Pause" in newer.buttons
    elsewhere = await play(stage, alice, 2, player=SHIELD)
    assert "Pause" in newer.buttons
    assert "Pause" in elsewhere.buttons


async def test_a_deleted_card_is_given_up_quietly(stage: Stage) -> None:
    alice = stage.controller()
    shown = await play(stage, alice)
    message_id = str(shown.message_id)
    olivia = stage.lab.user("olivia")
    olivia.delete(shown.message_id)
    stage.player(LIVING_ROOM).pause(stage.clock.now())

    def was_refused() -> bool:
        return any(message_id in r.path and r.status == 404 for r in stage.lab.requests)

    await stage.wait_for(was_refused, "the daemon to notice", 10)
    tries = sum(message_id in r.path for r in stage.lab.requests)
    stage.player(LIVING_ROOM).resume(stage.clock.now())
    other = await play(stage, stage.controller(), 3, player=ROKU)
    await other.until("▶ Playing")
    assert sum(message_id in r.path for r in stage.lab.requests) == tries


async def test_a_hidden_channel_is_told_to_the_person(stage: Stage) -> None:
    alice = stage.controller()
    app = next(iter(stage.lab.world.apps.values()))
    channel = stage.lab.channel(alice.channel)
    stage.lab.world.set_overwrite(channel, app.person.user_id, 0, perms.VIEW_CHANNEL)
    item = stage.named_once("movie")[0]
    shown = await alice.slash("play", title=f"t:attic:{item.key}", player=LIVING_ROOM)
    await shown.until("I may not see this channel")
    assert shown.is_private

    async def warns() -> bool:
        return (await stage.checks()).get("module:playback:cards") == "warn"

    stage.clock.jump(31)
    await stage.wait_for(warns, "the health page to say so", 40)


async def test_presses_of_a_member_without_rights_change_nothing(stage: Stage) -> None:
    alice = stage.controller()
    shown = await play(stage, alice)
    bob = stage.guest(alice.channel)
    theirs = bob.user.message(shown.message_id)
    refused = await theirs.click("Stop")
    assert refused.is_private
    assert "Only members with Manage Server" in refused.text
    assert stage.player(LIVING_ROOM).state == "playing"


@pytest.mark.parametrize("twist", ["signature", "panel", "garbage"])
async def test_a_forged_button_is_out_of_date(stage: Stage, twist: str) -> None:
    alice = stage.controller()
    shown = await play(stage, alice)
    custom_id = first_custom_id(shown.message)
    forged = {
        "signature": custom_id[:-6] + "AAAAAA",
        "panel": ":".join([*custom_id.split(":")[:3], "987654", custom_id.split(":")[4]]),
        "garbage": "v1:playback:pause:..:x" + "y" * 60,
    }[twist]
    answer = await alice.user.press_forged(shown.message_id, forged)
    assert "This panel is out of date" in answer.text
    assert answer.is_private
    assert stage.player(LIVING_ROOM).state == "playing"


async def test_a_button_of_another_card_does_not_work_here(stage: Stage) -> None:
    alice = stage.controller()
    here = await play(stage, alice)
    there = await play(stage, stage.controller(), 1, player=ROKU)
    answer = await alice.user.press_forged(here.message_id, first_custom_id(there.message))
    assert OUT_OF_DATE in answer.text
    assert stage.player(ROKU).state == "playing"


async def test_what_stands_in_one_guild_does_not_work_in_another(stage: Stage) -> None:
    alice = stage.controller()
    card = await play(stage, alice)
    for number, player in enumerate((SHIELD, ROKU, TABLET, KITCHEN, IPAD)):
        stage.watch(player, number=number + 1)
    listing = await alice.slash("now")
    queue = await alice.slash("queue show")
    async with elsewhere(stage, alice) as (there, message_id):
        for shown in (card, listing, queue):
            for custom_id in custom_ids(shown.message):
                answer = await there.press_forged(message_id, custom_id)
                assert OUT_OF_DATE in answer.text, custom_id
                assert answer.is_private
        assert stage.player(LIVING_ROOM).state == "playing"
        await card.click("Pause")
        await card.until("⏸ Paused")
        assert listing.buttons["Forward"]
        await listing.click("Forward")
        await listing.until("Page 2/2")


@asynccontextmanager
async def elsewhere(stage: Stage, member: Member) -> AsyncIterator[tuple[User, int]]:
    """The same person as the owner of another guild, which the bot leaves again, and a list that stands there."""
    world = stage.lab.world
    guild = world.add_guild("Elsewhere", member.user.person)
    for app in world.apps.values():
        world.join(guild, app.person)
    channel = world.add_channel(guild, "lounge")
    user = member.user.in_guild(guild)
    shown = await user.slash("now", channel=channel.channel_id)
    await shown.until("### Now playing")
    yield user, shown.message_id
    for app in world.apps.values():
        world.leave(guild, app.person)
    await stage.wait_for(stage.is_up, "the bot to know that it has left")


def first_custom_id(message: dict[str, Any]) -> str:
    return custom_ids(message)[0]


def custom_ids(message: dict[str, Any]) -> list[str]:
    rows = [part for part in message["components"][0]["components"] if part["type"] == 1]
    return [str(part["custom_id"]) for row in rows for part in row["components"]]


async def test_cards_go_on_after_a_restart(stage: Stage) -> None:
    alice = stage.controller()
    shown = await play(stage, alice)
    ending = await play(stage, stage.controller(), 1, player=ROKU)
    await stage.stop()
    stage.player(ROKU).stop(stage.clock.now())
    stage.clock.jump(600)
    await stage.start()
    await shown.until(" 10:")
    await shown.click("Pause")
    await shown.until("⏸ Paused")
    assert stage.player(LIVING_ROOM).state == "paused"
    stage.clock.jump(16)
    await ending.until("⏹ Ended")


async def test_an_old_card_is_edited_once_a_minute_at_most(stage: Stage) -> None:
    old = await play(stage, stage.controller())
    stage.clock.jump(3_700)
    await old.until(" 1:01:")
    young = await play(stage, stage.controller(), 1, player=ROKU)
    before = edits(stage, old)
    for _ in range(2):
        seen = edits(stage, young)
        stage.clock.jump(16)
        await stage.wait_for(lambda seen=seen: edits(stage, young) > seen, "the young card to move", 10)
    assert edits(stage, old) <= before + 1
    stage.clock.jump(61)
    await stage.wait_for(lambda: edits(stage, old) > before, "the old card to move", 10)


async def test_a_player_that_does_not_begin_is_told(stage: Stage) -> None:
    alice = stage.controller()
    stage.plex.faults.add("/player/playback/playMedia", "empty")
    movie = stage.named_once("movie")[0]
    shown = await alice.slash("play", title=f"t:attic:{movie.key}", player=LIVING_ROOM)
    await shown.until("⏳ Starting")
    stage.clock.jump(70)
    stage.clock.jump(6)
    await shown.until("The player did not begin to play it.")
    assert shown.buttons == {}


async def test_a_title_cannot_format_mention_or_link(stage: Stage) -> None:
    hostile = "**B** _i_ `c` @everyone <@1> <#2> [x](https://example.invalid) # H\u202e"
    movie = stage.named_once("movie")[8]
    stage.plex.world.edit(movie, int(stage.clock.now()), title=hostile)
    shown = await stage.controller().slash("play", title=f"t:attic:{movie.key}", player=LIVING_ROOM)
    await shown.until("▶ Playing")
    heading = shown.text.splitlines()[0]
    assert heading.startswith("### \\*\\*B\\*\\*")
    assert "\\<\\@1\\> \\<#2\\> \\[x](https\\://" in heading
    assert "\u202e" not in shown.text
    assert shown.message["mentions"] == []
    assert shown.message["mention_everyone"] is False

"""/now and /players."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import pytest

from simulators.discord.user import Shown
from simulators.plex.faults import Fault
from tests.acceptance.stage import LIVING_ROOM, ROKU, SHIELD, TABLET, Stage, answered

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHROME = "Plex Web (Chrome)"


async def now_with(stage: Stage, *wanted: str) -> Shown:
    """/now once it shows what is wanted: a reading of the sessions serves whoever asks within a second of it."""
    found: list[Shown] = []

    async def is_there() -> bool:
        shown = await answered(await stage.guest().slash("now"))
        found[:] = [shown]
        return all(text in shown.text for text in wanted)

    await stage.wait_for(is_there, f"/now to show {', '.join(wanted)}", 20)
    return found[0]


async def test_nothing_plays(stage: Stage) -> None:
    shown = await now_with(stage, "Nothing is playing.")
    assert not shown.is_private


async def test_one_thing_is_a_card_that_everybody_may_ask_for(stage: Stage) -> None:
    movie = stage.watch(LIVING_ROOM)
    shown = await now_with(stage, movie.title, "▶ Playing")
    assert "Olivia" in shown.text
    assert "Pause" in shown.buttons
    assert not shown.is_private
    refused = await shown.click("Pause")
    assert "Only members with Manage Server" in refused.text
    assert refused.is_private
    assert stage.player(LIVING_ROOM).state == "playing"


async def test_a_player_that_cannot_be_controlled_has_a_card_without_buttons(stage: Stage) -> None:
    movie = stage.watch(CHROME)
    shown = await now_with(stage, movie.title)
    assert shown.buttons == {}


async def test_several_are_a_list_from_which_a_card_can_be_opened(stage: Stage) -> None:
    titles = [
        stage.watch(player, number=number).title
        for number, player in enumerate((LIVING_ROOM, SHIELD, ROKU, TABLET, CHROME, "Yuki's iPad"))
    ]
    shown = await now_with(stage, "### Now playing", *titles[:5])
    assert titles[5] not in shown.text
    assert shown.buttons == {"Back": False, "Page 1/2": False, "Forward": True}
    await shown.click("Forward")
    await shown.until(titles[5])
    assert titles[0] not in shown.text
    await shown.click("Back")
    await shown.until(titles[0])
    wanted = next(option for option in shown.options["Open a card"] if option == ROKU)
    card = await shown.choose("Open a card", wanted)
    await card.until(f"on **{ROKU}**")
    assert "Pause" in card.buttons
    assert not card.is_private


async def test_what_a_silent_server_told_last_stands_in_for_it_with_its_age(stage: Stage) -> None:
    movie = stage.watch(LIVING_ROOM)
    await now_with(stage, movie.title)
    stage.plex.faults.add("/status/sessions", 503)
    shown = await now_with(stage, "Plex server attic is busy or starting; of it, this is as of")
    assert re.search(r"as of \d+ s ago", shown.text)
    assert movie.title in shown.text
    assert not shown.is_private
    stage.plex.faults.clear()
    await now_with(stage, "▶ Playing")


async def test_players_says_who_can_be_controlled_and_why_not(stage: Stage) -> None:
    stage.watch(CHROME)
    guest = stage.guest()
    for _ in range(4):  # a list is reused for a few seconds
        stage.clock.jump(6)
        shown = await guest.slash("players")
        await answered(shown)
        if CHROME in shown.text:
            break
    assert shown.is_private
    for player in (LIVING_ROOM, SHIELD, ROKU, TABLET):
        assert f"🟢 **{player}**" in shown.text
    assert "⚪ **Plex Web (Chrome)**" in shown.text
    assert "-# Cannot be controlled: Plex removed remote control" in shown.text


async def test_players_are_offered_while_plex_holds_its_answer(stage: Stage) -> None:
    alice = stage.controller()
    await stage.suggested(alice, "pause", "player", LIVING_ROOM)
    hold = stage.plex.faults.add("^/(?!__sim)", "hold")
    stage.clock.jump(10)
    for _ in range(2):
        offered = await alice.type_in("pause", "player", LIVING_ROOM)
        assert [choice["name"].split(" · ")[0] for choice in offered] == [LIVING_ROOM]
    hold.release()


async def test_tracks_and_entries_are_offered_while_plex_fails(stage: Stage) -> None:
    """As they were a moment ago, in time."""
    alice = stage.controller()
    stage.watch(LIVING_ROOM)
    movie = stage.named_once("movie")[0]
    await (await alice.slash("play", title=f"t:attic:{movie.key}", player=SHIELD)).until(movie.title)
    tracks = await stage.suggested(alice, "audio", "track", "", player=LIVING_ROOM)
    entries = await stage.suggested(alice, "queue remove", "item", "", player=SHIELD)
    for what in (503, "hold"):
        fault = stage.plex.faults.add("^/(?!__sim)", what)
        for _ in range(2):
            assert await alice.type_in("audio", "track", "", player=LIVING_ROOM) == tracks
            assert await alice.type_in("queue remove", "item", "", player=SHIELD) == entries
        await stage.wait_for(partial(is_offered_old, stage, fault, tracks), "old tracks after Plex was asked in vain")
        stage.plex.faults.clear()
        await stage.wait_for(partial(is_used, stage), "Plex to be used again")


async def is_used(stage: Stage) -> bool:
    checks = await stage.checks()
    return checks["plex:attic"] == checks["breaker:plex:attic"] == "pass"


async def is_offered_old(stage: Stage, fault: Fault, tracks: Any) -> bool:
    """What is offered is fresh for a few seconds only, then Plex is asked again."""
    offered = await stage.controller().type_in("audio", "track", "", player=LIVING_ROOM)
    return fault.hits > 0 and offered == tracks


async def test_a_vanished_player_is_no_longer_offered(stage: Stage) -> None:
    stage.player("Kitchen Plexamp").is_online = False
    stage.clock.jump(400)

    async def is_gone() -> bool:
        return "Kitchen Plexamp" not in str(await stage.controller().type_in("pause", "player", ""))

    await stage.wait_for(is_gone, "the player to be gone", 20)

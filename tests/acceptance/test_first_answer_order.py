"""Discord has its first answer while Plex is still holding its own back."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.acceptance.stage import LIVING_ROOM, SHIELD, Stage, answered

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALL = "^/(?!__sim)"  # every route but the simulator's own


@pytest.mark.parametrize(
    ("command", "options", "final", "is_private"),
    [
        ("play", {"player": LIVING_ROOM}, "▶ Playing", False),
        ("now", {}, "on **", False),
        ("pause", {"player": LIVING_ROOM}, f"Paused {LIVING_ROOM}.", True),
        ("queue show", {"player": LIVING_ROOM}, LIVING_ROOM, True),
    ],
)
async def test_the_deferral_comes_before_plex_and_the_answer_after(
    stage: Stage, command: str, options: dict[str, Any], final: str, is_private: bool
) -> None:
    alice = stage.controller()
    await answered(await alice.slash("players"))  # who is there is known, as on any evening
    stage.watch(LIVING_ROOM)
    title = f"t:attic:{stage.named_once('movie')[1].key}"
    hold = stage.plex.faults.add(ALL, "hold")
    shown = await alice.slash(command, **options, **({"title": title} if command == "play" else {}))
    assert hold.hits, "Plex was not asked"
    assert shown.is_loading
    assert shown.is_private is is_private
    assert [fact.kind for fact in shown.facts] == ["callback:deferred"]
    released_at = time.monotonic()
    stage.plex.faults.clear()
    await shown.until(final, 20)
    assert [fact.at < released_at for fact in shown.facts] == [True] + [False] * (len(shown.facts) - 1)
    assert [fact.kind for fact in shown.facts][:2] == ["callback:deferred", "edit"]
    assert len(shown.messages) == 1
    assert shown.is_private is is_private


async def test_a_press_is_acknowledged_before_plex_and_changes_the_card_after(stage: Stage) -> None:
    alice = stage.controller()
    stage.watch(LIVING_ROOM)
    card = await alice.slash("now")
    await card.until("▶ Playing")
    hold = stage.plex.faults.add("/player/playback/pause", "hold")
    pressed = await card.click("Pause")
    assert hold.hits == 1
    assert [fact.kind for fact in pressed.facts] == ["callback:deferred_update"]
    assert "Pause" in card.buttons
    hold.release()
    await card.until("⏸ Paused")
    assert len([seen for seen in alice.sees() if not seen.is_private]) == 1


async def test_a_private_error_after_a_public_deferral_leaves_no_placeholder(stage: Stage) -> None:
    alice = stage.controller()
    hold = stage.plex.faults.add("^/library/metadata/", "hold", times=1)
    title = f"t:attic:{stage.named_once('movie')[2].key}"
    shown = await alice.slash("play", title=title, player=SHIELD)
    bob = stage.guest(alice.channel)
    assert [seen.is_loading for seen in bob.sees()] == [True], "everybody sees that somebody asked"
    stage.plex.faults.add("^/library/metadata/", 404)
    hold.release()
    await shown.until(lambda there: bool(there.messages) and not there.is_loading and there.is_private)
    assert "That title is no longer on the server" in shown.text
    assert [fact.kind for fact in shown.facts] == ["callback:deferred", "delete", "followup"]
    assert bob.sees() == []
    assert len(alice.sees()) == 1


async def test_a_refusal_does_not_wait_for_plex(stage: Stage) -> None:
    stage.plex.faults.add(ALL, "hold")
    shown = await stage.guest().slash("pause", player=LIVING_ROOM)
    assert [fact.kind for fact in shown.facts] == ["callback:message"]
    assert "Only members with Manage Server" in shown.text


async def test_suggestions_of_titles_do_not_wait_for_plex(stage: Stage) -> None:
    title = stage.named_once("movie")[0].title
    stage.plex.faults.add(ALL, "hold")
    assert title in str(await stage.controller().type_in("play", "title", title))


async def test_suggestions_of_players_come_in_time_or_not_at_all(stage: Stage) -> None:
    """Discord waits three seconds; an empty list in time is better than none."""
    hold = stage.plex.faults.add(ALL, "hold")
    alice = stage.controller()
    stage.clock.jump(10)
    assert await alice.type_in("audio", "track", "", player=LIVING_ROOM) == []
    assert hold.hits

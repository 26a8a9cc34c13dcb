"""/queue add, show, remove, clear, shuffle."""

from __future__ import annotations

import pytest

from tests.acceptance.stage import LIVING_ROOM, ROKU, Stage, answered

pytestmark = pytest.mark.asyncio(loop_scope="module")

REFUSED = "Only members with Manage Server or a controller role may do that."


def queued(stage: Stage, player: str = LIVING_ROOM) -> list[str]:
    queue = stage.player(player).queue
    return [entry.item.title for entry in queue.entries] if queue else []


async def start(stage: Stage, kind: str = "movie") -> None:
    item = stage.named_once(kind)[0]
    shown = await stage.controller().slash("play", title=f"t:attic:{item.key}", player=LIVING_ROOM)
    await shown.until("▶ Playing")


async def test_add_show_and_remove(stage: Stage) -> None:
    alice, extra = stage.controller(), stage.named_once("movie")[6]
    await start(stage)
    shown = await alice.slash("queue add", title=extra.title, player=LIVING_ROOM)
    await shown.until(f"Added {extra.title}")
    assert extra.title in queued(stage)
    listing = await alice.slash("queue show", player=LIVING_ROOM)
    await listing.until(f"Queue of {LIVING_ROOM}")
    assert "`1` ▶ **" in listing.text
    assert extra.title in listing.text
    choices = await alice.type_in("queue remove", "item", extra.title[:5], player=LIVING_ROOM)
    assert choices[0]["name"].startswith("2. ")
    gone = await alice.slash("queue remove", item=choices[0], player=LIVING_ROOM)
    await gone.until(f"Removed {extra.title}")
    assert extra.title not in queued(stage)


async def test_clear_and_shuffle(stage: Stage) -> None:
    alice = stage.controller()
    await start(stage, "album")
    assert len(queued(stage)) > 3
    mixed = await alice.slash("queue shuffle", player=LIVING_ROOM)
    await mixed.until(f"The queue of {LIVING_ROOM} is shuffled.")
    cleared = await alice.slash("queue clear", player=LIVING_ROOM)
    await cleared.until(f"The queue of {LIVING_ROOM} is empty now.")
    assert len(queued(stage)) <= 1


async def test_a_long_queue_has_pages(stage: Stage) -> None:
    alice = stage.controller()
    show = max(stage.plex.world.listed(None, "show"), key=lambda show: len(stage.plex.world.leaves(show)))
    shown = await alice.slash("play", title=f"t:attic:{show.key}", player=LIVING_ROOM)
    await shown.until("▶ Playing")
    guest = stage.guest()
    listing = await guest.slash("queue show", player=LIVING_ROOM)
    await listing.until(f"Queue of {LIVING_ROOM}")
    assert list(listing.buttons.values()) == [False, False, True]
    await listing.click("Forward")
    await listing.until("`11` ")
    await listing.click("Back")
    await listing.until("` 1` ")


async def test_everybody_may_look_and_only_controllers_may_change(stage: Stage) -> None:
    bob = stage.guest()
    await start(stage, "album")
    before = queued(stage)
    listing = await bob.slash("queue show", player=LIVING_ROOM)
    await listing.until(f"Queue of {LIVING_ROOM}")
    for command, options in (
        ("queue add", {"title": "x"}),
        ("queue remove", {"item": "1"}),
        ("queue clear", {}),
        ("queue shuffle", {}),
    ):
        shown = await bob.slash(command, player=LIVING_ROOM, **options)
        await shown.until(REFUSED)
        assert shown.is_private
    assert queued(stage) == before


async def test_a_guest_chooses_the_player_whose_queue_to_see(stage: Stage) -> None:
    await start(stage)
    asked = await stage.guest().slash("queue show")
    assert "On which player?" in asked.text
    wanted = next(option for option in asked.options["Choose"] if option.startswith(LIVING_ROOM))
    await asked.choose("Choose", wanted)
    await asked.until(f"Queue of {LIVING_ROOM}")


@pytest.mark.parametrize(
    ("command", "options", "sentence"),
    [
        ("queue remove", {"item": "99"}, "No entry of the queue is “99”"),
        ("queue remove", {"item": "q:424242"}, "That entry is not in the queue any more."),
        ("queue remove", {"item": "x" * 2_000}, "No entry of the queue is “xxx"),
        ("queue add", {"title": "there is no such thing"}, "I found nothing called"),
        ("queue show", {"player": "the toaster"}, "I know no player called"),
    ],
)
async def test_mistakes_are_told(stage: Stage, command: str, options: dict[str, str], sentence: str) -> None:
    await start(stage)
    shown = await stage.controller().slash(command, **{"player": LIVING_ROOM, **options})
    await answered(shown)
    assert sentence in shown.text
    assert shown.is_private


@pytest.mark.parametrize(
    ("command", "options"),
    [("queue remove", {"item": "1"}), ("queue clear", {}), ("queue shuffle", {}), ("queue show", {})],
)
async def test_a_player_without_a_queue(stage: Stage, command: str, options: dict[str, str]) -> None:
    shown = await stage.controller().slash(command, player=ROKU, **options)
    await answered(shown)
    assert shown.is_private
    assert "Something went wrong" not in shown.text
    assert "queue" in shown.text.casefold() or "playing" in shown.text.casefold()

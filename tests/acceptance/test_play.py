"""/play: from a few letters to a moving player."""

from __future__ import annotations

import pytest

from tests.acceptance.stage import LIVING_ROOM, ROKU, SHIELD, TABLET, Stage, answered

pytestmark = pytest.mark.asyncio(loop_scope="module")

REFUSED = "Only members with Manage Server or a controller role may do that."


async def test_three_letters_a_title_and_a_player(stage: Stage) -> None:
    alice, movie = stage.controller(), stage.named_once("movie")[0]
    titles = await alice.type_in("play", "title", movie.title[:3])
    title = next(choice for choice in titles if movie.title in choice["name"])
    assert title["name"] == f"{movie.title} ({movie.year})"
    players = await stage.suggested(alice, "play", "player", "liv", title=title)
    assert [choice["name"].split(" · ")[0] for choice in players] == [LIVING_ROOM]
    shown = await alice.slash("play", title=title, player=players[0])
    await shown.until("▶ Playing")
    assert f"### {movie.title} ({movie.year})" in shown.text
    assert f"on **{LIVING_ROOM}**" in shown.text
    assert list(shown.buttons) == ["Pause", "-30 s", "+30 s", "Previous", "Next", "Stop", "Volume -", "Volume +"]
    assert not shown.is_private
    assert [name.partition(".")[0] for name in shown.files] == ["poster"]
    assert stage.player(LIVING_ROOM).item is movie


@pytest.mark.parametrize("kind", ["show", "album", "artist"])
async def test_autocomplete_says_what_kind_of_thing_it_is(stage: Stage, kind: str) -> None:
    item = stage.named_once(kind)[0]
    titles = await stage.controller().type_in("play", "title", item.title)
    assert any(choice["name"].endswith(f" · {kind}") and item.title in choice["name"] for choice in titles)
    assert all(len(choice["name"]) <= 100 and len(choice["value"]) <= 100 for choice in titles)


async def test_nothing_typed_offers_something(stage: Stage) -> None:
    assert await stage.controller().type_in("play", "title", "")


async def test_a_pasted_name_that_is_clear_plays(stage: Stage) -> None:
    movie = stage.named_once("movie")[1]
    shown = await stage.controller().slash("play", title=f"  {movie.title.upper()} ", player=SHIELD.lower())
    await shown.until("▶ Playing")
    assert stage.player(SHIELD).item is movie


@pytest.mark.parametrize(
    ("kind", "plays"), [("movie", "movie"), ("show", "episode"), ("season", "episode"), ("episode", "episode")]
)
async def test_anything_to_watch_can_be_played(stage: Stage, kind: str, plays: str) -> None:
    item = stage.plex.world.listed(None, kind)[-1]
    shown = await stage.controller().slash("play", title=f"t:attic:{item.key}", player=ROKU)
    await shown.until("▶ Playing")
    playing = stage.player(ROKU).item
    assert playing is not None
    assert playing.kind == plays
    assert playing in stage.plex.world.leaves(item)


@pytest.mark.parametrize("kind", ["artist", "album", "track", "playlist"])
async def test_music_and_playlists_can_be_played(stage: Stage, kind: str) -> None:
    item = stage.plex.world.listed(None, kind)[0]
    shown = await stage.controller().slash("play", title=f"t:attic:{item.key}", player=LIVING_ROOM)
    await shown.until("▶ Playing")
    playing = stage.player(LIVING_ROOM).item
    assert playing in stage.plex.world.leaves(item)


async def test_from_start_and_from_where_it_was_left(stage: Stage) -> None:
    alice, movie = stage.controller(), stage.named_once("movie")[2]
    stage.plex.world.change_view(1, movie).offset_ms = 1_200_000
    shown = await alice.slash("play", title=movie.title, player=LIVING_ROOM)
    await shown.until("20:0")
    again = await alice.slash("play", title=movie.title, player=LIVING_ROOM, options={"from": "start"})
    await again.until("▶ Playing")
    assert stage.player(LIVING_ROOM).position_ms(stage.clock.now()) < 60_000


async def test_shuffle_mixes(stage: Stage) -> None:
    show = stage.plex.world.listed(None, "show")[0]
    shown = await stage.controller().slash("play", title=f"t:attic:{show.key}", player=LIVING_ROOM, shuffle=True)
    await shown.until("▶ Playing")
    queue = stage.player(LIVING_ROOM).queue
    assert queue is not None
    assert queue.is_shuffled


async def test_several_titles_become_a_menu_and_then_several_players(stage: Stage) -> None:
    alice = stage.controller()
    asked = await alice.slash("play", title="season 1")
    assert asked.is_private
    assert "Several titles fit" in asked.text
    option = asked.options["Choose"][0]
    await asked.choose("Choose", option)
    await asked.until("On which player?")
    players = asked.options["Choose"]
    assert len(players) > 1
    wanted = next(name for name in players if name.startswith(ROKU))
    shown = await asked.choose("Choose", wanted)
    await shown.until("▶ Playing")
    await asked.until(f"starts on {ROKU}")
    assert stage.player(ROKU).item is not None
    assert [message for message in alice.sees() if f"on **{ROKU}**" in message.text and not message.is_private]


async def test_a_menu_is_used_once_and_by_its_member_only(stage: Stage) -> None:
    alice = stage.controller()
    asked = await alice.slash("pause")
    (button, *_) = list(asked.options)
    stale = asked.message
    await asked.choose(button, asked.options[button][0])
    custom_id = str(stale["components"][0]["components"][1]["components"][0]["custom_id"])
    again = await alice.user.press_forged(int(stale["id"]), custom_id)
    assert "out of date" in again.text
    assert again.is_private


async def test_the_last_player_is_taken_when_none_is_named(stage: Stage) -> None:
    alice, movies = stage.controller(), stage.named_once("movie")
    first = await alice.slash("play", title=movies[3].title, player=SHIELD)
    await first.until("▶ Playing")
    second = await alice.slash("play", title=movies[4].title)
    await second.until("▶ Playing")
    assert stage.player(SHIELD).item is movies[4]


async def test_a_member_without_rights_is_refused_privately(stage: Stage) -> None:
    shown = await stage.guest().slash("play", title=stage.named_once("movie")[0].title, player=LIVING_ROOM)
    assert REFUSED in shown.text
    assert shown.is_private
    assert stage.player(LIVING_ROOM).item is None
    assert await stage.guest().type_in("play", "title", "the") == []


async def test_the_owner_of_the_server_may(stage: Stage) -> None:
    movie = stage.named_once("movie")[5]
    shown = await stage.lab.user("olivia").slash("play", title=movie.title, player=ROKU)
    await shown.until("▶ Playing")


@pytest.mark.parametrize(
    ("title", "sentence"),
    [
        ("there is no such thing anywhere", "I found nothing called “there is no such thing anywhere”."),
        ("x" * 2_000, "I found nothing called “xxx"),
        ("\u0000\u0007\u202e", "Say what to play"),
        ("**_`@everyone <@1>`_** zzzz", "I found nothing called “"),
        ("t:attic:999999", "That title is no longer on the server."),
        ("t:cellar:1", "There is no Plex server named cellar any more"),
        ("t:attic:1:2", "I found nothing called"),
        ("🦥🦥🦥", "I found nothing called “🦥🦥🦥”."),
        ("שלום עולם אין כזה", "I found nothing called"),
    ],
)
async def test_an_unknown_title_is_a_private_sentence(stage: Stage, title: str, sentence: str) -> None:
    shown = await stage.controller().slash("play", title=title, player=LIVING_ROOM)
    await answered(shown)
    assert sentence in shown.text
    assert shown.is_private
    assert len(shown.text) < 400
    assert "@everyone" not in shown.text or shown.message["mention_everyone"] is False


@pytest.mark.parametrize("index", range(6))
async def test_titles_in_any_script_are_shown_whole(stage: Stage, index: int) -> None:
    movie = [item for item in stage.plex.world.listed(None, "movie") if not item.title.isascii()][index]
    shown = await stage.controller().slash("play", title=f"t:attic:{movie.key}", player=LIVING_ROOM)
    await shown.until("▶ Playing")
    assert movie.title[:60] in shown.text


@pytest.mark.parametrize(
    ("player", "sentence"),
    [
        ("the toaster", "I know no player called “the toaster”"),
        ("p:attic:nobody", "That player is not there any more"),
        ("p:cellar:nobody", "That player is not there any more"),
        ("\u202e", "I know no player called “”"),
        ("x" * 3_000, "I know no player called “xxx"),
    ],
)
async def test_an_unknown_player_is_a_private_sentence(stage: Stage, player: str, sentence: str) -> None:
    shown = await stage.controller().slash("play", title=stage.named_once("movie")[0].title, player=player)
    assert sentence in shown.text
    assert shown.is_private


async def test_a_player_that_vanished_is_a_private_sentence(stage: Stage) -> None:
    alice = stage.controller()
    players = await stage.suggested(alice, "play", "player", "tablet", title="x")
    stage.player(TABLET).is_online = False
    shown = await alice.slash("play", title=stage.named_once("movie")[0].title, player=players[0])
    await answered(shown)
    assert shown.is_private
    assert TABLET in shown.text or "That player is not there any more" in shown.text
    assert "Something went wrong" not in shown.text

"""/continue, /watched, /unwatched and /rate, each on the Plex account of whoever asks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from simulators.discord.options import Refused
from simulators.discord.shown import Shown
from tests.acceptance.accounts import link
from tests.acceptance.database import stored
from tests.acceptance.household import MARCUS, OLIVIA, YUKI, People, gathered, says
from tests.acceptance.stage import LIVING_ROOM, Stage, answered, open_owned_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")
FROM_TOP_TO_BOTTOM = True

PLAY = "Play one of them"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage() -> AsyncIterator[Stage]:
    """A daemon that belongs to olivia."""
    async with open_owned_stage() as stage:
        yield stage
        logs = [json.dumps(line) for run in stage.runs for line in await run.logs()]
        accounts = stage.plex.world.accounts.values()
        secrets = [*stage.plex.world.sign_ins, *(token for one in accounts for token in (one.token, one.server_token))]
        assert [line for line in logs if any(secret in line for secret in secrets)] == []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def everybody(shared_stage: Stage) -> People:
    """Linked once for all tests."""
    return await gathered(shared_stage)


@pytest.fixture
def people(stage: Stage, everybody: People) -> Iterator[People]:
    """Nobody has seen anything."""
    for name in (OLIVIA, MARCUS, YUKI):
        everybody.clear(name)
    yield everybody
    tokens = [account.token for account in stage.plex.world.accounts.values()]
    tokens += [account.server_token for account in stage.plex.world.accounts.values()]
    assert not {value for seen in stage.plex.requests for _, value in seen.query} & set(tokens)


async def test_who_has_linked_nothing_is_told_to(people: People) -> None:
    film = people.seen_by(MARCUS, "movie")[0]
    for command, options in (
        ("continue", {}), ("watched", {"title": film.title}), ("unwatched", {"title": film.title}),
        ("rate", {"title": film.title, "stars": 5}),
    ):  # fmt: skip
        says(
            await people.ask(people.stranger, command, **options),
            "Link your Plex account first: /link keep_access:True.",
        )


async def test_who_let_nothing_be_kept_is_told_why(people: People) -> None:
    title = people.seen_by(YUKI, "show")[0].title
    shown = await people.ask(people.yuki, "continue")
    says(shown, "I keep no access to your Plex account, and this acts in your name: /link keep_access:True")
    says(await people.ask(people.yuki, "watched", title=title), "/link keep_access:True")
    assert people.stage.plex.world.viewed_leaves(people.account(YUKI), people.seen_by(YUKI, "show")[0]) == 0


async def test_the_owner_goes_on_by_the_token_of_the_settings(people: People) -> None:
    film = people.stage.named_once("movie")[3]
    people.begin(OLIVIA, film, 1_200_000)
    shown = await people.ask(people.olivia, "continue")
    assert film.title in shown.text
    assert "Olivia" in shown.text
    assert "▰" in shown.text
    assert "poster-0.jpg" in shown.files
    assert await stored(people.stage, "SELECT token FROM plex_accounts WHERE name = 'Olivia'") == [(None,)]


async def test_a_guest_goes_on_where_their_own_account_was(people: People) -> None:
    stage = people.stage
    film, others = people.seen_by(MARCUS, "movie")[:2]
    show = people.seen_by(MARCUS, "show")[0]
    first, second = [one for one in stage.plex.world.leaves(show) if one.parent and one.parent.index][:2]
    people.begin(OLIVIA, film, 60_000)
    people.begin(OLIVIA, others)
    people.begin(MARCUS, film, 1_800_000)
    stage.clock.jump(1)
    seen = stage.plex.world.change_view(people.account(MARCUS), first)
    seen.count, seen.last_viewed_at = 1, int(stage.clock.now())
    shown = await people.ask(people.marcus, "continue")
    assert others.title not in shown.text
    assert shown.text.index(second.title) < shown.text.index(film.title)  # the latest first
    pressed = await shown.choose(PLAY, f"t:attic:{film.key}")
    await pressed.until("On which player?")
    assert pressed.is_private
    label = next(one for one in pressed.options["Choose"] if one.startswith(LIVING_ROOM))
    await pressed.choose("Choose", label)
    await pressed.until(f"starts on {LIVING_ROOM} at 30:00")
    player = stage.player(LIVING_ROOM)
    assert player.item is film
    assert 1_799_000 <= player.position_ms(stage.clock.now()) < 1_860_000
    again = await shown.choose(PLAY, f"t:attic:{second.key}")  # the list stands, and the player is known by now
    await again.until(f"starts on {LIVING_ROOM}")
    await stage.wait_for(lambda: stage.player(LIVING_ROOM).item is second, "the episode to play")


async def test_pages_of_what_to_go_on_with_work_after_a_restart(people: People) -> None:
    films = people.seen_by(MARCUS, "movie")[:7]
    for film in films:
        people.stage.clock.jump(1)
        people.begin(MARCUS, film)
    shown = await people.ask(people.marcus, "continue")
    assert shown.buttons == {"Back": False, "Page 1/2": False, "Forward": True}
    assert films[-1].title in shown.text
    assert films[0].title not in shown.text
    await people.stage.restart()
    await shown.click("Forward")
    await shown.until(lambda now: "Page 2/2" in now.buttons)
    assert films[0].title in shown.text
    assert films[-1].title not in shown.text


async def test_a_title_that_is_gone_by_the_press(people: People) -> None:
    stage = people.stage
    film, lost = people.seen_by(MARCUS, "movie")[-2:]
    people.begin(MARCUS, film)
    people.begin(MARCUS, lost)
    shown = await people.ask(people.marcus, "continue")
    stage.plex.remove(lost)
    pressed = await answered(await shown.choose(PLAY, f"t:attic:{lost.key}"))
    assert "That title is n" in pressed.text  # on the server, or in the library, any more
    assert stage.player(LIVING_ROOM).item is not lost
    assert lost.title not in (await people.ask(people.marcus, "continue")).text


async def test_pressing_needs_the_right_to_control_players(people: People) -> None:
    stage = people.stage
    visitor = stage.guest()
    kid = stage.plex.server.account("Juno")
    await (await link(stage, visitor, "Juno", keep_access=True)).until("Your Plex account is linked.")
    film = next(item for item in stage.named_once("movie") if stage.plex.world.may_see(kid, item))
    people.begin("Juno", film)
    shown = await people.ask(visitor, "continue")
    pressed = await answered(await shown.choose(PLAY, f"t:attic:{film.key}"))
    assert "Only members with Manage Server or a controller role may do that." in pressed.text


async def test_a_film_is_marked_and_that_is_taken_back(people: People) -> None:
    film = people.seen_by(MARCUS, "movie")[4]
    people.begin(MARCUS, film, 900_000)
    choices = await people.marcus.type_in("watched", "title", film.title[:5])
    value = next(choice["value"] for choice in choices if choice["value"] == f"t:attic:{film.key}")
    shown = await people.ask(people.marcus, "watched", title=value)
    says(shown, f"{film.title} ({film.year}) is marked as watched.")
    says(shown, "On the Plex account Marcus.")
    assert (people.view(MARCUS, film).count, people.view(MARCUS, film).offset_ms) == (1, 0)
    assert people.view(OLIVIA, film).count == 0
    says(await people.ask(people.marcus, "watched", title=value), "is marked as watched already.")
    await shown.click("Undo")
    await shown.until("Taken back")
    assert (people.view(MARCUS, film).count, people.view(MARCUS, film).offset_ms) == (0, 900_000)
    rows = await stored(people.stage, "SELECT count(*) FROM audit_log WHERE action LIKE '%watched%'")
    assert rows[0][0] >= 1


async def test_two_presses_of_undo_take_it_back_once(people: People) -> None:
    film = people.seen_by(MARCUS, "movie")[5]
    shown = await people.ask(people.marcus, "watched", title=film.title)
    presses = await asyncio.gather(*(shown.click("Undo") for _ in range(2)), return_exceptions=True)
    assert [one for one in presses if not isinstance(one, Shown | Refused)] == []
    await shown.until("Taken back")
    assert people.view(MARCUS, film).count == 0


async def test_a_whole_show_and_exactly_what_changed_is_taken_back(people: People) -> None:
    world = people.stage.plex.world
    show = people.seen_by(MARCUS, "show")[1]
    episodes = world.leaves(show)
    for episode in episodes[:2]:
        world.change_view(people.account(MARCUS), episode).count = 1
    shown = await people.ask(people.marcus, "watched", title=f"t:attic:{show.key}")
    says(shown, f"{len(episodes) - 2} episodes; 2 were so before.")
    assert world.viewed_leaves(people.account(MARCUS), show) == len(episodes)
    await shown.click("Undo")
    await shown.until("Taken back")
    assert [bool(people.view(MARCUS, one).count) for one in episodes] == [True, True] + [False] * (len(episodes) - 2)
    season = show.children[-1]
    shown = await people.ask(people.marcus, "watched", title=f"t:attic:{season.key}")
    says(shown, f"{len(season.children)} episode")
    shown = await people.ask(people.marcus, "unwatched", title=f"t:attic:{season.children[0].key}")
    says(shown, "is marked as not watched.")
    assert people.view(MARCUS, season.children[0]).count == 0


async def test_stars_are_given_and_taken_away(people: People) -> None:
    film = people.seen_by(MARCUS, "movie")[6]
    shown = await people.ask(people.marcus, "rate", title=f"t:attic:{film.key}", stars=8)
    says(shown, f"{film.title} ({film.year}) is rated 8/10.")
    says(shown, "It was not rated before.")
    assert people.view(MARCUS, film).user_rating == 8
    assert people.view(OLIVIA, film).user_rating is None
    shown = await people.ask(people.marcus, "rate", title=f"t:attic:{film.key}", stars=0)
    says(shown, "is not rated.")
    assert people.view(MARCUS, film).user_rating is None
    await shown.click("Undo")
    await shown.until("Taken back")
    assert people.view(MARCUS, film).user_rating == 8
    with pytest.raises(Refused):
        await people.marcus.slash("rate", title=film.title, stars=11)


async def test_what_may_not_be_seen_is_not_there(people: People) -> None:
    world, server = people.stage.plex.world, people.stage.plex.server
    marcus = server.account(MARCUS)
    hidden = next(item for item in people.stage.named_once("movie") if not world.may_see(marcus, item))
    shown = await people.ask(people.marcus, "watched", title=f"t:attic:{hidden.key}")
    assert "That title is not in the library any more." in shown.text
    assert "I found nothing called" in (await people.ask(people.marcus, "rate", title=hidden.title, stars=5)).text
    assert await people.marcus.type_in("watched", "title", hidden.title) == [] or all(
        choice["value"] != f"t:attic:{hidden.key}"
        for choice in await people.marcus.type_in("watched", "title", hidden.title)
    )
    assert people.view(MARCUS, hidden).count == 0


async def test_a_token_that_plex_takes_back_in_the_middle(people: People) -> None:
    stage = people.stage
    film = people.seen_by(MARCUS, "movie")[8]
    await people.ask(people.marcus, "continue")  # what opens the server for him is known from here on
    stage.plex.revoke(stage.plex.account_token_of(MARCUS))
    shown = await people.ask(people.marcus, "watched", title=film.title)
    says(shown, "Plex no longer accepts the access that you let me keep, so I have deleted it")
    assert await stored(stage, "SELECT token FROM plex_accounts WHERE name = 'Marcus'") == [(None,)]
    says(await people.ask(people.marcus, "watched", title=film.title), "I keep no access to your Plex account")
    assert people.view(MARCUS, film).count == 0
    await (await link(stage, people.marcus, MARCUS, keep_access=True)).until("access is kept")
    says(await people.ask(people.marcus, "watched", title=film.title), "is marked as watched.")
    assert people.view(MARCUS, film).count == 1


async def test_a_server_that_is_away_is_named(people: People) -> None:
    stage = people.stage
    film = people.seen_by(MARCUS, "movie")[9]
    stage.plex.faults.add(r"/library/(onDeck|metadata).*", 503)
    says(await people.ask(people.marcus, "continue"), "Plex server attic is busy or starting")
    says(await people.ask(people.marcus, "watched", title=f"t:attic:{film.key}"), "Plex server attic")
    stage.plex.faults.clear()
    assert people.view(MARCUS, film).count == 0


async def test_a_random_title_goes_by_ones_own_account(people: People) -> None:
    world, marcus = people.stage.plex.world, people.account(MARCUS)
    for item in (*world.listed(None, "movie"), *world.listed(None, "episode")):
        world.change_view(marcus, item).count = 1
    left = people.seen_by(MARCUS, "movie")[10]
    world.change_view(marcus, left).count = 0
    shown = await answered(await people.stranger.slash("library random", unwatched=True))
    assert "Not seen on the account of the server's owner." in shown.text
    shown = await answered(await people.marcus.slash("library random", unwatched=True, genre=left.genres[0]))
    assert "Not seen on your account Marcus." in shown.text
    assert left.title in shown.text


async def test_what_is_not_kept_any_more_is_signed_out_at_plex(people: People) -> None:
    stage = people.stage
    before = stage.plex.account_token_of(MARCUS)
    await (await people.marcus.slash("link", keep_access=False)).until("The access that was kept is deleted.")
    await stage.wait_for(lambda: stage.plex.world.by_token(before) is None, "the token to end at plex.tv")
    await (await link(stage, people.marcus, MARCUS, keep_access=True)).until("access is kept")


async def test_a_guild_narrows_what_one_goes_on_with(people: People) -> None:
    film = people.seen_by(MARCUS, "movie")[11]
    episode = next(one for one in people.seen_by(MARCUS, "episode") if one.parent and one.parent.index)
    people.begin(MARCUS, film)
    people.begin(MARCUS, episode)
    await (await people.olivia.slash("bind", server="attic", library="TV Shows")).until("now sees")
    shown = await people.ask(people.marcus, "continue")
    assert episode.title in shown.text
    assert film.title not in shown.text
    refused = await people.ask(people.marcus, "watched", title=f"t:attic:{film.key}")
    says(refused, "That title is not in the library any more.")
    await (await people.olivia.slash("bind", server="attic")).until("all of **attic**")
    assert film.title in (await people.ask(people.marcus, "continue")).text

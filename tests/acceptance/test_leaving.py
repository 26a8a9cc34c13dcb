"""Leaving soon: announced by owners, kept by members, deleted by an owner's press, and only what was listed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from itertools import count

import pytest
import pytest_asyncio

from simulators.discord.shown import Shown
from simulators.plex.items import Item
from tests.acceptance.database import stored, until_stored
from tests.acceptance.stage import LIVING_ROOM, Member, Stage, answered, open_stage
from tests.acceptance.test_linking import link

pytestmark = pytest.mark.asyncio(loop_scope="module")
FROM_TOP_TO_BOTTOM = True

GB, DAY_S = 10**9, 86_400
HUGE_GB = 300  # nothing else in the house is as large, so that a round lists what its test has laid there
MOVIES, SHOWS = "l:attic:1", "l:attic:2"
OWNERS = ("olivia", "otto")
_numbers = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def owned_stage() -> AsyncIterator[Stage]:
    async with open_stage(is_started=False) as stage:
        world, guild = stage.lab.world, stage.lab.guild
        world.join(guild, world.add_person("otto"), [])
        owners = [stage.lab.user(name).user_id for name in OWNERS]
        stage.settings["MARQUEE_OWNERS"] = ",".join(map(str, owners))
        await stage.start()
        stage.titles_min = 400  # some will be deleted before it starts again
        await until_stored(stage, "SELECT count(*) FROM libraries WHERE read_at IS NULL", [(0,)])
        yield stage


@pytest.fixture
def house(owned_stage: Stage) -> Iterator[Stage]:
    """Quiet, with a server that lets media be deleted, and without the films of the test before."""
    owned_stage.clear()
    yield owned_stage
    owned_stage.clear()
    owned_stage.plex.server.prefs["allowMediaDeletion"] = True
    for item in [item for item in owned_stage.plex.world.items.values() if item.title.startswith("Dusty")]:
        owned_stage.plex.remove(item)


async def shelve(stage: Stage, number: int) -> list[Item]:
    """Films that were added long ago, huge, and played by nobody; mirrored when this returns."""
    plex, films = stage.plex, []
    for _ in range(number):
        added_at = int(stage.clock.now()) - 2_000 * DAY_S
        film = plex.appear(Item(0, "movie", f"Dusty Film {next(_numbers)}", 1, added_at, 1987, 5_400_000, ("Drama",)))
        plex.add_version(film, "4k", size_bytes=HUGE_GB * GB)
        films.append(film)
    keys = ", ".join(str(film.key) for film in films)
    others = f"SELECT count(*) FROM library_titles WHERE name LIKE 'Dusty%' AND rating_key NOT IN ({keys})"
    await until_stored(stage, others, [(0,)])  # those of the test before
    await until_stored(
        stage,
        "SELECT count(*) FROM library_titles t JOIN library_parts p ON p.title_id = t.id "
        f"WHERE t.rating_key IN ({keys}) AND p.size_bytes = {HUGE_GB * GB}",
        [(number,)],
    )
    return films


def owner(stage: Stage, channel: int | None = None, name: str = "olivia") -> Member:
    return Member(stage.lab.user(name), channel or stage.guest().channel)


def size_of(stage: Stage, *films: Item) -> str:
    """What films take up, as the cards say it."""
    parts = [part for film in films for media in stage.plex.world.facts(film).media for part in media.parts]
    return f"{sum(part.size for part in parts) / GB:,.1f} GB"


async def announce(stage: Stage, olivia: Member, **options: object) -> Shown:
    """The card of a new round, as its owner sees it."""
    draft = await answered(await olivia.slash("leaving announce", library=MOVIES, min_size_gb=HUGE_GB - 50, **options))
    assert "Leaving soon from Movies?" in draft.text, draft.text
    assert draft.is_private
    pressed = await draft.click("Post it here")
    await pressed.until("announced.")
    return card_in(olivia)


def card_in(member: Member) -> Shown:
    return next(one for one in reversed(member.sees()) if not one.is_private)


def keep_id(card: Shown, film: Item) -> str:
    """The custom id of the Keep button beside a title."""
    for part in card.message["components"][0]["components"]:
        if part["type"] == 9 and film.title in part["components"][0]["content"]:
            return str(part["accessory"]["custom_id"])
    raise AssertionError(f"{film.title} is not on the card: {card.text}")


async def keep(member: Member, card: Shown, film: Item) -> Shown:
    return await member.user.message(card.message_id).click(keep_id(card, film))


async def close(olivia: Member) -> Shown:
    """The owner's list of what nobody kept, of the newest round."""
    rounds = await olivia.type_in("leaving close", "round", "")
    return await answered(await olivia.slash("leaving close", round=rounds[0]))


async def delete(decision: Shown) -> Shown:
    """Press Delete and confirm."""
    asked = await decision.click("Delete these")
    await asked.until("cannot be undone")
    yes = next(label for label in asked.buttons if label.startswith("Yes, delete"))
    return await asked.click(yes)


async def outcomes(stage: Stage) -> dict[str, str]:
    """What became of each title of the newest round."""
    rows = await stored(
        stage,
        "SELECT name, coalesce(outcome, 'undecided') || coalesce(' ' || reason, '') FROM leaving_titles "
        "WHERE round_id = (SELECT max(id) FROM leaving_rounds)",
    )
    return dict(rows)


async def done(stage: Stage) -> None:
    await until_stored(stage, "SELECT state FROM leaving_rounds ORDER BY id DESC LIMIT 1", [("done",)])


async def told_owner(stage: Stage, *said: str) -> None:
    """Wait until an owner was told all of that in one direct message about the newest round."""
    user = stage.lab.user(OWNERS[0])
    ((newest,),) = await stored(stage, "SELECT message_id FROM leaving_rounds ORDER BY id DESC LIMIT 1")

    def is_there() -> bool:
        told = [one.text for one in user.sees(int(user.dm("Marquee")["id"])) if str(newest) in one.text]
        return any(all(part in text for part in said) for text in told)

    await stage.wait_for(is_there, f"to be told {said}", 20)


def deletions(stage: Stage, film: Item) -> int:
    """How often the server was asked to delete a title."""
    return sum(seen.method == "DELETE" and seen.path == f"/library/metadata/{film.key}" for seen in stage.plex.requests)


async def test_from_announcing_to_what_was_freed(house: Stage) -> None:
    first, second, third = await shelve(house, 3)
    olivia = owner(house)
    card = await announce(house, olivia, keep_days=7)
    assert all(film.title in card.text for film in (first, second, third))
    assert size_of(house, first, second, third) in card.text
    assert "what is kept is not listed again for 180 days" in card.text
    guests = [house.guest(olivia.channel) for _ in range(2)]
    for guest in guests:
        await keep(guest, card, second)
    await card.until("kept by 2 members")
    assert guests[0].user.name not in card.text
    again = await keep(guests[0], card, second)
    await again.until("already")
    assert again.is_private
    listed = await answered(await guests[0].slash("leaving list"))
    assert "3 titles" in listed.text
    assert "1 kept so far" in listed.text
    freed = size_of(house, first, third)
    decision = await close(olivia)
    await decision.until("Nobody kept 2 titles of Movies")
    assert second.title not in decision.text
    begun = await delete(decision)
    await begun.until("Deleting 2 titles")
    await done(house)
    assert await outcomes(house) == {first.title: "deleted", second.title: "kept", third.title: "deleted"}
    await card.until(f"**{freed}** freed")
    await told_owner(house, "Leaving soon: deleted", f"2 titles deleted, {freed} freed")
    assert second.key in house.plex.world.items
    assert first.key not in house.plex.world.items
    await until_stored(house, f"SELECT 1 FROM library_titles WHERE rating_key = {first.key}", [])
    audited = await stored(house, "SELECT count(*) FROM audit_log WHERE action = 'leaving title deleted'")
    assert audited == [(2,)]
    exempt = await answered(await olivia.slash("leaving announce", library=MOVIES, min_size_gb=HUGE_GB - 50))
    assert "Nothing in Movies is like that." in exempt.text


async def test_a_second_announcement_lists_nothing_twice(house: Stage) -> None:
    (first,) = await shelve(house, 1)
    olivia = owner(house)
    options = {"library": MOVIES, "min_size_gb": HUGE_GB - 50}
    drafts = [await answered(await olivia.slash("leaving announce", **options)) for _ in range(2)]
    await (await drafts[0].click("Post it here")).until("1 title** of Movies announced")
    late = await drafts[1].click("Post it here")
    await late.until("All of these are listed by another round")
    twice = await drafts[0].click("Post it here") if "Post it here" in drafts[0].buttons else None
    assert twice is None
    decision = await close(olivia)
    assert first.title in decision.text
    left = await decision.click("Delete nothing")
    await left.until("Nothing of Movies is deleted.")
    assert await outcomes(house) == {first.title: "left"}
    assert deletions(house, first) == 0


async def test_the_time_is_over(house: Stage) -> None:
    first, second = await shelve(house, 2)
    olivia = owner(house)
    card = await announce(house, olivia, keep_days=3)
    guest = house.guest(olivia.channel)
    await keep(guest, card, first)
    await card.until("kept by 1 member")
    late = keep_id(card, second)
    house.clock.jump(3 * DAY_S + 60)
    await card.until("The time is over: 1 of 2 kept.", 20)
    await told_owner(house, "Leaving soon: the time is over", "/leaving close")
    refused = await guest.user.press_forged(card.message_id, late)
    await refused.until("The time for keeping titles of this round is over.")
    no = await guest.user.message(card.message_id).click("For owners: decide")
    await no.until("Only the owners of this bot may do that.")
    decision = await olivia.user.message(card.message_id).click("For owners: decide")
    await decision.until("Nobody kept 1 title of Movies")
    assert decision.is_private
    asked = await decision.click("Delete these")
    await asked.until("cannot be undone")
    await asked.click("Cancel")
    await decision.until("Nobody kept 1 title of Movies")
    await delete(decision)
    await done(house)
    assert await outcomes(house) == {first.title: "kept", second.title: "deleted"}


async def test_two_owners_press_delete_at_once(house: Stage) -> None:
    films = await shelve(house, 3)
    olivia = owner(house)
    otto = owner(house, olivia.channel, "otto")
    await announce(house, olivia)
    decisions = [await close(olivia), await close(otto)]
    asked = [await decision.click("Delete these") for decision in decisions]
    for one in asked:
        await one.until("cannot be undone")
    pressed = await asyncio.gather(*(one.click("Yes, delete 3") for one in asked))
    for one in pressed:
        await one.until(lambda shown: "Deleting 3 titles" in shown.text or "Another owner was first" in shown.text)
    assert sorted("Another owner was first" in one.text for one in pressed) == [False, True]
    await done(house)
    assert [deletions(house, film) for film in films] == [1, 1, 1]
    assert set((await outcomes(house)).values()) == {"deleted"}


async def test_what_is_not_what_was_listed_is_left_out(house: Stage) -> None:
    gone, matched, replaced, played, grown, playing, same = await shelve(house, 7)
    plex = house.plex
    plex.watched(played, "Marcus", at=house.clock.now() - 1_500 * DAY_S)  # long ago: that does not save it
    olivia = owner(house)
    await announce(house, olivia)
    decision = await close(olivia)
    plex.remove(gone)
    plex.edit(matched, guid="plex://movie/5d7768352e80df001ebde4c9")
    plex.remove(replaced)
    another = Item(replaced.key, "movie", "Dusty Stranger", 1, replaced.added_at, 1990, 5_400_000, ("Drama",))
    plex.appear(another)
    plex.watched(played, "Yuki")
    plex.add_version(grown, "720")
    plex.play(LIVING_ROOM, playing, offset_ms=600_000)
    await delete(decision)
    await done(house)
    assert await outcomes(house) == {
        gone.title: "gone",
        matched.title: "refused replaced",
        replaced.title: "refused replaced",
        played.title: "refused played",
        grown.title: "refused files",
        playing.title: "refused playing",
        same.title: "deleted",
    }
    kept = (matched, another, played, grown, playing)
    assert [deletions(house, film) for film in kept] == [0] * 5
    assert all(film.key in plex.world.items for film in kept)
    await told_owner(house, "Leaving soon: deleted", "somebody has played it since")
    card = card_in(olivia)
    await card.until("somebody is playing it")


async def test_a_show_goes_with_its_episodes_unless_one_was_played(house: Stage) -> None:
    shows = [show for show in house.plex.world.listed(2, "show") if len(house.plex.world.leaves(show)) > 2][:2]
    for show in shows:
        episode = next(iter(house.plex.world.leaves(show)))
        house.plex.add_version(episode, "4k", size_bytes=HUGE_GB * GB)
    keys = ", ".join(str(show.key) for show in shows)
    await until_stored(
        house,
        "SELECT count(*) FROM library_parts p JOIN library_titles t ON t.id = p.title_id "
        f"WHERE t.grandparent_key IN ({keys}) AND p.size_bytes = {HUGE_GB * GB}",
        [(len(shows),)],
    )
    olivia = owner(house)
    options = {"library": SHOWS, "min_size_gb": HUGE_GB - 50, "days": 1}
    draft = await answered(await olivia.slash("leaving announce", **options))
    assert shows[0].title in draft.text, draft.text
    await (await draft.click("Post it here")).until("2 titles** of TV Shows announced")
    card = card_in(olivia)
    assert size_of(house, *(leaf for show in shows for leaf in house.plex.world.leaves(show))) in card.text
    house.plex.watched(list(house.plex.world.leaves(shows[1]))[-1], "Yuki")
    await delete(await close(olivia))
    await done(house)
    assert await outcomes(house) == {shows[0].title: "deleted", shows[1].title: "refused played"}
    assert shows[0].key not in house.plex.world.items
    await until_stored(house, f"SELECT 1 FROM library_titles WHERE grandparent_key = {shows[0].key}", [])


async def test_deletion_that_is_switched_off_is_said_and_can_be_switched_on(house: Stage) -> None:
    first, second = await shelve(house, 2)
    olivia, plex = owner(house), house.plex
    await announce(house, olivia)
    decision = await close(olivia)
    plex.server.prefs["allowMediaDeletion"] = False
    refused = await decision.click("Delete these")
    await refused.until("Allow media deletion")
    plex.server.prefs["allowMediaDeletion"] = True
    plex.faults.add(rf"/library/metadata/{second.key}$", 403, method="DELETE", times=1)
    plex.faults.add(rf"/library/metadata/{first.key}$", 403, method="DELETE", times=1)
    await delete(decision)
    await told_owner(house, "Leaving soon: deleting has stopped", "Allow media deletion")
    assert set((await outcomes(house)).values()) == {"undecided"}
    plex.faults.clear()
    again = await close(olivia)
    assert "does not let media be deleted" in again.text
    await delete(again)
    await done(house)
    assert set((await outcomes(house)).values()) == {"deleted"}


async def test_an_answer_that_is_lost_is_looked_for_and_not_asked_for_again(house: Stage) -> None:
    first, second, third = await shelve(house, 3)
    olivia, plex = owner(house), house.plex
    await announce(house, olivia)
    decision = await close(olivia)
    lost = plex.faults.add(rf"/library/metadata/{first.key}$", "drop_after", method="DELETE", times=1)
    unsent = plex.faults.add(rf"/library/metadata/{second.key}$", "drop", method="DELETE", times=1)
    failed = plex.faults.add(rf"/library/metadata/{third.key}$", 500, method="DELETE")
    await delete(decision)
    await done(house)
    assert await outcomes(house) == {
        first.title: "deleted", second.title: "deleted", third.title: "refused failed",
    }  # fmt: skip
    assert (lost.hits, unsent.hits, failed.hits) == (1, 1, 3)
    assert [deletions(house, film) for film in (first, second, third)] == [1, 2, 3]


async def test_a_server_that_is_away_is_waited_for_and_at_last_given_up(house: Stage) -> None:
    (film,) = await shelve(house, 1)
    olivia, plex = owner(house), house.plex
    await announce(house, olivia)
    decision = await close(olivia)
    asked = await decision.click("Delete these")
    await asked.until("cannot be undone")
    away = plex.faults.add(r"/library/metadata/", 503)
    await decision.click("Yes, delete 1")
    await house.wait_for(lambda: away.hits >= 2, "the server to be asked in vain")
    assert await outcomes(house) == {film.title: "undecided"}
    house.clock.jump(3_600)
    await told_owner(house, "Leaving soon: deleting has stopped", "did not answer for too long")
    plex.faults.clear()
    again = await close(olivia)
    await again.until("did not answer for too long")

    async def is_asked() -> bool:
        asked = await again.click("Delete these")
        await asked.settled()
        return "Yes, delete 1" in again.buttons

    await house.wait_for(is_asked, "the server to be asked again", 20)
    await again.click("Yes, delete 1")
    await done(house)
    assert await outcomes(house) == {film.title: "deleted"}


async def test_a_restart_in_the_middle_of_deleting(house: Stage) -> None:
    films = await shelve(house, 3)
    olivia, plex = owner(house), house.plex
    await announce(house, olivia)
    order = sorted(films, key=lambda film: -sum(p.size for m in plex.world.facts(film).media for p in m.parts))
    held = plex.faults.add(rf"/library/metadata/{order[1].key}$", "hold", method="DELETE", times=1)
    await delete(await close(olivia))
    await held.wait_hit()
    assert house.daemon is not None
    assert await house.daemon.stop(signal.SIGKILL) == -signal.SIGKILL
    held.release()  # Plex deletes it, and nobody is there to hear of it
    await house.wait_for(lambda: order[1].key not in plex.world.items, "Plex to have deleted it")
    await house.start()
    house.clock.jump(61)  # until then it could be another process that deletes
    await done(house)
    assert set((await outcomes(house)).values()) == {"deleted"}
    assert [deletions(house, film) for film in films] == [1, 1, 1]
    await card_in(olivia).until("3 titles deleted", 20)


async def test_pages_work_after_a_restart_and_kept_is_kept(house: Stage) -> None:
    films = await shelve(house, 8)
    olivia = owner(house)
    card = await announce(house, olivia)
    assert card.buttons["Forward"]
    await house.restart()
    guest = house.guest(olivia.channel)
    await guest.user.message(card.message_id).click("Forward")
    await card.until(lambda shown: "Page 2/2" in " ".join(shown.buttons))
    last = next(film for film in films if film.title + " " in card.text)
    await keep(guest, card, last)
    await card.until("kept by 1 member")
    assert "Page 2/2" in card.buttons
    listed = await answered(await guest.slash("leaving list"))
    label = next(iter(listed.options["Show one of them"]))
    mine = await listed.choose("Show one of them", label)
    await listed.until("Press Keep beside")
    first = next(film for film in films if film is not last and film.title + " " in listed.text)
    await guest.user.message(listed.message_id).click(keep_id(listed, first))
    await card.until(f"2 of {len(films)} kept so far", 20)
    assert mine is not None
    decision = await close(olivia)
    await decision.until("Nobody kept 6 titles")
    await (await decision.click("Delete nothing")).until("Nothing of Movies is deleted.")


async def test_who_does_not_see_the_library_keeps_nothing_of_it(house: Stage) -> None:
    (film,) = await shelve(house, 1)
    olivia = owner(house)
    card = await announce(house, olivia)
    guest = house.guest(olivia.channel)
    await (await link(house, guest, "Yuki")).until("Your Plex account is linked.")
    refused = await keep(guest, card, film)
    await refused.until("not among what you see")
    listed = await answered(await guest.slash("leaving list"))
    assert "Nothing is about to leave." in listed.text
    assert await stored(house, "SELECT count(*) FROM leaving_keeps k JOIN leaving_titles t ON t.id = k.title_id "
                               f"WHERE t.rating_key = {film.key}") == [(0,)]  # fmt: skip
    await (await (await close(olivia)).click("Delete nothing")).until("Nothing of Movies is deleted.")


async def test_only_owners_announce_and_odd_input_is_answered(house: Stage) -> None:
    guest, olivia = house.guest(), owner(house)
    for command, options in (("announce", {"library": MOVIES}), ("close", {"round": "1"})):
        refused = await answered(await guest.slash(f"leaving {command}", **options))
        assert "Only the owners of this bot may do that." in refused.text
    offered = await olivia.type_in("leaving announce", "library", "mov")
    assert [one["value"] for one in offered] == [MOVIES]
    for command, options, said in (
        ("announce", {"library": "Nowhere"}, "I know no library called “Nowhere”"),
        ("announce", {"library": MOVIES, "min_size_gb": 9_000}, "Nothing in Movies is like that."),
        ("close", {"round": "99999"}, "There is no such round here"),
        ("close", {"round": "drop table"}, "There is no such round here"),
    ):
        shown = await answered(await olivia.slash(f"leaving {command}", **options))
        assert said in shown.text

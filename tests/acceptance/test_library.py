"""/library and /have, as a member meets them in chat."""

from __future__ import annotations

import re
from typing import Any

import pytest

from simulators.discord.user import Shown
from simulators.plex.items import Item
from simulators.plex.scan import appear, vanish
from tests import nursery
from tests.acceptance.stage import Stage, answered

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def mirrored(stage: Stage) -> None:
    """The daemon holds the libraries, and its search does."""

    async def is_there() -> bool:
        shown = await answered(await stage.guest().slash("library stats"))
        films = len(stage.plex.world.listed(1, "movie"))
        return f"{films} films" in shown.text and "episodes" in shown.text and "tracks" in shown.text

    await stage.wait_for(is_there, "the libraries to be mirrored")
    await shown_by(stage, "Found|Search", "library search", query="a")


async def shown_by(stage: Stage, wanted: str, command: str, **options: Any) -> Shown:
    """What a command shows once that is what is wanted: the search follows within seconds."""
    found: list[Shown] = []

    async def is_there() -> bool:
        found[:] = [await answered(await stage.guest().slash(command, **options))]
        return re.search(wanted, found[0].text) is not None

    await stage.wait_for(is_there, f"/{command} to show {wanted}", 20)
    return found[0]


async def test_a_search_finds_titles_and_opens_one(stage: Stage) -> None:
    await mirrored(stage)
    film = stage.plex.world.listed(1, "movie")[0]
    shown = await shown_by(stage, re.escape(film.title.split()[-1]), "library search", query=film.title)
    assert shown.is_private
    label = next(option for option in shown.options["Show one of them"] if film.title in option)
    card = await answered(await shown.choose("Show one of them", label))
    assert film.title in card.text
    assert "poster.jpg" in card.files


async def test_typing_mistakes_episodes_and_kinds(stage: Stage) -> None:
    await mirrored(stage)
    world = stage.plex.world
    film = next(item for item in world.listed(1, "movie") if item.title.isascii() and len(item.title) > 12)
    typo = film.title[:4] + film.title[5:]
    await shown_by(stage, re.escape(film.title), "library search", query=typo)
    show = next(item for item in world.listed(2, "show") if item.title.isascii())
    shown = await shown_by(stage, "S01E02", "library search", query=f"{show.title} s01e02")
    assert show.title in shown.text
    shown = await answered(await stage.guest().slash("library search", query=show.title, type="show"))
    assert "S01E02" not in shown.text


async def test_a_list_with_pages_works_after_a_restart(stage: Stage) -> None:
    await mirrored(stage)
    guest = stage.guest()
    shown = await answered(await guest.slash("library search", query="s01", type="episode"))
    assert shown.buttons["Forward"]
    first = shown.text
    await stage.restart()
    await mirrored(stage)
    await shown.click("Forward")
    await shown.until(lambda now: "Page 2/" in " ".join(now.buttons))
    assert shown.text != first


async def test_everything_about_one_title(stage: Stage) -> None:
    await mirrored(stage)
    world = stage.plex.world
    film = next(item for item in world.listed(1, "movie") if len(item.genres) > 2 and world.facts(item).media)
    guest = stage.guest()
    choices = await guest.type_in("library info", "title", film.title[:6])
    value = next(choice["value"] for choice in choices if choice["value"] == f"t:attic:{film.key}")
    card = await answered(await guest.slash("library info", title=value))
    assert not card.is_private
    assert all(genre in card.text for genre in film.genres)
    facts = world.facts(film)
    assert facts.summary.split(".")[0][:30] in card.text
    assert facts.directors[0] in card.text
    assert " GB" in card.text or " MB" in card.text
    assert "poster.jpg" in card.files


async def test_what_is_new_comes_and_goes(stage: Stage) -> None:
    await mirrored(stage)
    world, server = stage.plex.world, stage.plex.server
    now = int(stage.clock.now())
    new = appear(server, Item(0, "movie", "Quince Ledger Almanac", 1, now, 2026, 5_400_000, ("Drama",)))
    shown = await shown_by(stage, "Quince Ledger Almanac", "library recent", days=7)
    assert shown.text.splitlines()[0].endswith("New in the last 7 days")
    only = await answered(await stage.guest().slash("library recent", library="l:attic:3"))
    assert "Quince Ledger Almanac" not in only.text
    await shown_by(stage, "Yes", "have", title="quince ledger almanac")
    vanish(server, new)
    await shown_by(stage, "is not in the library", "have", title="quince ledger almanac")
    assert world.items.get(new.key) is None


async def test_a_random_title_is_as_wished(stage: Stage) -> None:
    await mirrored(stage)
    guest = stage.guest()
    genres = await guest.type_in("library random", "genre", "dra")
    assert [choice["value"] for choice in genres] == ["Drama"]
    for _ in range(3):
        card = await answered(await guest.slash("library random", genre="Drama", max_minutes=150))
        assert "Drama" in card.text
    card = await answered(await guest.slash("library random", unwatched=True))
    assert "Not seen on the account of the server's owner." in card.text
    refused = await answered(await guest.slash("library random", genre="Nothing Such"))
    assert "Nothing in the library is like that." in refused.text


async def test_sums_and_sizes(stage: Stage) -> None:
    await mirrored(stage)
    guest = stage.guest()
    libraries = await guest.type_in("library storage", "library", "mov")
    assert [choice["name"] for choice in libraries] == ["Movies"]
    shown = await answered(await guest.slash("library storage", library=libraries[0]["value"]))
    world = stage.plex.world
    total = sum(p.size for film in world.listed(1, "movie") for m in world.facts(film).media for p in m.parts)
    assert f"{total / 10**12:,.1f} TB" in shown.text or f"{total / 10**9:,.1f} GB" in shown.text
    assert "By resolution" in shown.text
    assert "Largest" in shown.text
    refused = await answered(await guest.slash("library stats", library="cellar"))
    assert "I know no library called “cellar”" in refused.text


async def test_what_is_not_there_is_said_with_the_nearest_names(stage: Stage) -> None:
    await mirrored(stage)
    film = next(item for item in stage.plex.world.listed(1, "movie") if item.title.isascii() and len(item.title) > 12)
    shown = await answered(await stage.guest().slash("have", title=film.title + "ers"))
    assert "is not in the library" in shown.text
    assert film.title in shown.text
    shown = await answered(await stage.guest().slash("have", title=f"{film.title} {film.year}"))
    assert "### Yes" in shown.text or "Yes" in shown.text.splitlines()[0]


async def test_how_far_a_reading_is_can_be_seen(stage: Stage) -> None:
    await mirrored(stage)
    held = stage.plex.faults.add(r"/library/sections/2/all\?(?=.*type=4)(?=.*sort=)", "hold")
    reading = await nursery.spawn("daemon", "library", "sync", "--all", environ=stage.environment())
    wanted = r"Being read: TV Shows\*\*\n[▰▱]+ \d+ % of [\d,]+ titles"
    shown = await shown_by(stage, wanted, "library stats")
    held.release()
    stage.plex.faults.clear()
    assert await reading.wait() == 0
    await shown.click("Look again")
    await shown.until(lambda now: "Being read" not in now.text and "episodes" in now.text)

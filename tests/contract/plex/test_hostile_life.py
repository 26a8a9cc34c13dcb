"""A library that lives while somebody pages it: what comes, goes, repeats, lies about its size or is gone."""

from __future__ import annotations

from typing import Any

import aiohttp

from simulators.clock import SimClock
from simulators.plex.items import Item
from simulators.plex.sim import PlexSim

LISTING = r"GET /library/sections/1/all\?.*Container-Start"


async def page(ask: Any, start: int, size: int = 10, sort: str = "addedAt:asc") -> dict[str, Any]:
    found: dict[str, Any] = await ask.json(
        f"/library/sections/1/all?sort={sort}&X-Plex-Container-Start={start}&X-Plex-Container-Size={size}"
    )
    return found


async def paged(ask: Any) -> tuple[list[str], list[int]]:
    """Rating keys and totals of every page, as a naive reader collects them."""
    keys: list[str] = []
    totals: list[int] = []
    while not totals or len(totals) * 10 < totals[-1]:
        found = await page(ask, len(totals) * 10)
        keys += [row["ratingKey"] for row in found.get("Metadata", [])]
        totals.append(found["totalSize"])
    return keys, totals


async def test_a_title_that_goes_between_two_pages_makes_another_slip_through(sim: PlexSim, ask: Any) -> None:
    before = [row["ratingKey"] for row in (await ask.json("/library/sections/1/all?sort=addedAt:asc"))["Metadata"]]
    first = sim.world.items[int(before[0])]
    sim.between(LISTING, lambda: sim.remove(first))
    keys, totals = await paged(ask)
    assert totals[1] == totals[0] - 1
    assert set(before) - set(keys) == {before[10]}  # it moved up onto the page that had been read


async def test_a_title_that_comes_between_two_pages_shows_another_twice(sim: PlexSim, ask: Any) -> None:
    sim.between(LISTING, lambda: sim.appear(Item(0, "movie", "Long Ago", 1, 1)))
    keys, totals = await paged(ask)
    assert totals[1] == totals[0] + 1
    assert len(keys) - len(set(keys)) == 1


async def test_a_title_that_gets_another_key_between_two_pages(sim: PlexSim, ask: Any) -> None:
    listed = [row["ratingKey"] for row in (await page(ask, 0))["Metadata"]]
    old = sim.world.items[int(listed[3])]
    sim.between(LISTING, lambda: sim.rekey(old))
    await page(ask, 0)
    assert (await ask.raw(f"/library/metadata/{listed[3]}"))[0] == 404
    again = [row["ratingKey"] for row in (await page(ask, 0))["Metadata"]]
    assert again[3] == str(old.key) != listed[3]


async def test_every_page_changes_something(sim: PlexSim, ask: Any) -> None:
    turn = sim.between(LISTING, lambda: sim.remove(sim.world.listed(1, "movie")[-1]), times=4)
    _, totals = await paged(ask)
    assert turn.done == 4
    assert totals[:5] == [totals[0] - n for n in range(5)]


async def test_pages_that_repeat_and_totals_that_lie(sim: PlexSim, ask: Any) -> None:
    await ask.control("/faults", {"overlap": 3, "totals_drift": True})
    first, second = await page(ask, 0), await page(ask, 10)
    keys = [[row["ratingKey"] for row in each["Metadata"]] for each in (first, second)]
    assert keys[1][:3] == keys[0][-3:]
    assert second["offset"] == 10
    sim.faults.clear()
    assert [row["ratingKey"] for row in (await page(ask, 10))["Metadata"]][:7] == keys[1][3:]


async def test_a_detail_that_is_gone_though_it_is_listed(sim: PlexSim, ask: Any) -> None:
    film, other = sim.world.find("Low Orbit"), sim.world.find("Blue Hour")
    await ask.control("/titles/ghost", {"title": "Low Orbit"})
    assert (await ask.json("/library/sections/1/all?title=low%20orbit"))["size"] == 1
    assert (await ask.raw(f"/library/metadata/{film.key}"))[0] == 404
    both = await ask.json(f"/library/metadata/{film.key},{other.key}")
    assert [row["title"] for row in both["Metadata"]] == ["Blue Hour"]


async def test_a_library_that_is_removed_while_it_is_read(sim: PlexSim, ask: Any) -> None:
    await ask.control("/turns/add", {
        "path": "/library/sections/1/all", "after": 2, "do": "sections/remove", "body": {"section": 1},
    })  # fmt: skip
    assert (await page(ask, 0))["size"] == (await page(ask, 10))["size"] == 10
    path = "/library/sections/1/all?X-Plex-Container-Start=20&X-Plex-Container-Size=10"
    assert (await ask.raw(path))[0] == 404
    assert "Movies" not in {row["title"] for row in (await ask.json("/library/sections"))["Directory"]}
    assert (await ask.json("/library/all?title=low%20orbit"))["size"] == 0


async def test_the_control_api_tells_what_it_does_not_know(sim: PlexSim, ask: Any) -> None:
    for path, body in (
        ("/turns/add", {"path": "x", "do": "tea"}), ("/titles/ghost", {"title": "No Such"}), ("/prefs", {"tea": True}),
        ("/sections/remove", {"section": 77}), ("/accounts/restrict", {"account": "Olivia", "filter_all": ""}),
        ("/accounts/restrict", {"account": "Yuki", "filter_all": "nonsense"}),
        ("/titles/add", {"title": "x", "section": 9}),
        ("/accounts/revoke", {"token": "none"}), ("/titles/version", {"title": "Low Orbit", "resolution": "9k"}),
    ):  # fmt: skip
        assert "error" in await ask.control(path, body), path


async def test_library_actions_of_the_control_api(sim: PlexSim, ask: Any) -> None:
    film = sim.world.find("Low Orbit")
    media = (await ask.control("/titles/version", {"title": "Low Orbit", "resolution": "4k", "parts": 2}))["media"]
    assert [len(each.parts) for each in sim.world.facts(film).media if each.id == media] == [2]
    await ask.control("/titles/trash", {"title": "Low Orbit"})
    assert film.deleted_at == int(sim.clock.now())
    await ask.control("/titles/add", {"title": "Brand New", "labels": ["Family"], "genres": ["Drama", "War"]})
    assert sim.world.labels(sim.world.find("Brand New")) == ("Family",)
    await ask.control("/history/add", {"title": "Brand New", "account": "Yuki", "viewed_at": 1_700_000_000})
    assert sim.world.view(4_200_342, sim.world.find("Brand New")).last_viewed_at == 1_700_000_000
    invited = await ask.control("/accounts/invite", {"name": "Robin", "sections": [4]})
    assert (await ask.json("/library/sections", token=invited["token"]))["Directory"][0]["title"] == "Kids"
    await ask.control("/accounts/restrict", {"account": "Robin", "sections": [1], "filter_movies": "label=Family"})
    seen = await ask.json("/library/sections/1/all", token=invited["token"])
    assert 0 < seen["size"] < len(sim.world.listed(1, "movie"))
    await ask.control("/accounts/unshare", {"account": "Robin"})
    assert (await ask.raw("/library/sections", token=invited["token"]))[0] == 401
    await ask.control("/accounts/revoke", {"account": "Yuki"})
    assert sim.unknown_routes == []


async def test_the_stamp_of_a_library_moves_with_its_content_only(sim: PlexSim, ask: Any) -> None:
    async def stamps() -> dict[str, int]:
        return {row["title"]: row["contentChangedAt"] for row in (await ask.json("/library/sections"))["Directory"]}

    film = sim.world.find("Low Orbit")
    last = await stamps()
    for change in (
        lambda: sim.edit(film, summary="x"), lambda: sim.rekey(film), lambda: sim.trash(film),
        lambda: sim.add_version(film, "sd"), lambda: sim.remove(film),
    ):  # fmt: skip
        change()
        now = await stamps()
        assert now["Movies"] > last["Movies"]
        assert {**now, "Movies": 0} == {**last, "Movies": 0}
        last = now
    sim.watched(sim.world.find("Blue Hour"))
    await ask.raw("/playlists?title=x&type=video&uri=", method="POST")
    assert await stamps() == last


async def read_films(http: aiohttp.ClientSession, sim: PlexSim) -> dict[str, tuple[str, int]]:
    """Title and number of guids of each film by rating key, 250 a page."""
    rows: dict[str, tuple[str, int]] = {}
    start, total = 0, 1
    while start < total:
        path = f"/library/sections/1/all?includeGuids=1&sort=addedAt&X-Plex-Container-Start={start}"
        async with http.get(f"{sim.url}{path}&X-Plex-Container-Size=250") as answer:
            container = (await answer.json())["MediaContainer"]
        total, start = container["totalSize"], start + 250
        for row in container["Metadata"]:
            assert row["Media"][0]["Part"][0]["size"] > 0
            rows[row["ratingKey"]] = (row["title"], len(row.get("Guid", [])))
    return rows


async def test_a_large_library_is_read_and_changed() -> None:
    async with PlexSim(size="20k", clock=SimClock(speed=0), life=False) as sim:
        asks = {"X-Plex-Token": sim.token, "Accept": "application/json"}
        async with aiohttp.ClientSession(headers=asks) as http:
            before = await read_films(http, sim)
            assert len(before) == len(sim.world.listed(1, "movie")) > 5_000
            films = sim.world.listed(1, "movie")[:3_000:60]
            for film in films:
                sim.edit(film, title=f"{film.title} Again")
            after = await read_films(http, sim)
    assert len(films) == 50
    assert {key for key in after if after[key] != before[key]} == {str(film.key) for film in films}
    assert all(after[str(film.key)][0].endswith(" Again") for film in films)

"""The history by the real plexapi: filters, paging, rows that outlive their titles, rows that are deleted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from plexapi.server import PlexServer

from simulators.plex.sim import PlexSim

DAY_S = 86_400


@pytest.fixture(autouse=True)
def no_unknown_route(sim: PlexSim) -> Iterator[None]:
    yield
    assert sim.unknown_routes == []


async def test_filters_and_paging(sim: PlexSim, real: Any, ask: Any) -> None:
    film, episode = sim.world.find("Low Orbit"), sim.world.listed(2, "episode")[0]
    now = sim.clock.now()
    for days in range(30):
        sim.watched(film, "Olivia", at=now - days * DAY_S)
        sim.watched(episode, "Marcus", at=now - days * DAY_S - 60)

    def work(plex: PlexServer) -> None:
        assert len(plex.history()) == 60
        assert len(plex.history(maxresults=7)) == 7
        assert {row.accountID for row in plex.history(accountID=4_200_117)} == {4_200_117}
        assert {row.librarySectionID for row in plex.history(librarySectionID=1)} == {1}
        since = datetime.fromtimestamp(now - 3 * DAY_S, UTC).astimezone().replace(tzinfo=None)
        assert len(plex.history(mindate=since, accountID=1)) == 4
        assert len(plex.fetchItem(film.key).history()) == 30
        assert len(plex.fetchItem(episode.top.key).history()) == 30  # a series has those of its episodes
        newest = plex.history()
        assert [row.viewedAt for row in newest] == sorted((row.viewedAt for row in newest), reverse=True)
        newest[0].delete()
        assert len(plex.history()) == 59

    await real.run(work)
    older = await ask.json(f"/status/sessions/history/all?viewedAt%3C={int(now - 20 * DAY_S)}&accountID=1")
    assert older["size"] == 10
    page = await ask.json("/status/sessions/history/all", X_Plex_Container_Start="55", X_Plex_Container_Size="10")
    assert (page["size"], page["totalSize"], page["offset"]) == (4, 59, 55)
    assert (await ask.raw("/status/sessions/history/all?viewedAt%3E=soon"))[0] == 400
    assert (await ask.raw("/status/sessions/history/99999", method="DELETE"))[0] == 404


async def test_a_row_outlives_its_title(sim: PlexSim, ask: Any) -> None:
    film = sim.world.find("Low Orbit")
    sim.watched(film, "Marcus")
    assert (await ask.json("/status/sessions/history/all"))["Metadata"][0]["ratingKey"] == str(film.key)
    sim.remove(film)
    row = (await ask.json("/status/sessions/history/all"))["Metadata"][0]
    assert (row["title"], row.get("ratingKey"), row.get("key")) == ("Low Orbit", None, None)


async def test_watching_is_counted_for_one_account(sim: PlexSim, ask: Any) -> None:
    film = next(item for item in sim.world.listed(1, "movie") if not sim.world.view(1, item).count)
    token = sim.token_of("Marcus")
    changed = sim.world.sections[1].changed
    path = f"key={film.key}&identifier=com.plexapp.plugins.library"
    await ask.raw(f"/:/scrobble?{path}", token=token)
    mine = (await ask.json(f"/library/sections/1/all?id={film.key}", token=token))["Metadata"][0]
    assert mine["viewCount"] == 1
    assert "viewCount" not in (await ask.json(f"/library/sections/1/all?id={film.key}"))["Metadata"][0]
    await ask.raw(f"/:/unscrobble?{path}", token=token)
    assert "viewCount" not in (await ask.json(f"/library/sections/1/all?id={film.key}", token=token))["Metadata"][0]
    assert sim.world.sections[1].changed == changed  # views are no content
    assert (await ask.raw(f"/:/scrobble?key={sim.world.listed(3, 'track')[0].key}", token=token))[0] == 404

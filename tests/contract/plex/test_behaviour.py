"""How the server behaves towards any client: tokens, paging, errors, faults, notifications, control API."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from xml.etree import ElementTree

import aiohttp
import pytest

from simulators.plex.sim import PlexSim


async def test_without_a_token_only_identity_answers(sim: PlexSim, ask: Any) -> None:
    status, body, headers = await ask.raw("/library/sections", token="")
    assert status == 401
    assert headers["Content-Type"].startswith("text/html")
    assert b"401 Unauthorized" in body
    status, body, _ = await ask.raw("/identity", token="")
    assert status == 200
    assert ElementTree.fromstring(body).get("machineIdentifier") == sim.machine_id


@pytest.mark.parametrize(
    "path",
    [
        "/status/sessions",
        "/accounts",
        "/devices",
        "/:/prefs",
        "/library",
        "/security/token",
        "/status/sessions/history/all",
    ],
)
async def test_only_the_owner_sees_the_household(sim: PlexSim, ask: Any, path: str) -> None:
    assert (await ask.raw(path))[0] == 200
    assert (await ask.raw(path, token=sim.token_of("Marcus")))[0] == 403


async def test_an_unknown_route_is_a_counted_404(sim: PlexSim, ask: Any) -> None:
    status, body, headers = await ask.raw("/no/such/thing")
    assert (status, headers["Content-Type"].split(";")[0]) == (404, "text/html")
    assert b"404 Not Found" in body
    assert sim.unknown_routes == ["GET /no/such/thing"]
    assert (await ask.raw("/library/metadata/999999"))[0] == 404
    assert len(sim.unknown_routes) == 1
    assert [request.is_unknown for request in sim.requests] == [True, False]


async def test_paging_by_headers_and_by_query(sim: PlexSim, ask: Any) -> None:
    total = len(sim.world.listed(1, "movie"))
    everything = await ask.json("/library/sections/1/all")
    assert "totalSize" not in everything
    seen = []
    for start in range(0, total, 25):
        page = await ask.json("/library/sections/1/all", X_Plex_Container_Start=str(start), X_Plex_Container_Size="25")
        assert (page["totalSize"], page["offset"], page["size"]) == (total, start, len(page["Metadata"]))
        seen += [row["ratingKey"] for row in page["Metadata"]]
    assert seen == [row["ratingKey"] for row in everything["Metadata"]]
    query = "X-Plex-Container-Start=5&X-Plex-Container-Size=3"
    _, body, headers = await ask.raw(f"/library/sections/1/all?{query}")
    assert len(ElementTree.fromstring(body)) == 3
    assert headers["X-Plex-Container-Start"] == "5"
    assert headers["X-Plex-Container-Total-Size"] == str(total)
    nothing = await ask.json("/library/sections/1/all?X-Plex-Container-Start=0&X-Plex-Container-Size=0&includeMeta=1")
    assert (nothing["size"], nothing["totalSize"]) == (0, total)
    assert {kind["type"] for kind in nothing["Meta"]["Type"]} == {"movie", "collection"}
    beyond = await ask.json("/library/sections/1/all", X_Plex_Container_Start="900", X_Plex_Container_Size="5")
    assert beyond["size"] == 0


async def test_a_page_shows_what_has_changed_since(sim: PlexSim, ask: Any) -> None:
    film = sim.world.find("Low Orbit")
    before = await ask.json("/library/sections/1/all?title=low%20orbit")
    changed = (await ask.json("/library/sections"))["Directory"][0]["contentChangedAt"]
    await ask.control("/titles/rename", {"title": "Low Orbit", "to": "Lower Orbit"})
    after = await ask.json("/library/sections/1/all?title=orbit")
    assert [row["title"] for row in before["Metadata"]] == ["Low Orbit"]
    assert [row["title"] for row in after["Metadata"]] == ["Lower Orbit"]
    assert (await ask.json("/library/sections"))["Directory"][0]["contentChangedAt"] > changed
    sim.world.change_view(1, film).offset_ms = 61_000
    seen = await ask.json("/library/sections/1/all?title=orbit")
    assert seen["Metadata"][0]["viewOffset"] == 61_000


async def test_guids_only_on_request(sim: PlexSim, ask: Any) -> None:
    plain = await ask.json("/library/sections/1/all?title=low%20orbit")
    assert "Guid" not in plain["Metadata"][0]
    asked = await ask.json("/library/sections/1/all?title=low%20orbit&includeGuids=1")
    assert len(asked["Metadata"][0]["Guid"]) == 3


async def test_pictures(sim: PlexSim, ask: Any) -> None:
    row = (await ask.json("/library/sections/1/all?title=low%20orbit"))["Metadata"][0]
    status, body, headers = await ask.raw(row["thumb"])
    assert (status, headers["Content-Type"], body[:2]) == (200, "image/jpeg", b"\xff\xd8")
    status, small, _ = await ask.raw(f"/photo/:/transcode?width=60&height=90&url={row['thumb']}")
    assert status == 200
    assert len(small) < len(body)
    assert (await ask.raw("/photo/:/transcode?width=60&height=90&url=/etc/passwd"))[0] == 404
    assert (await ask.raw("/photo/:/transcode?width=x&url=" + row["thumb"]))[0] == 400


@pytest.mark.parametrize(
    ("fault", "expected"),
    [(401, 401), (403, 403), (404, 404), (429, 429), (498, 498), (503, 503), (520, 520), ("html", 200), ("empty", 200),
     ("garbage", 200), ("truncate", 200), ("latency", 200), ("slow_body", 200)],
)  # fmt: skip
async def test_faults(sim: PlexSim, ask: Any, fault: int | str, expected: int) -> None:
    _, healthy, _ = await ask.raw("/library/sections")
    struck = sim.faults.add("^/library/sections$", fault, times=1, delay_s=0.02)
    status, body, headers = await ask.raw("/library/sections")
    assert status == expected
    assert struck.hits == 1
    if fault in ("latency", "slow_body"):
        assert body == healthy
    else:
        assert body != healthy
    if fault == "truncate":
        with pytest.raises(ElementTree.ParseError):
            ElementTree.fromstring(body)
    if fault == "html":
        assert headers["Content-Type"].startswith("text/html")
    assert (await ask.raw("/library/sections"))[1] == healthy


async def test_dropped_connections(sim: PlexSim, ask: Any) -> None:
    film = sim.world.find("Low Orbit")
    sim.faults.add("scrobble", "drop", times=1)
    with pytest.raises(aiohttp.ClientError):
        await ask.raw(f"/:/scrobble?key={film.key}", method="POST")  # aiohttp asks again by itself after a broken GET
    assert sim.world.view(1, film).count == 0
    sim.faults.add("scrobble", "drop_after", times=1)
    with pytest.raises(aiohttp.ClientError):
        await ask.raw(f"/:/scrobble?key={film.key}", method="POST")  # aiohttp asks again by itself after a broken GET
    assert sim.world.view(1, film).count == 1


async def test_an_answer_held_until_released(sim: PlexSim, ask: Any) -> None:
    held = await ask.control("/faults", {"path": "/status/sessions", "kind": "hold", "times": 1})
    order: list[str] = []

    async def slow() -> None:
        await ask.raw("/status/sessions")
        order.append("sessions")

    async with asyncio.TaskGroup() as group:
        group.create_task(slow())
        fault = sim.faults.get(held["id"])
        assert fault is not None
        await fault.wait_hit()
        await ask.raw("/identity")
        order.append("identity")
        await ask.control(f"/faults/{held['id']}/release")
    assert order == ["identity", "sessions"]


async def test_oddities_of_sessions_and_totals(sim: PlexSim, ask: Any) -> None:
    await ask.control("/faults", {"sessions_without_user": True, "totals_drift": True})
    sessions = await ask.json("/status/sessions")
    assert len(sessions["Metadata"]) == 3
    assert not any("User" in row for row in sessions["Metadata"])
    pages = [
        await ask.json("/library/sections/1/all", X_Plex_Container_Start=str(n), X_Plex_Container_Size="1")
        for n in range(3)
    ]
    assert len({page["totalSize"] for page in pages}) > 1


async def test_restart_and_new_identity(sim: PlexSim, ask: Any) -> None:
    old = sim.machine_id
    await ask.control("/restart", {"down_s": 5})
    assert (await ask.raw("/identity", token=""))[0] == 503
    sim.clock.jump(6)
    keys = [row["sessionKey"] for row in (await ask.json("/status/sessions"))["Metadata"]]
    assert keys == ["1", "2", "3"]
    await ask.control("/identity")
    assert (await ask.xml("/identity")).get("machineIdentifier") != old


async def test_nothing_but_the_query_carries_a_token(sim: PlexSim, ask: Any) -> None:
    await ask.raw("/library/sections?X-Plex-Token=" + sim.token, token="")
    await ask.raw("/library/sections")
    in_url = [request for request in sim.requests if any(name == "X-Plex-Token" for name, _ in request.query)]
    assert len(in_url) == 1
    assert sim.requests[-1].header("x-plex-token") == sim.token
    logged = await ask.control("/requests?path=/library", method="GET")
    assert len(logged) == 2
    await ask.control("/requests", method="DELETE")
    assert sim.requests == []


async def test_linking_by_pin(sim: PlexSim) -> None:
    headers = {"Accept": "application/json", "X-Plex-Client-Identifier": "me"}
    async with aiohttp.ClientSession(headers=headers) as http:
        async with http.post(f"{sim.account_url}/api/v2/pins") as made:
            pin = await made.json()
            assert (made.status, pin["authToken"], len(pin["code"])) == (201, None, 4)
        async with http.get(f"{sim.account_url}/link?pin={pin['code']}") as page:
            assert re.search("Link as Marcus", await page.text())
        async with http.post(f"{sim.account_url}/link", data={"code": pin["code"], "account": "4200117"}) as linked:
            assert linked.status == 200
        async with http.get(f"{sim.account_url}/api/v2/pins/{pin['id']}") as done:
            assert (await done.json())["authToken"] == sim.account_token_of("Marcus")
        sim.clock.jump(901)
        async with http.get(f"{sim.account_url}/api/v2/pins/{pin['id']}") as late:
            assert late.status == 404


async def test_two_servers_at_once() -> None:
    async with PlexSim(seed=1) as first, PlexSim(seed=2, clock=first.clock) as second:
        assert first.machine_id != second.machine_id
        assert first.token != second.token
        assert not {player.spec.id for player in first.players.values()} & {
            player.spec.id for player in second.players.values()
        }

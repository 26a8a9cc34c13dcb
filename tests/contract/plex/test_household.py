"""Players and people over time: what they do, what the server tells, and driving them over the control API."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from xml.etree import ElementTree

import aiohttp
import pytest
from aiohttp import web

from simulators.plex.sim import PlexSim

TARGET = "X-Plex-Target-Client-Identifier"


async def test_a_player_that_vanishes_and_one_that_dies(sim: PlexSim, ask: Any) -> None:
    spec = sim.play("Living Room TV", "Low Orbit").spec
    sim.clock.jump(120.5)
    base = f"http://127.0.0.1:{sim.server.ports[spec.id]}"
    assert (await ask.raw("/resources", base=base))[0] == 200
    await ask.control("/vanish", {"player": "Living Room TV"})
    with pytest.raises(aiohttp.ClientError):
        await ask.raw("/resources", base=base)
    status, _, _ = await ask.raw("/player/playback/pause?commandID=1", **{TARGET: spec.id})
    assert status == 404
    assert spec.title not in [row["name"] for row in (await ask.json("/clients"))["Server"]]
    await ask.control("/kill", {"player": "Living Room TV"})
    sim.clock.jump(100)
    ghosts = {row["Player"]["title"]: row for row in (await ask.json("/status/sessions"))["Metadata"]}
    assert ghosts["Living Room TV"]["viewOffset"] == 120_000
    sim.clock.jump(100)
    left = [row["Player"]["title"] for row in (await ask.json("/status/sessions"))["Metadata"]]
    assert "Living Room TV" not in left
    await ask.control("/revive", {"player": "Living Room TV"})
    assert (await ask.raw("/resources", base=base))[0] == 200


async def test_a_shield_that_only_the_server_reaches(sim: PlexSim, ask: Any) -> None:
    shield = sim.players["Bedroom Shield"].spec
    with pytest.raises(aiohttp.ClientConnectionError):
        await ask.raw("/resources", base=f"http://127.0.0.1:{sim.server.ports[shield.id]}")
    poll = await ask.xml("/player/timeline/poll?commandID=1&wait=0", **{TARGET: shield.id})
    assert [line.get("state") for line in poll] == ["stopped"] * 3


async def test_old_commands_are_ignored(sim: PlexSim, ask: Any) -> None:
    player = sim.play("Living Room TV", "Low Orbit")
    sim.clock.jump(10)
    base = f"http://127.0.0.1:{sim.server.ports[player.spec.id]}"
    for command, number in (("pause", 5), ("play", 4), ("play", 5)):
        status, body, _ = await ask.raw(f"/player/playback/{command}?commandID={number}", base=base)
        assert status == 200
        assert b'status="OK"' in body
    assert player.state == "paused"
    assert player.stale_commands == 2
    await ask.raw("/player/playback/play?commandID=1", base=base)
    assert player.state == "playing"


async def test_a_subscribed_controller_is_told_and_a_lost_one_forgotten(sim: PlexSim, ask: Any) -> None:
    told_states: asyncio.Queue[str] = asyncio.Queue()

    async def listen(request: web.Request) -> web.Response:
        video = ElementTree.fromstring(await request.text())[2]
        told_states.put_nowait(video.get("state", ""))
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/:/timeline", listen)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    spec = sim.players["Living Room TV"].spec
    base, port = f"http://127.0.0.1:{sim.server.ports[spec.id]}", runner.addresses[0][1]
    path = f"/player/timeline/subscribe?protocol=http&port={port}&commandID=1"
    assert (await ask.raw(path, base=base))[0] == 200
    assert await asyncio.wait_for(told_states.get(), 5) == "stopped"
    sim.play("Living Room TV", "Low Orbit")
    assert await asyncio.wait_for(told_states.get(), 5) == "buffering"
    await runner.cleanup()
    sim.clock.jump(1)
    assert sim.players["Living Room TV"].state == "playing"
    assert (await ask.raw(path.replace(str(port), "0"), base=base))[0] == 400


async def test_a_text_only_player(sim: PlexSim, ask: Any) -> None:
    roku = sim.play("Guest Room Roku", "Low Orbit").spec
    status, body, _ = await ask.raw(
        "/player/playback/pause?commandID=1", base=f"http://127.0.0.1:{sim.server.ports[roku.id]}"
    )
    assert (status, body) == (200, b"OK")
    assert sim.players["Guest Room Roku"].state == "paused"


async def test_choosing_streams_shows_in_session_and_timeline(sim: PlexSim, ask: Any) -> None:
    film = next(
        item for item in sim.world.listed(1, "movie")
        if sum(each.kind == 3 for each in sim.world.facts(item).media[0].parts[0].streams) > 1
    )  # fmt: skip
    player = sim.play("Living Room TV", film)
    streams = sim.world.facts(film).media[0].parts[0].streams
    wanted = [each.id for each in streams if each.kind == 3][1]
    base = f"http://127.0.0.1:{sim.server.ports[player.spec.id]}"
    await ask.raw(f"/player/playback/setStreams?subtitleStreamID={wanted}&commandID=1&type=video", base=base)
    sim.clock.jump(1)
    poll = await ask.xml("/player/timeline/poll?wait=0&commandID=2", base=base)
    assert poll[2].get("subtitleStreamID") == str(wanted)
    session = next(row for row in (await ask.xml("/status/sessions")) if row.get("title") == film.title)
    shown = {each.get("id") for each in session.iter("Stream")}
    assert str(wanted) in shown
    await ask.raw("/player/playback/setStreams?subtitleStreamID=0&commandID=3&type=video", base=base)
    poll = await ask.xml("/player/timeline/poll?wait=0&commandID=4", base=base)
    assert poll[2].get("subtitleStreamID") == "-1"
    status, _, _ = await ask.raw("/player/playback/setStreams?audioStreamID=1&commandID=5", base=base)
    assert status == 400


async def test_watching_to_the_end(sim: PlexSim, ask: Any) -> None:
    film = sim.world.find("Low Orbit")
    sim.play("Living Room TV", film, "Marcus")
    sim.clock.jump(600.5)
    assert (await ask.json(f"/library/metadata/{film.key}", token=sim.token_of("Marcus")))["Metadata"][0][
        "viewOffset"
    ] == 600_000
    sim.clock.jump((film.duration_ms or 0) / 1000)
    mine = (await ask.json(f"/library/metadata/{film.key}", token=sim.token_of("Marcus")))["Metadata"][0]
    assert mine["viewCount"] == 1
    assert "viewOffset" not in mine
    history = await ask.json("/status/sessions/history/all?accountID=4200117&sort=viewedAt:desc")
    assert history["Metadata"][0]["title"] == "Low Orbit"
    assert history["Metadata"][0]["accountID"] == 4_200_117


async def test_the_websocket_tells_what_happens(sim: PlexSim) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{sim.url}/:/websockets/notifications")
        assert refused.value.status == 401
        headers = {"X-Plex-Token": sim.token}
        async with http.ws_connect(f"{sim.url}/:/websockets/notifications", headers=headers) as socket:
            sim.play("Living Room TV", "Low Orbit")
            seen = [await told(socket) for _ in range(1)]
            sim.clock.jump(10.5)
            seen += [await told(socket) for _ in range(2)]
            mine = [entry for entry in seen if entry["state"] != "paused"]
            assert [entry["state"] for entry in mine[:2]] == ["buffering", "playing"]
            sim.server.restart()
            while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                assert json.loads(message.data)
            assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


async def told(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    """The next word about the Living Room TV."""
    while True:
        container = (await socket.receive_json(timeout=5))["NotificationContainer"]
        for entry in container.get("PlaySessionStateNotification", []):
            if entry["clientIdentifier"].startswith("htpc-"):
                found: dict[str, Any] = entry
                return found


async def test_a_scan_announces_itself(sim: PlexSim, ask: Any) -> None:
    listener = sim.server.notifications.join(sim.server.owner)
    await ask.raw("/library/sections/1/refresh")
    await ask.control("/titles/add", {"title": "Brand New", "year": 2026})
    kinds = []
    while "status" not in kinds:
        sim.clock.jump(3)
        container = json.loads(await asyncio.wait_for(listener.next(), 5) or "")["NotificationContainer"]
        kinds.append(container["type"])
    assert kinds.count("activity") == 7
    assert kinds.count("timeline") == 2
    assert sim.world.find("Brand New").section == 1


async def test_the_clock_is_followed_and_driven(sim: PlexSim, ask: Any) -> None:
    first = await ask.control("/clock", method="GET")
    async with asyncio.TaskGroup() as group:
        held = group.create_task(ask.control(f"/clock?version={first['version']}", method="GET"))
        await asyncio.sleep(0.02)
        assert not held.done()
        moved = await ask.control("/clock", {"jump": 3600})
    assert held.result()["now"] == moved["now"] == first["now"] + 3600
    assert (await ask.control("/clock", {"speed": 30}))["speed"] == 30
    assert "error" in await ask.control("/clock", {"jump": -1})
    assert "error" in await ask.control("/clock", {"speed": "fast"})


async def test_control_play_state_and_mistakes(sim: PlexSim, ask: Any) -> None:
    await ask.control("/play", {"player": "Old Tablet", "title": "Blue Hour", "user": "Yuki", "offset_ms": 5000})
    state = await ask.control("/state", method="GET")
    tablet = next(player for player in state["players"] if player["title"] == "Old Tablet")
    assert (tablet["playing"], tablet["account"], tablet["position_ms"]) == ("Blue Hour", "Yuki", 5000)
    assert len(state["sessions"]) == 4
    old = sim.world.find("Blue Hour").key
    new = (await ask.control("/titles/rekey", {"title": "Blue Hour"}))["key"]
    assert new != old
    await ask.control("/titles/remove", {"key": new})
    assert (await ask.raw(f"/library/metadata/{new}"))[0] == 404
    for path, body in (
        ("/play", {"player": "Toaster", "title": "Ironwood"}), ("/play", {"player": "Old Tablet", "title": "Nope"}),
        ("/faults", {"path": "x", "kind": "explode"}), ("/faults", {"path": "("}), ("/titles/add", {"section": 99}),
    ):  # fmt: skip
        assert "error" in await ask.control(path, body), path


async def test_the_household_lives_on_when_a_film_ends(sim: PlexSim) -> None:
    first = sim.players["Plex Web (Chrome)"].item
    sim.clock.jump(4 * 3600)
    assert sim.players["Plex Web (Chrome)"].state == "stopped"
    listener = sim.server.notifications.join(sim.server.owner)
    sim.clock.jump(300)
    player = sim.server.player("Plex Web (Chrome)")
    while player.item is None:
        await asyncio.wait_for(listener.next(), 5)
    assert sim.players["Plex Web (Chrome)"].item is not first


async def test_a_taken_port_leaves_nothing_open(sim: PlexSim) -> None:
    with pytest.raises(OSError, match="address already in use"):
        async with PlexSim(seed=9, port=sim.server.ports["server"]):
            pass

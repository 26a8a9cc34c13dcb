"""The traps of Plex and of plexapi, one group each. Where plexapi is trapped itself, the test shows that first."""

from __future__ import annotations

import asyncio
import traceback
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import plexapi
import pytest
from plexapi.client import PlexClient
from plexapi.server import PlexServer

from daemon.core.errors import UpstreamError, UpstreamKind, UserError
from daemon.core.ids import PlayerId
from daemon.core.media import PlayState, TitleKind
from daemon.kernel.breaker import Breaker
from integrations.plex import PlexServerConfig
from integrations.plex.adapter import Adapter, AdapterThreads
from integrations.plex.adapter_calls import Calls
from integrations.plex.adapter_values import ServerSpec, Target
from integrations.plex.http import new_session
from simulators.plex.household import LIVING_ROOM, PLEXAMP, ROKU, SHIELD
from simulators.plex.sim import PlexSim
from tests.integration.plex.stage import ATTIC, CLIENT, QUICK, Stage, running, until

STATUSES = {
    401: UpstreamKind.UNAUTHORIZED,
    403: UpstreamKind.FORBIDDEN,
    404: UpstreamKind.NOT_FOUND,
    429: UpstreamKind.BUSY,
    498: UpstreamKind.UNAUTHORIZED,
    503: UpstreamKind.BUSY,
    520: UpstreamKind.BROKEN,
    522: UpstreamKind.BROKEN,
}
BODIES = ("html", "empty", "garbage", "truncate")


def spec(sim: PlexSim, **other: Any) -> ServerSpec:
    given: dict[str, Any] = {
        "service": "Plex server attic",
        "url": sim.url,
        "token": sim.token,
        "machine_id": sim.machine_id,
        "client_identifier": CLIENT,
        "connect_s": 1.0,
        "request_s": 3.0,
        "player_s": 1.0,
    }
    return ServerSpec(**{**given, **other})


def adapter_for(sim: PlexSim, **other: Any) -> Adapter:
    breaker = Breaker("test")
    return Adapter(AdapterThreads(), spec(sim, **other), breaker.call)


def target(sim: PlexSim, name: str) -> Target:
    player = sim.server.player(name).spec
    return Target(
        player.id, name, player.product, f"http://127.0.0.1:{sim.server.ports[player.id]}", player.capabilities
    )


class TestLazyReload:
    """A listed object asks the server for every attribute that a listing lacks."""

    async def test_an_attribute_that_is_missing_costs_no_request(self, sim: PlexSim) -> None:
        def look() -> int:
            assert Calls is not None  # importing our adapter is what switches it off
            server = PlexServer(sim.url, sim.token)
            server._session.headers["X-Plex-Client-Identifier"] = CLIENT
            movies = server.fetchItems("/library/sections/1/all", container_size=20, maxresults=20)
            before = len(sim.requests)
            seen = [(movie.originalTitle, movie.collections, movie.labels, movie.editionTitle) for movie in movies]
            assert len(seen) == 20
            return len(sim.requests) - before

        base = dict(plexapi.BASE_HEADERS)
        plexapi.BASE_HEADERS["X-Plex-Client-Identifier"] = CLIENT
        try:
            assert await asyncio.to_thread(look) == 0
        finally:
            plexapi.BASE_HEADERS.clear()
            plexapi.BASE_HEADERS.update(base)

    async def test_our_own_reading_asks_once_a_page(self, stage: Stage) -> None:
        page = await stage.plex.mirrors()[0].page("1", TitleKind.MOVIE, 0)
        assert len(page.titles) > 20
        assert len(stage.asked("/library/sections/1/all")) == 1
        assert stage.asked("/library/metadata/") == []


class TestGlobalHeaders:
    """PlexClient writes token and target of one player into headers that every later request sends."""

    def test_plexapi_still_does_so(self) -> None:
        before = dict(plexapi.BASE_HEADERS)
        try:
            client = PlexClient(baseurl="http://127.0.0.1:1", token="leaked", connect=False)
            client._headers(**{"X-Plex-Target-Client-Identifier": "somebody"})
            assert plexapi.BASE_HEADERS["X-Plex-Token"] == "leaked"
        finally:
            plexapi.BASE_HEADERS.clear()
            plexapi.BASE_HEADERS.update(before)

    async def test_commands_leave_the_global_headers_alone(self, stage: Stage) -> None:
        before = dict(plexapi.BASE_HEADERS)
        names = (LIVING_ROOM, SHIELD, ROKU, PLEXAMP)
        await asyncio.gather(*(stage.plex.set_volume(stage.player(name), 40) for name in names for _ in range(5)))
        assert before == plexapi.BASE_HEADERS
        assert [stage.sim.players[name].volume for name in names] == [40] * 4

    async def test_no_player_gets_the_command_or_the_token_of_another(self, stage: Stage) -> None:
        names = (LIVING_ROOM, SHIELD, ROKU, PLEXAMP)
        await asyncio.gather(*(stage.plex.pause(stage.player(name)) for name in names for _ in range(10)))
        commands = [seen for seen in stage.sim.requests if seen.path == "/player/playback/pause"]
        assert len(commands) >= 40
        for seen in commands:
            to = seen.header("X-Plex-Target-Client-Identifier")
            if seen.where == "server":
                assert to == stage.player(SHIELD).player_id
            else:
                assert seen.where == f"player:{to}"
                assert seen.header("X-Plex-Token") != stage.sim.token
        await stage.plex.play(stage.player(LIVING_ROOM), stage.title("Low Orbit"), resume=False, shuffle=False)
        others = [seen for seen in stage.sim.requests if not seen.path.startswith("/player/")]
        assert {"/playQueues", "/security/token"} <= {seen.path for seen in others}
        for seen in others:
            assert seen.header("X-Plex-Target-Client-Identifier") is None
            assert seen.header("X-Plex-Token") == stage.sim.token


class TestStatuses:
    """498 and 520-530 are a TypeError to plexapi; 403, 429 and 503 all the same BadRequest."""

    async def test_plexapi_still_trips(self, sim: PlexSim) -> None:
        sim.faults.add("/identity", 520)

        def ask() -> None:
            server = PlexServer.__new__(PlexServer)
            plain = {"X-Plex-Client-Identifier": CLIENT}
            server._baseurl, server._token, server._showSecrets, server._timeout = sim.url, None, False, 5
            server._session = __import__("requests").Session()
            server.query("/identity", headers=plain)

        with pytest.raises(TypeError):
            await asyncio.to_thread(ask)

    @pytest.mark.parametrize("status", STATUSES)
    async def test_reading(self, stage: Stage, status: int) -> None:
        stage.sim.faults.add("/library/metadata/", status, times=1)
        stage.sim.faults.add("/playlists/", status, times=1)
        ref = stage.title("Low Orbit")
        if status == 404:
            with pytest.raises(UserError, match="no longer"):
                await stage.plex.title(ref)
            return
        with pytest.raises(UpstreamError) as caught:
            await stage.plex.title(ref)
        assert caught.value.kind is STATUSES[status]

    @pytest.mark.parametrize("status", STATUSES)
    async def test_commands(self, sim: PlexSim, status: int) -> None:
        adapter = adapter_for(sim)
        sim.faults.add("/playQueues", status)
        with pytest.raises(UpstreamError) as caught:
            await adapter.create_queue({"uri": "x", "type": "video"})
        assert caught.value.kind is STATUSES[status]
        assert caught.value.detail == f"HTTP {status}"
        adapter.close()

    async def test_a_server_that_starts_up_is_waited_for(self, sim: PlexSim, tmp_path: Path) -> None:
        fault = sim.faults.add(".", 503)
        async with running(sim, tmp_path) as stage:
            await until(lambda: "busy or starting" in stage.check())
            sim.faults.remove(fault)
            await stage.ready()
            assert stage.check().startswith("Marquee House")


class TestWebPages:
    """A proxy's page with status 200, or nothing at all, makes a PlexServer whose machineIdentifier is None."""

    @pytest.mark.parametrize("body", BODIES)
    async def test_reading(self, sim: PlexSim, tmp_path: Path, body: str) -> None:
        fault = sim.faults.add("^/$", body)
        async with running(sim, tmp_path) as stage:
            await until(lambda: "unreadable" in stage.check())
            assert await stage.registry.machine_id(ATTIC) is None
            sim.faults.remove(fault)
            await stage.ready()
            assert await stage.registry.machine_id(ATTIC) == sim.machine_id

    @pytest.mark.parametrize("body", BODIES)
    @pytest.mark.parametrize("path", ["^/$", "/playQueues"])
    async def test_commands(self, sim: PlexSim, path: str, body: str) -> None:
        adapter = adapter_for(sim)
        key = sim.world.find("Low Orbit").key
        sim.faults.add(path, body)
        with pytest.raises(UpstreamError) as caught:
            await adapter.create_queue({"uri": f"server://{sim.machine_id}/x/library/metadata/{key}", "type": "video"})
        assert caught.value.kind is UpstreamKind.BROKEN
        adapter.close()

    async def test_a_page_instead_of_a_player_s_answer_is_no_answer(self, stage: Stage) -> None:
        """To plexapi it is bad XML, as the bare "OK" of many players is: the command would seem to be accepted."""
        player = stage.player(ROKU)
        stage.sim.faults.add("/player/playback/", "html", where=player.player_id)
        await stage.plex.set_volume(player, 12)
        assert stage.sim.players[ROKU].volume == 12  # it went through the server

    async def test_a_page_instead_of_sessions_is_a_silent_server(self, stage: Stage) -> None:
        stage.sim.faults.add("/status/sessions", "html")
        now = await stage.plex.now_playing()
        assert (now.playbacks, now.silent_servers) == ((), (ATTIC,))


class TestAnotherServer:
    """The address answers, but it is not the server we know."""

    async def test_it_is_noticed_while_running(self, stage: Stage) -> None:
        stage.sim.server.change_identity()
        stage.sim.server.restart()
        await until(lambda: "another Plex server" in stage.check())
        assert not stage.plex.server_states()[0].is_up
        with pytest.raises(UpstreamError) as caught:
            await stage.plex.play(stage.player(LIVING_ROOM), stage.title("Low Orbit"), resume=True, shuffle=False)
        assert caught.value.kind is UpstreamKind.WRONG_SERVER

    async def test_it_is_noticed_after_a_restart_of_ours(self, sim: PlexSim, tmp_path: Path) -> None:
        async with running(sim, tmp_path) as first:
            await first.ready()
        sim.server.change_identity()
        async with running(sim, tmp_path) as second:
            await until(lambda: "another Plex server" in second.check())
            assert not (await second.live.search("low orbit", [ATTIC], 25)).is_complete

    async def test_the_adapter_looks_for_itself(self, sim: PlexSim) -> None:
        adapter = adapter_for(sim, machine_id="not-this-one")
        with pytest.raises(UpstreamError) as caught:
            await adapter.create_queue({"uri": "x", "type": "video"})
        assert caught.value.kind is UpstreamKind.WRONG_SERVER
        assert [seen.path for seen in sim.requests] == ["/"]
        adapter.close()


class TestSessionsWithoutUser:
    """One session without a user loses all of them to plexapi."""

    async def test_all_are_read(self, stage: Stage) -> None:
        stage.sim.play(LIVING_ROOM, "Low Orbit")
        stage.sim.play(PLEXAMP, stage.sim.world.listed(3, "track")[0], "Yuki")
        stage.sim.faults.sessions_without_user = True
        playbacks = (await stage.plex.now_playing()).playbacks
        assert [playback.account for playback in playbacks] == [None, None]
        assert playbacks[0].title.name == "Low Orbit"


class TestNotices:
    """AlertListener never comes back, never pings, and has the token in its URL."""

    async def test_the_connection_comes_back(self, stage: Stage) -> None:
        await until(lambda: stage.sim.server.notifications.listeners == 1)
        for count in range(3):
            stage.sim.server.notifications.drop_all()
            await until(lambda: len(stage.asked("/:/websockets")) > count)  # noqa: B023  awaited at once
            await until(lambda: stage.sim.server.notifications.listeners == 1)
        stage.changes.clear()
        stage.sim.play(LIVING_ROOM, "Low Orbit")
        await until(lambda: (ATTIC, stage.player(LIVING_ROOM).player_id) in stage.changes)

    @pytest.mark.parametrize("status", [401, 403, 503])
    async def test_a_refused_handshake_is_not_the_end(self, sim: PlexSim, tmp_path: Path, status: int) -> None:
        fault = sim.faults.add("/:/websockets", status)
        async with running(sim, tmp_path) as stage:
            await stage.ready()
            await until(lambda: fault.hits >= 3)
            assert stage.plex.server_states()[0].is_up
            sim.faults.remove(fault)
            await until(lambda: sim.server.notifications.listeners == 1)


class TestClientIdentifier:
    """plexapi introduces itself by the machine's network address, which changes in containers."""

    async def test_every_request_carries_ours(self, stage: Stage) -> None:
        await stage.plex.play(stage.player(LIVING_ROOM), stage.title("Low Orbit"), resume=False, shuffle=False)
        await stage.plex.pause(stage.player(SHIELD))
        await until(lambda: stage.sim.server.notifications.listeners == 1)
        asked = {seen.path for seen in stage.sim.requests}
        assert {"/", "/playQueues", "/security/token", "/player/playback/playMedia"} <= asked
        mac = hex(uuid.getnode())
        for seen in stage.sim.requests:
            assert seen.header("X-Plex-Client-Identifier") == CLIENT
            assert mac not in [value for _, value in seen.headers]


class TestLeakingErrors:
    """requests' and the parser's own exceptions pass through plexapi, with URLs, and those with tokens."""

    @pytest.mark.parametrize("fault", ["drop", "drop_after", "truncate", "garbage", "html", 403, 520])
    async def test_no_failure_of_playing_shows_a_url_or_a_token(self, sim: PlexSim, fault: str | int) -> None:
        adapter = adapter_for(sim)
        token = await adapter.delegation_token()
        assert token
        assert token.startswith("transient-")
        sim.faults.add("/player/playback/playMedia", fault)
        for is_proxied in (False, True):
            try:
                await adapter.command(
                    target(sim, LIVING_ROOM), "playback/playMedia", {"token": token, "key": "/x"}, is_proxied=is_proxied
                )
            except UpstreamError as error:
                text = "".join(traceback.format_exception(error))
                assert "transient-" not in text
                assert sim.token not in text
                assert "http://" not in text
            else:
                assert fault in ("truncate", "garbage")  # an answer that is no XML is an answer
        adapter.close()

    async def test_a_refused_connection_shows_neither(self, sim: PlexSim) -> None:
        """The text of this error holds the whole query."""
        adapter = adapter_for(sim)
        token = await adapter.delegation_token()
        assert token
        with pytest.raises(UpstreamError) as caught:
            await adapter.command(target(sim, SHIELD), "playback/playMedia", {"token": token}, is_proxied=False)
        assert caught.value.kind is UpstreamKind.UNREACHABLE
        assert token not in "".join(traceback.format_exception(caught.value))
        adapter.close()

    async def test_a_body_that_stops_has_timed_out(self, sim: PlexSim) -> None:
        adapter = adapter_for(sim, request_s=0.1)
        sim.faults.add("/$", "slow_body", delay_s=2.4)
        with pytest.raises(UpstreamError) as caught:
            await adapter.create_queue({"uri": "x", "type": "video"})
        assert caught.value.kind is UpstreamKind.TIMED_OUT
        adapter.close()

    async def test_a_dropped_connection_is_unreachable(self, sim: PlexSim) -> None:
        adapter = adapter_for(sim)
        sim.faults.add("/playQueues", "drop")
        with pytest.raises(UpstreamError) as caught:
            await adapter.create_queue({"uri": "x", "type": "video"})
        assert caught.value.kind is UpstreamKind.UNREACHABLE
        adapter.close()

    async def test_a_body_that_drips_does_not_hold_a_thread(self, sim: PlexSim) -> None:
        """A read time-out starts anew with every byte: only the sum is bounded."""
        adapter = adapter_for(sim, request_s=0.3)
        sim.faults.add("/$", "slow_body", delay_s=1.6)
        with pytest.raises(UpstreamError) as caught:
            await adapter.create_queue({"uri": "x", "type": "video"})
        assert caught.value.kind is UpstreamKind.TIMED_OUT
        assert sim.requests == []  # the server is still dripping
        adapter.close()

    async def test_an_unreachable_server_says_so(self, sim: PlexSim, tmp_path: Path) -> None:
        servers = {ATTIC: PlexServerConfig("http://127.0.0.1:9", "s3cret-token")}
        async with running(sim, tmp_path, servers=servers) as stage:
            await until(lambda: "unreachable" in stage.check())
            assert "MARQUEE_PLEX__SERVERS__ATTIC__URL" in stage.check()
            assert "s3cret" not in str(stage.plex.server_states())
            with pytest.raises(UpstreamError):
                await stage.plex.play(stage.player(LIVING_ROOM), stage.title("Low Orbit"), resume=True, shuffle=False)


class TestAnswersOfPlayers:
    """Players answer commands with "OK", with nothing, with XML never closed, or with 404 and 406."""

    @pytest.mark.parametrize("name", [LIVING_ROOM, PLEXAMP, ROKU])
    @pytest.mark.parametrize("body", ["empty", "truncate", "garbage"])
    async def test_an_odd_body_is_an_answer(self, stage: Stage, name: str, body: str) -> None:
        stage.sim.faults.add("/player/playback/", body, where=stage.player(name).player_id)
        await stage.plex.pause(stage.player(name))
        assert not [seen for seen in stage.sim.requests if seen.where == "server" and "/player/playback" in seen.path]

    @pytest.mark.parametrize("status", [404, 406])
    async def test_what_a_player_refuses_directly_goes_through_the_server(self, stage: Stage, status: int) -> None:
        player = stage.player(LIVING_ROOM)
        stage.sim.faults.add("/player/playback/", status, where=player.player_id)
        await stage.plex.set_volume(player, 33)
        assert stage.sim.players[LIVING_ROOM].volume == 33

    async def test_polls_that_a_player_does_not_know_do_not_make_it_uncontrollable(
        self, sim: PlexSim, tmp_path: Path
    ) -> None:
        sim.faults.add("/player/timeline/poll", 404)
        async with running(sim, tmp_path) as stage:
            await stage.ready()
            known = {player.name: player for player in await stage.plex.players()}
            assert known[LIVING_ROOM].is_controllable
            await stage.plex.play(stage.player(LIVING_ROOM), stage.title("Low Orbit"), resume=False, shuffle=False)
            playback = await stage.plex.playback(stage.player(LIVING_ROOM))
            assert playback is not None
            assert (playback.state, playback.volume) == (PlayState.PLAYING, None)


class TestRedirects:
    """Whoever answers for the server could send the token to another place."""

    @asynccontextmanager
    async def redirecting(self, sim: PlexSim) -> AsyncIterator[str]:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
            head = f"HTTP/1.1 302 Found\r\nLocation: {sim.url}{path}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            writer.write(head.encode())
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def test_reading_does_not_follow(self, sim: PlexSim, tmp_path: Path) -> None:
        async with self.redirecting(sim) as url:
            servers = {ATTIC: PlexServerConfig(url, sim.token)}
            async with running(sim, tmp_path, servers=servers) as stage:
                await until(lambda: "HTTP 302" in stage.check())
        assert sim.requests == []

    async def test_commands_do_not_follow(self, sim: PlexSim) -> None:
        async with self.redirecting(sim) as url:
            adapter = adapter_for(sim, url=url)
            with pytest.raises(UpstreamError, match="HTTP 302"):
                await adapter.create_queue({"uri": "x", "type": "video"})
            adapter.close()
        assert sim.requests == []

    async def test_the_websocket_does_not_follow(self, sim: PlexSim) -> None:
        async with self.redirecting(sim) as url, new_session() as session:
            with pytest.raises(aiohttp.ClientError):
                async with session.ws_connect(f"{url}/:/websockets/notifications", headers={"X-Plex-Token": sim.token}):
                    pass
        assert sim.requests == []


class TestCommandNumbers:
    """A player ignores a command whose number it has seen, also from before our restart."""

    async def test_numbers_rise_for_every_player(self, stage: Stage) -> None:
        for _ in range(3):
            await stage.plex.set_volume(stage.player(LIVING_ROOM), 50)
            await stage.plex.set_volume(stage.player(SHIELD), 50)
        for name in (LIVING_ROOM, SHIELD):
            numbers = [
                int(dict(seen.query)["commandID"])
                for seen in stage.sim.requests
                if seen.path.startswith("/player/")
                and seen.header("X-Plex-Target-Client-Identifier") == player_id(stage, name)
            ]
            assert numbers == sorted(set(numbers))
            assert stage.sim.players[name].stale_commands == 0

    async def test_numbers_go_on_after_a_restart(self, sim: PlexSim, tmp_path: Path) -> None:
        for volume in (10, 20):
            async with running(sim, tmp_path) as stage:
                await stage.ready()
                await stage.plex.set_volume(stage.player(LIVING_ROOM), volume)
                assert sim.players[LIVING_ROOM].volume == volume
            sim.clock.jump(60)
        assert sim.players[LIVING_ROOM].stale_commands == 0


def player_id(stage: Stage, name: str) -> PlayerId:
    return stage.player(name).player_id


def test_the_quick_settings_stay_quick() -> None:
    assert QUICK.retry_max_s <= 0.1

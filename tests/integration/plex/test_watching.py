"""What plays: sessions, players' own word, notices, several servers, tokens with fewer rights."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.core.errors import UpstreamError, UpstreamKind, UserError
from daemon.core.ids import PlayerId, RatingKey, ServerId
from daemon.core.media import Playback, PlayerRef, PlayState, TitleRef
from daemon.kernel.health import Status
from daemon.kernel.trace import current_trace_id
from integrations.plex import PlexServerConfig
from simulators.plex.household import CHROME, IPAD, LIVING_ROOM, PLEXAMP, SHIELD
from simulators.plex.sim import PlexSim
from tests.integration.plex.stage import ATTIC, QUICK, Stage, running, until

CELLAR = ServerId("cellar")


async def playback(stage: Stage, player: str) -> Playback:
    found = await stage.plex.playback(stage.player(player))
    assert found is not None
    return found


async def started(stage: Stage, player: str, title: str) -> None:
    """Somebody starts a title on the player itself, and the daemon has heard of it."""
    await until(lambda: stage.sim.server.notifications.listeners == 1)
    stage.changes.clear()
    stage.sim.play(player, title)
    await until(lambda: (ATTIC, stage.player(player).player_id) in stage.changes)


class TestNow:
    async def test_who_watches_what(self, stage: Stage) -> None:
        stage.sim.play(LIVING_ROOM, "Low Orbit")
        stage.sim.play(IPAD, "Ironwood", "Yuki")
        now = await stage.plex.now_playing()
        assert [(p.account, p.title.name, p.player.name) for p in now.playbacks] == [
            ("Olivia", "Low Orbit", LIVING_ROOM),
            ("Yuki", "Ironwood", IPAD),
        ]
        assert [p.is_transcoding for p in now.playbacks] == [False, True]
        assert now.silent_servers == ()

    async def test_nobody(self, stage: Stage) -> None:
        assert (await stage.plex.now_playing()).playbacks == ()

    async def test_what_a_server_told_before_stands_in_for_it_with_its_age(self, sim: PlexSim, tmp_path: Path) -> None:
        async with running(sim, tmp_path) as stage:
            await stage.ready()
            await started(stage, LIVING_ROOM, "Low Orbit")
            told = await stage.plex.now_playing()
            fault = sim.faults.add("/status/sessions", 503)
            stage.changes.clear()
            sim.play(SHIELD, "Ironwood")
            await until(lambda: stage.changes)
            now = await stage.plex.now_playing()
            assert fault.hits
            assert now.playbacks == told.playbacks
            assert not now.is_blind
            assert now.silent_servers == ()
            assert list(now.failures) == [ATTIC]
            assert 0 <= now.ages_s[ATTIC] < 60
            sim.faults.clear()
            await until(lambda: stage.health.report().checks["breaker:plex:attic"].status is Status.PASS)
            now = await stage.plex.now_playing()
            assert (len(now.playbacks), now.ages_s, now.failures) == (2, {}, {})

    async def test_a_refusal_has_no_substitute(self, sim: PlexSim, tmp_path: Path) -> None:
        async with running(sim, tmp_path) as stage:
            await stage.ready()
            await started(stage, LIVING_ROOM, "Low Orbit")
            assert (await stage.plex.now_playing()).playbacks
            sim.faults.add(".", 401)
            stage.changes.clear()
            sim.play(SHIELD, "Ironwood")
            await until(lambda: not stage.plex.server_states()[0].is_up)
            now = await stage.plex.now_playing()
            assert now.is_blind
            assert now.playbacks == ()

    async def test_what_played_at_the_start_is_known_without_being_asked_for(
        self, sim: PlexSim, tmp_path: Path
    ) -> None:
        sim.play(LIVING_ROOM, "Low Orbit")
        async with running(sim, tmp_path) as stage:
            await stage.cache.start()
            await stage.ready()
            await until(lambda: stage.asked("/status/sessions"))
            await until(lambda: stage.supervisor.count("cache") == 0)
            sim.faults.add(".", 503)
            await until(lambda: not stage.plex.server_states()[0].is_up)
            async with asyncio.timeout(10):
                while not (now := await stage.plex.now_playing()).ages_s:  # noqa: ASYNC110  a second-old reading is fresh
                    await asyncio.sleep(0.01)
            assert [playback.title.name for playback in now.playbacks] == ["Low Orbit"]

    async def test_many_who_ask_at_once_share_one_reading(self, sim: PlexSim, tmp_path: Path) -> None:
        async with running(sim, tmp_path) as stage:
            await stage.ready()
            sim.server.requests.clear()
            await asyncio.gather(*(stage.plex.now_playing() for _ in range(20)))
            assert len(stage.asked("/status/sessions")) == 1

    async def test_somebody_else_s_token(self, sim: PlexSim, tmp_path: Path) -> None:
        servers = {ATTIC: PlexServerConfig(sim.url, sim.token_of("Marcus"))}
        async with running(sim, tmp_path, servers=servers) as stage:
            await stage.ready()
            now = await stage.plex.now_playing()
            assert now.silent_servers == (ATTIC,)
            assert "not the server owner's" in stage.check()
            assert stage.plex.server_states()[0].is_up
            started = await stage.plex.play(
                stage.player(LIVING_ROOM), stage.title("Low Orbit"), resume=True, shuffle=False
            )
            assert started.name == "Low Orbit"
            assert (await playback(stage, LIVING_ROOM)).title.name == "Low Orbit"  # the player itself tells

    async def test_a_rejected_token(self, sim: PlexSim, tmp_path: Path) -> None:
        async with running(sim, tmp_path, servers={ATTIC: PlexServerConfig(sim.url, "wrong")}) as stage:
            await until(lambda: "rejected the token" in stage.check())
            assert "MARQUEE_PLEX__SERVERS__ATTIC__TOKEN" in stage.check()
            with pytest.raises(UpstreamError) as caught:
                await stage.plex.title(stage.title("Low Orbit"))
            assert caught.value.kind is UpstreamKind.UNAUTHORIZED


class TestPlayback:
    async def test_the_player_knows_better_where_it_is(self, stage: Stage) -> None:
        stage.sim.clock.set_speed(0)
        stage.sim.play(LIVING_ROOM, "Low Orbit", offset_ms=30_000)
        stage.sim.server.player(LIVING_ROOM).volume = 62
        found = await playback(stage, LIVING_ROOM)
        assert (found.volume, found.state, found.session_key) == (62, PlayState.PLAYING, "1")
        before = found.position_ms
        stage.sim.clock.jump(7)  # less than the 10 s between a player's reports
        assert (await playback(stage, LIVING_ROOM)).position_ms == before + 7_000

    async def test_without_a_word_of_the_player_the_session_does(self, stage: Stage) -> None:
        stage.sim.play(LIVING_ROOM, "Low Orbit")
        stage.sim.faults.add("/player/timeline/poll", 503)
        found = await playback(stage, LIVING_ROOM)
        assert (found.volume, found.title.name) == (None, "Low Orbit")
        assert len(found.audio) >= 1

    async def test_without_a_session_the_word_of_the_player_does(self, stage: Stage) -> None:
        stage.sim.play(SHIELD, "Low Orbit")
        stage.sim.faults.add("/status/sessions", 503)
        found = await playback(stage, SHIELD)
        assert (found.title.name, found.session_key, found.volume) == ("Low Orbit", None, 100)

    async def test_neither(self, stage: Stage) -> None:
        await stage.plex.players()
        await started(stage, LIVING_ROOM, "Low Orbit")
        stage.sim.faults.add("/status/sessions", 503)
        stage.sim.faults.add("/player/", 503)
        with pytest.raises(UpstreamError) as caught:
            await stage.plex.playback(stage.player(LIVING_ROOM))
        assert caught.value.kind is UpstreamKind.BUSY

    async def test_all_streams_are_offered_though_the_session_names_only_those_in_use(self, stage: Stage) -> None:
        stage.sim.play(CHROME, "Neon Monsoon", "Marcus")
        session = (await stage.plex.now_playing()).playbacks[0]
        found = await playback(stage, CHROME)
        assert len(session.audio) == 1
        assert len(found.audio) > 1
        assert [stream.stream_id for stream in found.audio if stream.is_selected] == [session.audio[0].stream_id]

    async def test_a_session_left_over(self, stage: Stage) -> None:
        """A killed app: the session stays for minutes; the player itself does not answer any more."""
        stage.sim.play(LIVING_ROOM, "Low Orbit")
        await playback(stage, LIVING_ROOM)
        stage.sim.server.player(LIVING_ROOM).kill(stage.sim.clock.now())
        assert (await playback(stage, LIVING_ROOM)).title.name == "Low Orbit"
        stage.changes.clear()
        stage.sim.clock.jump(200)
        await until(lambda: stage.changes)
        assert await stage.plex.playback(stage.player(LIVING_ROOM)) is None

    async def test_music(self, stage: Stage) -> None:
        stage.sim.play(PLEXAMP, stage.sim.world.listed(3, "track")[0])
        found = await playback(stage, PLEXAMP)
        assert found.volume == 100
        assert found.title.grandparent


class TestChanges:
    async def test_listeners_hear_of_players(self, stage: Stage) -> None:
        await until(lambda: stage.sim.server.notifications.listeners == 1)
        heard: list[object] = []
        forget = stage.plex.on_change(lambda server, player: heard.append((server, player)))
        tv = stage.player(LIVING_ROOM).player_id
        stage.sim.play(LIVING_ROOM, "Low Orbit")
        await until(lambda: (ATTIC, tv) in heard)
        forget()
        forget()
        heard.clear()
        stage.changes.clear()
        stage.sim.server.player(LIVING_ROOM).pause(stage.sim.clock.now())
        await until(lambda: (ATTIC, tv) in stage.changes)
        assert heard == []

    async def test_every_entry_of_a_notice_counts_and_odd_ones_harm_nobody(self, stage: Stage) -> None:
        await until(lambda: stage.sim.server.notifications.listeners == 1)
        send = stage.sim.server.notifications.send_text
        for odd in ("", "pong", "[]", '{"NotificationContainer":{"type":"new"}}', '{"NotificationContainer":7}'):
            send(odd)
        entries = '[{"clientIdentifier":"one","state":"playing"},{"state":[]},{"clientIdentifier":2,"state":"new"},{}]'
        send('{"NotificationContainer":{"type":"playing","size":"9","PlaySessionStateNotification":' + entries + "}}")
        await until(lambda: {(ATTIC, "one"), (ATTIC, "2")} <= set(stage.changes))

    async def test_what_follows_from_a_notice_is_one_trace(
        self, stage: Stage, caplog: pytest.LogCaptureFixture
    ) -> None:
        await stage.ready()
        await until(lambda: stage.sim.server.notifications.listeners == 1)
        caplog.clear()
        heard: list[str] = []
        stage.plex.on_change(lambda *_: heard.append(current_trace_id()))
        stage.sim.play(LIVING_ROOM, "Low Orbit")
        stage.sim.server.player(LIVING_ROOM).pause(stage.sim.clock.now())

        def noticed() -> list[str]:
            lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
            return [line["trace_id"] for line in lines if line["event"] == "plex_notice"]

        await until(lambda: len(set(heard) & set(noticed())) >= 2)
        assert len(set(noticed())) == len(noticed())

    async def test_a_gap_is_told(self, stage: Stage) -> None:
        await until(lambda: stage.sim.server.notifications.listeners == 1)
        stage.changes.clear()
        stage.sim.server.notifications.drop_all()
        await until(lambda: (ATTIC, None) in stage.changes)


class TestSeveralServers:
    async def test_each_for_itself(self, sim: PlexSim, tmp_path: Path) -> None:
        async with PlexSim(seed=8, life=False, clock=sim.clock, name="Cellar") as other:
            servers = {
                ATTIC: PlexServerConfig(sim.url, sim.token),
                CELLAR: PlexServerConfig(other.url, other.token),
            }
            async with running(sim, tmp_path, servers=servers) as stage:
                await stage.ready()
                assert [state.friendly_name for state in stage.plex.server_states()] == ["Marquee House", "Cellar"]
                found = await stage.live.search("low orbit", [ATTIC, CELLAR], 25)
                assert {title.ref.server for title in found.titles} == {ATTIC, CELLAR}
                assert {player.ref.server for player in await stage.plex.players()} == {ATTIC, CELLAR}
                await until(lambda: other.server.notifications.listeners == 1)
                await started(stage, LIVING_ROOM, "Low Orbit")
                other.play(SHIELD, "Ironwood")
                await until(lambda: any(server == CELLAR and player for server, player in stage.changes))
                now = await stage.plex.now_playing()
                assert [p.title.ref.server for p in now.playbacks] == [ATTIC, CELLAR]

                sim.faults.add(".", "hold")
                tv = PlayerRef(CELLAR, PlayerId(other.server.player(LIVING_ROOM).spec.id))
                film = TitleRef(CELLAR, RatingKey(str(other.world.find("Low Orbit").key)))
                await stage.plex.play(tv, film, resume=False, shuffle=False)
                item = other.players[LIVING_ROOM].item
                assert item is not None
                assert item.title == "Low Orbit"
                found = await stage.live.search("low orbit", [ATTIC, CELLAR], 25)
                assert not found.is_complete
                assert {title.ref.server for title in found.titles} == {CELLAR}
                sim.faults.clear()

    async def test_a_player_that_two_servers_know(self, sim: PlexSim, tmp_path: Path) -> None:
        async with PlexSim(seed=8, life=False, clock=sim.clock, buffering_s=0.0) as other:
            servers = {
                ATTIC: PlexServerConfig(sim.url, sim.token),
                CELLAR: PlexServerConfig(other.url, other.token),
            }
            async with running(sim, tmp_path, servers=servers) as stage:
                await stage.ready()
                shield, film = stage.player(SHIELD), TitleRef(CELLAR, RatingKey(str(other.world.find("Low Orbit").key)))
                with pytest.raises(UserError, match="not there"):
                    await stage.plex.play(shield, film, resume=False, shuffle=False)
                lend(other, SHIELD, shield.player_id)
                await stage.plex.play(shield, film, resume=False, shuffle=False)
                assert other.players[SHIELD].state == "playing"
                found = await stage.plex.playback(shield)
                assert found is not None
                assert found.title.ref == film

    async def test_one_that_is_down(self, sim: PlexSim, tmp_path: Path) -> None:
        servers = {
            CELLAR: PlexServerConfig("http://127.0.0.1:9", "x"),
            ATTIC: PlexServerConfig(sim.url, sim.token),
        }
        async with running(sim, tmp_path, servers=servers) as stage:
            await until(lambda: stage.plex.server_states()[1].is_up)
            await until(lambda: "unreachable" in stage.check("cellar"))
            sim.play(LIVING_ROOM, "Low Orbit")
            now = await stage.plex.now_playing()
            assert (len(now.playbacks), now.silent_servers) == (1, (CELLAR,))
            assert LIVING_ROOM in [player.name for player in await stage.plex.players()]
            assert (await playback(stage, LIVING_ROOM)).title.name == "Low Orbit"
            report = stage.health.report()
            assert report.is_ready
            assert report.status.value == "warn"


def lend(sim: PlexSim, name: str, player_id: PlayerId) -> None:
    """Have a server know one of its players by the id it has elsewhere."""
    player = sim.server.player(name)
    sim.server.ports[player_id] = sim.server.ports[player.spec.id]
    player.spec = replace(player.spec, id=player_id)
    sim.server.players = {each.spec.id: each for each in sim.server.players.values()}


class TestConnection:
    async def test_a_server_that_comes_later(self, sim: PlexSim, tmp_path: Path) -> None:
        fault = sim.faults.add(".", "drop")
        async with running(sim, tmp_path) as stage:
            await until(lambda: "unreachable" in stage.check())
            sim.faults.remove(fault)
            await stage.ready()
            await until(lambda: sim.server.notifications.listeners == 1)

    async def test_a_server_that_goes_and_comes_back(self, stage: Stage) -> None:
        stage.sim.faults.add(".", "drop")
        stage.sim.server.notifications.drop_all()
        await until(lambda: not stage.plex.server_states()[0].is_up)
        stage.sim.faults.clear()
        await until(lambda: stage.plex.server_states()[0].is_up)
        assert (await stage.plex.title(stage.title("Low Orbit"))).name == "Low Orbit"

    async def test_a_server_that_keeps_failing_is_left_alone(self, sim: PlexSim, tmp_path: Path) -> None:
        async with running(sim, tmp_path, timeouts=replace(QUICK, breaker_open_s=60.0, probe_every_s=60.0)) as stage:
            await stage.ready()
            # The open breaker has the server looked at; not before all were refused, or it would be trusted again.
            look = sim.faults.add(r"^/$", "hold")
            fault = sim.faults.add("/library/metadata/", 500)
            kinds = []
            for _ in range(7):
                with pytest.raises(UpstreamError) as caught:
                    await stage.plex.title(stage.title("Low Orbit"))
                kinds.append(caught.value.kind)
            assert kinds[:5] == [UpstreamKind.BROKEN] * 5
            assert fault.hits == 5
            sim.faults.remove(fault)
            sim.faults.remove(look)
            await until(lambda: len(stage.asked("/")) and stage.plex.server_states()[0].is_up)

    async def test_numbers_are_counted(self, stage: Stage) -> None:
        exposed = (await asyncio.to_thread(stage.metrics.expose)).decode()
        assert 'marquee_plex_requests_total{outcome="ok",server="attic"}' in exposed
        assert 'marquee_plex_up{server="attic"} 1.0' in exposed

"""What a member can have done: played, paused, moved, chosen, queued; and what the player really does then."""

from __future__ import annotations

import pytest

from daemon.core.errors import UpstreamError, UpstreamKind, UserError
from daemon.core.ids import PlayerId, RatingKey, ServerId
from daemon.core.media import PlayerRef, PlayState, StreamKind, TitleRef
from simulators.plex.household import LIVING_ROOM, PLEXAMP, SHIELD
from simulators.plex.items import Item
from simulators.plex.players import Player
from tests.integration.plex.stage import ATTIC, Stage


def playing(stage: Stage, name: str) -> Player:
    return stage.sim.players[name]


def item_of(stage: Stage, name: str) -> Item:
    item = playing(stage, name).item
    assert item is not None
    return item


async def play(stage: Stage, player: str, title: str | Item, kind: str | None = None, **how: bool) -> str:
    given = {"resume": True, "shuffle": False, **how}
    return str(await stage.plex.play(stage.player(player), stage.title(title, kind), **given))


class TestPlay:
    @pytest.mark.parametrize("player", [LIVING_ROOM, SHIELD])
    async def test_a_film(self, stage: Stage, player: str) -> None:
        """Directly, and on a player that only the server reaches."""
        assert await play(stage, player, "Neon Monsoon") == "Neon Monsoon (2023)"
        assert item_of(stage, player).title == "Neon Monsoon"
        assert playing(stage, player).state == "playing"

    async def test_a_film_goes_on_where_it_was_left(self, stage: Stage) -> None:
        view = stage.sim.world.change_view(1, stage.sim.world.find("Neon Monsoon"))
        view.offset_ms = 1_800_000
        await play(stage, LIVING_ROOM, "Neon Monsoon")
        now = stage.sim.clock.now()
        assert playing(stage, LIVING_ROOM).position_ms(now) >= 1_800_000
        await play(stage, LIVING_ROOM, "Neon Monsoon", resume=False)
        assert playing(stage, LIVING_ROOM).position_ms(stage.sim.clock.now()) < 60_000

    async def test_a_show_goes_on_with_its_next_unwatched_episode(self, stage: Stage) -> None:
        show = stage.sim.world.find("Overtime", "show")
        see(stage, show, 5)
        assert "S01E06" in await play(stage, LIVING_ROOM, show)
        queue = await stage.plex.queue(stage.player(LIVING_ROOM))
        assert queue is not None
        place = [entry.item_id for entry in queue.items].index(queue.selected_item_id or 0)
        assert queue.items[place + 1].title.index == 7  # and the next episode follows

    async def test_specials_never_come_before_regular_episodes(self, stage: Stage) -> None:
        show = stage.sim.world.find("Deepwater Nine", "show")
        assert show.children[0].index == 0
        see(stage, show, 0)
        assert "S01E01" in await play(stage, LIVING_ROOM, show)

    async def test_specials_come_when_all_else_is_seen(self, stage: Stage) -> None:
        show = stage.sim.world.find("Deepwater Nine", "show")
        see(stage, show, 1000)
        for special in show.children[0].children:
            stage.sim.world.change_view(1, special).count = 0
        assert "S00E01" in await play(stage, LIVING_ROOM, show)

    async def test_a_show_seen_to_the_end_begins_anew(self, stage: Stage) -> None:
        show = stage.sim.world.find("Deepwater Nine", "show")
        see(stage, show, 1000)
        assert "S01E01" in await play(stage, LIVING_ROOM, show)

    async def test_an_episode_begun_comes_before_one_not_seen(self, stage: Stage) -> None:
        see(stage, stage.sim.world.find("Overtime", "show"), 2)
        begun = s01(stage, 9)
        stage.sim.world.change_view(1, begun).offset_ms = 600_000
        assert "S01E09" in await play(stage, LIVING_ROOM, "Overtime", "show")

    async def test_a_season_stays_in_its_season(self, stage: Stage) -> None:
        second = stage.sim.world.find("Overtime", "show").children[1]
        see(stage, second, 0)
        assert "S02E01" in await play(stage, LIVING_ROOM, second)
        queue = await stage.plex.queue(stage.player(LIVING_ROOM))
        assert queue is not None
        assert {entry.title.parent_index for entry in queue.items} == {2}

    async def test_an_episode_is_followed_by_the_next(self, stage: Stage) -> None:
        assert "S01E03" in await play(stage, LIVING_ROOM, s01(stage, 3))
        await stage.plex.next(stage.player(LIVING_ROOM))
        assert item_of(stage, LIVING_ROOM) is s01(stage, 4)

    @pytest.mark.parametrize("kind", ["artist", "album", "track"])
    async def test_music(self, stage: Stage, kind: str) -> None:
        artist = stage.sim.world.find("Violet Arcade", "artist")
        item = {"artist": artist, "album": artist.children[0], "track": artist.children[0].children[1]}[kind]
        started = await play(stage, PLEXAMP, item)
        assert started.startswith("Violet Arcade - ")
        track = item_of(stage, PLEXAMP)
        assert track is (item if kind == "track" else stage.sim.world.leaves(item)[0])
        await stage.plex.pause(stage.player(PLEXAMP))
        last = next(seen for seen in reversed(stage.sim.requests) if seen.path == "/player/playback/pause")
        assert dict(last.query)["type"] == "music"

    @pytest.mark.parametrize("name", ["Friday Double Feature", "Rainy Sunday"])
    async def test_a_playlist(self, stage: Stage, name: str) -> None:
        held = stage.sim.world.find(name, "playlist")
        leaves = [leaf for _, member in held.members for leaf in stage.sim.world.leaves(member)]
        player = PLEXAMP if held.media_type == "audio" else LIVING_ROOM
        await play(stage, player, held)
        assert item_of(stage, player) is leaves[0]
        queue = await stage.plex.queue(stage.player(player))
        assert queue is not None
        assert [entry.title.ref.rating_key for entry in queue.items] == [str(leaf.key) for leaf in leaves]

    async def test_shuffled(self, stage: Stage) -> None:
        show = stage.sim.world.find("Overtime", "show")
        started = await play(stage, LIVING_ROOM, show, shuffle=True)
        queue = await stage.plex.queue(stage.player(LIVING_ROOM))
        assert queue is not None
        assert queue.is_shuffled
        keys = [entry.title.ref.rating_key for entry in queue.items]
        ordered = [str(leaf.key) for leaf in stage.sim.world.leaves(show)]
        assert keys != ordered
        assert sorted(keys) == sorted(ordered)
        assert started == str(queue.items[0].title)

    async def test_a_title_that_is_gone(self, stage: Stage) -> None:
        with pytest.raises(UserError, match="no longer on the server") as caught:
            await stage.plex.play(
                stage.player(LIVING_ROOM), TitleRef(ATTIC, RatingKey("999999")), resume=True, shuffle=False
            )
        assert caught.value.code == "title_gone"

    async def test_what_the_player_cannot_play(self, stage: Stage) -> None:
        with pytest.raises(UserError, match="Kitchen Plexamp did not accept") as caught:
            await play(stage, PLEXAMP, "Neon Monsoon")
        assert caught.value.code == "player_refused"

    async def test_an_unknown_server(self, stage: Stage) -> None:
        with pytest.raises(UserError, match="no Plex server named cellar"):
            await stage.plex.pause(PlayerRef(ServerId("cellar"), PlayerId("x")))


def see(stage: Stage, item: Item, episodes: int) -> None:
    """Olivia has seen the first `episodes` of a show in its usual order, and all specials when any."""
    leaves = sorted(stage.sim.world.leaves(item), key=lambda leaf: not (leaf.parent and leaf.parent.index))
    for place, leaf in enumerate(leaves):
        view = stage.sim.world.change_view(1, leaf)
        view.count, view.offset_ms = int(place < episodes), 0


def s01(stage: Stage, number: int) -> Item:
    return stage.sim.world.find("Overtime", "show").children[0].children[number - 1]


class TestPress:
    async def test_pause_resume_stop(self, stage: Stage) -> None:
        tv = stage.player(LIVING_ROOM)
        await play(stage, LIVING_ROOM, "Low Orbit")
        await stage.plex.pause(tv)
        assert playing(stage, LIVING_ROOM).state == "paused"
        await stage.plex.resume(tv)
        assert playing(stage, LIVING_ROOM).state == "playing"
        await stage.plex.stop_playback(tv)
        assert playing(stage, LIVING_ROOM).state == "stopped"
        assert await stage.plex.playback(tv) is None

    async def test_next_and_previous(self, stage: Stage) -> None:
        await play(stage, LIVING_ROOM, s01(stage, 2))
        await stage.plex.next(stage.player(LIVING_ROOM))
        assert item_of(stage, LIVING_ROOM) is s01(stage, 3)
        await stage.plex.previous(stage.player(LIVING_ROOM))
        assert item_of(stage, LIVING_ROOM) is s01(stage, 2)

    @pytest.mark.parametrize(("wanted", "arrives"), [(90_000, 90_000), (-5, 0), (10**9, None)])
    async def test_seek(self, stage: Stage, wanted: int, arrives: int | None) -> None:
        stage.sim.clock.set_speed(0)
        await play(stage, LIVING_ROOM, "Low Orbit")
        await stage.plex.pause(stage.player(LIVING_ROOM))
        await stage.plex.seek(stage.player(LIVING_ROOM), wanted)
        player = playing(stage, LIVING_ROOM)
        expected = player.duration_ms if arrives is None else arrives
        assert player.position_ms(stage.sim.clock.now()) == expected

    @pytest.mark.parametrize(("wanted", "arrives"), [(0, 0), (37, 37), (300, 100), (-1, 0)])
    async def test_volume(self, stage: Stage, wanted: int, arrives: int) -> None:
        await play(stage, LIVING_ROOM, "Low Orbit")
        await stage.plex.set_volume(stage.player(LIVING_ROOM), wanted)
        playback = await stage.plex.playback(stage.player(LIVING_ROOM))
        assert playback is not None
        assert playback.volume == arrives

    async def test_audio_and_subtitles(self, stage: Stage) -> None:
        tv = stage.player(LIVING_ROOM)
        await play(stage, LIVING_ROOM, "Neon Monsoon")
        streams = await stage.plex.streams(tv)
        audio = [stream for stream in streams if stream.kind is StreamKind.AUDIO]
        subtitles = [stream for stream in streams if stream.kind is StreamKind.SUBTITLE]
        assert len(audio) >= 2
        assert len(subtitles) >= 2
        for chosen in (audio[1], audio[0]):
            await stage.plex.set_audio(tv, chosen.stream_id)
            assert await selected(stage, StreamKind.AUDIO) == [chosen.stream_id]
        await stage.plex.set_subtitles(tv, subtitles[1].stream_id)
        assert await selected(stage, StreamKind.SUBTITLE) == [subtitles[1].stream_id]
        await stage.plex.set_subtitles(tv, None)
        assert await selected(stage, StreamKind.SUBTITLE) == []
        sent = [dict(seen.query) for seen in stage.sim.requests if seen.path.endswith("/setStreams")]
        assert sent[-1]["subtitleStreamID"] == "0"

    async def test_a_stream_that_is_not_there(self, stage: Stage) -> None:
        await play(stage, LIVING_ROOM, "Neon Monsoon")
        with pytest.raises(UserError, match="did not accept"):
            await stage.plex.set_audio(stage.player(LIVING_ROOM), 1)

    async def test_commands_are_sent_whatever_the_player_does(self, stage: Stage) -> None:
        tv = stage.player(LIVING_ROOM)
        await stage.plex.pause(tv)
        await stage.plex.resume(tv)
        await stage.plex.next(tv)
        sent = [seen.path for seen in stage.sim.requests if seen.path.startswith("/player/playback/")]
        assert sent == ["/player/playback/pause", "/player/playback/play", "/player/playback/skipNext"]

    async def test_nothing_is_playing(self, stage: Stage) -> None:
        with pytest.raises(UserError, match="Nothing is playing"):
            await stage.plex.streams(stage.player(LIVING_ROOM))

    async def test_a_skip_that_may_have_arrived_is_not_sent_again(self, stage: Stage) -> None:
        """The player heard it and answers too late: through the server it would skip a second time."""
        await play(stage, LIVING_ROOM, s01(stage, 2))
        stage.sim.faults.add("/player/playback/skipNext", "slow_body", delay_s=20, where="player")
        with pytest.raises(UserError, match="does not answer"):
            await stage.plex.next(stage.player(LIVING_ROOM))
        assert item_of(stage, LIVING_ROOM) is s01(stage, 3)
        sent = [seen for seen in stage.sim.requests if seen.path.endswith("/skipNext") and seen.where == "server"]
        assert sent == []


async def selected(stage: Stage, kind: StreamKind) -> list[int]:
    streams = await stage.plex.streams(stage.player(LIVING_ROOM))
    return [stream.stream_id for stream in streams if stream.kind is kind and stream.is_selected]


class TestQueue:
    async def names(self, stage: Stage) -> list[str]:
        queue = await stage.plex.queue(stage.player(LIVING_ROOM))
        assert queue is not None
        assert queue.total == len(queue.items)
        return [entry.title.name for entry in queue.items]

    async def test_add_remove_clear(self, stage: Stage) -> None:
        tv = stage.player(LIVING_ROOM)
        await play(stage, LIVING_ROOM, "Low Orbit")
        await stage.plex.queue_add(tv, stage.title("Copper Sky"))
        await stage.plex.queue_add(tv, stage.title("Ironwood"))
        await stage.plex.queue_add(tv, stage.title("Friday Double Feature", "playlist"))
        assert (await self.names(stage))[:3] == ["Low Orbit", "Copper Sky", "Ironwood"]
        queue = await stage.plex.queue(tv)
        assert queue is not None
        assert len(queue.items) > 4
        await stage.plex.queue_remove(tv, queue.items[1].item_id)
        assert (await self.names(stage))[:2] == ["Low Orbit", "Ironwood"]
        with pytest.raises(UserError, match="not in the queue"):
            await stage.plex.queue_remove(tv, queue.items[1].item_id)
        await stage.plex.queue_clear(tv)
        assert await self.names(stage) == ["Low Orbit"]
        told = [seen for seen in stage.sim.requests if seen.path.endswith("/refreshPlayQueue")]
        assert len(told) == 5
        assert item_of(stage, LIVING_ROOM).title == "Low Orbit"

    async def test_shuffle(self, stage: Stage) -> None:
        await play(stage, LIVING_ROOM, s01(stage, 1))
        before = await self.names(stage)
        await stage.plex.queue_shuffle(stage.player(LIVING_ROOM))
        after = await self.names(stage)
        assert after != before
        assert sorted(after) == sorted(before)
        assert after[0] == before[0]

    async def test_what_somebody_queued_on_the_player_itself(self, stage: Stage) -> None:
        stage.sim.play(LIVING_ROOM, s01(stage, 1))
        assert len(await self.names(stage)) == 22

    async def test_a_player_that_does_not_know_how_to_refresh(self, stage: Stage) -> None:
        await play(stage, LIVING_ROOM, "Low Orbit")
        stage.sim.faults.add("/refreshPlayQueue", 406)
        await stage.plex.queue_add(stage.player(LIVING_ROOM), stage.title("Ironwood"))
        assert await self.names(stage) == ["Low Orbit", "Ironwood"]

    async def test_without_a_queue(self, stage: Stage) -> None:
        tv = stage.player(LIVING_ROOM)
        assert await stage.plex.queue(tv) is None
        for change in (stage.plex.queue_clear(tv), stage.plex.queue_add(tv, stage.title("Ironwood"))):
            with pytest.raises(UserError, match="play something first"):
                await change

    async def test_a_queue_that_the_server_has_forgotten(self, stage: Stage) -> None:
        await play(stage, LIVING_ROOM, "Low Orbit")
        stage.sim.faults.add(r"/playQueues/\d+", 404)
        assert await stage.plex.queue(stage.player(LIVING_ROOM)) is None

    async def test_a_title_of_another_server(self, stage: Stage) -> None:
        with pytest.raises(UserError, match="another server"):
            await stage.plex.queue_add(stage.player(LIVING_ROOM), TitleRef(ServerId("cellar"), RatingKey("1")))


class TestServerTrouble:
    async def test_a_server_that_fails_is_not_blamed_on_the_player(self, stage: Stage) -> None:
        stage.sim.faults.add("/playQueues", 503)
        with pytest.raises(UpstreamError) as caught:
            await play(stage, LIVING_ROOM, "Low Orbit")
        assert caught.value.kind is UpstreamKind.BUSY

    async def test_state_shows_in_playback(self, stage: Stage) -> None:
        await play(stage, LIVING_ROOM, "Low Orbit")
        await stage.plex.pause(stage.player(LIVING_ROOM))
        playback = await stage.plex.playback(stage.player(LIVING_ROOM))
        assert playback is not None
        assert playback.state is PlayState.PAUSED

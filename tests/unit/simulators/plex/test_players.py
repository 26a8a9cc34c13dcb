from dataclasses import dataclass, field

import pytest

from simulators.plex.generator import generate
from simulators.plex.players import (
    BUFFERING,
    PAUSED,
    PLAYING,
    REPEAT_ALL,
    REPEAT_ONE,
    STOPPED,
    Player,
    PlayerSpec,
)
from simulators.plex.queues import PlayQueue, PlayQueues
from simulators.plex.world import World

NOW = 1_000_000.0
SPEC = PlayerSpec("p1", "Set", "Plex", "Linux", "PC", "stb")


@dataclass
class Diary:
    """Writes down what a player tells its server."""

    states: list[tuple[str, str]] = field(default_factory=list)
    reports: list[int] = field(default_factory=list)
    scrobbles: list[str] = field(default_factory=list)
    left: list[tuple[str, int]] = field(default_factory=list)
    stopped_at: list[int] = field(default_factory=list)

    def on_state(self, player: Player, at: float) -> None:
        self.states.append((player.state, player.item.title if player.item else ""))
        if player.state == STOPPED:
            self.stopped_at.append(player.position_ms(at))

    def on_report(self, player: Player, at: float) -> None:
        self.reports.append(player.position_ms(at))

    def on_scrobble(self, player: Player, at: float) -> None:
        self.scrobbles.append(player.item.title if player.item else "")

    def on_leave(self, player: Player, at: float, position_ms: int) -> None:
        self.left.append((player.item.title if player.item else "", position_ms))


@pytest.fixture
def world() -> World:
    return generate(7, "small", int(NOW))


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture
def player(diary: Diary) -> Player:
    return Player(SPEC, diary, buffering_s=0.5)


def queue_of(world: World, title: str) -> PlayQueue:
    queues = PlayQueues(world, "machine")
    return queues.create(
        f"/library/metadata/{world.find(title).key}", "video", 1, key=None, shuffle=False, continuous=False
    )


def test_it_buffers_then_plays_and_its_position_follows_the_clock(player: Player, world: World) -> None:
    player.play_queue(queue_of(world, "Low Orbit"), world.accounts[1], NOW, offset_ms=60_000)
    assert player.state == BUFFERING
    assert player.position_ms(NOW + 0.4) == 60_000
    player.settle(NOW + 10.5)
    assert player.state == PLAYING
    assert player.position_ms(NOW + 10.5) == 70_000


def test_pause_holds_the_position_and_resume_goes_on(player: Player, world: World) -> None:
    player.play_queue(queue_of(world, "Low Orbit"), world.accounts[1], NOW)
    player.settle(NOW + 30.5)
    player.pause(NOW + 30.5)
    assert player.state == PAUSED
    assert player.position_ms(NOW + 999) == 30_000
    player.resume(NOW + 1000)
    assert player.position_ms(NOW + 1005) == 35_000


def test_reports_come_every_ten_seconds_and_once_for_a_jump(player: Player, world: World, diary: Diary) -> None:
    player.play_queue(queue_of(world, "Low Orbit"), world.accounts[1], NOW)
    for second in range(31):
        player.settle(NOW + 0.5 + second)
    assert diary.reports == [10_000, 20_000, 30_000]
    player.settle(NOW + 1800)
    assert len(diary.reports) == 4


def test_nine_tenths_count_as_seen_and_the_end_stops_a_single_film(player: Player, world: World, diary: Diary) -> None:
    queue = queue_of(world, "Low Orbit")
    length_s = (world.find("Low Orbit").duration_ms or 0) / 1000
    player.play_queue(queue, world.accounts[1], NOW)
    player.settle(NOW + length_s * 0.89)
    assert diary.scrobbles == []
    player.settle(NOW + length_s * 0.92)
    assert diary.scrobbles == ["Low Orbit"]
    player.settle(NOW + length_s + 1)
    assert player.state == STOPPED
    assert diary.left == [("Low Orbit", world.find("Low Orbit").duration_ms)]
    assert diary.scrobbles == ["Low Orbit"]


def test_one_long_jump_plays_a_whole_season_in_order(player: Player, world: World, diary: Diary) -> None:
    season = world.find("Polar Mail").children[1]
    queues = PlayQueues(world, "machine")
    queue = queues.create(f"/library/metadata/{season.key}", "video", 1, key=None, shuffle=False, continuous=False)
    player.play_queue(queue, world.accounts[1], NOW)
    player.settle(NOW + 24 * 3600)
    titles = [episode.title for episode in season.children]
    assert diary.scrobbles == titles
    assert [title for title, _ in diary.left] == titles
    assert player.state == STOPPED


def test_repeat(player: Player, world: World, diary: Diary) -> None:
    queue = queue_of(world, "Friday Double Feature")
    player.play_queue(queue, world.accounts[1], NOW)
    player.repeat = REPEAT_ALL
    first, second = (entry.item for entry in queue.entries)
    both_s = ((first.duration_ms or 0) + (second.duration_ms or 0)) / 1000
    player.settle(NOW + both_s + 60)
    assert player.item is first
    player.repeat = REPEAT_ONE
    player.settle(NOW + both_s + (first.duration_ms or 0) / 1000 + 120)
    assert player.item is first
    assert [title for title, _ in diary.left] == [first.title, second.title, first.title]


def test_skips_and_the_ends_of_the_queue(player: Player, world: World) -> None:
    queue = queue_of(world, "Friday Double Feature")
    first, second = (entry.item for entry in queue.entries)
    player.play_queue(queue, world.accounts[1], NOW)
    player.settle(NOW + 60)
    player.skip(-1, NOW + 60)
    assert player.item is first
    assert player.position_ms(NOW + 60) == 0
    player.skip(1, NOW + 61)
    assert player.item is second
    assert queue.selected is not None
    assert queue.selected.item is second
    player.skip(1, NOW + 62)
    assert player.state == STOPPED
    assert player.item is None


def test_a_seek_beyond_the_end_ends_the_title(player: Player, world: World, diary: Diary) -> None:
    player.play_queue(queue_of(world, "Low Orbit"), world.accounts[1], NOW)
    player.settle(NOW + 1)
    player.seek(-5_000, NOW + 1)
    assert player.position_ms(NOW + 1) == 0
    player.seek(10**9, NOW + 2)
    assert player.state == STOPPED
    assert diary.scrobbles == ["Low Orbit"]


def test_a_killed_player_leaves_a_frozen_session_until_it_is_buried(player: Player, world: World, diary: Diary) -> None:
    player.play_queue(queue_of(world, "Low Orbit"), world.accounts[1], NOW)
    player.settle(NOW + 120.5)
    player.kill(NOW + 120.5)
    player.settle(NOW + 200)
    assert player.state == PLAYING
    assert player.position_ms(NOW + 200) == 120_000
    player.bury(NOW + 300)
    assert player.state == STOPPED
    assert diary.left == [("Low Orbit", 120_000)]
    assert diary.stopped_at == [120_000]

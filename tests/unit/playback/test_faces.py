from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from daemon.core.media import PlayState, StreamKind, TitleKind
from daemon.modules.playback.faces import Face, Phase, foreseen
from daemon.modules.playback.orders import Order, Verb
from tests.unit.playback.things import NOON, playback, player, stream, title

STREAMS = {
    "audio": (stream(1, "English", is_selected=True), stream(2, "German")),
    "subtitles": (stream(3, "English", StreamKind.SUBTITLE, is_selected=True),),
}


def test_a_face_moves_with_the_clock_and_stands_in_a_pause() -> None:
    now, later = NOON + timedelta(seconds=1), NOON + timedelta(seconds=90)
    assert Face.live(playback(), now).times == "1:01 / 10:00"
    assert Face.live(playback(), later).times == "2:30 / 10:00"
    paused = playback(state=PlayState.PAUSED)
    assert Face.live(paused, now) == Face.live(paused, later)


def test_less_than_a_second_is_no_change() -> None:
    assert Face.live(playback(), NOON) == Face.live(playback(), NOON + timedelta(milliseconds=900))


def test_what_nobody_sees_makes_no_difference() -> None:
    other = playback(session_key="9", is_transcoding=True, title=title("Solaris", year=1972, view_offset_ms=5))
    assert Face.live(playback(), NOON) == Face.live(other, NOON)


@pytest.mark.parametrize(
    ("shown", "name", "context"),
    [
        (
            title("Fire", kind=TitleKind.EPISODE, grandparent="The Office", index=4, parent_index=2),
            "Fire",
            "The Office · S02E04",
        ),
        (
            title("Locomotion", kind=TitleKind.TRACK, grandparent="Coltrane", parent="Blue Train"),
            "Locomotion",
            "Coltrane · Blue Train",
        ),
        (title("a\nb\u202e"), "a b", ""),
    ],
)
def test_a_part_says_what_it_belongs_to(shown: object, name: str, context: str) -> None:
    face = Face.live(playback(title=shown), NOON)
    assert (face.name, face.context) == (name, context)


def test_a_player_that_cannot_be_controlled_says_why() -> None:
    face = Face.live(playback(player=player("Web")), NOON, "It takes no remote control.")
    assert not face.is_controllable
    assert face.notice == "It takes no remote control."


def test_the_end_keeps_the_name_and_nothing_that_moves() -> None:
    face = Face.live(playback(volume=40, **STREAMS), NOON).ended()
    assert (face.phase, face.name, face.volume, face.audio, face.notice) == (Phase.ENDED, "Solaris", None, (), None)
    never = Face.starting(title("Solaris"), "Den").ended()
    assert never.notice == "The player did not begin to play it."


def test_a_face_comes_back_from_the_database() -> None:
    face = Face.live(playback(), NOON).with_poster(b"\x89PNG...")
    back = Face.from_state(json.loads(json.dumps(face.to_state())))
    assert back == replace(face, position_s=0)
    assert back.picture == "poster.png"
    assert face.with_poster(b"\xff\xd8").picture == "poster.jpg"
    assert face.with_poster(None).picture is None


@pytest.mark.parametrize(
    ("verb", "value", "position_ms"),
    [
        (Verb.SEEK, "+30", 100_000),
        (Verb.SEEK, "-30", 40_000),
        (Verb.SEEK, "-300", 0),
        (Verb.SEEK, "+9999", 600_000),
        (Verb.NEXT, None, 60_000),
    ],
)
def test_a_seek_is_foreseen(verb: Verb, value: str | None, position_ms: int) -> None:
    later = foreseen(playback(), verb, value, NOON + timedelta(seconds=10))
    assert later.position_ms == position_ms


def test_other_orders_are_foreseen() -> None:
    now = NOON + timedelta(seconds=10)
    paused = foreseen(playback(), Verb.PAUSE, None, now)
    assert (paused.state, paused.position_at(now + timedelta(hours=1))) == (PlayState.PAUSED, 70_000)
    assert foreseen(paused, Verb.RESUME, None, now).state is PlayState.PLAYING
    assert foreseen(playback(volume=95), Verb.VOLUME, "+10", now).volume == 100
    assert foreseen(playback(volume=None), Verb.VOLUME, "+10", now).volume is None
    german = foreseen(playback(**STREAMS), Verb.AUDIO, "2", now)
    assert [s.is_selected for s in german.audio] == [False, True]
    off = foreseen(playback(**STREAMS), Verb.SUBTITLES, "off", now)
    assert [s.is_selected for s in off.subtitles] == [False]


def test_an_order_comes_back_from_the_database() -> None:
    order = Order(Verb.PLAY, "p:attic:den", "Solaris", from_start=True, shuffle=True)
    assert Order.from_state(json.loads(json.dumps(order.to_state()))) == order

from __future__ import annotations

import pytest

from daemon.core.errors import UserError
from daemon.core.media import QueueItem, StreamKind
from daemon.modules.playback.desk import find_item
from daemon.modules.playback.tracks import find_track, track_choices
from tests.unit.playback.things import stream, title

AUDIO = [
    stream(11, "English (AC3 5.1)", language="English", is_selected=True),
    stream(12, "Deutsch (AAC)", language="German"),
]
SUBTITLES = [stream(21, "English (SRT)", StreamKind.SUBTITLE, language="English")]
ALL = [*AUDIO, *SUBTITLES]
ITEMS = [
    QueueItem(101, title("Solaris", 1, year=1972)),
    QueueItem(102, title("Stalker", 2)),
    QueueItem(103, title("2", 3)),
]


@pytest.mark.parametrize(
    ("text", "stream_id"), [("12", 12), ("english (ac3 5.1)", 11), ("German", 12), ("aac", 12), ("ENGLISH", 11)]
)
def test_an_audio_track_is_found(text: str, stream_id: int) -> None:
    found = find_track(text, ALL, StreamKind.AUDIO)
    assert found is not None
    assert found.stream_id == stream_id


@pytest.mark.parametrize("text", ["off", "None", "0"])
def test_subtitles_can_be_off(text: str) -> None:
    assert find_track(text, [], StreamKind.SUBTITLE) is None


@pytest.mark.parametrize(
    ("text", "streams", "sentence"),
    [
        ("off", ALL, "There is no audio track “off”; there are: English (AC3 5.1), Deutsch (AAC)."),
        ("21", AUDIO, "There is no audio track “21”"),
        ("-1", ALL, "There is no audio track “-1”"),  # not the 1 of "5.1"
        ("", ALL, "There is no audio track “”"),
        ("x", SUBTITLES, "What plays has no audio tracks to choose from."),
    ],
)
def test_an_unknown_track_is_told_with_those_there_are(text: str, streams: list[object], sentence: str) -> None:
    with pytest.raises(UserError) as raised:
        find_track(text, streams, StreamKind.AUDIO)  # type: ignore[arg-type]
    assert raised.value.text.startswith(sentence)


def test_choices_of_subtitles_begin_with_off() -> None:
    assert track_choices(ALL, StreamKind.SUBTITLE) == [("Off", "off", True), ("English (SRT)", "21", False)]
    assert track_choices(ALL, StreamKind.AUDIO) == [("English (AC3 5.1)", "11", True), ("Deutsch (AAC)", "12", False)]
    many = [stream(n, f"Track {n}", StreamKind.SUBTITLE) for n in range(40)]
    assert len(track_choices(many, StreamKind.SUBTITLE)) == 25
    assert track_choices(many, StreamKind.SUBTITLE, "track 39") == [("Track 39", "39", False)]


@pytest.mark.parametrize(
    ("text", "item_id"), [("q:102", 102), ("1", 101), ("2", 102), ("3", 103), ("solaris 1972", 101), ("stal", 102)]
)
def test_an_entry_is_found_by_its_id_its_place_or_its_name(text: str, item_id: int) -> None:
    assert find_item(text, ITEMS).item_id == item_id


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("q:999", "not in the queue any more"),
        ("4", "No entry of the queue is “4”"),
        ("0", "No entry"),
        ("s", "Several entries fit"),
        ("", "No entry"),
    ],
)
def test_an_unknown_entry_is_told(text: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        find_item(text, ITEMS)


def test_an_empty_queue_is_told() -> None:
    with pytest.raises(UserError, match="The queue is empty"):
        find_item("1", [])

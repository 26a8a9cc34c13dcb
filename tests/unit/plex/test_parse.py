from __future__ import annotations

from datetime import UTC, datetime

import pytest

from daemon.core.ids import ServerId
from daemon.core.media import PlayState, TitleKind
from integrations.plex.parse import (
    NO_KEY,
    all_streams,
    media_type,
    playing_part,
    to_playback,
    to_queue_item,
    to_state,
    to_title,
)
from integrations.plex.shapes import (
    ItemShape,
    MediaShape,
    PartShape,
    PlayerShape,
    SessionShape,
    StreamShape,
    TranscodeShape,
    UserShape,
)
from tests.unit.plex.shelf import title

ATTIC = ServerId("attic")
AT = datetime(2026, 1, 16, 20, tzinfo=UTC)
TV = PlayerShape(machineIdentifier="tv-1", title="Living Room", product="Plex HTPC", state="playing")


def session(**more: object) -> SessionShape:
    given: dict[str, object] = {"ratingKey": "7", "type": "movie", "title": "Sol", "sessionKey": 3, "Player": TV}
    return SessionShape(**{**given, **more})  # type: ignore[arg-type]


def test_an_episode() -> None:
    found = to_title(
        ATTIC,
        ItemShape(
            ratingKey=12, type="episode", title="The Fire", grandparentTitle="The Office", parentTitle="Season 2",
            index="4", parentIndex=2, thumb="/still", parentThumb="/season", grandparentThumb="/show",
            viewOffset="5000",
        ),
    )  # fmt: skip
    assert found is not None
    assert str(found) == "The Office - S02E04 - The Fire"
    assert (found.ref.rating_key, found.thumb, found.view_offset_ms) == ("12", "/show", 5000)


@pytest.mark.parametrize(
    "item", [ItemShape(type="movie", title="No key"), ItemShape(ratingKey="1", type="photo"), ItemShape(ratingKey="1")]
)
def test_what_is_nothing_playable(item: ItemShape) -> None:
    assert to_title(ATTIC, item) is None


def test_names_are_one_clean_line() -> None:
    found = to_title(ATTIC, ItemShape(ratingKey="1", type="movie", title="a\x00b\n\u202ec\u200f"))
    assert found is not None
    assert found.name == "ab c"
    nameless = to_title(ATTIC, ItemShape(ratingKey="1", type="movie"))
    assert nameless is not None
    assert nameless.name == "Untitled"


def test_a_session() -> None:
    found = to_playback(ATTIC, session(viewOffset="61000", duration=120000, User=[UserShape(id=1, title="Olivia")]), AT)
    assert found is not None
    assert (found.session_key, found.account, found.position_ms, found.duration_ms) == ("3", "Olivia", 61000, 120000)
    assert (found.player.name, found.state, found.is_transcoding) == ("Living Room", PlayState.PLAYING, False)


def test_sessions_without_what_others_have() -> None:
    assert (found := to_playback(ATTIC, session(), AT)) is not None
    assert found.account is None
    live = to_playback(ATTIC, session(ratingKey=None, type="episode", title="The News", key="/livetv/sessions/1"), AT)
    assert live is not None
    assert (live.title.name, live.title.ref.rating_key) == ("The News", NO_KEY)
    preroll = to_playback(ATTIC, session(type="clip", title="Intro", librarySectionID=-2), AT)
    assert preroll is not None
    assert preroll.title.kind is TitleKind.CLIP


@pytest.mark.parametrize(
    "more",
    [
        {"Player": None},
        {"Player": PlayerShape(title="no id", state="playing")},
        {"Player": PlayerShape(machineIdentifier="tv", state="stopped")},
        {"ratingKey": None, "title": None},
    ],
)
def test_sessions_that_are_none(more: dict[str, object]) -> None:
    assert to_playback(ATTIC, session(**more), AT) is None


def test_converting_is_told_from_copying() -> None:
    copying = session(TranscodeSession=TranscodeShape(videoDecision="copy", audioDecision="copy"))
    converting = session(TranscodeSession=[TranscodeShape(videoDecision="copy", audioDecision="transcode")])
    assert (a := to_playback(ATTIC, copying, AT)) is not None
    assert (b := to_playback(ATTIC, converting, AT)) is not None
    assert (a.is_transcoding, b.is_transcoding) == (False, True)


def stream(number: int, kind: int, **more: object) -> StreamShape:
    return StreamShape(id=number, streamType=kind, **more)  # type: ignore[arg-type]


def test_the_selected_part_of_the_selected_version_plays() -> None:
    wanted = PartShape(
        id=4, selected=True, Stream=[stream(1, 2, displayTitle="English (AAC)", selected="1"), stream(2, 3)]
    )
    media = [MediaShape(id=1, Part=[PartShape(id=2)]), MediaShape(id=3, selected=1, Part=[PartShape(id=9), wanted])]
    assert playing_part(media) is wanted
    (audio, subtitles), *others = all_streams(media)
    assert [(s.stream_id, s.label, s.is_selected) for s in audio] == [(1, "English (AAC)", True)]
    assert [s.label for s in subtitles] == ["Unknown"]
    assert len(others) == 2
    assert playing_part([]) is None
    assert all_streams(None) == ()


def test_a_stream_s_own_title_tells_it_from_its_twin() -> None:
    media = [MediaShape(Part=[PartShape(Stream=[stream(1, 2, displayTitle="English (AAC)", title="Commentary")])])]
    assert all_streams(media)[0][0][0].label == "English (AAC) - Commentary"


def test_queue_items_states_and_types() -> None:
    assert to_queue_item(ATTIC, ItemShape(ratingKey="1", type="track", title="T")) is None
    item = to_queue_item(ATTIC, ItemShape(ratingKey="1", type="track", title="T", playQueueItemID="9"))
    assert item is not None
    assert item.item_id == 9
    assert to_state("error") is PlayState.STOPPED
    assert to_state("paused") is PlayState.PAUSED
    assert media_type(title("A", TitleKind.ALBUM)) == "music"
    assert media_type(title("P", TitleKind.PLAYLIST), "audio") == "music"
    assert media_type(title("P", TitleKind.PLAYLIST), "video") == "video"

"""What is kept behind buttons comes back as it was, and what is said is said right."""

from __future__ import annotations

import json

import pytest

from daemon.core.ids import RatingKey, ServerId
from daemon.core.media import Title, TitleKind, TitleRef
from daemon.modules.personal.lines import episodes_line, playlist_line, position_words, progress_line, rating_words
from daemon.modules.personal.orders import Order, Undo, Verb
from integrations.plex.playlists import Playlist

REF = TitleRef(ServerId("attic"), RatingKey("7"))


@pytest.mark.parametrize(
    "order",
    [
        Order(Verb.RATE, title="Dune", stars=0),
        Order(Verb.ADD, title="t:attic:7", playlist="Rainy Days", is_sure=True),
        Order(Verb.PLAY, playlist="t:attic:500", player="p:attic:x"),
    ],
)
def test_an_order_survives_the_database(order: Order) -> None:
    assert Order.from_state(json.loads(json.dumps(order.to_state()))) == order


def test_the_way_back_survives_the_database() -> None:
    undo = Undo(Verb.WATCHED, 4_200_117, str(REF), "Dune (2021)", (1, 2), ((2, 90_000),))
    assert Undo.from_state(json.loads(json.dumps(undo.to_state()))) == undo
    rated = Undo(Verb.RATE, 1, str(REF), "Dune (2021)", rating=7.5)
    assert Undo.from_state(json.loads(json.dumps(rated.to_state()))) == rated


def test_what_somebody_pasted_is_cut() -> None:
    order = Order(Verb.CREATE, title="x" * 6_000, name="y" * 6_000).bounded()
    assert order.title is not None
    assert order.name is not None
    assert (len(order.title), len(order.name), order.playlist) == (800, 800, None)


def test_ratings_counts_and_positions() -> None:
    assert [rating_words(one) for one in (None, 8.0, 7.5)] == ["not rated", "rated 8/10", "rated 7.5/10"]
    assert [episodes_line(8, 2), episodes_line(1, 0), episodes_line(0, 1)] == [
        "8 episodes; 2 were so before.", "1 episode.", "0 episodes; 1 was so before.",
    ]  # fmt: skip
    assert [position_words(0), position_words(1_930_000)] == ["", " at 32:10"]


def test_how_far_a_title_is() -> None:
    half = Title(REF, TitleKind.MOVIE, "Dune", 2021, 6_000_000, library="Movies", view_offset_ms=3_000_000)
    assert progress_line(half) == "▰▰▰▰▰▱▱▱▱▱ 50 min left · Movies"
    following = Title(REF, TitleKind.EPISODE, "Pilot", duration_ms=2_700_000, library="TV")
    assert progress_line(following) == "next · episode · 45 min · TV"


def test_a_playlist_on_one_line() -> None:
    assert playlist_line(Playlist(REF, "Rainy Days", False, False, 1, 0)) == "1 title · attic"
    assert playlist_line(Playlist(REF, "Loud", True, True, 1_200, 3_600_000)) == (
        "1,200 titles · 1 h 0 min · music · smart · attic"
    )

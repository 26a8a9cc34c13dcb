"""Plex's filters as restrictions, and what of the known libraries is left of reach and shares."""

from __future__ import annotations

import pytest

from daemon.core.ids import ServerId
from daemon.core.library import LibraryKind
from daemon.core.shares import ANY_KIND, Share, UnknownFilter, parse_filter
from daemon.core.visibility import LibraryRef, Restriction, Visibility
from daemon.data.bindings import Binding
from daemon.data.library.libraries import Library
from daemon.services.visibility import narrowed

ATTIC = ServerId("attic")
FILMS, SERIES = LibraryRef(ATTIC, "1"), LibraryRef(ATTIC, "2")
KNOWN = (
    Library(1, FILMS, LibraryKind.MOVIE, "Films", None, None, 0),
    Library(2, SERIES, LibraryKind.SHOW, "Series", None, None, 0),
)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("label=Kids", Restriction(labels=frozenset({"Kids"}))),
        ("label=Kids%2CFamily", Restriction(labels=frozenset({"Kids", "Family"}))),
        ("label=For%20All+Ages", Restriction(labels=frozenset({"For All Ages"}))),
        ("label!=Adult|contentRating=G%2CPG", Restriction(frozenset(), frozenset({"Adult"}), frozenset({"G", "PG"}))),
        ("label!=Sad&label!=Bad", Restriction(hidden_labels=frozenset({"Sad", "Bad"}))),
        ("label=Kids%2CSad|label=Kids", Restriction(labels=frozenset({"Kids"}))),
        ("contentRating!=NC-17", Restriction(hidden_ratings=frozenset({"NC-17"}))),
    ],
)
def test_a_filter_is_read_as_plex_writes_it(text: str, meant: Restriction) -> None:
    assert parse_filter(text) == meant


@pytest.mark.parametrize(
    "text",
    ["genre=Horror", "label", "label=", "label=%2C", "label!=", "label=Kids|year=1999", "|", "label=Kids&label=Sad"],
)
def test_what_cannot_be_applied_is_refused(text: str) -> None:
    with pytest.raises(UnknownFilter):
        parse_filter(text)


def test_a_filter_for_all_kinds_and_one_for_a_kind_both_count() -> None:
    share = Share(None, {ANY_KIND: "label=Kids%2CFamily|label!=Sad", "movie": "label=Kids|contentRating=G"})
    assert share.restriction("show") == Restriction(frozenset({"Kids", "Family"}), frozenset({"Sad"}))
    assert share.restriction("movie") == Restriction(frozenset({"Kids"}), frozenset({"Sad"}), frozenset({"G"}))
    assert Share().restriction("movie") is None
    with pytest.raises(UnknownFilter):
        Share(None, {ANY_KIND: "label=Kids", "movie": "label=Family"}).restriction("movie")


@pytest.mark.parametrize(
    ("reach", "shares", "seen"),
    [
        (None, None, {FILMS, SERIES}),
        ({Binding(ATTIC)}, None, {FILMS, SERIES}),
        ({Binding(ATTIC, "2")}, None, {SERIES}),
        (set(), None, set()),
        (None, {}, set()),
        (None, {ATTIC: Share()}, {FILMS, SERIES}),
        (None, {ATTIC: Share(frozenset({"1"}))}, {FILMS}),
        ({Binding(ATTIC, "2")}, {ATTIC: Share(frozenset({"1"}))}, set()),
        ({Binding(ServerId("cellar"))}, {ATTIC: Share()}, set()),
        (None, {ATTIC: Share(None, {"movie": "decade=1990"})}, {SERIES}),
    ],
)
def test_reach_and_shares_meet(
    reach: set[Binding] | None, shares: dict[ServerId, Share] | None, seen: set[LibraryRef]
) -> None:
    sees = narrowed(KNOWN, reach, shares)
    assert sees.libraries == seen
    assert sees.restrictions == {}


@pytest.mark.parametrize(
    ("reach", "shares", "whole"),
    [
        ({Binding(ATTIC)}, None, {ATTIC}),
        ({Binding(ATTIC, "1"), Binding(ATTIC, "2")}, None, set()),
        (None, {ATTIC: Share()}, {ATTIC}),
        (None, {ATTIC: Share(None, {"movie": ""})}, {ATTIC}),
        (None, {ATTIC: Share(None, {"artist": "label=Kids"})}, set()),
        (None, {ATTIC: Share(frozenset({"1", "2"}))}, set()),
        ({Binding(ATTIC)}, {ATTIC: Share()}, {ATTIC}),
        ({Binding(ATTIC, "1")}, {ATTIC: Share()}, set()),
        ({Binding(ServerId("cellar"))}, {ATTIC: Share()}, set()),
    ],
)
def test_a_server_is_seen_whole_when_nothing_of_it_is_left_out(
    reach: set[Binding] | None, shares: dict[ServerId, Share] | None, whole: set[ServerId]
) -> None:
    assert narrowed(KNOWN, reach, shares).servers == whole


def test_what_a_library_alone_tells_of_its_titles() -> None:
    narrow = Visibility(frozenset({FILMS, SERIES}), {FILMS: Restriction(labels=frozenset({"Kids"}))})
    cellar = ServerId("cellar")
    asked = [(ATTIC, "1"), (ATTIC, "2"), (ATTIC, "9"), (ATTIC, None), (cellar, "1")]
    assert [narrow.covers(*one) for one in asked] == [False, True, False, False, False]
    assert [narrow.excludes(*one) for one in asked] == [False, False, True, False, True]
    assert (narrow.sees_of(ATTIC), narrow.sees_of(cellar), Visibility().sees_of(cellar)) == (True, False, True)
    whole = Visibility(frozenset(), servers=frozenset({ATTIC}))
    assert whole.covers(ATTIC, None)
    assert whole.sees_of(ATTIC)
    assert not whole.excludes(ATTIC, "9")

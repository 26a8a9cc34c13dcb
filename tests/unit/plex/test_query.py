from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.media import TitleKind
from daemon.core.query import (
    EXACT,
    NONE,
    PREFIX,
    STRIPPED_PREFIX,
    WORDS,
    Query,
    folded,
    is_like,
    rank,
    searchable,
    sorted_in,
    tier_of,
    without_article,
)
from daemon.core.text import fold
from tests.unit.plex.shelf import episode, season, title


@given(st.text())
def test_the_quick_way_folds_as_the_slow_one(text: str) -> None:
    assert folded(text) == fold(text)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("The Office 2x04", ("the", "office", "s02e04")),
        ("office S2E4", ("office", "s02e04")),
        ("office s2 e4", ("office", "s02e04")),
        ("office season 12 episode 104", ("office", "s12e104")),
        ("office s2", ("office", "s02")),
        ("office s2e", ("office", "s02e")),
        ("s2 office", ("s02", "office")),
        ("office s0", ("office", "s0")),  # on the way to s02
        ("1920x1080", ("1920x1080",)),
        ("", ()),
    ],
)
def test_words_of_a_query(typed: str, words: tuple[str, ...]) -> None:
    assert Query.parse(typed).words == words


def test_a_long_query_is_cut() -> None:
    assert len(Query.parse("word " * 1000).words) == 12
    assert len(Query.parse("w" * 2000).key) == 200


@pytest.mark.parametrize(
    ("key", "bare"), [("the office", "office"), ("a bug s life", "bug s life"), ("the", "the"), ("theory", "theory")]
)
def test_articles(key: str, bare: str) -> None:
    assert without_article(key) == bare


def test_an_article_alone_is_not_taken_from_a_query() -> None:
    assert Query.parse("the").stripped == "the"
    assert Query.parse("the o").stripped == "the o"
    assert Query.parse("the of").stripped == "of"


def test_what_a_title_is_found_by() -> None:
    assert searchable(episode("The Office", 2, 4, "The Fire")) == "the office s02e04 the fire"
    assert searchable(season("The Office", 2)) == "the office season 2 s02"
    assert searchable(title("Dune", year=2021)) == "dune 2021"
    assert searchable(title("Blue Train", TitleKind.ALBUM, parent="John Coltrane")) == "john coltrane blue train"


@pytest.mark.parametrize(
    ("typed", "tier"),
    [
        ("dune part two", EXACT),
        ("Dune: Part Two (2024)", EXACT),
        ("dune p", PREFIX),
        ("two dune", WORDS),
        ("dune three", NONE),
        ("", NONE),
    ],
)
def test_how_well_a_title_matches(typed: str, tier: int) -> None:
    assert tier_of(Query.parse(typed), title("Dune: Part Two", year=2024))[0] == tier


def test_a_title_from_a_live_search_is_no_better_than_the_same_from_the_index() -> None:
    film = title("The Beekeeper", year=2013)
    bell = episode("Polar Mail", 2, 5, "The Bell")
    typed = Query.parse("the")
    places = [rank(one, Query.parse(one.name).key, *tier_of(typed, one)) for one in (film, bell)]
    assert places[0] == rank(film, "the beekeeper", PREFIX, 0)
    assert places[0] < places[1]


def test_a_name_without_its_article_matches_almost_as_well() -> None:
    assert tier_of(Query.parse("the heist"), title("Heist Club"))[0] == STRIPPED_PREFIX


def test_ranks_are_total() -> None:
    twins = [title("Dune", year=2021), title("Dune", year=2021)]
    assert rank(twins[0], "dune", EXACT, 1) != rank(twins[1], "dune", EXACT, 1)


@pytest.mark.parametrize(
    ("typed", "name", "is_meant"),
    [
        ("casablnca 1942", "Casablanca", True),
        ("star wrs", "Star Wars: Rebels", True),
        ("the matirx", "The Matrix", True),
        ("everyone 1 zzzz", "@everyone Goes Home", False),
        ("dune 1999", "Dune", False),
        ("rebels", "Star Wars: Rebels", True),
    ],
)
def test_a_mistyped_name_means_only_what_is_much_like_it(typed: str, name: str, is_meant: bool) -> None:
    assert is_like(Query.parse(typed), title(name, year=1942)) is is_meant


def test_titles_of_servers_are_sorted_in_among_those_of_the_search() -> None:
    found = [title("Blue"), title("Blue Moon"), title("The Blue Hour"), title("Deep Blue")]
    others = [title("Blue", TitleKind.PLAYLIST), title("Blue Evening"), title("Into the Blue"), found[0]]
    names = [str(one) for one in sorted_in(Query.parse("blue"), found, others)]
    assert names == ["Blue", "Blue", "Blue Evening", "Blue Moon", "The Blue Hour", "Deep Blue", "Into the Blue"]

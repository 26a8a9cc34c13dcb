"""The order of suggestions: what somebody means who types a few letters stands first."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.ids import ServerId
from daemon.core.media import Title, TitleKind
from daemon.core.visibility import LibraryRef, Visibility
from daemon.data.search import file
from daemon.data.search.file import KIND_NO, Doc, Known
from daemon.services.library.finder import Finder
from tests.unit.plex.shelf import episode, season, title

LIBRARY = LibraryRef(ServerId("attic"), "1")
Suggest = Callable[..., list[Title]]


def shelved(connection: sqlite3.Connection, titles: Iterable[Title]) -> Suggest:
    """Suggestions from a search file that holds these titles."""
    docs = [
        Doc(
            number, 1, KIND_NO[one.kind.value], one.ref.server, int(one.ref.rating_key), one.name, one.year, None,
            one.parent, one.grandparent, one.index, one.parent_index, None, None, None, None,
        )
        for number, one in enumerate(titles, 1)
    ]  # fmt: skip
    file.put(connection, Known(1, LIBRARY, "Library"), docs)

    def suggest(text: str, kinds: Collection[TitleKind] | None = None, limit: int = 25) -> list[Title]:
        return Finder(connection, Visibility(), kinds, None, limit).suggest(text)

    return suggest


def suggested(titles: Iterable[Title], text: str, limit: int = 25) -> list[Title]:
    """What a file of its own suggests."""
    with tempfile.TemporaryDirectory(prefix="marquee-search-") as folder:
        connection = file.open_file(Path(folder) / "search.sqlite3")
        try:
            return shelved(connection, titles)(text, limit=limit)
        finally:
            connection.close()


SHELF = [
    title("Dune", year=1984),
    title("Dune", year=2021),
    title("Dune: Part Two", year=2024),
    title("The Office Christmas Party", year=2016),
    title("Amélie", year=2001),
    title("Interstellar", year=2014),
    title("Blade Runner 2049", year=2017),
    title("Die Hard", year=1988),
    title("Solaris", year=1972),
    title("שדה האור", year=2020),
    title("🎬 The Emoji Heist 🚀", year=2022),
    title("The Office", TitleKind.SHOW, year=2005),
    title("Star Wars: Rebels", TitleKind.SHOW, year=2014),
    season("The Office", 1),
    season("The Office", 2),
    season("The Office", 20),
    episode("The Office", 2, 4, "The Fire"),
    episode("The Office", 2, 5, "Halloween"),
    episode("The Office", 20, 4, "Encore"),
    title("Blue Train", TitleKind.ALBUM, parent="John Coltrane", year=1958),
    title("Locomotion", TitleKind.TRACK, grandparent="John Coltrane", parent="Blue Train"),
    title("John Coltrane", TitleKind.ARTIST),
]


@pytest.fixture(scope="module")
def suggest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suggest]:
    connection = file.open_file(tmp_path_factory.mktemp("search") / "search.sqlite3")
    yield shelved(connection, SHELF)
    connection.close()


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("dune", "Dune (2021)"),  # the newer of two of one name
        ("dune 1984", "Dune (1984)"),
        ("Dune (1984)", "Dune (1984)"),
        ("dune pa", "Dune: Part Two (2024)"),
        ("amelie", "Amélie (2001)"),
        ("AMÉL", "Amélie (2001)"),
        ("office", "The Office (2005)"),
        ("the office", "The Office (2005)"),
        ("office chr", "The Office Christmas Party (2016)"),
        ("office season 2", "The Office - Season 2"),
        ("office s2", "The Office - Season 2"),
        ("office s02e04", "The Office - S02E04 - The Fire"),
        ("office 2x04", "The Office - S02E04 - The Fire"),
        ("office season 2 episode 5", "The Office - S02E05 - Halloween"),
        ("The Office - S02E04 - The Fire", "The Office - S02E04 - The Fire"),
        ("hallow", "The Office - S02E05 - Halloween"),
        ("2049", "Blade Runner 2049 (2017)"),
        ("die h", "Die Hard (1988)"),  # an English "die" is no article
        ("hard", "Die Hard (1988)"),
        ("intersteler", "Interstellar (2014)"),
        ("intrest", "Interstellar (2014)"),  # two letters exchanged, and not yet typed to the end
        ("nterstellar", "Interstellar (2014)"),  # the first letter missing
        ("xolaris", "Solaris (1972)"),
        ("star wrs", "Star Wars: Rebels (2014)"),
        ("rebels star", "Star Wars: Rebels (2014)"),
        ("coltrane loco", "John Coltrane - Locomotion"),
        ("blue tr", "John Coltrane - Blue Train"),
        ("john coltrane", "John Coltrane"),
        ("שדה", "שדה האור (2020)"),
        ("emoji heist", "🎬 The Emoji Heist 🚀 (2022)"),
    ],
)
def test_the_best_suggestion(suggest: Suggest, typed: str, first: str) -> None:
    assert str(suggest(typed)[0]) == first


def test_whole_words_come_before_beginnings(suggest: Suggest) -> None:
    assert [str(found) for found in suggest("office season 2")][:2] == [
        "The Office - Season 2",
        "The Office - Season 20",
    ]


def test_names_that_begin_so_come_before_words_inside() -> None:
    found = suggested([title("A Day Off"), title("Offshore"), title("The Offer")], "off")
    assert [title.name for title in found] == ["The Offer", "Offshore", "A Day Off"]


@pytest.mark.parametrize("nothing", ["zzzzqqq", "dune 1999", "\x00\x01", "!!!", "office s99e99", "q" * 2000])
def test_what_is_not_there_is_not_found(suggest: Suggest, nothing: str) -> None:
    assert suggest(nothing) == []


def test_kinds_narrow(suggest: Suggest) -> None:
    assert {found.kind for found in suggest("office", kinds={TitleKind.EPISODE})} == {TitleKind.EPISODE}
    assert suggest("dune", kinds=[TitleKind.SHOW]) == []


def test_the_limit_holds_and_answers_repeat(suggest: Suggest) -> None:
    assert len(suggest("o", limit=2)) == 2
    assert suggest("o", limit=2) == suggest("o", limit=25)[:2]


WORDS = st.text(alphabet="abcdeé ÅßΩ日本🎬'-:.", min_size=0, max_size=12)
NAMES = st.text(alphabet="abcde ", min_size=1, max_size=10)


@settings(max_examples=60, deadline=None)
@given(names=st.lists(WORDS, min_size=1, max_size=30), query=WORDS)
def test_any_text_is_answered_without_repetition(names: list[str], query: str) -> None:
    titles = [title(name) for name in names]
    found = suggested(titles, query, limit=10)
    assert len(found) <= 10
    assert len({one.ref for one in found}) == len(found)
    assert {one.ref for one in found} <= {one.ref for one in titles}


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(NAMES, min_size=1, max_size=30, unique=True),
    at=st.data(),
)
def test_a_title_is_found_by_the_beginning_of_its_name(names: list[str], at: st.DataObject) -> None:
    titles = [title(name) for name in names]
    wanted: Title = at.draw(st.sampled_from(titles))
    folded = " ".join(wanted.name.split())
    if folded:
        typed = folded[: at.draw(st.integers(1, len(folded)))]
        assert wanted.ref in {found.ref for found in suggested(titles, typed, limit=len(titles))}

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.ids import ServerId
from daemon.core.media import Title, TitleKind
from integrations.plex.index import SegmentId, TitleIndex
from integrations.plex.segment import Budget, Segment
from tests.unit.plex.shelf import ATTIC, episode, index_of, season, title

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
    title("Friday Night", TitleKind.PLAYLIST),
]


@pytest.fixture(scope="module")
def shelf() -> TitleIndex:
    return index_of(SHELF)


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
        ("friday", "Friday Night"),
    ],
)
def test_the_best_suggestion(shelf: TitleIndex, typed: str, first: str) -> None:
    assert str(shelf.suggest(typed)[0]) == first


def test_whole_words_come_before_beginnings(shelf: TitleIndex) -> None:
    assert [str(found) for found in shelf.suggest("office season 2")][:2] == [
        "The Office - Season 2",
        "The Office - Season 20",
    ]


def test_names_that_begin_so_come_before_words_inside() -> None:
    shelf = index_of([title("A Day Off"), title("Offshore"), title("The Offer")])
    assert [found.name for found in shelf.suggest("off")] == ["The Offer", "Offshore", "A Day Off"]


@pytest.mark.parametrize("nothing", ["zzzzqqq", "dune 1999", "\x00\x01", "!!!", "office s99e99", "q" * 2000])
def test_what_is_not_there_is_not_found(shelf: TitleIndex, nothing: str) -> None:
    assert shelf.suggest(nothing) == [] or nothing in ("\x00\x01", "!!!")


def test_kinds_narrow(shelf: TitleIndex) -> None:
    assert {found.kind for found in shelf.suggest("office", kinds={TitleKind.EPISODE})} == {TitleKind.EPISODE}
    assert shelf.suggest("dune", kinds=[TitleKind.SHOW]) == []


def test_the_limit_holds_and_answers_repeat(shelf: TitleIndex) -> None:
    assert len(shelf.suggest("o", limit=2)) == 2
    assert shelf.suggest("o", limit=2) == shelf.suggest("o", limit=25)[:2]


def test_an_empty_query_shows_what_is_new() -> None:
    index = TitleIndex()
    old, new, newest = title("Old"), title("New"), title("Newest", TitleKind.SHOW)
    index.put(SegmentId(ATTIC, "1", TitleKind.MOVIE), Segment(TitleKind.MOVIE, [old, new], [(20, new), (10, old)]))
    index.put(SegmentId(ATTIC, "2", TitleKind.SHOW), Segment(TitleKind.SHOW, [newest], [(30, newest)]))
    assert index.suggest("") == [newest, new, old]
    assert index.suggest("   ", limit=1) == [newest]
    assert index.suggest("", kinds={TitleKind.MOVIE}) == [new, old]


def test_segments_are_exchanged_and_dropped_whole() -> None:
    index = TitleIndex()
    name = SegmentId(ATTIC, "1", TitleKind.MOVIE)
    other = SegmentId(ServerId("cellar"), "1", TitleKind.MOVIE)
    index.put(name, Segment(TitleKind.MOVIE, [title("Alpha")]))
    index.put(other, Segment(TitleKind.MOVIE, [title("Alphabet")]))
    index.put(name, Segment(TitleKind.MOVIE, [title("Beta"), title("Gamma")]))
    assert [found.name for found in index.suggest("a")] == ["Alphabet"]
    assert (len(index), index.count(ATTIC), index.size(name)) == (3, 2, 2)
    index.keep(ATTIC, [])
    assert [found.name for found in index.suggest("b")] == []
    assert len(index) == 1


def test_playlists_are_recognised() -> None:
    mine = title("Mix", TitleKind.PLAYLIST)
    index = index_of([mine, title("Film")])
    assert index.has_playlist(mine.ref)
    assert not index.has_playlist(title("Another").ref)


WORDS = st.text(alphabet="abcdeé ÅßΩ日本🎬'-:.", min_size=0, max_size=12)
NAMES = st.text(alphabet="abcde ", min_size=1, max_size=10)


@settings(max_examples=150, deadline=None)
@given(names=st.lists(WORDS, min_size=1, max_size=30), query=WORDS)
def test_any_text_is_answered_without_repetition(names: list[str], query: str) -> None:
    titles = [title(name) for name in names]
    found = index_of(titles).suggest(query, limit=10)
    assert len(found) <= 10
    assert len({one.ref for one in found}) == len(found)
    assert {one.ref for one in found} <= {one.ref for one in titles}


@settings(max_examples=150, deadline=None)
@given(
    names=st.lists(NAMES, min_size=1, max_size=30, unique=True),
    at=st.data(),
)
def test_a_title_is_found_by_the_beginning_of_its_name(names: list[str], at: st.DataObject) -> None:
    titles = [title(name) for name in names]
    index = index_of(titles)
    wanted: Title = at.draw(st.sampled_from(titles))
    folded = " ".join(wanted.name.split())
    if folded:
        typed = folded[: at.draw(st.integers(1, len(folded)))]
        assert wanted in index.suggest(typed, limit=len(titles))


def test_one_query_looks_at_a_bounded_number_of_titles_and_words() -> None:
    """However common the words: the work of one query is counted, and ends."""
    rng = random.Random(3)
    syllables = ["ka", "lo", "mi", "ne", "ru", "sa", "ti", "vo"]
    words = ["".join(rng.choices(syllables, k=4)) for _ in range(4000)]
    titles = [title(f"common zz{rng.choice(words)} {rng.choice(words)}") for _ in range(6000)]
    segment = Segment(TitleKind.MOVIE, titles)
    budget = Budget(500, 1000)
    assert len(segment.with_words(("common", "c"), 10_000, budget)) == 500
    assert budget.titles == 0
    assert segment.with_words(("common",), 10_000, budget) == []
    segment.near("kaxyxyxy", is_unfinished=True, budget=budget)
    assert budget.words == 0
    assert segment.near("kalomixx", is_unfinished=True, budget=budget) == []

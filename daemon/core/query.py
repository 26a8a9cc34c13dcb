"""What a member typed, made comparable with the titles there are. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from daemon.core.limits import QUERY_CHARS_MAX
from daemon.core.media import Title, TitleKind
from daemon.core.text import fold

WORDS_MAX = 12  # of a query; the rest of a pasted text is ignored
_LIKE_MIN = 0.75  # of 1: names less alike are not the same one mistyped

_ASCII = "".join(chr(code).lower() if chr(code).isalnum() else " " for code in range(128))
_ARTICLES = ("the ", "a ", "an ", "le ", "la ", "les ", "el ", "los ", "las ", "il ", "lo ", "der ", "die ", "das ")
_QUERY_ARTICLES = ("the ", "a ", "an ")
_EPISODE = (
    re.compile(r"\bs(?:eason )?(\d{1,3}) ?(?:e|ep|episode )(\d{1,4})\b"),
    re.compile(r"\b(\d{1,2})x(\d{1,4})\b"),
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_SEASON = re.compile(r"\bs([1-9])(e?)$|\bs([1-9])(?= )")


def folded(text: str) -> str:
    """As `core.text.fold`, with a quick way for ASCII, which most titles of most libraries are."""
    return " ".join(text.translate(_ASCII).split()) if text.isascii() else fold(text)


def without_article(key: str) -> str:
    """A folded name as libraries sort it: "the office" is "office"; a name that is only an article stays."""
    return key.partition(" ")[2] if key.startswith(_ARTICLES) else key


def searchable(title: Title) -> str:
    """All words by which a title is found, folded: its name, those above it, its year or its `s02e04`."""
    match title.kind:
        case TitleKind.EPISODE:
            number = "" if title.index is None else f"s{title.parent_index or 0:02}e{title.index:02}"
            parts = (title.grandparent, number, title.name)
        case TitleKind.SEASON:
            number = "" if title.index is None else f"s{title.index:02}"
            parts = (title.parent, title.name, number)
        case TitleKind.ALBUM:
            parts = (title.parent, title.name, str(title.year or ""))
        case TitleKind.TRACK:
            parts = (title.grandparent, title.name, "")
        case _:
            parts = (title.name, str(title.year or ""), "")
    return folded(" ".join(part for part in parts if part))


@dataclass(frozen=True, slots=True)
class Query:
    """A query ready for comparison: `key` is all of it folded, `stripped` without a leading English article."""

    key: str
    stripped: str
    words: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Query:
        """Read a query. "The Office 2x04" has the words the, office, s02e04; "S2" is s02."""
        key = folded(text[:QUERY_CHARS_MAX])
        for pattern in _EPISODE:
            key = pattern.sub(lambda found: f"s{int(found[1]):02}e{int(found[2]):02}", key)
        key = _SEASON.sub(lambda found: f"s0{found[1] or found[3]}{found[2] or ''}", key)
        stripped = key
        for article in _QUERY_ARTICLES:
            if key.startswith(article) and len(key) >= len(article) + 2:
                stripped = key[len(article) :]
                break
        return cls(key, stripped, tuple(key.split()[:WORDS_MAX]))


_GROUPS = {
    TitleKind.MOVIE: 0,
    TitleKind.SHOW: 0,
    TitleKind.ARTIST: 1,
    TitleKind.PLAYLIST: 1,
    TitleKind.SEASON: 2,
    TitleKind.ALBUM: 2,
    TitleKind.EPISODE: 3,
    TitleKind.TRACK: 3,
    TitleKind.CLIP: 4,
}

Rank = tuple[int, int, int, str, int, str, str]  # smaller is better; total, so that equal queries give equal answers


def rank(title: Title, key: str, tier: int, exact_words: int) -> Rank:
    """Where a match belongs: how well it matches, what it is, its name as libraries sort it, newer before older."""
    ref = title.ref
    return rank_of(title.kind, without_article(key), title.year, ref.server, ref.rating_key, tier, exact_words)


def rank_of(
    kind: TitleKind, bare: str, year: int | None, server: str, rating_key: str, tier: int, exact_words: int
) -> Rank:
    """The same for what has not been made a title; `bare` is its folded name without its article."""
    return tier, -exact_words, _GROUPS[kind], bare, -(year or 0), server, rating_key


EXACT, PREFIX, STRIPPED_PREFIX, WORDS, TYPO, NONE = range(6)


def tier_of(query: Query, title: Title) -> tuple[int, int]:
    """How well a title that did not come from the search file matches, and how many whole words of it were named.

    Words are counted only where the name itself does not match, as in the search: else these titles would come first.
    """
    key = folded(title.name)
    text = f" {searchable(title)} "
    exact = sum(f" {word} " in text for word in query.words)
    if not query.words:
        return NONE, 0
    if query.key in (key, text.strip(), folded(str(title))):
        return EXACT, 0
    if key.startswith(query.key) or text.startswith(f" {query.key}"):
        return PREFIX, 0
    if without_article(key).startswith(query.stripped):
        return STRIPPED_PREFIX, 0
    return (WORDS, exact) if all(f" {word}" in text for word in query.words) else (NONE, exact)


def place_of(query: Query, title: Title) -> Rank:
    """The rank of a title that did not come from the search file."""
    tier, exact_words = tier_of(query, title)
    return rank(title, folded(title.name), tier, exact_words)


def sorted_in(query: Query, titles: Sequence[Title], others: Sequence[Title]) -> list[Title]:
    """`titles`, which are in the order of the search, with `others` where they belong among them, each once."""
    found = list(titles)
    known = {title.ref for title in titles}
    for other in sorted(others, key=lambda title: place_of(query, title)):
        if other.ref not in known:
            known.add(other.ref)
            place = place_of(query, other)
            at = next((at for at, title in enumerate(found) if place_of(query, title) > place), len(found))
            found.insert(at, other)
    return found


def is_like(query: Query, title: Title) -> bool:
    """Whether a title is what somebody named, but for slips of the finger: enough alike to act upon it.

    "casablnca 1942" is Casablanca (1942), "star wrs" may be the beginning of Star Wars; "everyone 1 zzzz" is no
    "Everyone Goes Home", though a list of what is nearest may well begin with that.
    """
    if tier_of(query, title)[0] != NONE:
        return True
    last, own = query.words[-1] if query.words else "", folded(title.name).split()
    if _YEAR.fullmatch(last) and title.year is not None and last not in own and abs(int(last) - title.year) > 1:
        return False
    wanted = without_article(query.key)
    names = {without_article(folded(name)) for name in (title.name, str(title))}
    return any(
        SequenceMatcher(None, wanted, part, autojunk=False).ratio() >= _LIKE_MIN
        for name in names
        for part in (name, name[: len(wanted)])
    )

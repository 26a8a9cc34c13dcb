"""What a member typed, made comparable with what the index holds. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from daemon.core.limits import QUERY_CHARS_MAX
from daemon.core.media import Title, TitleKind
from daemon.core.text import fold

WORDS_MAX = 12  # of a query; the rest of a pasted text is ignored

_ASCII = "".join(chr(code).lower() if chr(code).isalnum() else " " for code in range(128))
_ARTICLES = ("the ", "a ", "an ", "le ", "la ", "les ", "el ", "los ", "las ", "il ", "lo ", "der ", "die ", "das ")
_QUERY_ARTICLES = ("the ", "a ", "an ")
_EPISODE = (
    re.compile(r"\bs(?:eason )?(\d{1,3}) ?(?:e|ep|episode )(\d{1,4})\b"),
    re.compile(r"\b(\d{1,2})x(\d{1,4})\b"),
)
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
    return rank_of(title.kind, ref.server, ref.rating_key, title.year, key, tier, exact_words)


def rank_of(
    kind: TitleKind, server: str, rating_key: str, year: int | None, key: str, tier: int, exact_words: int
) -> Rank:
    """The same of a title that is not made yet."""
    return tier, -exact_words, _GROUPS[kind], without_article(key), -(year or 0), server, rating_key


EXACT, PREFIX, STRIPPED_PREFIX, WORDS, TYPO, NONE = range(6)


def tier_of(query: Query, title: Title) -> tuple[int, int]:
    """How well a title that did not come from the index matches, and how many whole words of it were named.

    Words are counted only where the name itself does not match, as in the index: else its titles would come first.
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

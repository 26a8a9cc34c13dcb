"""One search from what was typed to titles in their order. Runs in a thread."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Sequence
from heapq import nsmallest
from operator import itemgetter

from rapidfuzz import fuzz, process

from daemon.core.media import Title, TitleKind
from daemon.core.query import (
    EXACT,
    PREFIX,
    STRIPPED_PREFIX,
    TYPO,
    WORDS,
    Query,
    Rank,
    folded,
    rank_of,
    searchable,
    without_article,
)
from daemon.core.visibility import LibraryRef, Visibility
from daemon.data.search import finding
from daemon.data.search.file import KIND_NO, KINDS, Doc, to_title

_NEAR_MIN = 60.0  # of 100: of two names less alike, one is not the other mistyped
_NEAR_CHARS_MIN = 3
_WORDS_LOOKED_AT = 200  # of a kind, among which the best are chosen
_EPISODE = re.compile(r"s(\d{2,3})(?:e(\d{2,4}))?")
_YEAR = re.compile(r"(19|20)\d\d")
_SHOWS_MAX = 5  # that a mistyped name may have meant
_ALL_KINDS = tuple(sorted(KIND_NO.values()))
_NAMED = tuple(kind for kind in _ALL_KINDS if kind not in (KIND_NO[TitleKind.SEASON.value],))


class Finder:
    """One search on one connection for one who sees so much."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        visibility: Visibility,
        kinds: Collection[TitleKind] | None,
        only: LibraryRef | None,
        limit: int,
    ) -> None:
        self._connection = connection
        self._sees = finding.sight(connection, visibility, only)
        wanted = _ALL_KINDS if kinds is None else [KIND_NO[kind.value] for kind in kinds if kind.value in KIND_NO]
        self._kinds = tuple(sorted(wanted))
        self._limit = limit
        self._found: dict[int, tuple[Rank, Doc]] = {}

    def suggest(self, text: str) -> list[Title]:
        """For somebody who is typing: names that begin so, then titles with all the words."""
        query = Query.parse(text)
        if not query.words or not self._kinds:
            return []
        self._by_name(query)
        if len(self._found) < self._limit:
            self._by_words(query, query.words, WORDS)
        return self._best()

    def find(self, text: str) -> list[Title]:
        """As `suggest`, and when that finds nothing, names that are nearly so."""
        found = self.suggest(text)
        if not found:
            self._by_near_names(Query.parse(text))
            found = self._best()
        return found

    def nearest(self, text: str) -> list[Title]:
        """Titles with similar names, the most alike first, whether one is exactly so or not."""
        query = Query.parse(text)
        self._by_near_names(query)
        return self._best()

    def _by_name(self, query: Query) -> None:
        for beginning in dict.fromkeys((query.key, query.stripped)):
            for name, doc in finding.by_name(self._connection, self._sees, self._kinds, beginning, self._limit):
                tier = EXACT if name == query.key else PREFIX if beginning == query.key else STRIPPED_PREFIX
                self._note(doc, tier, 0)

    def _by_words(self, query: Query, words: Sequence[str], tier: int) -> None:
        docs = finding.by_words(self._connection, self._sees, self._kinds, words, _WORDS_LOOKED_AT)
        whole = [f" {word} " for word in words]
        for doc in docs:
            text = f" {searchable(to_title(doc, None))} "
            exact = sum(word in text for word in whole)
            self._note(doc, EXACT if text.strip() == query.key and tier == WORDS else tier, exact)

    def _by_near_names(self, query: Query) -> None:
        """Names that are nearly so; a year or an episode that was named narrows them and need not be spelled well."""
        words, season, episode, year = list(query.words), None, None, None
        for word in query.words:
            if match := _EPISODE.fullmatch(word):
                season, episode = int(match[1]), int(match[2]) if match[2] else None
                words.remove(word)
        if len(words) > 1 and _YEAR.fullmatch(words[-1]):
            year = int(words.pop())
        bare = without_article(" ".join(words))
        if len(bare) < _NEAR_CHARS_MIN:
            return
        if season is not None:
            for _, show in self._near(bare, (KIND_NO["show"],), _SHOWS_MAX):
                for doc in finding.episodes(self._connection, self._sees, show, season, episode):
                    if doc.kind_no in self._kinds:
                        self._note(doc, TYPO, 0)
            return
        kinds = tuple(kind for kind in self._kinds if kind in _NAMED)
        if year is not None:
            for score, doc in self._near(bare, kinds, self._limit * 4):
                if doc.year is not None and abs(doc.year - year) <= 1:
                    self._note(doc, TYPO, _likeness(score))
        if not self._found:  # or the number is part of the name
            whole = bare if year is None else f"{bare} {year}"
            for score, doc in self._near(whole, kinds, self._limit):
                self._note(doc, TYPO, _likeness(score))

    def _near(self, bare: str, kinds: Collection[int], limit: int) -> list[tuple[float, Doc]]:
        if not kinds:
            return []
        size = finding.size(self._connection)
        near = finding.near_names(self._connection, self._sees, kinds, bare, size)
        names = [name for _, name in near]
        best = process.extract(bare, names, scorer=fuzz.ratio, limit=limit, score_cutoff=_NEAR_MIN)
        docs = finding.by_ids(self._connection, [near[at][0] for _, _, at in best])
        return [(score, docs[near[at][0]]) for _, score, at in best]

    def _note(self, doc: Doc, tier: int, exact: int) -> None:
        """A title that was found; only of the best is a `Title` made, which costs more than to rank it."""
        kind, server = KINDS[doc.kind_no], doc.server
        place = rank_of(kind, server, str(doc.rating_key), doc.year, folded(doc.name), tier, exact)
        held = self._found.get(doc.title_id)
        if held is None or place < held[0]:
            self._found[doc.title_id] = (place, doc)

    def _best(self) -> list[Title]:
        best = nsmallest(self._limit, self._found.values(), key=itemgetter(0))
        return [to_title(doc, self._sees.names.get(doc.library_id)) for _, doc in best]


def _likeness(score: float) -> int:
    """The most alike first: where a rank has the number of whole words, which a mistyped name has none of."""
    return int(score * 10)

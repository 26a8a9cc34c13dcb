"""One search from what was typed to titles in their order. Runs in a thread."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Sequence

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
    rank_of,
    searchable,
    without_article,
)
from daemon.core.visibility import LibraryRef, Visibility
from daemon.data.search import finding
from daemon.data.search.file import KIND_NO, KINDS, Doc, to_title
from daemon.data.search.tokens import bare_name

_NEAR_MIN = 60.0  # of 100: of two names less alike, one is not the other mistyped
_TYPING_MIN = 70.0  # the same while somebody types, for whom a wrong guess is only in the way
_NUMBER_MIN = 75.0  # and of names with a number that may be a year: "dune 1999" is no Dune of another year
_NEAR_CHARS_MIN = 3
_WORDS_LOOKED_AT = 200  # of a kind, among which the best are chosen
_EPISODE = re.compile(r"s(\d{2,3})(?:e(\d{2,4}))?")
_YEAR = re.compile(r"(19|20)\d\d")
_SHOWS_MAX = 5  # that a mistyped name may have meant
_NAMED_ALONE = frozenset(KIND_NO[kind.value] for kind in (TitleKind.MOVIE, TitleKind.SHOW, TitleKind.ARTIST))
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
        self._near_min = self._number_min = _NEAR_MIN
        self._is_typing = False

    def suggest(self, text: str) -> list[Title]:
        """For somebody who is typing: names that begin so, then titles with all the words, else beginnings like it.

        Without a word, what is new.
        """
        query = Query.parse(text)
        if not query.words:
            new = finding.newest(self._connection, self._sees, self._kinds, self._limit)
            return [to_title(doc, self._sees.names.get(doc.library_id)) for doc in new]
        if not self._by_what_was_typed(query):
            self._near_min, self._number_min, self._is_typing = _TYPING_MIN, _NUMBER_MIN, True
            self._by_near_names(query)
        return self._best()

    def find(self, text: str) -> list[Title]:
        """For a whole query: as `suggest`, but in the end names that are nearly so as a whole."""
        query = Query.parse(text)
        if not self._by_what_was_typed(query):
            self._number_min = _NUMBER_MIN
            self._by_near_names(query)
        return self._best()

    def nearest(self, text: str) -> list[Title]:
        """Titles with similar names, the most alike first, whether one is exactly so or not."""
        query = Query.parse(text)
        self._by_near_names(query)
        return self._best()

    def _by_what_was_typed(self, query: Query) -> bool:
        """Whether anything has been found; True when there is nothing to look for."""
        if not query.words or not self._kinds:
            return True
        self._by_name(query)
        if len(self._found) < self._limit:
            self._by_words(query, query.words, WORDS)
        return bool(self._found)

    def _by_name(self, query: Query) -> None:
        for beginning in dict.fromkeys((query.key, query.stripped)):
            for name, doc in finding.by_name(self._connection, self._sees, self._kinds, beginning, self._limit):
                tier = EXACT if name == query.key else PREFIX if beginning == query.key else STRIPPED_PREFIX
                self._note(doc, without_article(name), tier, 0)

    def _by_words(self, query: Query, words: Sequence[str], tier: int) -> None:
        whole = [f" {word} " for word in words]
        for bare, doc in finding.by_words(self._connection, self._sees, self._kinds, words, _WORDS_LOOKED_AT):
            if doc.kind_no in _NAMED_ALONE:
                text = f" {bare} {doc.year or ''} "
            else:
                text = f" {searchable(to_title(doc, None))} "
            exact = sum(word in text for word in whole)
            is_all = tier == WORDS and text.strip() in (query.key, query.stripped)
            self._note(doc, bare, EXACT if is_all else tier, exact)

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
                        self._note(doc, bare_name(doc.name), TYPO, 0)
            return
        kinds = tuple(kind for kind in self._kinds if kind in _NAMED)
        if year is not None:
            for score, doc in self._near(bare, kinds, self._limit * 4):
                if doc.year is not None and abs(doc.year - year) <= 1:
                    self._note(doc, bare_name(doc.name), TYPO, _likeness(score))
        if not self._found:  # or the number is part of the name
            whole = bare if year is None else f"{bare} {year}"
            for score, doc in self._near(whole, kinds, self._limit):
                if year is None or score >= self._number_min:
                    self._note(doc, bare_name(doc.name), TYPO, _likeness(score))

    def _near(self, bare: str, kinds: Collection[int], limit: int) -> list[tuple[float, Doc]]:
        if not kinds:
            return []
        size = finding.size(self._connection)
        near = finding.near_names(self._connection, self._sees, kinds, bare, size)
        names = [name for _, name in near]
        best = self._most_alike(bare, names, limit)
        if self._is_typing:  # the end of the name is still to come
            best += self._most_alike(bare, [name[: len(bare)] for name in names], limit)
        scores: dict[int, float] = {}
        for score, at in best:
            scores[near[at][0]] = max(score, scores.get(near[at][0], 0.0))
        docs = finding.by_ids(self._connection, list(scores))
        return [(score, docs[title_id]) for title_id, score in scores.items()]

    def _most_alike(self, bare: str, names: Sequence[str], limit: int) -> list[tuple[float, int]]:
        found = process.extract(bare, names, scorer=fuzz.ratio, limit=limit, score_cutoff=self._near_min)
        return [(score, at) for _, score, at in found]

    def _note(self, doc: Doc, bare: str, tier: int, exact: int) -> None:
        place = rank_of(KINDS[doc.kind_no], bare, doc.year, doc.server, str(doc.rating_key), tier, exact)
        held = self._found.get(doc.title_id)
        if held is None or place < held[0]:
            self._found[doc.title_id] = (place, doc)

    def _best(self) -> list[Title]:
        """Only these are made titles: of several hundred that may be looked at, it would be half of the work."""
        ordered = sorted(self._found.values(), key=lambda pair: pair[0])
        return [to_title(doc, self._sees.names.get(doc.library_id)) for _, doc in ordered[: self._limit]]


def _likeness(score: float) -> int:
    """The most alike first: where a rank has the number of whole words, which a mistyped name has none of."""
    return int(score * 10)

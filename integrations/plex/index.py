"""The titles of all servers in memory, for suggestions while somebody types. Read on the event loop."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from daemon.core.ids import RatingKey, ServerId
from daemon.core.media import Title, TitleKind, TitleRef
from daemon.core.query import EXACT, PREFIX, STRIPPED_PREFIX, TYPO, WORDS, Query, Rank, rank
from integrations.plex.segment import Budget, Segment

KIND_ORDER = (
    TitleKind.MOVIE,
    TitleKind.SHOW,
    TitleKind.PLAYLIST,
    TitleKind.ARTIST,
    TitleKind.SEASON,
    TitleKind.ALBUM,
    TitleKind.EPISODE,
    TitleKind.TRACK,
)  # the most useful first: read, kept and searched in this order

_RECENT_KINDS = frozenset({TitleKind.MOVIE, TitleKind.SHOW, TitleKind.ALBUM})
_EXAMINED_TITLES = 4_000  # by one query over all segments
_EXAMINED_WORDS = 20_000
_TYPO_WORDS_MAX = 2  # words of one query that are corrected


@dataclass(frozen=True, slots=True)
class SegmentId:
    """Which titles a segment holds. `section` is the library's key on its server, or "playlists"."""

    server: ServerId
    section: str
    kind: TitleKind


class TitleIndex:
    """Segments by library and kind; whole segments are exchanged, so a reader never sees half of one.

    How many titles it holds is up to those who feed it (`feed.IndexFeed` keeps to its bound).
    """

    def __init__(self) -> None:
        self._segments: dict[SegmentId, Segment] = {}

    def __len__(self) -> int:
        return sum(len(segment) for segment in self._segments.values())

    def count(self, server: ServerId) -> int:
        """How many titles of a server are held."""
        return sum(len(segment) for name, segment in self._segments.items() if name.server == server)

    def size(self, name: SegmentId) -> int:
        """How many titles a segment holds; 0 when there is none."""
        segment = self._segments.get(name)
        return 0 if segment is None else len(segment)

    def segment(self, name: SegmentId) -> Segment | None:
        """The segment of that name."""
        return self._segments.get(name)

    def put(self, name: SegmentId, segment: Segment) -> None:
        """Exchange the segment of that name."""
        changed = {**self._segments, name: segment}
        order = {kind: at for at, kind in enumerate(KIND_ORDER)}
        ordered = sorted(changed, key=lambda one: (order.get(one.kind, len(order)), one.server, one.section))
        self._segments = {one: changed[one] for one in ordered}

    def keep(self, server: ServerId, names: Collection[SegmentId]) -> None:
        """Drop the server's segments that are not in `names`: their libraries are gone."""
        self._segments = {n: s for n, s in self._segments.items() if n.server != server or n in names}

    def has_playlist(self, ref: TitleRef) -> bool:
        """Whether `ref` is a known playlist; they are read from another place than other titles."""
        return any(
            title.ref == ref
            for name, segment in self._segments.items()
            if name.kind is TitleKind.PLAYLIST and name.server == ref.server
            for title in segment.titles
        )

    def suggest(self, text: str, *, kinds: Collection[TitleKind] | None = None, limit: int = 25) -> list[Title]:
        """Titles for `text`, best first, at most `limit`; the newest ones for an empty text.

        In order: the very name; names that begin so; names without their article that do; titles with all the words
        (prefixes count, also of the show's or artist's name, the year, `s02e04`); at last the same with slips of the
        finger put right. Within each: more whole words named, then films and shows before music, albums, episodes.
        """
        return [title for _, title in self.ranked(text, kinds=kinds, limit=limit)]

    def ranked(
        self, text: str, *, kinds: Collection[TitleKind] | None = None, limit: int = 25
    ) -> list[tuple[Rank, Title]]:
        """As `suggest`, with each title's rank, so that other results can be sorted in."""
        segments = [s for name, s in self._segments.items() if kinds is None or name.kind in kinds]
        query = Query.parse(text)
        if not query.words:
            return self._recent(segments, kinds, limit)
        found: dict[tuple[ServerId, RatingKey], tuple[Rank, Title]] = {}
        self._by_name(query, segments, limit, found)
        if len(found) < limit:
            budget = Budget(_EXAMINED_TITLES, _EXAMINED_WORDS)
            self._by_words(query.words, WORDS, segments, limit, budget, found)
            if not found:
                self._by_corrected_words(query, segments, limit, budget, found)
        return sorted(found.values(), key=lambda pair: pair[0])[:limit]

    def _by_name(
        self,
        query: Query,
        segments: Iterable[Segment],
        limit: int,
        found: dict[tuple[ServerId, RatingKey], tuple[Rank, Title]],
    ) -> None:
        for segment in segments:
            for position in segment.named_like(query.key, limit):
                name = segment.names[position]
                _note(found, segment, position, EXACT if name == query.key else PREFIX, 0)
            if query.stripped != query.key:
                for position in segment.named_like(query.stripped, limit):
                    _note(found, segment, position, STRIPPED_PREFIX, 0)

    def _by_words(
        self,
        words: tuple[str, ...],
        tier: int,
        segments: Iterable[Segment],
        limit: int,
        budget: Budget,
        found: dict[tuple[ServerId, RatingKey], tuple[Rank, Title]],
    ) -> None:
        whole = [f" {word} " for word in words]
        for segment in segments:
            for position in segment.with_words(words, limit, budget):
                text = segment.texts[position] + " "
                is_all = text.strip() == " ".join(words)
                exact = sum(word in text for word in whole)
                _note(found, segment, position, EXACT if is_all and tier == WORDS else tier, exact)

    def _by_corrected_words(
        self,
        query: Query,
        segments: list[Segment],
        limit: int,
        budget: Budget,
        found: dict[tuple[ServerId, RatingKey], tuple[Rank, Title]],
    ) -> None:
        """Replace words that nothing begins with (any word, when all are known but never stand together)."""
        unknown = [w for w in query.words if not any(segment.knows(w) for segment in segments)]
        suspects = (unknown or sorted(query.words, key=len, reverse=True))[:_TYPO_WORDS_MAX]
        for segment in segments:
            choices: list[tuple[str, ...]] = [query.words]
            for suspect in suspects:
                near = segment.near(suspect, is_unfinished=suspect == query.words[-1], budget=budget)
                choices = [
                    tuple(other if word == suspect else word for word in words)
                    for words in choices
                    for other in (near if suspect in unknown else [suspect, *near])
                ][:10]
            for words in choices:
                self._by_words(words, TYPO, [segment], limit, budget, found)

    def _recent(
        self, segments: Iterable[Segment], kinds: Collection[TitleKind] | None, limit: int
    ) -> list[tuple[Rank, Title]]:
        newest = [
            (-added_at, rank(title, "", WORDS, 0), title)
            for segment in segments
            if kinds is not None or segment.kind in _RECENT_KINDS
            for added_at, title in segment.recent[:limit]
        ]
        newest.sort(key=lambda entry: entry[:2])
        return [(place, title) for _, place, title in newest[:limit]]


def _note(
    found: dict[tuple[ServerId, RatingKey], tuple[Rank, Title]],
    segment: Segment,
    position: int,
    tier: int,
    exact_words: int,
) -> None:
    """Keep the better of two ranks of the same title."""
    title = segment.titles[position]
    place = rank(title, segment.names[position], tier, exact_words)
    known = found.get((title.ref.server, title.ref.rating_key))
    if known is None or place < known[0]:
        found[(title.ref.server, title.ref.rating_key)] = (place, title)

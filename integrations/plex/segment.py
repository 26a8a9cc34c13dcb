"""A searchable list of the titles of one kind in one library. Immutable; built in a thread, read on the loop."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from operator import itemgetter

from rapidfuzz import process
from rapidfuzz.distance import OSA

from daemon.core.media import Title, TitleKind
from daemon.core.query import folded, searchable, without_article

RECENT_MAX = 50  # titles kept in order of arrival
_LAST = "\U0010ffff"  # sorts behind every continuation of a prefix
_TYPO_CHARS_MIN = 3  # shorter words are too like everything
_NEAR_MAX = 5  # corrections tried for one word


class Budget:
    """How much one query may still look at, over all segments, so that its time is bounded whatever it asks."""

    def __init__(self, titles: int, words: int) -> None:
        self.titles = titles
        self.words = words


class Segment:
    """Titles by name and by word.

    `keys`/`owners` are every name (and every name without its article) in order, with the position of its title;
    `words`/`postings` every word in order, with the ascending positions of the titles that have it. Positions follow
    the order of names, so the first matches are the ones to show.
    """

    def __init__(self, kind: TitleKind, titles: Iterable[Title], recent: Sequence[tuple[int, Title]] = ()) -> None:
        self.kind = kind
        named = [(_order(title), title) for title in titles]
        named.sort(key=itemgetter(0))  # plain text: comparing tuples would hold up the event loop for longer
        self.titles = [title for _, title in named]
        self.names = [folded(title.name) for title in self.titles]
        self.texts = [" " + searchable(title) for title in self.titles]
        self.recent = tuple(recent)
        self._keys, self._owners = _sorted_names(self.names)
        self._words, self._postings = _sorted_words(self.texts)
        self._before = array("I", accumulate((len(posting) for posting in self._postings), initial=0))
        self._by_length = _by_length(self._words)

    def __len__(self) -> int:
        return len(self.titles)

    def named_like(self, prefix: str, limit: int) -> list[int]:
        """Positions of titles whose name, with or without its article, begins with `prefix`; at most `limit`."""
        found: dict[int, None] = {}
        for at in range(bisect_left(self._keys, prefix), len(self._keys)):
            if len(found) == limit or not self._keys[at].startswith(prefix):
                break
            found[self._owners[at]] = None
        return list(found)

    def with_words(self, words: Sequence[str], limit: int, budget: Budget) -> list[int]:
        """Positions of titles that have, for every given word, a word that begins with it; at most `limit`.

        The rarest word proposes, the others are looked for in the proposed titles. Each proposal costs one of
        `budget.titles`.
        """
        ranges = [self._range(word) for word in words]
        sizes = [self._before[end] - self._before[start] for start, end in ranges]
        if not sizes or min(sizes) == 0:
            return []
        rarest = sizes.index(min(sizes))
        others = [f" {word}" for at, word in enumerate(words) if at != rarest]
        found: dict[int, None] = {}
        for position in self._proposals(*ranges[rarest]):
            if budget.titles <= 0 or len(found) == limit:
                break
            budget.titles -= 1
            text = self.texts[position]
            if all(other in text for other in others):
                found[position] = None
        return list(found)

    def knows(self, word: str) -> bool:
        """Whether any word begins with `word`."""
        start, end = self._range(word)
        return end > start

    def near(self, word: str, *, is_unfinished: bool, budget: Budget) -> list[str]:
        """Words of this segment one or two slips of the finger away from `word`, nearest first, at most five.

        Words that begin with the same letter are compared first, by their beginnings when `is_unfinished` (the
        member is still typing); only when none is near, all words of about the same length. Every comparison costs
        one of `budget.words`.
        """
        slips = 1 if len(word) <= 5 else 2
        if len(word) < _TYPO_CHARS_MIN:
            return []
        start, end = bisect_left(self._words, word[0]), bisect_right(self._words, word[0] + _LAST)
        same_initial = self._words[start : min(end, start + budget.words)]
        budget.words -= len(same_initial)
        reach = len(word) + slips
        near = _nearest(word, [w for w in same_initial if abs(len(w) - len(word)) <= slips], slips)
        if not near and is_unfinished:
            shortened = {known[: len(word)]: None for known in same_initial if len(known) > reach}
            near = _nearest(word, list(shortened), slips)
        if not near:
            for length in range(len(word) - slips, reach + 1):
                pool = self._by_length.get(length, [])[: max(0, budget.words)]
                budget.words -= len(pool)
                near += _nearest(word, pool, slips)
        return near[:_NEAR_MAX]

    def _range(self, word: str) -> tuple[int, int]:
        return bisect_left(self._words, word), bisect_left(self._words, word + _LAST)

    def _proposals(self, start: int, end: int) -> Iterator[int]:
        """Positions by word: the whole word's first, because it sorts before its continuations."""
        for at in range(start, end):
            yield from self._postings[at]


def _order(title: Title) -> str:
    """Sorts by name, then the newer first, then by reference."""
    return f"{folded(title.name)}\0{9999 - (title.year or 0):04}\0{title.ref.rating_key}"


def _nearest(word: str, pool: list[str], slips: int) -> list[str]:
    found = process.extract(word, pool, scorer=OSA.distance, score_cutoff=slips, limit=_NEAR_MAX)
    return [near for near, _, _ in found]


def _sorted_names(names: list[str]) -> tuple[list[str], array[int]]:
    pairs = list(zip(names, range(len(names)), strict=True))
    pairs += sorted((bare, at) for at, key in enumerate(names) if (bare := without_article(key)) != key)
    pairs.sort()  # two runs in order, which are only merged
    return [key for key, _ in pairs], array("I", (at for _, at in pairs))


def _sorted_words(texts: list[str]) -> tuple[list[str], list[array[int]]]:

    postings: dict[str, array[int]] = {}
    for position, text in enumerate(texts):
        for word in set(text.split()):
            posting = postings.get(word)
            if posting is None:
                posting = postings[word] = array("I")
            posting.append(position)
    words = sorted(postings)
    return words, [postings[word] for word in words]


def _by_length(words: list[str]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for word in words:
        found.setdefault(len(word), []).append(word)
    return found

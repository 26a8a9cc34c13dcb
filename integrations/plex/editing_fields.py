"""What of a title can be edited: the fields by name, what Plex calls them, and which kinds of title have them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from daemon.core.errors import UserError
from daemon.core.media import TitleKind, TitleRef
from daemon.core.text import plain

EMPTY = "-"
"""What is typed to empty a field."""
TEXT_CHARS_MAX = 2_000
TAG_CHARS_MAX = 200
TAGS_MAX = 50  # of one edit


class Field(StrEnum):
    """A field, by the words that people choose it with."""

    TITLE = "title"
    SORT_TITLE = "sort title"
    ORIGINAL_TITLE = "original title"
    YEAR = "year"
    SUMMARY = "summary"
    TAGLINE = "tagline"
    CONTENT_RATING = "content rating"
    STUDIO = "studio"
    GENRE = "genre"
    LABEL = "label"
    COLLECTION = "collection"
    COUNTRY = "country"
    DIRECTOR = "director"
    WRITER = "writer"

    @property
    def plex_name(self) -> str:
        """What requests and locks call it."""
        return _PLEX_NAMES.get(self, self.value)

    @property
    def is_tags(self) -> bool:
        """Whether it is a list of words; else it is one text."""
        return self in _TAGS


class Mode(StrEnum):
    """What is done to a field."""

    SET = "set"
    ADD = "add"
    REMOVE = "remove"


_PLEX_NAMES = {
    Field.SORT_TITLE: "titleSort",
    Field.ORIGINAL_TITLE: "originalTitle",
    Field.CONTENT_RATING: "contentRating",
}
_TAGS = frozenset({Field.GENRE, Field.LABEL, Field.COLLECTION, Field.COUNTRY, Field.DIRECTOR, Field.WRITER})
_EVERY = frozenset({Field.TITLE, Field.LABEL, Field.COLLECTION})
_FIELDS = {
    TitleKind.MOVIE: frozenset(Field),
    TitleKind.SHOW: frozenset(Field) - {Field.COUNTRY, Field.DIRECTOR, Field.WRITER},
    TitleKind.SEASON: _EVERY | {Field.SUMMARY},
    TitleKind.EPISODE: _EVERY
    | {Field.SORT_TITLE, Field.YEAR, Field.SUMMARY, Field.CONTENT_RATING, Field.DIRECTOR, Field.WRITER},
    TitleKind.ARTIST: _EVERY | {Field.SORT_TITLE, Field.SUMMARY, Field.GENRE, Field.COUNTRY},
    TitleKind.ALBUM: _EVERY | {Field.SORT_TITLE, Field.YEAR, Field.SUMMARY, Field.STUDIO, Field.GENRE},
    TitleKind.TRACK: _EVERY | {Field.GENRE},
}
_YEARS = range(1850, 2101)


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit did. A field of one text has one value or none; `was_locked`: against what Plex reads anew."""

    ref: TitleRef
    field: Field
    before: tuple[str, ...]
    after: tuple[str, ...]
    was_locked: bool

    def to_state(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "ref": str(self.ref), "field": self.field.value, "before": list(self.before), "after": list(self.after),
            "was_locked": self.was_locked,
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Change:
        """From JSON."""
        ref = TitleRef.parse(state["ref"])
        assert ref is not None, "written by to_state"
        return cls(ref, Field(state["field"]), tuple(state["before"]), tuple(state["after"]), state["was_locked"])


def check_allowed(field: Field, mode: Mode, kind: TitleKind) -> None:
    """UserError `no_such_field` when such a title has it not, `set_only` when it cannot be added to."""
    allowed = _FIELDS.get(kind, frozenset())
    if field not in allowed:
        has = ", ".join(each.value for each in Field if each in allowed)
        raise UserError(
            f"Plex keeps no {field.value} for {_named(kind)}; what can be edited there: {has}.", "no_such_field"
        )
    if mode is not Mode.SET and not field.is_tags:
        raise UserError(
            f"The {field.value} is one text and no list, so nothing can be added to it or removed; choose set.",
            "set_only",
        )


def to_text(field: Field, value: str) -> str:
    """What a field of one text shall be; empty for `-`. UserError for what it cannot be."""
    said = plain(value)
    if said == EMPTY:
        if field is Field.TITLE:
            raise UserError("A title cannot be without a name.", "bad_value")
        return ""
    if not said:
        raise UserError(f"There is no {field.value} in that; a single dash empties the field.", "bad_value")
    if field is Field.YEAR and not (said.isascii() and said.isdigit() and len(said) == 4 and int(said) in _YEARS):
        raise UserError(
            f"A year is four digits, from {_YEARS.start} to {_YEARS.stop - 1}; a dash empties it.", "bad_value"
        )
    if len(said) > TEXT_CHARS_MAX:
        raise UserError(f"That is longer than the {TEXT_CHARS_MAX:,} characters that I can send.", "bad_value")
    return said


def to_words(field: Field, value: str) -> tuple[str, ...]:
    """The words of a list, each once: `Drama, "Crime, organised"` are two. UserError when there is none."""
    cells = next(csv.reader([value.replace("\n", " ").replace("\r", " ").replace("\0", "")], skipinitialspace=True), [])
    words: dict[str, str] = {}
    for cell in cells:
        if word := plain(cell):
            words.setdefault(word.casefold(), word)
    found = tuple(words.values())
    if not found:
        raise UserError(f"There is no {field.value} in that; put commas between several.", "bad_value")
    if len(found) > TAGS_MAX or any(len(word) > TAG_CHARS_MAX for word in found):
        raise UserError(
            f"That is too much: at most {TAGS_MAX} at once, of {TAG_CHARS_MAX} characters each.", "bad_value"
        )
    return found


def after_edit(field: Field, mode: Mode, value: str, before: Sequence[str]) -> tuple[str, ...]:
    """What a list shall be; upper and lower case are the same, as for Plex. UserError when nothing would change."""
    if mode is Mode.SET and plain(value) == EMPTY:
        words: tuple[str, ...] = ()
    else:
        words = to_words(field, value)
    known = {word.casefold(): word for word in before}
    named = {word.casefold() for word in words}
    if mode is Mode.SET:
        after = tuple(known.get(word.casefold(), word) for word in words)
    elif mode is Mode.ADD:
        after = (*before, *(word for word in words if word.casefold() not in known))
    else:
        after = tuple(word for word in before if word.casefold() not in named)
    if is_same(before, after):
        has = ", ".join(before) or "none"
        raise UserError(f"That changes nothing; what is there as {field.value}: {has}.", "nothing_changes")
    return after


def is_same(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two lists have the same words, in whatever order."""
    return {word.casefold() for word in one} == {word.casefold() for word in other}


def without(words: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """Those of `words` that are not among `others`."""
    known = {word.casefold() for word in others}
    return tuple(word for word in words if word.casefold() not in known)


def _named(kind: TitleKind) -> str:
    word = "film" if kind is TitleKind.MOVIE else kind.value
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"

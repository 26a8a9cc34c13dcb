"""What the owner of a server lets an account see of its libraries: the filter texts that plex.tv keeps for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import lru_cache
from urllib.parse import unquote_plus

from simulators.plex.items import Item

_TERM = re.compile(r"(?P<field>label|contentRating|genre)(?P<op>!?=)(?P<values>.*)", re.DOTALL)
Reader = Callable[[str], Iterable[str]]


class BadFilter(ValueError):
    """A filter text that plex.tv would not take."""


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison: `label=Kids,Family` (has one of them) or `contentRating!=R` (has none of them)."""

    field: str
    is_negative: bool
    values: frozenset[str]

    def holds(self, read: Reader) -> bool:
        """Whether it is true of what `read(field)` gives; upper and lower case are the same."""
        has_one = any(value.casefold() in self.values for value in read(self.field))
        return has_one is not self.is_negative


@lru_cache(maxsize=512)
def parse(text: str) -> tuple[tuple[Term, ...], ...]:
    """`a|b&c`: (a or b) and c. Values stand between commas, plain or as `%2C`; BadFilter for anything else."""
    return tuple(tuple(_term(part) for part in clause.split("|")) for clause in text.split("&") if clause)


def _term(text: str) -> Term:
    match = _TERM.fullmatch(text.strip())
    if match is None:
        raise BadFilter(f"no filter: {text!r}")
    values = unquote_plus(match["values"]).split(",")
    return Term(match["field"], match["op"] == "!=", frozenset(value.strip().casefold() for value in values if value))


@dataclass(frozen=True, slots=True)
class Filters:
    """The texts of one account by kind of library; an empty one hides nothing."""

    every: str = ""  # filterAll
    movies: str = ""
    television: str = ""
    music: str = ""
    photos: str = ""

    @property
    def is_open(self) -> bool:
        """Whether nothing is hidden at all."""
        return not any(getattr(self, each.name) for each in fields(self))

    def allow(self, item: Item, read: Reader) -> bool:
        """Whether a film, or a series or artist with all below it, may be seen; `read` tells its tags by field."""
        own = getattr(self, _OF_KIND.get(item.kind, "every"))
        clauses = parse(self.every) + (parse(own) if own != self.every else ())
        return all(any(term.holds(read) for term in clause) for clause in clauses)

    def shown(self) -> dict[str, str]:
        """As plex.tv names them."""
        return {name: getattr(self, field) for name, field in NAMES.items()}


NAMES = {
    "filterAll": "every", "filterMovies": "movies", "filterTelevision": "television", "filterMusic": "music",
    "filterPhotos": "photos",
}  # fmt: skip
_OF_KIND = {"movie": "movies", "show": "television", "artist": "music", "photo": "photos"}
OPEN = Filters()

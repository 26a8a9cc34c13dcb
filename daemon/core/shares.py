"""What an owner shares with a Plex account on one server, and the filters that Plex narrows it by. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from daemon.core.visibility import Restriction

ANY_KIND = ""

_FIELDS = {"label": "labels", "label!": "hidden_labels", "contentRating": "ratings", "contentRating!": "hidden_ratings"}


class UnknownFilter(ValueError):
    """A filter that Marquee cannot apply: what it is set on has to stay hidden."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one account may see of one server. `libraries` None: all of them.

    `filters` are Plex's own texts by the kind of library ("movie", "show", "artist", or `ANY_KIND`), as
    "label=Kids%2CFamily|contentRating!=R".
    """

    libraries: frozenset[str] | None = None
    filters: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Whether all of the server is shared, and nothing narrows it."""
        return self.libraries is None and not any(self.filters.values())

    def restriction(self, kind: str) -> Restriction | None:
        """What narrows a library of this kind; None when nothing does. UnknownFilter."""
        texts = [self.filters.get(name, "") for name in (ANY_KIND, kind)]
        given = [parse_filter(text) for text in texts if text]
        if not given:
            return None
        first, *others = given
        return _both(first, others[0]) if others else first


def parse_filter(text: str) -> Restriction:
    """The filter that Plex writes as `text`. UnknownFilter for a field that is none of labels and content ratings.

    Parts stand between `|` or `&`, values between commas. All parts have to hold: where Plex would be content with one
    of them, that shows less than Plex does, and never more.
    """
    found: dict[str, frozenset[str]] = {}
    for part in re.split(r"[|&]", text):
        name, is_given, values = part.partition("=")
        if name not in _FIELDS or not is_given:
            raise UnknownFilter(name)
        # Nothing to compare with would let everything through.
        chosen = frozenset(value.strip() for value in unquote(values.replace("+", " ")).split(",") if value.strip())
        if not chosen:
            raise UnknownFilter(name)
        before = found.get(_FIELDS[name], frozenset())
        found[_FIELDS[name]] = before | chosen if name.endswith("!") else _narrower(before, chosen)
    return Restriction(**found)


def _both(one: Restriction, other: Restriction) -> Restriction:
    """A title has to pass both. Labels that each of them asks for cannot be said in one: then both have to be there."""
    return Restriction(
        labels=_narrower(one.labels, other.labels),
        hidden_labels=one.hidden_labels | other.hidden_labels,
        ratings=_narrower(one.ratings, other.ratings),
        hidden_ratings=one.hidden_ratings | other.hidden_ratings,
    )


def _narrower(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    if not one or not other:
        return one or other
    if not one & other:
        raise UnknownFilter("two filters without a common value")
    return one & other

"""What a library can be filtered by, as its server tells it: the fields, the values there are, and what fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from daemon.core.errors import UpstreamError, UpstreamKind, UserError
from daemon.core.media import TitleKind
from daemon.core.text import plain
from daemon.core.visibility import LibraryRef
from integrations.plex.filters import FLAGS, NUMBERS, PLEX_NAMES, WORDS, Term, merged, to_query
from integrations.plex.http import paging
from integrations.plex.mirror import TYPES
from integrations.plex.server import Server
from integrations.plex.shapes import Loose, Shape, container, entries, number, text

_MAIN = {"movie": TitleKind.MOVIE, "show": TitleKind.SHOW, "artist": TitleKind.ARTIST}
_NOTHING = paging(0, 0)
# What a server that does not tell is taken to know.
_USUAL = {PLEX_NAMES.get(name, name) for name in (*WORDS, *NUMBERS)} | {name for name, _ in FLAGS.values()}


class _FieldShape(Shape):
    key: Loose = None


class _TypeShape(Shape):
    type: Loose = None
    Field: list[_FieldShape] | None = None


class _MetaShape(Shape):
    Type: list[_TypeShape] | None = None


class _ChoiceShape(Shape):
    key: Loose = None
    title: Loose = None


class _OffersContainerShape(Shape):
    Meta: _MetaShape | None = None


class _OffersShape(Shape):
    MediaContainer: _OffersContainerShape | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A filter in Plex's words. `kind` of the titles it finds, `count` of them now, `library` by its name."""

    kind: TitleKind
    query: dict[str, str]
    library: str
    count: int


class Offers:
    """Asks one library. UserError `library_gone`, and those of `filters.to_query`."""

    def __init__(self, server: Server, library: LibraryRef) -> None:
        self._http = server.http
        self._mirror = server.mirror
        self._key = library.key
        self._path = f"/library/sections/{library.key}"

    async def rule(self, terms: Sequence[Term]) -> Rule:
        """The terms as what the server understands, each name and value one that it has."""
        facts = next((one for one in await self._mirror.libraries() if one.key == self._key), None)
        if facts is None:
            raise UserError("That library is no longer on the server.", "library_gone")
        kind, name = _MAIN[facts.kind.value], plain(facts.name)
        fields = await self._fields(kind)
        choices = {
            term.field: await self._choices(PLEX_NAMES.get(term.field, term.field), kind)
            for term in terms
            if term.field in WORDS
        }
        query = {"type": str(TYPES[kind])} | merged(to_query(terms, fields, choices, name))
        answer = await self._http.fetch(f"{self._path}/all", query, decode=container, headers=_NOTHING)
        return Rule(kind, query, name, number(answer.totalSize) or 0)

    async def _fields(self, kind: TitleKind) -> dict[str, str]:
        """{"genre": "show.genre"}: what titles of a kind can be filtered by, and how that is said."""
        answer = await self._http.fetch(
            f"{self._path}/all", {"type": TYPES[kind], "includeMeta": 1}, decode=_decode_offers, headers=_NOTHING
        )
        types = answer.Meta.Type if answer.Meta and answer.Meta.Type else []
        keys = [text(each.key) for one in types if text(one.type) == kind.value for each in one.Field or ()]
        return {key.rpartition(".")[2]: key for key in keys if key} or {name: name for name in _USUAL}

    async def _choices(self, field: str, kind: TitleKind) -> dict[str, str]:
        """{"Drama": "12"}: what there is of a field, and the server's key for it."""
        try:
            answer = await self._http.fetch(f"{self._path}/{field}", {"type": TYPES[kind]}, decode=container)
        except UpstreamError as error:
            if error.kind is UpstreamKind.NOT_FOUND:
                return {}
            raise
        rows = entries(answer.Directory, _ChoiceShape)
        return {text(row.title) or key: key for row in rows if (key := text(row.key)) is not None}


def _decode_offers(body: bytes) -> _OffersContainerShape:
    found = msgspec.json.decode(body, type=_OffersShape, strict=False).MediaContainer
    if found is None:
        raise msgspec.ValidationError("no MediaContainer")
    return found

"""Reading whole libraries for the mirror: our own lean reader, page by page, in the order in which titles came."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.ids import ServerId
from daemon.core.library import LibraryFacts, LibraryKind, ListedTitle, Located, LocatedTitle, Tag, TagKind, TitlePage
from daemon.core.limits import MIRROR_PAGE
from daemon.core.media import TitleKind
from daemon.core.text import plain
from integrations.plex.config import PlexTimeouts
from integrations.plex.http import Params, ServerHttp, paging
from integrations.plex.mirror_shapes import (
    AboutShape,
    LibraryShape,
    TagShape,
    decode_keys,
    decode_located,
    decode_page,
    to_listed,
)
from integrations.plex.shapes import ContainerShape, container, entries, number, text

TYPES = {
    TitleKind.MOVIE: 1,
    TitleKind.SHOW: 2,
    TitleKind.SEASON: 3,
    TitleKind.EPISODE: 4,
    TitleKind.ARTIST: 8,
    TitleKind.ALBUM: 9,
    TitleKind.TRACK: 10,
}  # Plex's numbers, what `type=` means
_LIBRARY_KINDS = {kind.value: kind for kind in LibraryKind}
# New titles come last: what is added while a listing is read, or between its two halves, moves no page before it.
_ORDER = "addedAt:asc"
# Asked for, not guaranteed: older servers send everything, and the decoder skips it.
_LEAN: Params = {
    "includeGuids": 1,
    "excludeElements": "Genre,Country,Collection,Image,UltraBlurColors,Rating,Stream",
    "excludeFields": "summary,tagline",
}
_KEYS_ONLY: Params = {
    "excludeElements": "Media,Guid,Genre,Country,Director,Writer,Role,Collection,Image,UltraBlurColors,Rating",
    "excludeFields": "summary,tagline",
}
_TAG_PATHS = {TagKind.GENRE: "genre", TagKind.COLLECTION: "collections", TagKind.LABEL: "label"}
_TAGS_MAX = 20_000
_AT_ONCE = 50  # titles made of what was decoded, about a millisecond


@dataclass(frozen=True, slots=True)
class About:
    """What the mirror does not hold: a title's summary, and whether the account of the server's token has seen it."""

    summary: str | None
    is_seen: bool


class MirrorReader:
    """The reader of one server. Every failure is an UpstreamError."""

    def __init__(self, server: ServerId, http: ServerHttp, timeouts: PlexTimeouts) -> None:
        self.server = server
        self.http = http
        self._timeouts = timeouts

    async def libraries(self) -> tuple[LibraryFacts, ...]:
        """The libraries of films, series and music: one request, which tells for each whether its content changed."""
        answer = await self.http.fetch("/library/sections", decode=container)
        found = []
        for shape in entries(answer.Directory, LibraryShape):
            key, kind = text(shape.key), _LIBRARY_KINDS.get(text(shape.type) or "")
            if key is not None and kind is not None:
                stamp = text(shape.contentChangedAt) or text(shape.updatedAt)
                found.append(LibraryFacts(key, text(shape.uuid), kind, text(shape.title) or key, stamp))
        return tuple(found)

    async def has_library(self, key: str) -> bool:
        """Whether the server still has that library, asked for by itself."""
        try:
            await self._keys(f"/library/sections/{key}/all", {}, 0, size=0)
        except UpstreamError as error:
            if error.kind is UpstreamKind.NOT_FOUND:
                return False
            raise
        return True

    async def count(self, library: str, kind: TitleKind) -> int:
        """How many titles of a kind the library has, as the server tells it."""
        path = f"/library/sections/{library}/all"
        return (await self._keys(path, {"type": TYPES[kind]}, 0, size=0))[1]

    async def page(self, library: str, kind: TitleKind, start: int) -> TitlePage:
        """Titles of a kind from `start` on, oldest first, at most `MIRROR_PAGE`."""
        shapes, total, entries_read = await self.http.fetch(
            f"/library/sections/{library}/all",
            {"type": TYPES[kind], "sort": _ORDER, **_LEAN},
            decode=decode_page,
            headers=paging(start, MIRROR_PAGE),
            timeout_s=self._timeouts.page_s,
        )
        titles: list[ListedTitle] = []
        for at in range(0, len(shapes), _AT_ONCE):
            titles += [title for shape in shapes[at : at + _AT_ONCE] if (title := to_listed(shape)) is not None]
            await asyncio.sleep(0)  # everything else on the event loop goes first
        return TitlePage(tuple(titles), total if total is not None else start + entries_read, entries_read)

    async def by_keys(self, rating_keys: Collection[int]) -> tuple[LocatedTitle, ...]:
        """Titles by their rating keys, those that the server has; one request, so a hundred at most."""
        return (await self.located(rating_keys)).titles

    async def located(self, rating_keys: Collection[int]) -> Located:
        """As `by_keys`, and the collections among them; other things with a rating key are left out."""
        if not rating_keys:
            return Located()
        path = f"/library/metadata/{','.join(map(str, rating_keys))}"
        try:
            return await self.http.fetch(path, decode=decode_located, timeout_s=self._timeouts.page_s)
        except UpstreamError as error:
            if error.kind is UpstreamKind.NOT_FOUND:  # none of them
                return Located()
            raise

    async def about(self, rating_keys: Collection[int]) -> dict[int, About]:
        """Summaries and what was seen, by rating key; of those that the server has."""
        path = f"/library/metadata/{','.join(map(str, rating_keys))}"
        try:
            answer = await self.http.fetch(path, decode=container)
        except UpstreamError as error:
            if error.kind is UpstreamKind.NOT_FOUND:
                return {}
            raise
        return to_abouts(answer)

    async def tags(self, library: str, kind: TagKind) -> tuple[Tag, ...]:
        """The genres, collections or labels of a library; none where the server knows no such list."""
        path = f"/library/sections/{library}/{_TAG_PATHS[kind]}"
        try:
            answer = await self.http.fetch(path, decode=container, timeout_s=self._timeouts.page_s)
        except UpstreamError as error:
            if error.kind is UpstreamKind.NOT_FOUND:
                return ()
            raise
        shapes = entries(answer.Metadata if kind is TagKind.COLLECTION else answer.Directory, TagShape)
        found = [(text(shape.ratingKey if kind is TagKind.COLLECTION else shape.key), shape) for shape in shapes]
        return tuple(Tag(kind, key, text(shape.title) or key) for key, shape in found[:_TAGS_MAX] if key is not None)

    async def members(self, library: str, tag: Tag, kind: TitleKind, start: int) -> tuple[list[int], int, int]:
        """Rating keys of titles of a kind that have the tag, from `start` on: (keys, total, entries on the page)."""
        if tag.kind is TagKind.COLLECTION:
            return await self._keys(f"/library/collections/{tag.key}/children", {}, start)
        query: Params = {"type": TYPES[kind], tag.kind.value: tag.key, "sort": _ORDER}
        return await self._keys(f"/library/sections/{library}/all", query, start)

    async def _keys(self, path: str, params: Params, start: int, size: int = MIRROR_PAGE) -> tuple[list[int], int, int]:
        keys, total, entries_read = await self.http.fetch(
            path,
            {**params, **_KEYS_ONLY},
            decode=decode_keys,
            headers=paging(start, size),
            timeout_s=self._timeouts.page_s,
        )
        return keys, total if total is not None else start + entries_read, entries_read


def to_abouts(answer: ContainerShape) -> dict[int, About]:
    """What an answer about titles says of each, by rating key; what was seen is that of whoever has asked."""
    found = {}
    for shape in entries(answer.Metadata, AboutShape):
        leaves, seen = number(shape.leafCount), number(shape.viewedLeafCount) or 0
        is_seen = bool(number(shape.viewCount)) if leaves is None else seen >= leaves
        if (key := number(shape.ratingKey)) is not None:
            found[key] = About(plain(text(shape.summary) or "") or None, is_seen)
    return found

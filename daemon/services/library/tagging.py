"""Genres, collections and labels of one library, each from a listing of its own: listings of titles cut tags off."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

from sqlalchemy import Connection

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.library import LibraryKind, Tag, TagKind
from daemon.core.limits import MIRROR_MEMBERS_AT_ONCE, MIRROR_TITLES_MAX
from daemon.core.media import TitleKind
from daemon.data.library import tags
from daemon.data.library.libraries import Library
from daemon.data.library.passes import PassLost
from daemon.data.store import Store
from daemon.services.library.source import Source

Ask = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]

TAGGED = {
    LibraryKind.MOVIE: (TitleKind.MOVIE,),
    LibraryKind.SHOW: (TitleKind.SHOW,),
    LibraryKind.ARTIST: (TitleKind.ARTIST, TitleKind.ALBUM),
}  # an episode is found under what its show is tagged with


class Tagging:
    """The tags of one library brought up to date. `ask` makes a request patiently."""

    def __init__(self, store: Store, source: Source, library: Library, ask: Ask) -> None:
        self._store = store
        self._source = source
        self._library = library
        self._ask = ask

    async def run(self) -> AsyncIterator[str]:
        """Tag by tag; the kind of each is told once it is done, so that whoever reads can say that they live."""
        for kind in TagKind:
            listed: tuple[Tag, ...] = await self._ask(partial(self._source.tags, self._library.ref.key, kind))
            for tag in listed:
                await self.take_in(tag)
                yield kind.value
            await self._remove_others(kind, [tag.key for tag in listed])
            yield kind.value

    async def take_in(self, tag: Tag) -> None:
        """One tag as it is now: its name, and all that have it. PassLost when the library is gone."""
        library_id = self._library.library_id
        tag_id = await self._store.write(lambda tx: tags.note(tx, library_id, tag))
        try:
            listed, is_whole = await self._read(tag)
        except UpstreamError as error:
            if error.kind is UpstreamKind.NOT_FOUND:  # a collection that was deleted a moment ago
                return
            raise
        had = await self._store.read(lambda tx: tags.members(tx, tag_id))
        await self._change(tag_id, tag.kind, sorted(listed - had), sorted(had - listed) if is_whole else [])

    async def _read(self, tag: Tag) -> tuple[set[int], bool]:
        """The rating keys of all that have the tag, and whether they are as many as the server says."""
        found: set[int] = set()
        is_whole = True
        kinds = TAGGED[self._library.kind]
        for kind in kinds[:1] if tag.kind is TagKind.COLLECTION else kinds:
            of_kind: set[int] = set()
            start = total = 0
            while start < MIRROR_TITLES_MAX:
                keys, total, entries = await self._ask(
                    partial(self._source.members, self._library.ref.key, tag, kind, start)
                )
                of_kind.update(keys)
                start += entries
                if not entries or start >= total:
                    break
            is_whole = is_whole and len(of_kind) == total
            found |= of_kind
        return found, is_whole

    async def _change(self, tag_id: int, kind: TagKind, add: list[int], remove: list[int]) -> None:
        size = MIRROR_MEMBERS_AT_ONCE
        steps: list[tuple[list[int], list[int]]] = [(add[at : at + size], []) for at in range(0, len(add), size)]
        steps += [([], remove[at : at + size]) for at in range(0, len(remove), size)]
        is_label = kind is TagKind.LABEL
        for more, less in steps:

            def unit(tx: Connection, more: list[int] = more, less: list[int] = less) -> bool:
                library = self._library
                return tags.change_members(
                    tx, library.library_id, library.ref.server, tag_id, add=more, remove=less, is_sight=is_label
                )

            if not await self._store.write(unit):
                raise PassLost("the library was removed meanwhile")

    async def _remove_others(self, kind: TagKind, keys: list[str]) -> None:
        library_id = self._library.library_id
        for tag_id, _ in await self._store.read(lambda tx: tags.others(tx, library_id, kind, keys)):
            await self.take_out(tag_id, kind)

    async def take_out(self, tag_id: int, kind: TagKind) -> None:
        """A tag that the server has no more."""
        had = await self._store.read(partial(tags.members, tag_id=tag_id))
        await self._change(tag_id, kind, [], sorted(had))
        await self._store.write(partial(tags.remove, tag_id=tag_id))

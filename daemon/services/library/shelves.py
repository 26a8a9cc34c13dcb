"""The mirror for people: one title in full, what is new, a random choice, sums. Always for somebody's visibility."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from daemon.core.media import Title, TitleKind, TitleRef
from daemon.core.visibility import LibraryRef, Visibility
from daemon.data.library import collected, judging, libraries, passes, shown
from daemon.data.library.collected import Collected
from daemon.data.library.libraries import Library
from daemon.data.library.shown import Facts, FileFacts, LibrarySum, Shown
from daemon.data.store import Store

__all__ = ["Collected", "Facts", "FileFacts", "Library", "LibrarySum", "Reading", "Shelves", "Shown"]


@dataclass(frozen=True, slots=True)
class Reading:
    """A library that is being read: `done` of `total` titles; a total of 0 is not known yet."""

    ref: LibraryRef
    name: str
    done: int
    total: int


class Shelves:
    """Reads only. UpstreamError when the database does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def facts(self, visibility: Visibility, ref: TitleRef) -> Facts | None:
        """All of one title; None when it is not there, or not for them."""
        return await self._store.read(lambda tx: shown.facts(tx, visibility, ref))

    async def recent(
        self, visibility: Visibility, only: LibraryRef | None, since: datetime | None, most: int
    ) -> list[Shown]:
        """Films, episodes and albums, the newest first."""
        return await self._store.read(lambda tx: shown.recent(tx, visibility, only, since, most))

    async def candidates(
        self, visibility: Visibility, *, genre: str | None, ms_max: int | None, kinds: Sequence[TitleKind]
    ) -> list[int]:
        """Ids of the titles that a random choice may fall on."""
        return await self._store.read(
            lambda tx: shown.candidates(tx, visibility, genre=genre, ms_max=ms_max, kinds=kinds)
        )

    async def by_ids(self, visibility: Visibility, title_ids: Sequence[int]) -> list[Shown]:
        """These titles, in this order."""
        return await self._store.read(lambda tx: shown.by_ids(tx, visibility, title_ids))

    async def by_refs(self, visibility: Visibility, refs: Collection[TitleRef]) -> dict[TitleRef, Shown]:
        """Those of these titles that they may see."""
        return await self._store.read(lambda tx: shown.by_refs(tx, visibility, refs))

    async def genres(self, visibility: Visibility) -> list[str]:
        """All genres, by name."""
        return await self._store.read(lambda tx: shown.genres(tx, visibility))

    async def sums(self, visibility: Visibility, only: LibraryRef | None = None) -> list[LibrarySum]:
        """Each library, as far as they see it."""
        return await self._store.read(lambda tx: shown.sums(tx, visibility, only))

    async def largest(self, visibility: Visibility, only: LibraryRef | None, most: int) -> list[tuple[Shown, int]]:
        """The largest titles with their bytes."""
        return await self._store.read(lambda tx: shown.largest(tx, visibility, only, most))

    async def by_resolution(self, visibility: Visibility, only: LibraryRef | None) -> list[tuple[str, int, int]]:
        """(resolution, versions, bytes), the largest share first."""
        return await self._store.read(lambda tx: shown.by_resolution(tx, visibility, only))

    async def readings(self, visibility: Visibility, only: LibraryRef | None = None) -> list[Reading]:
        """The libraries that are being read at the moment, or whose reading was interrupted, of those that they see."""
        found = await self._store.read(passes.under_way)
        return [
            Reading(ref, name, done, total)
            for ref, name, done, total in found
            if (visibility.libraries is None or ref in visibility.libraries) and only in (None, ref)
        ]

    async def collections(self, visibility: Visibility, only: LibraryRef | None = None) -> list[Collected]:
        """The collections that they see, by name, each with the number of its titles that they see."""
        return await self._store.read(lambda tx: collected.listing(tx, visibility, only))

    async def collected(
        self, visibility: Visibility, collection: Collected, rating_keys: Sequence[int] | None
    ) -> list[Shown]:
        """Titles of a collection: of `rating_keys` those that they see, in this order; None: all they see, by name."""
        return await self._store.read(lambda tx: collected.titles(tx, visibility, collection, rating_keys))

    async def seen(self, visibility: Visibility, titles: Collection[Title]) -> set[TitleRef]:
        """Which of these titles they see, wherever the titles were told: sessions, play queues, a server's own search.

        Labels and ratings are those of the mirror, so of a library that is narrowed only titles that the mirror holds
        are seen. The database is asked only about titles of which the library alone does not tell.
        """
        found: set[TitleRef] = set()
        doubtful: list[TitleRef] = []
        for title in titles:
            server, key = title.ref.server, title.library_key
            if visibility.covers(server, key):
                found.add(title.ref)
            elif not visibility.excludes(server, key):
                doubtful.append(title.ref)
        if doubtful:
            judged = await self._store.read(lambda tx: judging.judged(tx, visibility, doubtful))
            found |= {ref for ref, is_seen in judged.items() if is_seen}
        return found

    async def hides_around(self, visibility: Visibility, ref: TitleRef) -> bool:
        """Whether they do not see all that plays with a title: what is below it, or of an episode its whole show."""
        if not visibility.restrictions:
            return False
        return await self._store.read(lambda tx: judging.hides_around(tx, visibility, ref))

    async def every_library(self) -> list[Library]:
        """The libraries of all servers, for those who may know of each: whoever decides what is seen."""
        return await self._store.read(libraries.listing)

    async def libraries(self, visibility: Visibility) -> list[tuple[LibraryRef, str]]:
        """The libraries that they see, each with a name that tells it from the others."""
        found = await self._store.read(libraries.listing)
        seen = [one for one in found if visibility.libraries is None or one.ref in visibility.libraries]
        names = [one.name for one in seen]
        return [(one.ref, one.name if names.count(one.name) == 1 else f"{one.name} ({one.ref.server})") for one in seen]

"""The mirror for owners who look after their libraries. Nothing is left out of it: it is for owners alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from daemon.core.library import LibraryKind
from daemon.core.visibility import LibraryRef
from daemon.data.library import doubles, libraries, stock
from daemon.data.library.doubles import Double, VersionSize
from daemon.data.library.shown import Shown
from daemon.data.library.stock import Changes, Mark, Shelved, Unmatched
from daemon.data.store import Store

__all__ = ["Changes", "Double", "Mark", "Shelved", "Shown", "Stock", "Unmatched", "VersionSize"]


class Stock:
    """Reads only. UpstreamError when the database does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def mark(self, library: LibraryRef) -> Mark | None:
        """How a library stands now, to be compared with later; None when the mirror has none."""
        return await self._store.read(lambda tx: stock.mark(tx, library))

    async def changes(self, library: LibraryRef, before: Mark, names_max: int) -> Changes | None:
        """What became of a library since; None when it is gone."""
        return await self._store.read(lambda tx: stock.changes(tx, library, before, names_max))

    async def kind(self, library: LibraryRef) -> LibraryKind | None:
        """What a library holds; None while the mirror does not hold it, or has not read it whole yet."""
        found = await self._store.read(lambda tx: libraries.find(tx, library))
        return None if found is None or found.read_at is None else found.kind

    async def unmatched(self, library: LibraryRef, start: int, most: int) -> tuple[int, list[Unmatched]]:
        """How many titles no agent knows, and a page of them by name."""
        return await self._store.read(lambda tx: stock.unmatched(tx, library, start, most))

    async def doubles(self, library: LibraryRef) -> list[Double]:
        """What is there more than once, what saves most first."""
        return await self._store.read(lambda tx: doubles.doubles(tx, library))

    async def shelved(self, library: LibraryRef, before: datetime) -> list[Shelved]:
        """The films, shows or albums to which nothing was added since, the largest first."""
        return await self._store.read(lambda tx: stock.shelved(tx, library, before))

    async def by_keys(self, library: LibraryRef, rating_keys: Sequence[int]) -> dict[int, Shown]:
        """A page of titles by their rating keys."""
        return await self._store.read(lambda tx: stock.by_keys(tx, library, rating_keys))

    async def files_below(self, library: LibraryRef, folders: Sequence[str]) -> tuple[int, dict[str, int]]:
        """How many files there are, and how many below each folder."""
        return await self._store.read(lambda tx: stock.files_below(tx, library, folders))

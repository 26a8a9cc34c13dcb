"""The mirror for owners who look after their libraries. Nothing is left out of it: it is for owners alone."""

from __future__ import annotations

from daemon.core.visibility import LibraryRef
from daemon.data.library import stock
from daemon.data.library.stock import Changes, Mark
from daemon.data.store import Store

__all__ = ["Changes", "Mark", "Stock"]


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

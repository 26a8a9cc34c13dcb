"""What owners look for in a library: what is not matched, what is double, what nobody plays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from daemon.core.clock import Clock
from daemon.core.errors import UserError
from daemon.core.library import LibraryKind
from daemon.core.visibility import LibraryRef
from daemon.services.library import Stock
from daemon.services.library.stock import Double, Shelved, Shown, Unmatched
from integrations.plex import LastPlays, Upkeep
from integrations.plex.bounded import Recent

STALE_DAYS = 365
PAGE = 10
_KEPT = 4  # readings of a library's history, or lists of doubles
_FRESH_S = 600.0


@dataclass(frozen=True, slots=True)
class UnmatchedPage:
    """A page of titles that no agent knows."""

    rows: list[Unmatched]
    total: int
    number: int
    pages: int


@dataclass(frozen=True, slots=True)
class StaleTitle:
    """A title that nobody has played for long; `shown` None when it has gone meanwhile."""

    shown: Shown | None
    size_bytes: int
    added_at: datetime
    played_at: datetime | None


@dataclass(frozen=True, slots=True)
class Stale:
    """All such titles of a library, the largest first, and what they amount to.

    `plays`: rows of the history that this is based on; `since`: they go back to then only, None: to the beginning.
    """

    titles: list[Shelved]
    size_bytes: int
    plays: int
    since: datetime | None


class Stocktaking:
    """Reads the mirror, and the history of the servers; keeps long readings for ten minutes, while pages are turned."""

    def __init__(self, stock: Stock, upkeep: Upkeep, clock: Clock) -> None:
        self._stock = stock
        self._upkeep = upkeep
        self._clock = clock
        self._histories: Recent[LibraryRef, LastPlays] = Recent(_KEPT, _FRESH_S)
        self._doubles: Recent[LibraryRef, list[Double]] = Recent(_KEPT, _FRESH_S)

    async def unmatched(self, library: LibraryRef, number: int) -> UnmatchedPage:
        """A page of the titles that no agent knows, the nearest there is."""
        await self._kind(library)
        number = max(1, number)
        total, rows = await self._stock.unmatched(library, (number - 1) * PAGE, PAGE)
        pages = max(1, -(-total // PAGE))
        if number > pages:
            number = pages
            total, rows = await self._stock.unmatched(library, (number - 1) * PAGE, PAGE)
        return UnmatchedPage(rows, total, number, pages)

    async def doubles(self, library: LibraryRef, *, is_fresh: bool) -> list[Double]:
        """What is there more than once; as it was when the list was made, while its pages are turned."""
        await self._kind(library)
        found = None if is_fresh else self._doubles.get(library)
        if found is None:
            found = await self._stock.doubles(library)
            self._doubles.put(library, found)
        return found

    async def stale(self, library: LibraryRef, days: int, *, is_fresh: bool) -> tuple[Stale, LastPlays]:
        """What nobody has played for `days`, and was there before; UserError `history_short` when nobody can tell."""
        kind = await self._kind(library)
        plays = None if is_fresh else self._histories.get(library)
        if plays is None:
            plays = await self._upkeep.last_plays(library, kind)
            self._histories.put(library, plays)
        cutoff = self._clock.now() - timedelta(days=days)
        since = None if plays.since is None else datetime.fromtimestamp(plays.since, cutoff.tzinfo)
        if since is not None and since > cutoff:
            raise UserError(
                f"The server's history is too long to be read whole: it was read back to {since:%d %B %Y}. "
                "Ask for fewer days.",
                "history_short",
            )
        bound = cutoff.timestamp()
        titles = [one for one in await self._stock.shelved(library, cutoff) if plays.at.get(one.rating_key, 0) < bound]
        return Stale(titles, sum(one.size_bytes for one in titles), plays.rows, since), plays

    async def named(self, library: LibraryRef, some: list[Shelved], plays: LastPlays) -> list[StaleTitle]:
        """The titles of a page by name."""
        shown = await self._stock.by_keys(library, [one.rating_key for one in some])
        zone = self._clock.now().tzinfo
        return [
            StaleTitle(
                shown.get(one.rating_key),
                one.size_bytes,
                one.added_at,
                datetime.fromtimestamp(at, zone) if (at := plays.at.get(one.rating_key)) else None,
            )
            for one in some
        ]

    async def _kind(self, library: LibraryRef) -> LibraryKind:
        kind = await self._stock.kind(library)
        if kind is None:
            raise UserError("That library has not been read yet; try again in a moment.", "not_read")
        return kind

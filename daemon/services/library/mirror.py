"""The mirror of all servers' libraries: what changed is read, what did not costs one request a server."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog
from sqlalchemy import Connection

from daemon.core.clock import Clock
from daemon.core.errors import UpstreamError, UserError
from daemon.core.ids import ServerId
from daemon.core.library import LibraryFacts
from daemon.data.library import libraries, passes
from daemon.data.library.libraries import Library
from daemon.data.store import Store
from daemon.kernel.metrics import Metrics
from daemon.services.library.delta import Delta
from daemon.services.library.reading import LibraryGone, Reading, Workshop
from daemon.services.library.source import Outcome, Report, Source, Summary, unheard

log = structlog.get_logger(__name__)


class Mirror:
    """Reads libraries into the data layer, one at a time a server. Safe beside another process that does the same."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        metrics: Metrics,
        *,
        process: str,
        rng: random.Random | None = None,
        retry_first_s: float = 0.5,
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._shop = Workshop(store, clock, metrics, rng or random.Random(), process, retry_first_s)
        self._delta = Delta(self._shop)

    async def sync(
        self, source: Source, *, only: str | None = None, afresh: bool = False, report: Report = unheard
    ) -> list[Summary]:
        """Bring a server's libraries up to date, those whose content changed; all of them when `afresh`.

        `only`: the one of that key or name (UserError `library_unknown` when there is none). A library that cannot be
        read does not keep the others from it; UpstreamError when the server cannot even list them.
        """
        listed = await self._shop.patiently(source.libraries)
        wanted = [facts for facts in listed if only is None or only.casefold() in (facts.key, facts.name.casefold())]
        if only is not None and not wanted:
            raise UserError(f"{source.server} has no library {only!r} that can be mirrored.", "library_unknown")
        known = await self._note(source.server, listed)
        if only is None:
            done = await self._remove_missing(source, {facts.key for facts in listed})
        else:
            done = []
        for facts in wanted:
            done.append(await self._look(source, known[facts.key], facts, afresh=afresh, report=report))
        return done

    async def catch_up(self, source: Source, rating_keys: Sequence[int]) -> int:
        """Take in these titles as they are now, or their being gone; how many were written or removed."""
        return await self._delta.run(source, rating_keys)

    async def want_all(self) -> None:
        """Have every library read whole at the next look, changed or not."""
        await self._store.write(libraries.want_all)

    async def libraries(self) -> list[tuple[Library, passes.Pass | None]]:
        """Every mirrored library with the last pass over it."""

        def unit(tx: Connection) -> list[tuple[Library, passes.Pass | None]]:
            last = {one.library_id: one for one in passes.listing(tx)}
            return [(library, last.get(library.library_id)) for library in libraries.listing(tx)]

        return await self._store.read(unit)

    async def _note(self, server: ServerId, listed: Sequence[LibraryFacts]) -> Mapping[str, Library]:
        return await self._store.write(lambda tx: {facts.key: libraries.note(tx, server, facts) for facts in listed})

    async def _look(
        self, source: Source, library: Library, facts: LibraryFacts, *, afresh: bool, report: Report
    ) -> Summary:
        is_same = library.stamp is not None and library.stamp == facts.stamp
        if is_same and not afresh:
            summary = Summary(library.ref, library.name, Outcome.UNCHANGED)
        else:
            summary = await self._read(source, library, facts.stamp, afresh=afresh, report=report)
        self._count(summary)
        return summary

    async def _read(
        self, source: Source, library: Library, stamp: str | None, *, afresh: bool, report: Report
    ) -> Summary:
        reading = Reading(self._shop, source, library, stamp, report)
        try:
            return await reading.run(afresh=afresh)
        except LibraryGone:
            return await self._remove(library)
        except UpstreamError as error:
            if error.service != f"Plex server {source.server}":  # the database: nothing can be done without it
                raise
            summary = Summary(library.ref, library.name, Outcome.INTERRUPTED)
            return replace(summary, is_whole=False, problem=f"{error.service} {error.kind}")

    async def _remove_missing(self, source: Source, keys: set[str]) -> list[Summary]:
        """Remove libraries that the server lists no more, and has not when it is asked for them."""
        removed = []
        for library in await self._store.read(lambda tx: libraries.listing(tx, source.server)):
            if library.ref.key not in keys and not await source.has_library(library.ref.key):
                removed.append(await self._remove(library))
                self._count(removed[-1])
        return removed

    async def _remove(self, library: Library) -> Summary:
        while not await self._store.write(lambda tx: libraries.remove(tx, library.library_id)):
            pass
        return Summary(library.ref, library.name, Outcome.REMOVED)

    def _count(self, summary: Summary) -> None:
        self._metrics.mirror_passes_total.labels(summary.library.server, summary.outcome.value).inc()
        if summary.outcome is not Outcome.UNCHANGED:
            log.info(
                "library_mirrored", library=str(summary.library), outcome=summary.outcome.value,
                added=summary.taken.added, changed=summary.taken.changed, removed=summary.removed,
                healed=summary.healed, is_whole=summary.is_whole, problem=summary.problem,
            )  # fmt: skip

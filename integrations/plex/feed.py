"""Keeps the title index of one server as its libraries are: at start, after notices, and from time to time."""

from __future__ import annotations

import asyncio
import random

import structlog

from daemon.core.errors import UpstreamError
from daemon.core.media import TitleKind
from daemon.kernel.retry import backoff
from daemon.kernel.trace import current_trace_id, traced
from integrations.plex.config import PlexTimeouts
from integrations.plex.connection import Connection
from integrations.plex.index import KIND_ORDER, SegmentId, TitleIndex
from integrations.plex.library import Library, Listing, Section
from integrations.plex.segment import Segment

_log = structlog.get_logger(__name__)

_PLAYLISTS = "playlists"


class IndexFeed:
    """Reads what changed, the most useful kinds first, and exchanges whole segments of the index.

    A library is read again only when its stamp differs (one cheap request tells the stamps of all). `titles_max`
    bounds what this server may put into the index.
    """

    def __init__(
        self,
        connection: Connection,
        library: Library,
        index: TitleIndex,
        titles_max: int,
        timeouts: PlexTimeouts,
        rng: random.Random,
    ) -> None:
        self._connection = connection
        self._server = connection.state.server
        self._library = library
        self._index = index
        self._titles_max = titles_max
        self._timeouts = timeouts
        self._rng = rng
        self._stamps: dict[SegmentId, str | None] = {}
        self._totals: dict[SegmentId, int] = {}
        self._cut: set[SegmentId] = set()
        self._noticed = asyncio.Event()
        self._trace_id = ""  # of the notice that is the reason to look

    async def run(self) -> None:
        """For ever: wait until the server is up, bring the index up to date, wait for a reason to look again."""
        attempt = 0
        while True:
            await self._connection.wait_up()
            self._noticed.clear()
            try:
                with traced(self._trace_id):
                    self._trace_id = ""
                    await self.update()
            except UpstreamError as error:
                _log.warning("plex_index_interrupted", server=self._server, kind=error.kind.name.lower())
                wait_s = backoff(
                    attempt, first_s=self._timeouts.retry_first_s, max_s=self._timeouts.retry_max_s, rng=self._rng
                )
                attempt += 1
                await asyncio.sleep(wait_s)
                continue
            attempt = 0
            await self._wait_for_reason()

    def notice(self) -> None:
        """Something in a library changed, or the notices were interrupted: look soon."""
        self._trace_id = current_trace_id()
        self._noticed.set()

    async def update(self) -> None:
        """One pass: read every library whose stamp changed. Raises UpstreamError; what was read until then is kept."""
        sections = await self._library.sections()
        wanted = [
            (SegmentId(self._server, section.key, kind), section)
            for kind in KIND_ORDER
            for section in sections
            if kind in section.kinds
        ]
        at = sum(1 for name, _ in wanted if KIND_ORDER.index(name.kind) < KIND_ORDER.index(TitleKind.PLAYLIST))
        playlists = Section(_PLAYLISTS, "Playlists", (TitleKind.PLAYLIST,), None)
        wanted.insert(at, (SegmentId(self._server, _PLAYLISTS, TitleKind.PLAYLIST), playlists))
        self._forget({name for name, _ in wanted})
        for place, (name, section) in enumerate(wanted):
            room = self._room([better for better, _ in wanted[:place]])
            has_changed = section.stamp is None or self._stamps.get(name) != section.stamp
            if has_changed or (name in self._cut and room > self._index.size(name)):
                await self._read(name, section, room)
        await self._trim([name for name, _ in wanted])
        self._note(is_indexing=False)

    def _room(self, better: list[SegmentId]) -> int:
        """How many titles still fit behind those of better kinds; worse ones give way."""
        return max(0, self._titles_max - sum(self._index.size(name) for name in better))

    async def _read(self, name: SegmentId, section: Section, room: int) -> None:
        before = self._index.count(self._server) - self._index.size(name)

        def note(read: int, total: int) -> None:
            self._totals[name] = total
            self._connection.note_index(
                min(before + read, self._titles_max), sum(self._totals.values()), is_indexing=True, is_full=False
            )

        if name.section == _PLAYLISTS:
            listing = await self._library.playlists(room, note)
        else:
            listing = await self._library.read(section, name.kind, room, note)
        await self._put(name, listing)
        self._stamps[name] = section.stamp

    async def _put(self, name: SegmentId, listing: Listing) -> None:
        (self._cut.add if listing.is_cut else self._cut.discard)(name)
        self._totals[name] = listing.total if listing.is_cut else len(listing.titles)
        segment = await asyncio.to_thread(Segment, name.kind, listing.titles, listing.recent)
        self._index.put(name, segment)

    async def _trim(self, wanted: list[SegmentId]) -> None:
        """Cut the least useful segments until the bound holds: better kinds may have grown since they were read."""
        over = self._index.count(self._server) - self._titles_max
        for name in reversed(wanted):
            if over <= 0:
                return
            segment = self._index.segment(name)
            if segment is None or not len(segment):
                continue
            kept = max(0, len(segment) - over)
            over -= len(segment) - kept
            self._cut.add(name)
            self._index.put(name, await asyncio.to_thread(Segment, name.kind, segment.titles[:kept], segment.recent))

    def _forget(self, names: set[SegmentId]) -> None:
        self._index.keep(self._server, names)
        self._stamps = {name: stamp for name, stamp in self._stamps.items() if name in names}
        self._totals = {name: total for name, total in self._totals.items() if name in names}
        self._cut &= names

    def _note(self, *, is_indexing: bool) -> None:
        held = self._index.count(self._server)
        total = max(held, sum(self._totals.values()))
        self._connection.note_index(held, total, is_indexing=is_indexing, is_full=bool(self._cut))
        _log.info("plex_index_read", server=self._server, titles=held, total=total)

    async def _wait_for_reason(self) -> None:
        """Until a notice has come and libraries have been quiet for a moment, or the regular look is due."""
        try:
            async with asyncio.timeout(self._timeouts.refresh_every_s):
                await self._noticed.wait()
        except TimeoutError:
            return
        for _ in range(12):  # a long scan never goes quiet: look in between, too
            self._noticed.clear()
            await asyncio.sleep(self._timeouts.settle_s)
            if not self._noticed.is_set():
                return

"""One library read whole: its titles kind by kind, then what they are tagged with. It goes on where it was."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from daemon.core.clock import Clock
from daemon.core.errors import MarqueeError, UpstreamError, UpstreamKind
from daemon.core.library import TitlePage
from daemon.core.limits import (
    MIRROR_ATTEMPTS_MAX,
    MIRROR_CHECKED_AT_ONCE,
    MIRROR_IN_FLIGHT,
    MIRROR_PAGE,
    MIRROR_RETRIES_MAX,
    MIRROR_TITLES_MAX,
)
from daemon.core.media import TitleKind
from daemon.data.library import libraries, passes, titles
from daemon.data.library.libraries import Library
from daemon.data.library.passes import Pass, PassLost
from daemon.data.library.titles import Taken
from daemon.data.store import Store
from daemon.kernel.metrics import Metrics
from daemon.kernel.retry import backoff
from daemon.services.library.source import Outcome, Progress, Report, Source, Summary
from daemon.services.library.tagging import Tagging

T = TypeVar("T")

_WORTH_ANOTHER = frozenset({UpstreamKind.UNREACHABLE, UpstreamKind.TIMED_OUT, UpstreamKind.BUSY, UpstreamKind.BROKEN})


class LibraryGone(MarqueeError):
    """The server has the library no more."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every reading needs. `retry_first_s` is the first wait after a request that failed, doubled each time."""

    store: Store
    clock: Clock
    metrics: Metrics
    rng: random.Random
    owner: str  # the name of this process
    retry_first_s: float = 0.5
    retry_max_s: float = 10.0

    async def patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """`ask()`, again after a while when the server does not answer it well."""
        for attempt in range(MIRROR_RETRIES_MAX):
            try:
                return await ask()
            except UpstreamError as error:
                if error.kind not in _WORTH_ANOTHER:
                    raise
            await asyncio.sleep(backoff(attempt, first_s=self.retry_first_s, max_s=self.retry_max_s, rng=self.rng))
        return await ask()


class Reading:
    """A pass over one library, from wherever the last one was left."""

    def __init__(self, shop: Workshop, source: Source, library: Library, stamp: str | None, report: Report) -> None:
        self._shop = shop
        self._source = source
        self._library = library
        self._stamp = stamp
        self._report = report
        self._taken = Taken()
        self._removed = self._healed = 0

    async def run(self, *, afresh: bool = False) -> Summary:
        """Read it all. UpstreamError when the server fails for good; the pass is then left where it is."""
        store, now = self._shop.store, self._shop.clock.now()
        state = await store.write(
            lambda tx: passes.begin(tx, self._library.library_id, self._shop.owner, self._stamp, now, afresh=afresh)
        )
        if state is None:
            return self._summary(Outcome.BUSY)
        try:
            state = await self._read(state)
        except PassLost:
            return self._summary(Outcome.BUSY)
        except LibraryGone:
            await self._leave(state, "the library is gone from its server")
            raise
        except UpstreamError as error:
            await self._leave(state, f"{error.service} {error.kind}")
            raise
        except asyncio.CancelledError:
            await self._leave(state, "the daemon was stopped")
            raise
        finally:
            self._shop.metrics.mirror_progress_ratio.labels(self._source.server).set(1)
        return replace(self._summary(Outcome.READ), is_whole=state.is_whole)

    async def _read(self, state: Pass) -> Pass:
        kinds = self._library.kind.kinds
        if state.stage == 0 and state.next_start == 0:
            counts = [await self._ask(partial(self._source.count, self._key, kind)) for kind in kinds]
            state = await self._move(state, total=sum(counts))
        while state.stage < len(kinds):
            state = await self._read_kind(state, kinds[state.stage])
        tagging = Tagging(self._shop.store, self._source, self._library, self._ask)
        async for what in tagging.run():
            state = await self._move(state)
            self._tell(state, what)
        return await self._finish(state)

    async def _read_kind(self, state: Pass, kind: TitleKind) -> Pass:
        """All titles of a kind, then the removal of those that were there before and are not any more.

        There is no snapshot: what comes or goes meanwhile moves the pages. A listing is believed when as many titles
        were seen as the server says there are; else it is read again, and when it never is, nothing is removed.
        """
        library_id, store = self._library.library_id, self._shop.store
        while True:
            state, total = await self._read_pages(state, kind)
            count = await store.read(partial(titles.seen, library_id=library_id, kind=kind, pass_number=state.number))
            if count == total or state.attempt >= MIRROR_ATTEMPTS_MAX:
                break
            state = await self._move(
                state, attempt=state.attempt + 1, next_start=0, done=max(0, state.done - state.next_start)
            )
        if count == total:
            await self._take_out_unseen(state, kind)
        is_whole = state.is_whole and count == total
        return await self._move(state, stage=state.stage + 1, next_start=0, attempt=1, is_whole=int(is_whole))

    async def _read_pages(self, state: Pass, kind: TitleKind) -> tuple[Pass, int]:
        """Two pages at a time, each stored by a unit of its own with the place where to go on."""
        total: int | None = None
        while True:
            start = state.next_start
            ahead = MIRROR_IN_FLIGHT if total is not None else 1
            starts = [at for at in range(start, start + ahead * MIRROR_PAGE, MIRROR_PAGE) if at < (total or start + 1)]
            if not starts:
                return state, total or 0
            asked = (self._ask(partial(self._source.page, self._key, kind, at)) for at in starts)
            for page in await asyncio.gather(*asked):
                # Titles that went away moved those behind them forward by as many places: go back by as many.
                shrunk = max(0, (total if total is not None else page.total) - page.total)
                total = page.total
                state = await self._store(state, page, max(0, state.next_start + page.entries - shrunk))
                self._tell(state, kind.value)
                if shrunk or page.entries == 0:
                    break
            if page.entries == 0 or state.next_start >= min(total or 0, MIRROR_TITLES_MAX):
                return state, total or 0

    async def _store(self, state: Pass, page: TitlePage, next_start: int) -> Pass:
        now, library = self._shop.clock.now(), self._library
        done = max(0, state.done + next_start - state.next_start)

        def unit(tx: Connection) -> tuple[Pass, Taken]:
            after = passes.move(tx, state, now, next_start=next_start, done=done, total=max(state.total, done))
            taken = titles.take_in(tx, library.library_id, library.ref.server, page.titles, state.number)
            if taken is None:
                raise PassLost("the library was removed meanwhile")
            return after, taken

        after, taken = await self._shop.store.write(unit)
        self._note(taken)
        return after

    async def _take_out_unseen(self, state: Pass, kind: TitleKind) -> None:
        """Ask for each title that no page showed by its key; those that are really gone are taken out, or heal."""
        store, library_id, after = self._shop.store, self._library.library_id, 0
        while True:
            look = partial(
                titles.unseen, library_id=library_id, kind=kind, pass_number=state.number, after=after,
                most=MIRROR_CHECKED_AT_ONCE,
            )  # fmt: skip
            unseen = await store.read(look)
            if not unseen:
                return
            after = unseen[-1].title_id
            found = await self._ask(partial(self._source.by_keys, [one.rating_key for one in unseen]))
            there = {located.title.rating_key for located in found}
            gone = [one for one in unseen if one.rating_key not in there]
            kept = [one.title_id for one in unseen if one.rating_key in there]

            def unit(tx: Connection, gone: list[titles.Candidate] = gone, kept: list[int] = kept) -> tuple[int, int]:
                if kept:
                    titles.see(tx, kept, state.number)
                return titles.take_out(tx, library_id, gone)

            removed, healed = await store.write(unit)
            self._note(Taken(), removed, healed)

    async def _finish(self, state: Pass) -> Pass:
        now, stamp = self._shop.clock.now(), state.stamp if state.is_whole else None

        def unit(tx: Connection) -> Pass:
            after = passes.move(tx, state, now, ended_at=now, done=max(state.done, state.total))
            libraries.mark_read(tx, state.library_id, stamp, now)
            passes.leave(tx, after, None)
            return after

        return await self._shop.store.write(unit)

    async def _move(self, state: Pass, **changes: object) -> Pass:
        now = self._shop.clock.now()
        return await self._shop.store.write(lambda tx: passes.move(tx, state, now, **changes))

    async def _leave(self, state: Pass, problem: str) -> None:
        """Let go at once; where that is not possible the lease runs out."""
        with suppress(UpstreamError):
            await self._shop.store.write(lambda tx: passes.leave(tx, state, problem))

    async def _ask(self, ask: Callable[[], Awaitable[T]]) -> T:
        """A request about this library, patiently; LibraryGone when the server has it no more."""
        try:
            return await self._shop.patiently(ask)
        except UpstreamError as error:
            if error.kind is UpstreamKind.NOT_FOUND and not await self._source.has_library(self._key):
                raise LibraryGone(f"{self._library.name} is gone") from error
            raise

    @property
    def _key(self) -> str:
        return self._library.ref.key

    def _tell(self, state: Pass, what: str) -> None:
        if state.total:
            ratio = min(1.0, state.done / state.total)
            self._shop.metrics.mirror_progress_ratio.labels(self._source.server).set(ratio)
        self._report(Progress(self._library.ref, self._library.name, what, state.done, max(state.done, state.total)))

    def _note(self, taken: Taken, removed: int = 0, healed: int = 0) -> None:
        self._taken += taken
        self._removed += removed
        self._healed += healed
        count_titles(self._shop.metrics, self._source.server, taken, removed, healed)

    def _summary(self, outcome: Outcome) -> Summary:
        return Summary(self._library.ref, self._library.name, outcome, self._taken, self._removed, self._healed)


def count_titles(metrics: Metrics, server: str, taken: Taken, removed: int = 0, healed: int = 0) -> None:
    """Add to the counters what became of some titles."""
    outcomes = (
        ("added", taken.added), ("changed", taken.changed), ("same", taken.same), ("removed", removed),
        ("healed", healed),
    )  # fmt: skip
    for outcome, count in outcomes:
        if count:
            metrics.mirror_titles_total.labels(server, outcome).inc(count)

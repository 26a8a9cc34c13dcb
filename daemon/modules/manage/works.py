"""Work that servers do on whole libraries: begun once, followed as far as the servers tell of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto

import structlog

from daemon.core.clock import Clock
from daemon.core.errors import UpstreamError, UserError
from daemon.core.ids import PanelId
from daemon.core.visibility import LibraryRef
from daemon.services.library import Mirroring, Stock
from daemon.services.library.stock import Changes
from integrations.plex import Activity, Upkeep

from .asking import Chosen, Job, Verb

log = structlog.get_logger(__name__)

LOOK_S = 2.0  # between two looks at what a server does, and so between two edits of a card
FOLLOWED_S = 14 * 60.0  # Discord lets an answer be changed for 15 minutes
FOLLOWED_MAX = 50  # cards at once; the oldest is let go
UNSEEN_S = 20.0  # a server that tells nothing of what was begun for so long has done it, or put it off
NAMES_MAX = 8
_QUIET_LOOKS = 2  # between the parts of a refresh nothing is going on for a moment
_MIRROR_S = 20.0  # real seconds that the mirror gets to take in what a server has done
_KINDS = {
    Verb.SCAN: ("library.update.section",),
    Verb.REFRESH: ("library.refresh", "library.update.section"),
    Verb.ANALYZE: ("media.", "library.analyze", "library.analysis"),
}


class Phase(Enum):
    """How far a job is."""

    BEGUN = auto()  # the server has not told of it yet
    RUNNING = auto()
    QUIET = auto()  # nothing is going on at this moment: done, or between two of its parts
    DONE = auto()
    UNSEEN = auto()  # done or put off: the server never told of it
    LEFT = auto()  # not looked at any more, though it may go on


@dataclass(frozen=True, slots=True)
class Progress:
    """What a card shows. `percent` None: the server cannot say."""

    phase: Phase
    percent: int | None = None
    detail: str = ""
    changes: Changes | None = None
    problem: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.phase in (Phase.DONE, Phase.UNSEEN)


Show = Callable[[Progress], Awaitable[bool]]
"""Edits a card; False when Discord takes no more edits of it."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What became of an order. `was_running`: the server was at it already, and was left alone."""

    job: Job
    progress: Progress
    was_running: bool


@dataclass(eq=False, slots=True)
class _Followed:
    job: Job
    show: Show
    since: datetime
    shown: Progress
    was_seen: bool = False
    quiet_looks: int = 0


class Works:
    """The jobs of this process and the cards that show them."""

    def __init__(self, upkeep: Upkeep, stock: Stock, mirroring: Mirroring, clock: Clock) -> None:
        self._upkeep = upkeep
        self._stock = stock
        self._mirroring = mirroring
        self._clock = clock
        self._followed: dict[PanelId, _Followed] = {}
        self._lately: dict[tuple[Verb, LibraryRef], Job] = {}
        self._orders = asyncio.Lock()
        self._any = asyncio.Event()

    async def begin(self, verb: Verb, library: Chosen) -> Begun:
        """Have a server begin, unless it is at it. UserError and UpstreamError as `Upkeep` says."""
        async with self._orders:
            running = await self._running(verb, library.ref)
            known = self._lately.get((verb, library.ref))
            if known is not None and (running or self._age_s(known) < LOOK_S):
                return Begun(known, _progress(running), was_running=True)
            job = Job(verb, library, self._clock.now(), await self._stock.mark(library.ref))
            # A server fetches single titles again for many reasons; only what is about the whole library is the same.
            is_at_it = any(each.library is not None and each.kind.startswith(_KINDS[verb][0]) for each in running)
            if not is_at_it:
                await {
                    Verb.SCAN: self._upkeep.scan,
                    Verb.REFRESH: self._upkeep.refresh,
                    Verb.ANALYZE: self._upkeep.analyze,
                }[verb](library.ref)
            self._note(job)
            now = running if is_at_it else await self._running(verb, library.ref)
            return Begun(job, _progress(now), was_running=is_at_it)

    async def look(self, job: Job) -> Progress:
        """How a job stands, for a card that nobody follows any more."""
        running = await self._running(job.verb, job.library.ref)
        if running or self._age_s(job) < UNSEEN_S:
            return _progress(running)
        return Progress(Phase.QUIET)

    def follow(self, panel_id: PanelId, job: Job, shown: Progress, show: Show) -> None:
        """Edit a card as its job goes on; in place of whoever has edited it until now."""
        if shown.is_over:
            return
        self._followed.pop(panel_id, None)
        while len(self._followed) >= FOLLOWED_MAX:
            del self._followed[next(iter(self._followed))]
        was_seen = shown.phase in (Phase.RUNNING, Phase.QUIET)
        self._followed[panel_id] = _Followed(job, show, self._clock.now(), shown, was_seen)
        self._any.set()

    async def run(self) -> None:
        """For ever: look at every job that a card follows."""
        while True:
            await self._any.wait()
            await self._clock.sleep(LOOK_S)
            for panel_id, followed in list(self._followed.items()):
                if self._followed.get(panel_id) is followed and not await self._step(followed):
                    self._followed.pop(panel_id, None)
            if not self._followed:
                self._any.clear()

    async def _step(self, followed: _Followed) -> bool:
        """Look once and show it; False when that was the last time."""
        progress = await self._progress_of(followed)
        if progress == followed.shown:
            return True
        followed.shown = progress
        try:
            is_shown = await followed.show(progress)
        except UpstreamError as error:
            log.info("work_card_lost", error=str(error))
            return False
        return is_shown and not progress.is_over and progress.phase is not Phase.LEFT

    async def _progress_of(self, followed: _Followed) -> Progress:
        shown = followed.shown
        if (self._clock.now() - followed.since).total_seconds() > FOLLOWED_S:
            return replace(shown, phase=Phase.LEFT)
        try:
            return await self._look(followed)
        except (UpstreamError, UserError) as error:
            words = error.text if isinstance(error, UserError) else f"{error.service} {error.kind}."
            return replace(shown, problem=words)

    async def _look(self, followed: _Followed) -> Progress:
        job, shown = followed.job, followed.shown
        running = await self._running(job.verb, job.library.ref)
        if running:
            followed.was_seen, followed.quiet_looks = True, 0
            return _progress(running)
        followed.quiet_looks += 1
        if followed.was_seen:
            return await self._end(job, Phase.DONE) if followed.quiet_looks >= _QUIET_LOOKS else shown
        if self._age_s(job) >= UNSEEN_S:
            return await self._end(job, Phase.UNSEEN)
        return replace(shown, problem="")

    async def _end(self, job: Job, phase: Phase) -> Progress:
        """What became of the library, once the mirror has taken it in."""
        self._lately.pop((job.verb, job.library.ref), None)
        await self._mirroring.catch_up(job.library.ref.server, _MIRROR_S)
        changes = None
        if job.before is not None:
            changes = await self._stock.changes(job.library.ref, job.before, NAMES_MAX)
        return Progress(phase, 100, changes=changes)

    async def _running(self, verb: Verb, library: LibraryRef) -> list[Activity]:
        """What the server does of this kind on this library, what is about all of it first."""
        found = [
            each
            for each in await self._upkeep.activities(library.server)
            if each.kind.startswith(_KINDS[verb]) and each.library in (None, library.key)
        ]
        unplaced = [each.rating_key for each in found if each.library is None and each.rating_key is not None]
        here = await self._stock.by_keys(library, unplaced) if unplaced else {}
        found = [each for each in found if each.library is not None or each.rating_key in (None, *here)]
        return sorted(found, key=lambda each: (each.library is None, not each.kind.startswith(_KINDS[verb][0])))

    def _note(self, job: Job) -> None:
        self._lately = {key: old for key, old in self._lately.items() if self._age_s(old) < FOLLOWED_S}
        self._lately[job.verb, job.library.ref] = job

    def _age_s(self, job: Job) -> float:
        return (self._clock.now() - job.begun_at).total_seconds()


def _progress(running: list[Activity]) -> Progress:
    if not running:
        return Progress(Phase.BEGUN)
    first = running[0]
    # What is told of a single title says nothing of how far the library is.
    percent = first.percent if first.library is not None else None
    return Progress(Phase.RUNNING, percent, first.detail)

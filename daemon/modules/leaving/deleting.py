"""Deleting what nobody kept, title by title: only what was listed, and each only while it is what was listed.

Before the server is asked to delete a title that is written down. Whatever happens then (no answer, a crash, a
restart), the next look begins with reading whether the title is still there: no deletion is repeated blindly, and none
is lost.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from daemon.core.clock import Clock
from daemon.core.errors import UpstreamError, UpstreamKind, UserError
from daemon.core.leaving import Halt, Outcome, Reason, Round, RoundTitle, difference
from daemon.core.limits import (
    LEAVING_ATTEMPTS_MAX,
    LEAVING_PATIENCE_S,
    LEAVING_READ_BACK,
    LEAVING_RETRY_S,
    LEAVING_TICK_S,
)
from daemon.services.leaving import Leaving
from integrations.plex import Deletion, Removal

from .telling import Telling

log = structlog.get_logger(__name__)

_READ_BACK_S = 1.0  # a server answers before it has forgotten the title
_HALTS = {
    UpstreamKind.UNAUTHORIZED: Halt.REFUSED,
    UpstreamKind.WRONG_SERVER: Halt.REFUSED,
    UpstreamKind.FORBIDDEN: Halt.REFUSED,
}


class _Stop(Exception):
    """The round is not to be worked on any more, now."""


class _Halted(_Stop):
    def __init__(self, why: Halt) -> None:
        self.why = why


class Deleting:
    """One for each process; a round is worked off by one of them at a time."""

    def __init__(self, leaving: Leaving, removal: Removal, telling: Telling, clock: Clock) -> None:
        self._leaving = leaving
        self._removal = removal
        self._telling = telling
        self._clock = clock
        self._wake = asyncio.Event()
        self._away_since: dict[int, datetime] = {}  # by round: when its server first failed

    def wake(self) -> None:
        """There is something to delete."""
        self._wake.set()

    async def follow(self) -> None:
        """For ever: delete what owners have confirmed."""
        try:
            while True:
                self._wake.clear()
                await self.work_off()
                try:
                    async with asyncio.timeout(LEAVING_RETRY_S if self._away_since else LEAVING_TICK_S):
                        await self._wake.wait()
                except TimeoutError:
                    pass
        finally:
            await self._leaving.release()

    async def work_off(self) -> None:
        """Go through every round that is to be deleted, each once."""
        seen: list[int] = []
        while (found := await self._leaving.claim(but=seen)) is not None:
            seen.append(found.round_id)
            await self._work(found)

    async def _work(self, of: Round) -> None:
        try:
            await self._check(of)
            while (title := await self._leaving.next_title(of.round_id)) is not None:
                if not await self._leaving.hold(of.round_id):
                    return
                await self._settle(of, title)
                self._away_since.pop(of.round_id, None)
        except _Halted as halted:
            await self._leaving.halt(of.round_id, halted.why, self._telling.halted)
        except _Stop:
            return
        except UserError:  # its server was taken out of the configuration
            await self._leaving.halt(of.round_id, Halt.REFUSED, self._telling.halted)
        except UpstreamError as error:
            await self._bear(of, error)
        else:
            await self._leaving.finish(of.round_id, self._telling.done)

    async def _check(self, of: Round) -> None:
        if not await self._removal.may_delete(of.library.server):
            raise _Halted(Halt.SWITCHED_OFF)

    async def _bear(self, of: Round, error: UpstreamError) -> None:
        """A server that is away is waited for; one that refuses is not."""
        if error.service != f"Plex server {of.library.server}":  # the database: nothing can be done without it
            raise error
        log.info("leaving_waits_for_plex", round_id=of.round_id, problem=str(error))
        now = self._clock.now()
        since = self._away_since.setdefault(of.round_id, now)
        why = _HALTS.get(error.kind)
        if why is None and now - since >= timedelta(seconds=LEAVING_PATIENCE_S):
            why = Halt.AWAY
        if why is not None:
            self._away_since.pop(of.round_id, None)
            await self._leaving.halt(of.round_id, why, self._telling.halted)

    async def _settle(self, of: Round, title: RoundTitle) -> None:
        """Decide about one title, by deleting it when nothing is against it."""
        is_ours = title.sent_at is not None  # it was asked for before: when it is gone, we have deleted it
        standing = await self._removal.look(title.ref)
        if standing is None:
            await self._decide(of, title, Outcome.DELETED if is_ours else Outcome.GONE)
            return
        why = difference(title.listed, of.library.key, standing) or await self._use(title)
        if why is None and title.attempts >= LEAVING_ATTEMPTS_MAX:
            why = Reason.FAILED
        if why is not None:
            await self._decide(of, title, Outcome.REFUSED, why)
        elif not await self._leaving.mark_sent(title.title_id):
            raise _Stop  # another process has the round now, or something was decided
        else:
            await self._delete(of, title, is_ours=is_ours)

    async def _use(self, title: RoundTitle) -> Reason | None:
        """Whether somebody plays it now, or has since it was listed."""
        if await self._removal.is_playing(title.ref):
            return Reason.PLAYING
        last = await self._removal.last_played(title.ref, title.listed.kind)
        is_news = last is not None and (title.listed.played_at is None or last > title.listed.played_at)
        return Reason.PLAYED if is_news else None

    async def _delete(self, of: Round, title: RoundTitle, *, is_ours: bool) -> None:
        absent = Outcome.DELETED if is_ours else Outcome.GONE
        try:
            deletion = await self._removal.delete(title.ref, title.listed.guid)
        except UpstreamError as error:
            if error.kind in (UpstreamKind.FORBIDDEN, UpstreamKind.UNAUTHORIZED):
                await self._leaving.clear_sent(title.title_id)
                is_off = error.kind is UpstreamKind.FORBIDDEN
                raise _Halted(Halt.SWITCHED_OFF if is_off else Halt.REFUSED) from error
            deletion = await self._find_out(title, error)
        match deletion:
            case Deletion.ABSENT:
                await self._decide(of, title, absent)
            case Deletion.ANOTHER:
                await self._decide(of, title, Outcome.REFUSED, Reason.REPLACED)
            case Deletion.DONE:
                await self._read_back(of, title)

    async def _find_out(self, title: RoundTitle, error: UpstreamError) -> Deletion:
        """Whether the title was deleted although no good answer came; `error` again when it was not, or cannot be told.

        It is asked for again later, after the same checks as before.
        """
        if error.kind is UpstreamKind.NOT_FOUND:
            return Deletion.ABSENT
        if await self._removal.look(title.ref) is not None:
            raise error
        return Deletion.DONE

    async def _read_back(self, of: Round, title: RoundTitle) -> None:
        """See for ourselves that the title is gone."""
        for look in range(LEAVING_READ_BACK):
            if look:
                await self._clock.sleep(_READ_BACK_S)
            standing = await self._removal.look(title.ref)
            if standing is None or standing.guid != title.listed.guid:
                await self._decide(of, title, Outcome.DELETED)
                return
        await self._decide(of, title, Outcome.REFUSED, Reason.STAYED)

    async def _decide(self, of: Round, title: RoundTitle, outcome: Outcome, reason: Reason | None = None) -> None:
        if await self._leaving.decide(of, title, outcome, reason):
            log.info(
                "leaving_title_decided", round_id=of.round_id, title=str(title.ref), outcome=outcome.value,
                reason=None if reason is None else reason.value,
            )  # fmt: skip

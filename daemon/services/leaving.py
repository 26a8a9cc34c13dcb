"""Leaving soon: what is listed, kept and deleted, so that each happens once whatever is pressed, lost or restarted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from daemon.core.clock import Clock
from daemon.core.errors import UserError
from daemon.core.ids import GuildId, MessageId, ProfileId
from daemon.core.leaving import Halt, Listed, Outcome, Reason, Round, RoundTitle, Rule
from daemon.core.limits import LEAVING_LEASE_S
from daemon.core.visibility import LibraryRef, Visibility
from daemon.data import audit
from daemon.data.leaving import candidates, rounds, titles
from daemon.data.leaving.rounds import NewRound
from daemon.data.leaving.titles import Kept
from daemon.data.store import Store
from daemon.kernel.trace import current_trace_id

__all__ = ["Announced", "Kept", "Leaving", "NewRound", "Whole", "unplayed"]

_LEASE = timedelta(seconds=LEAVING_LEASE_S)

Say = Callable[[Connection, "Whole"], object]


@dataclass(frozen=True, slots=True)
class Announced:
    """A new round; `left_out` titles are listed by another round that is not decided yet."""

    round_id: int
    count: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Whole:
    """A round with its titles, the largest first."""

    round: Round
    titles: tuple[RoundTitle, ...]

    @property
    def wanted(self) -> list[RoundTitle]:
        """Those that members keep."""
        return [title for title in self.titles if title.is_wanted]

    @property
    def unwanted(self) -> list[RoundTitle]:
        """Those that nobody keeps and about which nothing is decided yet."""
        return [title for title in self.titles if title.outcome is None and not title.keeps]

    @property
    def freed_bytes(self) -> int:
        """What deleting has freed so far."""
        return sum(title.freed_bytes for title in self.titles)

    def of(self, outcome: Outcome) -> list[RoundTitle]:
        """Those of which that became."""
        return [title for title in self.titles if title.outcome is outcome]


class Leaving:
    """Rounds of all guilds. `process` names this process among those that may delete."""

    def __init__(self, store: Store, clock: Clock, *, process: str) -> None:
        self._store = store
        self._clock = clock
        self._process = process

    # Listing

    async def candidates(self, visibility: Visibility, library: LibraryRef, rule: Rule) -> list[Listed]:
        """What the rule allows but for who played it, the largest first; see `unplayed`."""
        now = self._clock.now()
        before = now - timedelta(days=rule.unwatched_days)
        return await self._store.read(lambda tx: candidates.candidates(tx, visibility, library, rule, before, now))

    async def announce(self, new: NewRound, listed: Sequence[Listed]) -> Announced:
        """Begin a round. UserError `listed_already` when others list all of it."""
        now = self._clock.now()

        def unit(tx: Connection) -> Announced:
            round_id, count = rounds.announce(tx, new, listed, now)
            if not count:
                raise UserError("All of these are listed by another round that is not over.", "listed_already")
            return Announced(round_id, count, len(listed) - count)

        return await self._store.write(unit)

    async def drop(self, round_id: int) -> bool:
        """Take a round back that could not be posted."""
        return await self._store.write(lambda tx: rounds.drop(tx, round_id))

    async def whole(self, round_id: int) -> Whole | None:
        """A round with its titles."""
        return await self._store.read(lambda tx: _whole(tx, round_id))

    async def running(self, guild_id: GuildId) -> list[Whole]:
        """A guild's rounds that are not done, the newest first."""

        def unit(tx: Connection) -> list[Whole]:
            return [Whole(one, tuple(titles.of_round(tx, one.round_id))) for one in rounds.running(tx, guild_id)]

        return await self._store.read(unit)

    # Keeping and closing

    async def title(self, title_id: int) -> RoundTitle | None:
        """A title of a round."""
        return await self._store.read(lambda tx: titles.get(tx, title_id))

    async def keep(self, title_id: int, profile_id: ProfileId) -> Kept:
        """Somebody wants a title to stay."""
        now = self._clock.now()

        def unit(tx: Connection) -> Kept:
            kept = titles.keep(tx, title_id, profile_id, now)
            if kept is Kept.NEW and (title := titles.get(tx, title_id)) is not None:
                rounds.touch(tx, title.round_id)
            return kept

        return await self._store.write(unit)

    async def close(self, round_id: int, say: Say | None = None) -> bool:
        """End the time for keeping; False when it was over. `say` is called in the unit of work that ends it."""
        now = self._clock.now()

        def unit(tx: Connection) -> bool:
            if not rounds.close(tx, round_id, now):
                return False
            whole = _whole(tx, round_id)
            if say is not None and whole is not None:
                say(tx, whole)
            return True

        return await self._store.write(unit)

    async def close_due(self, say: Say) -> int:
        """Close every round whose time is over; how many this process has closed."""
        now = self._clock.now()
        due = await self._store.read(lambda tx: rounds.due(tx, now))
        return sum([await self.close(round_id, say) for round_id in due])

    async def leave(self, round_id: int) -> bool:
        """Delete nothing of a closed round; False when it is not closed."""
        now = self._clock.now()
        return await self._store.write(lambda tx: rounds.leave(tx, round_id, now))

    async def leave_stale(self, days: int) -> int:
        """End closed rounds about which no owner has decided for so long: their lists are too old by then."""
        before = self._clock.now() - timedelta(days=days)
        stale = await self._store.read(lambda tx: rounds.stale(tx, before))
        return sum([await self.leave(round_id) for round_id in stale])

    # Deleting

    async def begin(self, round_id: int, confirmed_by: ProfileId) -> bool:
        """An owner has what nobody kept deleted; False when another owner was first, or nothing is to be deleted."""
        now = self._clock.now()
        return await self._store.write(lambda tx: rounds.begin(tx, round_id, confirmed_by, now))

    async def claim(self, *, but: Collection[int] = ()) -> Round | None:
        """A round to delete, which is this process's for a while: every `mark_sent` makes it longer."""
        if set(await self._store.read(rounds.deleting)) <= set(but):
            return None  # as nearly always: who only looks writes nothing
        now = self._clock.now()
        return await self._store.write(lambda tx: rounds.claim(tx, self._process, now, now + _LEASE, but=but))

    async def hold(self, round_id: int) -> bool:
        """Keep a claimed round for another while; False when it is not this process's any more."""
        until = self._clock.now() + _LEASE
        return await self._store.write(lambda tx: rounds.hold(tx, round_id, self._process, until))

    async def release(self) -> None:
        """Say good-bye: another process may go on at once."""
        await self._store.write(lambda tx: rounds.release(tx, self._process))

    async def next_title(self, round_id: int) -> RoundTitle | None:
        """The title to delete next; None when all are decided."""
        return await self._store.read(lambda tx: titles.next_undecided(tx, round_id))

    async def mark_sent(self, title_id: int) -> bool:
        """Before the server is asked to delete a title: False when it must not be asked."""
        now = self._clock.now()
        return await self._store.write(lambda tx: titles.mark_sent(tx, title_id, self._process, now, now + _LEASE))

    async def clear_sent(self, title_id: int) -> None:
        """The server has certainly not deleted it."""
        await self._store.write(lambda tx: titles.clear_sent(tx, title_id))

    async def decide(self, of: Round, title: RoundTitle, outcome: Outcome, reason: Reason | None = None) -> bool:
        """Record what became of a title, and what was deleted in the audit log, too; once."""
        now, listed = self._clock.now(), title.listed
        freed = listed.size_bytes if outcome is Outcome.DELETED else 0
        trace_id = current_trace_id() or ""

        def unit(tx: Connection) -> bool:
            if not titles.decide(tx, title.title_id, outcome, now, reason=reason, freed_bytes=freed):
                return False
            if outcome is Outcome.DELETED:
                detail = {"round": of.round_id, "title": str(listed), "guid": listed.guid, "bytes": freed}
                audit.add(
                    tx, at=now, actor=of.confirmed_by, action="leaving title deleted", target=str(title.ref),
                    detail=detail, trace_id=trace_id,
                )  # fmt: skip
            return True

        return await self._store.write(unit)

    async def halt(self, round_id: int, why: Halt, say: Say) -> bool:
        """Give up deleting for now."""

        def unit(tx: Connection) -> bool:
            is_halted = rounds.halt(tx, round_id, self._process, why)
            if is_halted and (whole := _whole(tx, round_id)) is not None:
                say(tx, whole)
            return is_halted

        return await self._store.write(unit)

    async def finish(self, round_id: int, say: Say) -> bool:
        """The round is done when all of its titles are decided."""
        now = self._clock.now()

        def unit(tx: Connection) -> bool:
            is_done = rounds.finish(tx, round_id, self._process, now)
            if is_done and (whole := _whole(tx, round_id)) is not None:
                say(tx, whole)
            return is_done

        return await self._store.write(unit)

    # The card

    async def unshown(self) -> list[Whole]:
        """Rounds whose card has to be posted or changed."""

        def unit(tx: Connection) -> list[Whole]:
            return [Whole(one, tuple(titles.of_round(tx, one.round_id))) for one in rounds.unshown(tx)]

        return await self._store.read(unit)

    async def note_posted(self, of: Round, message_id: MessageId | None) -> None:
        """The card of a round stands there as it is now; None: it cannot be posted."""
        now = self._clock.now()
        await self._store.write(lambda tx: rounds.note_posted(tx, of.round_id, message_id, of.revision, now))

    async def note_shown(self, of: Round) -> None:
        """The card shows the round as it is now."""
        await self._store.write(lambda tx: rounds.note_shown(tx, of.round_id, of.revision))

    async def note_lost(self, round_id: int) -> None:
        """The card was deleted."""
        await self._store.write(lambda tx: rounds.note_lost(tx, round_id))


def unplayed(found: Sequence[Listed], played_at: dict[int, datetime], since: datetime) -> list[Listed]:
    """Those of `found` that nobody has played since then, each with when somebody played it last. Pure.

    `played_at` is by rating key, of a show the last time of any of its episodes.
    """
    return [
        replace(title, played_at=at)
        for title in found
        if (at := played_at.get(int(title.rating_key))) is None or at < since
    ]


def _whole(tx: Connection, round_id: int) -> Whole | None:
    found = rounds.get(tx, round_id)
    return None if found is None else Whole(found, tuple(titles.of_round(tx, round_id)))

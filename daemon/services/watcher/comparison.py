"""The walk over everything that was published: once over each event, again over what was not settled then."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from daemon.core.limits import WATCH_AGAIN_MAX, WATCH_RANGE_ROWS, WATCH_RANGES_MAX, WATCH_REPAIRS_MAX
from daemon.data import event_checks
from daemon.data.event_checks import Delivery, Look
from daemon.data.store import Store
from daemon.services.events import Events
from daemon.services.watcher.findings import Finding, Kind


@dataclass(slots=True, eq=False)
class _Range:
    """Events `first` to `last`, of which some were not settled at the last look."""

    first: int
    last: int
    look: Look
    lost: frozenset[tuple[int, str]]  # were found missing, and have not been handled since

    def missing(self) -> list[Delivery]:
        return self.look.missing + [one for one in self.look.waiting if one[:2] in self.lost]


class Comparison:
    """Looks at each range of events in one snapshot, a bounded number of ranges a run.

    After a restart everything is compared again, so that a daemon vouches for what it found. `compared` is the number
    of the last event looked at.
    """

    def __init__(self, store: Store, events: Events) -> None:
        self._store = store
        self._events = events
        self._open: deque[_Range] = deque()  # the one looked at longest ago comes first
        self.compared = 0

    async def run(self, published_until: datetime) -> None:
        """Look again at what was open, then at what is new and was published by then."""
        for _ in range(min(len(self._open), WATCH_AGAIN_MAX)):
            known = self._open.popleft()
            look = await self._store.read(partial(_look, first=known.first, last=known.last))
            self._keep(look, known.lost)
        until = await self._store.read(lambda tx: event_checks.head(tx, published_until))
        for _ in range(WATCH_RANGES_MAX):
            step = await self._store.read(partial(_step, after=self.compared, until=until))
            if step is None:
                return
            look, self.compared = step
            self._keep(look, frozenset())

    def findings(self) -> Iterator[Finding]:
        """What is wrong, as of the last looks."""
        for one in self._open:
            yield from (Finding(Kind.MISSING, delivery) for delivery in one.missing())
            yield from (Finding(Kind.TRUNCATED, delivery) for delivery in one.look.differing)

    async def repair(self) -> int:
        """Enqueue again what is missing, a bounded number of deliveries; how many were enqueued."""
        repaired = 0
        for one in self._open:
            if one.look.missing and repaired < WATCH_REPAIRS_MAX:
                room = WATCH_REPAIRS_MAX - repaired
                repaired += await self._store.write(partial(self._repair, first=one.first, last=one.last, room=room))
        return repaired

    def _keep(self, look: Look, lost: frozenset[tuple[int, str]]) -> None:
        ends = look.ends
        if ends is not None:
            waiting = {one[:2] for one in look.waiting}
            still_lost = frozenset(one[:2] for one in look.missing) | (lost & waiting)
            self._open.append(_Range(*ends, look, still_lost))

    def _repair(self, tx: Connection, *, first: int, last: int, room: int) -> int:
        # Looked at once more in the unit that writes: another process may have been quicker.
        missing = event_checks.look(tx, first, last).missing[:room]
        return sum(self._events.redeliver(tx, one.seq, one.subscription) for one in missing)


def _look(tx: Connection, *, first: int, last: int) -> Look:
    return event_checks.look(tx, first, last)


def _step(tx: Connection, *, after: int, until: int) -> tuple[Look, int] | None:
    last = event_checks.next_range_end(tx, after, until, WATCH_RANGE_ROWS)
    return None if last is None else (event_checks.look(tx, after + 1, last), last)

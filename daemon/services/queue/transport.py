"""Who says which messages to claim, and when. The database alone decides who gets them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from daemon.core.limits import QUEUE_HINTS_MAX


@dataclass(frozen=True, slots=True)
class Hint:
    """Ids worth claiming; None means whatever is due, and no ids that there may be nothing."""

    ids: tuple[int, ...] | None


SWEEP = Hint(None)
NOTHING = Hint(())


class Transport(Protocol):
    """Carries the ids of messages from whoever put them to whoever has room for them.

    It may lose, repeat or reorder: what it lost is found by looking into the database every `QUEUE_POLL_S`, or every
    `patience_s` when that is longer. All of it runs on the event loop.
    """

    @property
    def patience_s(self) -> float:
        """For how long announcements of other processes can be relied on now; 0.0 when they cannot be."""
        ...

    async def start(self) -> None:
        """Begin. What is unreachable now is connected to later; it does not raise for that."""
        ...

    async def close(self) -> None:
        """End; a `next` that waits may be cancelled before or after."""
        ...

    def announce(self, queue: str, ids: Sequence[int]) -> None:
        """These messages are committed and due. Never blocks, never raises."""
        ...

    def announce_later(self, queue: str, ids: Sequence[int], in_s: float) -> None:
        """These messages are committed and will be due in so many seconds; nobody here handles their queue."""
        ...

    def wake(self, queue: str) -> None:
        """Have a `next` of this process that waits for `queue` return at once, with NOTHING unless there is more."""
        ...

    async def next(self, queue: str, count: int, wait_s: float) -> Hint:
        """At most `count` ids, or SWEEP, as soon as there is something; NOTHING after `wait_s`.

        Called by one task a queue. Who cancels it loses no ids.
        """
        ...

    def settled(self, queue: str, ids: Sequence[int]) -> None:
        """These ids of `next` need no further word: handled, given back, dead, or not to be claimed from here."""
        ...


@dataclass(slots=True)
class _Announced:
    ids: list[int] = field(default_factory=list)
    is_overfull: bool = False
    something: asyncio.Event = field(default_factory=asyncio.Event)


class DatabaseTransport:
    """The database alone: wakes this process at once, others at their next look.

    As long as there is room for all that was announced, it is claimed by id. Otherwise the queue is swept, so that the
    order of priorities holds for a backlog.
    """

    patience_s = 0.0

    def __init__(self) -> None:
        self._queues: defaultdict[str, _Announced] = defaultdict(_Announced)

    async def start(self) -> None:
        """Nothing to connect to."""

    async def close(self) -> None:
        """Nothing to disconnect from."""

    def announce(self, queue: str, ids: Sequence[int]) -> None:
        """Keep the ids until `next` asks, at most `QUEUE_HINTS_MAX`."""
        announced = self._queues[queue]
        if announced.is_overfull or len(announced.ids) + len(ids) > QUEUE_HINTS_MAX:
            announced.is_overfull = True
            announced.ids.clear()
        else:
            announced.ids.extend(ids)
        announced.something.set()

    def announce_later(self, queue: str, ids: Sequence[int], in_s: float) -> None:
        """Others find them when they look."""

    def wake(self, queue: str) -> None:
        """Return from `next`."""
        self._queues[queue].something.set()

    async def next(self, queue: str, count: int, wait_s: float) -> Hint:
        """What was announced; SWEEP when that is more than `count`."""
        announced = self._queues[queue]
        if not announced.something.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await announced.something.wait()
        announced.something.clear()
        is_more = announced.is_overfull or len(announced.ids) > count
        ids = tuple(announced.ids)
        announced.ids.clear()
        announced.is_overfull = False
        if is_more:
            return SWEEP
        return Hint(ids) if ids else NOTHING

    def settled(self, queue: str, ids: Sequence[int]) -> None:
        """Nothing was promised to anybody."""

"""Dead letters as a service: looked at, replayed, dropped, each on record in the audit log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from daemon.core.clock import Clock
from daemon.core.ids import ProfileId
from daemon.core.text import clamp
from daemon.data import audit, dead_letters, events
from daemon.data.dead_letters import Letter
from daemon.data.store import Store
from daemon.kernel.logs import redact

__all__ = ["DeadLetters", "Letter", "preview"]

_BATCH = 200  # letters in one unit of work
_HEAD_BYTES = 2_048
_PREVIEW_CHARS = 600
_TEXT_PART = 0.95  # of characters that can be printed: less is shown as hexadecimal digits


class DeadLetters:
    """Messages that were given up. `actor` is who asks, None for the operator at the command line."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def page(self, queue: str | None = None, *, offset: int = 0, limit: int = 50) -> tuple[list[Letter], int]:
        """Dead letters of one queue or of all, newest first, and how many there are in all."""
        return await self._store.read(
            lambda tx: (dead_letters.page(tx, queue, offset=offset, limit=limit), dead_letters.count(tx, queue))
        )

    async def get(self, letter_id: int) -> Letter | None:
        """One of them; None when there is none of that number."""
        return await self._store.read(lambda tx: dead_letters.get(tx, letter_id))

    async def preview(self, letter_id: int) -> str | None:
        """How its body begins, for people; None when the body lies outside the database."""
        head = await self._store.read(lambda tx: dead_letters.head(tx, letter_id, _HEAD_BYTES))
        return None if head is None else preview(head)

    async def replay(self, letter_ids: Sequence[int], actor: ProfileId | None = None) -> int:
        """Put them back into their queues, for handlers that are mended by now; how many of them were there."""
        return await self._settle(letter_ids, actor, "replayed", dead_letters.replay)

    async def drop(self, letter_ids: Sequence[int], actor: ProfileId | None = None) -> int:
        """Delete them for good; how many of them were there."""
        return await self._settle(letter_ids, actor, "dropped", _drop)

    async def replay_all(self, queue: str | None = None, actor: ProfileId | None = None) -> int:
        """All that there are now, of one queue or of every one, oldest first; what dies again meanwhile stays."""
        return await self._for_all(queue, partial(self.replay, actor=actor))

    async def drop_all(self, queue: str | None = None, actor: ProfileId | None = None) -> int:
        """All that there are now, of one queue or of every one."""
        return await self._for_all(queue, partial(self.drop, actor=actor))

    async def _for_all(self, queue: str | None, work: Callable[[list[int]], Awaitable[int]]) -> int:
        up_to = await self._store.read(dead_letters.newest_id)
        done = 0
        while ids := await self._store.read(partial(dead_letters.oldest_ids, queue=queue, up_to=up_to, limit=_BATCH)):
            done += await work(ids)
        return done

    async def _settle(
        self,
        letter_ids: Sequence[int],
        actor: ProfileId | None,
        verb: str,
        work: Callable[[Connection, list[Letter], datetime], None],
    ) -> int:
        now = self._clock.now()

        def settle(tx: Connection) -> int:
            letters = dead_letters.take(tx, letter_ids)
            work(tx, letters, now)
            for letter in letters:
                _record(tx, letter, actor, verb, now)
            return len(letters)

        return await self._store.write(settle)


def _drop(tx: Connection, letters: list[Letter], now: datetime) -> None:
    events.settle(tx, [letter.letter_id for letter in letters])
    dead_letters.drop(tx, letters)


def _record(tx: Connection, letter: Letter, actor: ProfileId | None, verb: str, now: datetime) -> None:
    audit.add(
        tx,
        at=now,
        actor=actor,
        action=f"dead letter {verb}",
        target=f"dead letter {letter.letter_id}",
        detail={"queue": letter.queue, "topic": letter.topic, "reason": letter.reason},
        trace_id=letter.trace_id,
    )


def preview(head: bytes) -> str:
    """The beginning of a body for people: its text without secrets, or hexadecimal digits. "" for an empty one."""
    text = head.decode("utf-8", "replace")
    printable = sum(char.isprintable() or char in "\n\t" for char in text if char != "\ufffd")
    if printable >= len(text) * _TEXT_PART:
        return clamp(redact(text), _PREVIEW_CHARS)
    return clamp(head.hex(" "), _PREVIEW_CHARS)

"""Ids of one queue between a stream and whoever claims them here: what has arrived, and what is still to be settled."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from daemon.core.limits import QUEUE_HINTS_MAX, STREAM_ENTRY_IDS_MAX
from daemon.services.queue.transport import SWEEP, Hint

FIELD = "ids"
"""Of an entry: numbers with commas."""

_ID_MAX = 2**63 - 1
_SMOOTHING = 0.2  # weight of the latest read in the mean of ids an entry


class Entry(NamedTuple):
    """What the stream carries: ids, or none as the word that a sweep is worth it."""

    entry_id: bytes
    ids: tuple[int, ...]


class Taken(NamedTuple):
    """What `Lane.take` gives: the hint; ids that it stands for without naming them; those of them others may claim."""

    hint: Hint
    let_go: tuple[int, ...]
    left: tuple[int, ...]


class Lane:
    """No I/O. `wanted` is for how many messages there is room, 0 while nobody waits; `something` ends the waiting."""

    def __init__(self, queue: str) -> None:
        self.queue = queue
        self.wanted = 0
        self.asked = asyncio.Event()
        self.something = asyncio.Event()
        self._ids: dict[int, None] = {}  # arrived, in this order
        self._is_sweep = False
        self._open: dict[bytes, set[int]] = {}  # what of an entry is not settled
        self._entries_of: dict[int, list[bytes]] = {}
        self._ids_an_entry = 1.0

    @property
    def is_holding(self) -> bool:
        """Whether ids have arrived that nobody took."""
        return bool(self._ids)

    @property
    def is_settled(self) -> bool:
        """Whether every entry that was read has been settled."""
        return not self._open

    def is_open(self, entry_id: bytes) -> bool:
        """Whether the entry was read here and not all of it is settled."""
        return entry_id in self._open

    def count_entries(self) -> int:
        """How many entries to read for those who wait; when there are so many, more may be waiting behind them."""
        return max(2, int((self.wanted + 1) / self._ids_an_entry) + 1)

    def add(self, entries: Sequence[Entry], *, is_more: bool) -> None:
        """Entries were read. `is_more`: there may be a backlog, which only a sweep takes up in the right order."""
        for entry in entries:
            self._ids |= dict.fromkeys(entry.ids)
            if not entry.ids:
                self._is_sweep = True
            ids = self._open[entry.entry_id] = set(entry.ids)
            for message_id in ids:
                self._entries_of.setdefault(message_id, []).append(entry.entry_id)
        self._ids_an_entry += _SMOOTHING * (
            sum(len(entry.ids) for entry in entries) / len(entries) - self._ids_an_entry
        )
        self._ids_an_entry = max(1.0, self._ids_an_entry)
        self._is_sweep = self._is_sweep or is_more
        self.something.set()

    def add_here(self, ids: Iterable[int]) -> None:
        """Ids that came without a stream, from this process."""
        self._ids |= dict.fromkeys(ids)
        if len(self._ids) > QUEUE_HINTS_MAX:
            self._ids.clear()
            self._is_sweep = True
        self.something.set()

    def sweep(self) -> None:
        """Hints may have been lost."""
        self._is_sweep = True
        self.something.set()

    def take(self, count: int) -> Taken:
        """What has arrived: at most `count` ids; SWEEP when there are more or a sweep is due."""
        ids = self.drop()
        is_sweep, self._is_sweep = self._is_sweep, False
        if is_sweep or len(ids) > count:
            return Taken(SWEEP, ids, ids[count:])
        return Taken(Hint(ids), (), ())

    def drop(self) -> tuple[int, ...]:
        """What has arrived and nobody took."""
        ids = tuple(self._ids)
        self._ids.clear()
        return ids

    def settle(self, ids: Iterable[int]) -> list[bytes]:
        """These ids need no further word; the entries of which now nothing is open."""
        ended = []
        for message_id in ids:
            for entry_id in self._entries_of.pop(message_id, ()):
                still_open = self._open[entry_id]
                still_open.discard(message_id)
                if not still_open:
                    del self._open[entry_id]
                    ended.append(entry_id)
        return ended

    def settle_empty(self) -> list[bytes]:
        """Entries that carried no ids: taking note of them was all."""
        ended = [entry_id for entry_id, ids in self._open.items() if not ids]
        for entry_id in ended:
            del self._open[entry_id]
        return ended


def in_parts(ids: Sequence[int]) -> list[Sequence[int]]:
    """What goes into one entry each; a single empty part for no ids."""
    return [ids[at : at + STREAM_ENTRY_IDS_MAX] for at in range(0, len(ids) or 1, STREAM_ENTRY_IDS_MAX)]


def to_entry(entry_id: bytes, fields: Any) -> Entry:
    """An entry that is not of our making carries no ids: a sweep will do."""
    text = to_dict(fields or ()).get(FIELD, b"")
    try:
        ids = tuple(int(part) for part in text.split(b",") if part)
    except ValueError:
        ids = ()
    return Entry(entry_id, ids if all(0 < message_id <= _ID_MAX for message_id in ids) else ())


def to_dict(pairs: Any) -> dict[str, Any]:
    """Fields by name; redis-py gives some as a dictionary, some as a flat list."""
    items = pairs.items() if isinstance(pairs, dict) else zip(pairs[::2], pairs[1::2], strict=False)
    return {name.decode(errors="replace") if isinstance(name, bytes) else name: value for name, value in items}

"""Cached values in the memory of this process, bounded by number and by bytes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from daemon.core.limits import CACHE_MEMORY_BYTES_MAX, CACHE_TAGS_MAX
from daemon.services.cache.backend import Looked

_OVERHEAD_BYTES = 200  # of one value, about: keys, dictionaries, the entry itself


@dataclass(frozen=True, slots=True)
class _Entry:
    data: bytes
    versions: bytes
    made_at_s: float
    gone_at_s: float
    weight: int


@dataclass(slots=True)
class _Shelf:
    items_max: int = 1
    weight: int = 0
    entries: OrderedDict[str, _Entry] = field(default_factory=OrderedDict)


class MemoryBackend:
    """The least recently used values of the region that holds the most bytes go first when `bytes_max` is reached."""

    def __init__(
        self, *, bytes_max: int = CACHE_MEMORY_BYTES_MAX, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._bytes_max = bytes_max
        self._monotonic = monotonic
        self._shelves: dict[str, _Shelf] = {}
        self._tags: dict[str, int] = {}
        self._bumps = 0
        self._version = 0  # of every tag that was not bumped since everything was forgotten

    @property
    def weight_bytes(self) -> int:
        """What is held, with an estimate of what holding it costs."""
        return sum(shelf.weight for shelf in self._shelves.values())

    def bound(self, region: str, items_max: int) -> None:
        """See `Backend`."""
        self._shelves.setdefault(region, _Shelf()).items_max = items_max

    async def get(self, region: str, key: str, tags: Sequence[str]) -> Looked:
        """See `Backend`."""
        versions = self._versions(tags)
        shelf = self._shelves[region]
        entry = shelf.entries.get(key)
        if entry is None:
            return Looked(None, 0.0, versions)
        now = self._monotonic()
        if now >= entry.gone_at_s or entry.versions != versions:
            self._drop(shelf, key)
            return Looked(None, 0.0, versions)
        shelf.entries.move_to_end(key)
        return Looked(entry.data, now - entry.made_at_s, versions)

    async def put(
        self, region: str, key: str, data: bytes, *, tags: Sequence[str], versions: bytes, keep_s: float
    ) -> None:
        """See `Backend`."""
        shelf = self._shelves[region]
        if key in shelf.entries:
            self._drop(shelf, key)
        now = self._monotonic()
        entry = _Entry(data, versions, now, now + keep_s, len(data) + len(key) + _OVERHEAD_BYTES)
        shelf.entries[key] = entry
        shelf.weight += entry.weight
        while len(shelf.entries) > shelf.items_max:
            self._drop(shelf, next(iter(shelf.entries)))
        while self.weight_bytes > self._bytes_max:
            fullest = max(self._shelves.values(), key=lambda one: one.weight)
            self._drop(fullest, next(iter(fullest.entries)))

    async def bump(self, tags: Sequence[str]) -> None:
        """See `Backend`."""
        for tag in tags:
            self._bumps += 1
            self._tags[tag] = self._bumps
        if len(self._tags) > CACHE_TAGS_MAX:
            self.clear()

    async def claim(self, region: str, key: str, for_s: float) -> str | None:
        """Always granted: a region lets one task load for all that wait in this process."""
        return ""

    async def release(self, region: str, key: str, claim: str) -> None:
        """See `Backend`."""

    def clear(self) -> None:
        """Forget every value and tag; what is being loaded now is not kept, for nobody knows its tags any more."""
        self._bumps += 1
        self._version = self._bumps
        self._tags.clear()
        for shelf in self._shelves.values():
            shelf.entries.clear()
            shelf.weight = 0

    def _versions(self, tags: Sequence[str]) -> bytes:
        return ",".join(str(self._tags.get(tag, self._version)) for tag in tags).encode()

    def _drop(self, shelf: _Shelf, key: str) -> None:
        shelf.weight -= shelf.entries.pop(key).weight

"""Small memories with a bound: what was used last stays, what is old goes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """At most `entries_max` values, each for `fresh_s` seconds; the least recently used goes first."""

    def __init__(
        self,
        entries_max: int,
        fresh_s: float,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._entries_max = entries_max
        self._fresh_s = fresh_s
        self._monotonic = monotonic
        self._values: OrderedDict[K, tuple[V, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K) -> V | None:
        """The value, or None when there is none or it is too old."""
        found = self._values.get(key)
        if found is None:
            return None
        if self._monotonic() - found[1] > self._fresh_s:
            self.drop(key)
            return None
        self._values.move_to_end(key)
        return found[0]

    def put(self, key: K, value: V) -> None:
        """Remember a value, forgetting others where there is no room."""
        self.drop(key)
        self._values[key] = (value, self._monotonic())
        while len(self._values) > self._entries_max:
            self.drop(next(iter(self._values)))

    def drop(self, key: K) -> None:
        """Forget a value."""
        self._values.pop(key, None)

"""Rendered pages of listings, kept while what they show is unchanged."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from simulators.plex.items import Item
from simulators.plex.world import Account, World

BYTES_MAX = 320 * 1024 * 1024


class Pages:
    """Bodies by name, at most `BYTES_MAX` of them: the oldest go first."""

    def __init__(self) -> None:
        self._bodies: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self._size_bytes = 0

    def get(self, name: tuple[object, ...], render: Callable[[], bytes]) -> bytes:
        """The body of this name, rendered at the first time."""
        body = self._bodies.get(name)
        if body is None:
            body = self._bodies[name] = render()
            self._size_bytes += len(body)
            while self._size_bytes > BYTES_MAX:
                _, dropped = self._bodies.popitem(last=False)
                self._size_bytes -= len(dropped)
        return body


_OF_UNTOUCHED_TITLES = Pages()
"""Worlds made alike show alike what nobody changed in them: simulators of one process share these pages."""


def pages_for(own: Pages, world: World, account: Account, shown: Sequence[Item]) -> tuple[Pages, tuple[object, ...]]:
    """Where a page of these titles is kept as this account sees it now, and how its name begins.

    A change of one title leaves every page on which it is not: fifty changes among 100,000 titles cost fifty pages.
    """
    changes, views = world.changes, world.view_changes(account.id)
    marks = tuple([(item.key, changes.get(item.serial, 0)) for item in shown])
    if world.origin is not None and not views and not any(mark for _, mark in marks):
        return _OF_UNTOUCHED_TITLES, (world.origin.seed, world.origin.size, world.origin.now, account.id, marks)
    return own, (account.id, views, marks)

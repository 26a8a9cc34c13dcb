"""Rendered pages of listings, kept while what they show is unchanged."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

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


_OF_UNTOUCHED_WORLDS = Pages()
"""Worlds made alike show alike until somebody changes them: simulators of one process share these pages."""


def pages_for(own: Pages, world: World, account: Account) -> tuple[Pages, tuple[object, ...]]:
    """Where pages that this account sees now are kept, and how their names begin."""
    state = world.state(account.id)
    if world.origin is not None and state == (world.origin.revision, 0):
        return _OF_UNTOUCHED_WORLDS, (*world.origin, account.id)
    return own, (*state, account.id)

"""Rendered rows of listings, kept while what they show is unchanged, and pages put together of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from simulators.plex.elements import element
from simulators.plex.items import Item
from simulators.plex.render import row_json, row_xml
from simulators.plex.world import Account, World

BYTES_MAX = 320 * 1024 * 1024


class Rows:
    """Rows by name, at most `BYTES_MAX` of them: the oldest go first."""

    def __init__(self) -> None:
        self._rows: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self._size_bytes = 0
        self.rendered_total = 0

    def get(self, name: tuple[object, ...], render: Callable[[], bytes]) -> bytes:
        """The row of this name, rendered at the first time."""
        row = self._rows.get(name)
        if row is None:
            row = self._rows[name] = render()
            self.rendered_total += 1
            self._size_bytes += len(row)
            while self._size_bytes > BYTES_MAX:
                _, dropped = self._rows.popitem(last=False)
                self._size_bytes -= len(dropped)
        return row


_OF_UNTOUCHED_TITLES = Rows()
"""Worlds made alike show alike what nobody changed in them: simulators of one process share these rows."""


class Pages:
    """The rows of one world. Fifty changes among 100,000 titles cost fifty rows."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.own = Rows()

    def rows(self, shown: Sequence[Item], account: Account, *, json: bool, guids: bool) -> list[bytes]:
        """Each title as a listing shows it to this account."""
        return [self._row(item, account, json, guids) for item in shown]

    def _row(self, item: Item, account: Account, json: bool, guids: bool) -> bytes:
        world = self._world
        marks = world.marks(account, item)
        spelling = row_json if json else row_xml

        def render() -> bytes:
            return spelling(element(world, item, account, guids=guids))

        if world.origin is not None and marks == (0, 0):
            place = (world.origin.seed, world.origin.size, world.origin.now)
            return _OF_UNTOUCHED_TITLES.get((*place, account.id, item.key, json, guids), render)
        return self.own.get((account.id, item.serial, item.key, marks, json, guids), render)

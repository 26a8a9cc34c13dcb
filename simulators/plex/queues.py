"""Play queues: what a player is to play next, kept by the server."""

from __future__ import annotations

import random
import re
from collections import OrderedDict
from dataclasses import dataclass, field
from urllib.parse import unquote

from simulators.plex.items import Item
from simulators.plex.world import Account, World

QUEUES_KEPT_MAX = 500
ITEMS_MAX = 10_000


class BadUri(ValueError):
    """A play queue was asked for something that is not in this library."""


@dataclass(slots=True)
class Entry:
    """A title in a queue under its own id; the same title may stand in it twice."""

    id: int
    item: Item


@dataclass(slots=True, eq=False)
class PlayQueue:
    """`selected_id` is the entry that plays or is next to play; `version` grows with every change."""

    id: int
    media_type: str  # video or audio
    source_uri: str
    entries: list[Entry]
    selected_id: int
    account: int
    is_shuffled: bool = False
    version: int = 1
    last_added_id: int | None = None
    unshuffled: list[int] = field(default_factory=list)

    def place(self, entry_id: int) -> int:
        """Index of an entry; -1 when it is gone."""
        return next((n for n, entry in enumerate(self.entries) if entry.id == entry_id), -1)

    @property
    def selected(self) -> Entry | None:
        """The selected entry; None for an empty queue."""
        found = self.place(self.selected_id)
        return self.entries[found] if found >= 0 else None

    def step(self, by: int) -> Entry | None:
        """The entry `by` places from the selected one, without selecting it; None beyond the ends."""
        place = self.place(self.selected_id) + by
        return self.entries[place] if 0 <= place < len(self.entries) else None


class PlayQueues:
    """All queues of a server; the oldest are forgotten beyond QUEUES_KEPT_MAX."""

    def __init__(self, world: World, machine_id: str) -> None:
        self._world = world
        self.machine_id = machine_id
        self._queues: OrderedDict[int, PlayQueue] = OrderedDict()
        self._next_id = 4001
        self._next_entry = 90_001
        self._rng = random.Random(f"queues:{world.seed}")

    def get(self, number: int) -> PlayQueue | None:
        """A queue by its id."""
        return self._queues.get(number)

    def all(self) -> list[PlayQueue]:
        """Every queue, oldest first."""
        return list(self._queues.values())

    def resolve(self, uri: str) -> list[Item]:
        """Titles that a `library://`, `server://` or plain path stands for; BadUri when none."""
        found: list[Item] = []
        path = unquote(unquote(uri))
        match = re.search(r"/(?:metadata|collections)/([\d,]+)", path)
        playlist = re.search(r"/playlists/(\d+)", path)
        if uri.startswith("server://") and not uri.startswith(f"server://{self.machine_id}/"):
            raise BadUri(f"not this server: {uri}")
        if match:
            found = [item for key in match[1].split(",") if key and (item := self._world.items.get(int(key)))]
        elif playlist and (item := self._world.items.get(int(playlist[1]))):
            found = [item]
        if not found:
            raise BadUri(f"nothing to play at {uri}")
        return found

    def _leaves(self, uri: str, seen_by: Account | None) -> list[Item]:
        """What plays at `uri`, as far as `seen_by` may see it (None: all); the same title may stand in it twice."""
        world, items = self._world, self.resolve(uri)
        if seen_by is None:
            return [leaf for item in items for leaf in world.leaves(item)]
        leaves = [leaf for item in items if item.section or world.may_see(seen_by, item) for leaf in world.leaves(item)]
        return [leaf for leaf in leaves if world.may_see(seen_by, leaf)]

    def create(
        self, uri: str, media_type: str, account: int, *, key: str | None = None, shuffle: bool, continuous: bool,
        seen_by: Account | None = None,
    ) -> PlayQueue:  # fmt: skip
        """A queue of everything playable at `uri`, selected at `key`; a single episode goes on with its successors."""
        leaves = self._leaves(uri, seen_by)[:ITEMS_MAX]
        wanted = self._wanted(key, leaves)
        if continuous and len(leaves) == 1 and leaves[0].kind == "episode":
            wanted, leaves = leaves[0], self._world.leaves(leaves[0].top)
        if not leaves:
            raise BadUri(f"nothing playable at {uri}")
        entries = [self._entry(leaf) for leaf in leaves]
        selected = next((entry for entry in entries if entry.item is wanted), entries[0])
        queue = PlayQueue(self._next_id, media_type, uri, entries, selected.id, account)
        self._next_id += 1
        if shuffle:
            self.shuffle(queue)
            if wanted is None:
                queue.selected_id = queue.entries[0].id
        queue.version = 1
        self._queues[queue.id] = queue
        while len(self._queues) > QUEUES_KEPT_MAX:
            self._queues.popitem(last=False)
        return queue

    def add(self, queue: PlayQueue, uri: str, *, play_next: bool, seen_by: Account | None = None) -> None:
        """Add what `uri` stands for: right after the selected entry, else after what was added before it, else last."""
        fresh = [self._entry(item) for item in self._leaves(uri, seen_by)][: max(0, ITEMS_MAX - len(queue.entries))]
        if not fresh:
            raise BadUri(f"nothing playable at {uri}")
        after = queue.place(queue.selected_id)
        at = after + 1 if play_next else len(queue.entries)
        queue.entries[at:at] = fresh
        queue.last_added_id = fresh[-1].id
        if after < 0:
            queue.selected_id = queue.entries[0].id
        queue.version += 1

    def remove(self, queue: PlayQueue, entry_id: int) -> bool:
        """Take an entry out; the selection moves on to the one after it. False when it is not there."""
        place = queue.place(entry_id)
        if place < 0:
            return False
        del queue.entries[place]
        if queue.selected_id == entry_id and queue.entries:
            queue.selected_id = queue.entries[min(place, len(queue.entries) - 1)].id
        queue.version += 1
        return True

    def clear(self, queue: PlayQueue) -> None:
        """Take out everything but what is selected, as a server does while it plays."""
        queue.entries = [entry for entry in queue.entries if entry.id == queue.selected_id]
        queue.version += 1

    def move(self, queue: PlayQueue, entry_id: int, after: int | None) -> bool:
        """Put an entry behind another, or first (None); False when either is not there."""
        place = queue.place(entry_id)
        if place < 0 or after == entry_id or (after is not None and queue.place(after) < 0):
            return False
        entry = queue.entries.pop(place)
        queue.entries.insert(queue.place(after) + 1 if after is not None else 0, entry)
        queue.version += 1
        return True

    def shuffle(self, queue: PlayQueue) -> None:
        """Mix what comes after the selected entry, which goes first."""
        if not queue.is_shuffled:
            queue.unshuffled = [entry.id for entry in queue.entries]
        rest = [entry for entry in queue.entries if entry.id != queue.selected_id]
        self._rng.shuffle(rest)
        queue.entries = [entry for entry in queue.entries if entry.id == queue.selected_id] + rest
        queue.is_shuffled = True
        queue.version += 1

    def unshuffle(self, queue: PlayQueue) -> None:
        """Back to the order of before; what was added meanwhile stays at the end."""
        order = {entry_id: place for place, entry_id in enumerate(queue.unshuffled)}
        queue.entries.sort(key=lambda entry: order.get(entry.id, len(order)))
        queue.is_shuffled = False
        queue.version += 1

    def reset(self, queue: PlayQueue) -> None:
        """Select the first entry."""
        if queue.entries:
            queue.selected_id = queue.entries[0].id
        queue.version += 1

    def forget(self, item: Item) -> None:
        """A title was removed from the library: queues lose it too."""
        for queue in self._queues.values():
            for entry in [entry for entry in queue.entries if entry.item is item]:
                self.remove(queue, entry.id)

    def _entry(self, item: Item) -> Entry:
        self._next_entry += 1
        return Entry(self._next_entry - 1, item)

    def _wanted(self, key: str | None, leaves: list[Item]) -> Item | None:
        match = re.search(r"/metadata/(\d+)", unquote(key)) if key else None
        item = self._world.items.get(int(match[1])) if match else None
        if item is None or item in leaves:
            return item
        below = self._world.leaves(item)
        return below[0] if below and below[0] in leaves else None

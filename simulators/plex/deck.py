"""What an account would go on with: films begun, and the next episode of each series begun."""

from __future__ import annotations

from simulators.plex.items import Item
from simulators.plex.world import Account, World

DECK_MAX = 20


def next_unwatched(world: World, item: Item, account: Account) -> Item | None:
    """The episode to play next of a show or season: one begun, else the first unseen (specials last)."""
    episodes = [leaf for leaf in world.leaves(item) if leaf.kind == "episode"]
    episodes.sort(key=lambda leaf: not (leaf.parent and leaf.parent.index))
    begun = next((leaf for leaf in episodes if world.view(account.id, leaf).offset_ms), None)
    return begun or next((leaf for leaf in episodes if not world.view(account.id, leaf).count), None)


def deck(world: World, account: Account) -> list[Item]:
    """At most DECK_MAX titles, the one seen last first."""
    found: dict[int, tuple[int, Item]] = {}
    for (viewer, serial), view in world.views.items():
        if viewer != account.id or not (view.offset_ms or view.count):
            continue
        item = world.by_serial(serial)
        if item is None or not world.may_see(account, item):
            continue
        if item.kind == "movie" and view.offset_ms:
            found[item.key] = (view.last_viewed_at, item)
        if item.kind == "episode":
            show = item.top
            seen_at = max(view.last_viewed_at, found.get(show.key, (0, show))[0])
            found[show.key] = (seen_at, show)
    aside = world.put_aside
    found = {key: row for key, row in found.items() if row[0] > aside.get((account.id, row[1].serial), -1)}
    rows = sorted(found.values(), key=lambda row: row[0], reverse=True)
    titles = [next_unwatched(world, item, account) if item.kind == "show" else item for _, item in rows]
    return [title for title in titles if title is not None][:DECK_MAX]

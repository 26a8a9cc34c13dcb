"""What happens to files behind the server's back; it notices at the next scan."""

from __future__ import annotations

from simulators.plex.details import draw_facts
from simulators.plex.items import Item
from simulators.plex.world import Section, World


class Disk:
    """Titles whose files have come and serials of titles whose files have gone since the last scan."""

    def __init__(self) -> None:
        self._arrived: list[Item] = []
        self._gone: set[int] = set()

    def put(self, item: Item) -> None:
        """A file that the next scan of its section finds."""
        self._arrived.append(item)

    def lose(self, item: Item) -> None:
        """A file that the next scan misses."""
        self._gone.add(item.serial)

    def arrived(self, world: World, section: Section, path: str) -> list[Item]:
        """What a scan of this section (and folder) finds; it is found once."""
        found = [item for item in self._arrived if item.section == section.id and _is_below(world, item, path)]
        self._arrived = [item for item in self._arrived if item not in found]
        return found

    def lost(self, world: World, section: Section, path: str) -> list[Item]:
        """What a scan of this section (and folder) misses; it is missed once."""
        known = [item for serial in sorted(self._gone) if (item := world.by_serial(serial))]
        missed = [item for item in known if item.section == section.id and _is_below(world, item, path)]
        self._gone -= {item.serial for item in missed}
        return missed


def _is_below(world: World, item: Item, path: str) -> bool:
    if not path:
        return True
    folder = path.rstrip("/") + "/"
    # what has no serial yet is drawn anew: the world keeps facts by serial
    facts = [world.facts(leaf) if leaf.serial else draw_facts(world.seed, leaf) for leaf in world.leaves(item)]
    return any(part.file.startswith(folder) for each in facts for media in each.media for part in media.parts)

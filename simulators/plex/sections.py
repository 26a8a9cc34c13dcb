"""Libraries as elements: in `/library/sections`, as the head of a listing, and the values their filters take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from simulators.plex.details import tag_id
from simulators.plex.items import Item
from simulators.plex.render import El, Value
from simulators.plex.world import Section, World

WAYS = (
    ("all", "All"), ("unwatched", "Unwatched"), ("newest", "Recently Released"), ("recentlyAdded", "Recently Added"),
    ("onDeck", "On Deck"), ("collections", "Collections"), ("firstCharacter", "By First Letter"),
    ("genre", "By Genre"), ("year", "By Year"), ("decade", "By Decade"), ("contentRating", "By Content Rating"),
    ("director", "By Director"), ("actor", "By Starring Actor"),
)  # fmt: skip
_TAG_KINDS = {"genre": "Genre", "director": "Director", "actor": "Role"}
_CHOICES: Mapping[str, Callable[[World, Item], Iterable[str]]] = {
    "genre": lambda world, item: item.genres,
    "year": lambda world, item: [str(item.year)] if item.year else [],
    "decade": lambda world, item: [str(item.year // 10 * 10)] if item.year else [],
    "contentRating": lambda world, item: [world.facts(item).content_rating or "None"],
    "director": lambda world, item: world.facts(item).directors,
    "actor": lambda world, item: [name for name, _ in world.facts(item).roles],
}


def section_element(section: Section) -> El:
    """A library with its change detectors (`contentChangedAt`, `scannedAt`, `updatedAt`)."""
    attrs: dict[str, Value] = {
        "allowSync": True,
        "art": f"/:/resources/{section.kind}-fanart.jpg",
        "composite": f"/library/sections/{section.id}/composite/{section.scanned_at}",
        "filters": True,
        "refreshing": section.is_refreshing,
        "thumb": f"/:/resources/{section.kind}.png",
        "key": str(section.id),
        "type": section.kind,
        "title": section.title,
        "agent": section.agent,
        "scanner": section.scanner,
        "language": "en-US",
        "uuid": section.uuid,
        "updatedAt": section.scanned_at,
        "createdAt": section.created_at,
        "scannedAt": section.scanned_at,
        "content": True,
        "directory": True,
        "contentChangedAt": section.changed,
        "hidden": 0,
    }
    return El("Directory", attrs, [El("Location", {"id": section.id, "path": section.folder})])


def listing_attrs(section: Section, kind: str) -> dict[str, Value]:
    """What the container of a listing says about its library."""
    return {
        "art": f"/:/resources/{section.kind}-fanart.jpg",
        "content": "secondary",
        "librarySectionID": section.id,
        "librarySectionTitle": section.title,
        "librarySectionUUID": section.uuid,
        "thumb": f"/:/resources/{section.kind}.png",
        "title1": section.title,
        "title2": f"All {section.title}",
        "viewGroup": kind,
    }


def choices(world: World, section: Section, tag: str) -> list[El]:
    """The values of one filter, in alphabetical order."""
    names = {name for item in world.listed(section.id, section.kind) for name in _CHOICES[tag](world, item)}
    rows = []
    for name in sorted(names):
        key = str(tag_id(_TAG_KINDS[tag], name)) if tag in _TAG_KINDS else name
        fast = f"/library/sections/{section.id}/all?{tag}={key}"
        rows.append(El("Directory", {"fastKey": fast, "key": key, "title": name, "type": tag}))
    return rows

"""Libraries as elements: in `/library/sections`, as the head of a listing, and the values their filters take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from simulators.plex.details import tag_id
from simulators.plex.filters import shelf_tag
from simulators.plex.items import Item
from simulators.plex.render import El, Value
from simulators.plex.world import Account, Section, World

WAYS = (
    ("all", "All"), ("unwatched", "Unwatched"), ("newest", "Recently Released"), ("recentlyAdded", "Recently Added"),
    ("onDeck", "On Deck"), ("collections", "Collections"), ("firstCharacter", "By First Letter"),
    ("genre", "By Genre"), ("year", "By Year"), ("decade", "By Decade"), ("contentRating", "By Content Rating"),
    ("director", "By Director"), ("actor", "By Starring Actor"),
)  # fmt: skip
_TAG_KINDS = {
    "genre": "Genre", "director": "Director", "actor": "Role", "writer": "Writer", "producer": "Producer",
    "country": "Country", "label": "Label",
}  # fmt: skip
_CHOICES: Mapping[str, Callable[[World, Item], Iterable[str]]] = {
    "genre": lambda world, item: item.genres,
    "label": lambda world, item: world.labels(item),
    "year": lambda world, item: [str(item.year)] if item.year else [],
    "decade": lambda world, item: [str(item.year // 10 * 10)] if item.year else [],
    "contentRating": lambda world, item: [world.facts(item).content_rating or "None"],
    "studio": lambda world, item: [world.facts(item).studio or ""],
    "resolution": lambda world, item: [media.resolution for media in world.facts(item).media],
    "director": lambda world, item: world.facts(item).directors,
    "writer": lambda world, item: world.facts(item).writers,
    "producer": lambda world, item: world.facts(item).producers,
    "country": lambda world, item: world.facts(item).countries,
    "actor": lambda world, item: [name for name, _ in world.facts(item).roles],
}
DIRECTORIES = (*_CHOICES, "collection")


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


def choices(world: World, section: Section, tag: str, kind: str, account: Account) -> list[El]:
    """The values of one filter that titles of a kind have, in alphabetical order; only what the account may see."""
    seen = world.visible(account, world.listed(section.id, "collection" if tag == "collection" else kind))
    if tag == "collection":
        named = {(shelf.title, str(shelf_tag(shelf))) for shelf in seen}
    else:
        names = {name for item in seen for name in _CHOICES[tag](world, item) if name}
        named = {(name, str(tag_id(_TAG_KINDS[tag], name)) if tag in _TAG_KINDS else name) for name in names}
    rows = []
    for name, key in sorted(named):
        fast = f"/library/sections/{section.id}/all?{tag}={key}"
        rows.append(El("Directory", {"fastKey": fast, "key": key, "title": name, "type": tag}))
    return rows

"""What changes about the files of a library: versions come and go, titles are split, merged, trashed, deleted."""

from __future__ import annotations

from dataclasses import replace

from simulators.plex.files import SIZES, Media, Part
from simulators.plex.items import Item
from simulators.plex.scan import vanish
from simulators.plex.server import Server
from simulators.plex.world import Section

KBITS = {"4k": 22_000, "1080": 8_400, "720": 3_900, "sd": 1_500}


def add_version(
    server: Server, item: Item, resolution: str = "720", *, video_codec: str = "h264", audio_codec: str = "ac3",
    size_bytes: int = 0, file: str = "", parts: int = 1,
) -> Media:  # fmt: skip
    """Lay another file of `parts` parts beside those of a playable title; KeyError for an unknown resolution."""
    before = server.world.facts(item).media
    width, height = SIZES[resolution]
    duration, number = item.duration_ms or 0, max([media.id for media in before], default=item.serial * 10) + 1
    size = size_bytes or KBITS[resolution] * 125 * (duration // 1000)
    old = before[0].parts[0].file if before else f"/media/{item.title}/{item.title}.mkv"
    stem = (file or f"{old.rpartition('.')[0]} - {resolution}.mkv").removesuffix(".mkv")
    made = Media(
        number, resolution, width, height, KBITS[resolution], "mkv", video_codec, audio_codec, 6,
        tuple(
            Part(number * 10 + n, f"{stem}{f' - part{n}' if parts > 1 else ''}.mkv", size // parts, duration // parts,
                 "mkv", video_codec, audio_codec, 6, KBITS[resolution])
            for n in range(1, parts + 1)
        ),
    )  # fmt: skip
    _set_media(server, item, (*before, made))
    return made


def _set_media(server: Server, item: Item, media: tuple[Media, ...]) -> None:
    server.world.edit(item, int(server.clock.now()), media=media)
    server.tell_timeline(item, 5, "processed")


def trash(server: Server, item: Item, media: int | None = None) -> None:
    """The files of a title, or of one of its versions, are found to be gone; the title stays until the trash goes."""
    now = int(server.clock.now())
    if media is None:
        for each in (item, *server.world.leaves(item)):
            server.world.edit(each, now, deleted_at=now)
        server.tell_timeline(item, 5, "processed")
        return
    rows = [replace(each, deleted_at=now) if each.id == media else each for each in server.world.facts(item).media]
    _set_media(server, item, tuple(rows))


def empty_trash(server: Server, section: Section) -> int:
    """Forget what has no file any more; returns how many titles and versions that were."""
    world, count = server.world, 0
    for item in [item for item in world.items.values() if item.section == section.id]:
        if item.key not in world.items:  # went with its series
            continue
        if item.deleted_at:
            remove(server, item)
            count += 1
            continue
        media = item.given.get("media", ())  # only what was changed by hand can be in the trash
        kept = tuple(each for each in media if not each.deleted_at)
        if len(kept) < len(media):
            count += len(media) - len(kept)
            _set_media(server, item, kept)
    return count


def remove(server: Server, item: Item) -> None:
    """Take a title away with what is above it and holds nothing else: a season goes with its last episode."""
    above = item.parent
    vanish(server, item)
    if above is not None and not above.children and above.key in server.world.items:
        remove(server, above)


def remove_version(server: Server, item: Item, media: int) -> bool:
    """Delete one version; the title goes with its last. False when it has no such version."""
    rows = server.world.facts(item).media
    kept = tuple(each for each in rows if each.id != media)
    if len(kept) == len(rows):
        return False
    if kept:
        _set_media(server, item, kept)
    else:
        remove(server, item)
    return True


def split(server: Server, item: Item) -> list[Item]:
    """Make a title of each version; the first stays where it was, the others get new rating keys."""
    first, *others = server.world.facts(item).media or (None,)
    if first is None or not others:
        return []
    made = []
    for media in others:
        given = dict(item.given) | {"media": (media,), "guid": server.world.guid(item)}
        given |= {"guids": server.world.facts(item).guids, "summary": server.world.facts(item).summary}
        new = Item(
            0, item.kind, item.title, item.section, item.added_at, item.year, item.duration_ms, item.genres,
            item.parent, item.index, given=given, updated_at=int(server.clock.now()),
        )  # fmt: skip
        server.world.add(new)
        server.tell_timeline(new, 0, "created")
        server.tell_timeline(new, 5, "processed")
        made.append(new)
    _set_media(server, item, (first,))
    return made


def merge(server: Server, item: Item, others: list[Item]) -> None:
    """Make versions of one title of several titles; the others go, their views too."""
    media = list(server.world.facts(item).media)
    for other in others:
        media += server.world.facts(other).media
        vanish(server, other)
    _set_media(server, item, tuple(media))


def remove_section(server: Server, section: int) -> None:
    """Take a library away with all that is in it; KeyError when there is none. Listeners hear of the library only."""
    gone = server.world.remove_section(section)
    for activity in list(server.activities.values()):
        if activity.context.get("librarySectionID") == str(section):
            server.activities.pop(activity.uuid)
    entry = {
        "identifier": "com.plexapp.plugins.library", "sectionID": str(gone.id), "itemID": str(gone.id), "type": -1,
        "title": gone.title, "state": 9, "metadataState": "deleted", "updatedAt": int(server.clock.now()),
    }  # fmt: skip
    server.notifications.send("timeline", [entry])

"""Titles as elements: the cut view of listings and the full view of `/library/metadata/N`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from simulators.plex.details import Facts, digest, tag_id
from simulators.plex.files import SUBTITLE, VIDEO, Media, Part, Stream
from simulators.plex.filters import shelf_tag
from simulators.plex.items import Item
from simulators.plex.render import El, Value
from simulators.plex.world import Account, World

TAGS = {
    "movie": "Video", "episode": "Video", "clip": "Video", "track": "Track", "show": "Directory", "season": "Directory",
    "artist": "Directory", "album": "Directory", "collection": "Directory", "playlist": "Playlist",
}  # fmt: skip
PARENTED = frozenset({"season", "episode", "album", "track"})
# How many tags of a kind a listing shows; the detail shows all.
CUT = {"Genre": 2, "Country": 2, "Director": 3, "Writer": 2, "Role": 3, "Producer": 0}
_NOT_IN_SLUG = re.compile("[^a-z0-9]+")
RESOLUTION_NAMES = {"4k": "4K", "1080": "1080p", "720": "720p", "sd": "SD"}


def element(world: World, item: Item, account: Account, *, full: bool = False, guids: bool = False) -> El:
    """A title as its account sees it; `full` is the detail view, `guids` adds external ids to a listing."""
    facts = world.facts(item)
    attrs: dict[str, Value] = {"ratingKey": str(item.key), "key": item_key(item)}
    if item.kind in PARENTED:
        attrs |= _parent_keys(world, item)
    attrs |= {"guid": facts.guid, "slug": _slug(item) if item.kind in ("movie", "show") else None}
    attrs |= {"studio": facts.studio, "type": item.kind, "title": item.title}
    attrs |= _ancestry(item)
    if full and item.section:
        attrs |= section_attrs(world, item)
    attrs |= {
        "titleSort": facts.title_sort,
        "originalTitle": facts.original_title,
        "contentRating": facts.content_rating,
        "summary": facts.summary,
        "index": 1 if item.kind in ("show", "artist") else item.index,
        "parentIndex": _parent_index(item),
        "parentYear": item.top.year if item.kind == "season" else None,
        "rating": facts.rating,
        "audienceRating": facts.audience_rating,
    }
    attrs |= _view(world, item, account)
    attrs |= {"year": item.year, "tagline": facts.tagline}
    attrs |= art_attrs(item)
    attrs |= {
        "duration": item.duration_ms,
        "originallyAvailableAt": facts.released,
        "addedAt": item.added_at,
        "updatedAt": item.updated_at,
        "deletedAt": item.deleted_at or None,
        "audienceRatingImage": "themoviedb://image.rating" if facts.audience_rating else None,
        "chapterSource": "media" if facts.has_chapters else None,
        "ratingImage": "imdb://image.rating" if facts.rating else None,
    }
    if item.kind in ("collection", "playlist"):
        attrs |= _holder_attrs(world, item, account)
    children = [_media(world, media, account, full=full) for media in facts.media]
    children += _pictures(item, facts)
    if guids or full:
        children += [El("Guid", {"id": guid}) for guid in facts.guids]
    if full:
        children += _ratings(facts)
    children += _tags(item, facts, full=full)
    children += _shelves(world, item, full=full)
    if full:
        children += _written_by_hand(world, item)
    return El(TAGS[item.kind], attrs, children, "Metadata")


def item_key(item: Item) -> str:
    """Where the title or what is below it is found."""
    if item.kind == "playlist":
        return f"/playlists/{item.key}/items"
    if item.kind == "collection":
        return f"/library/collections/{item.key}/children"
    return f"/library/metadata/{item.key}{'/children' if item.kind in ('show', 'season', 'artist', 'album') else ''}"


def section_attrs(world: World, item: Item) -> dict[str, Value]:
    """The library a title is in, as details, sessions and play queues name it."""
    section = world.sections[item.section]
    return {
        "librarySectionTitle": section.title,
        "librarySectionID": section.id,
        "librarySectionKey": f"/library/sections/{section.id}",
    }


def art_attrs(item: Item) -> dict[str, Value]:
    """Paths of poster and background, of the title and of those above it."""
    top = item.top
    made: dict[str, Value] = {"thumb": thumb(item if item.kind != "track" else item.parent or item)}
    if item.kind != "playlist":
        made["art"] = f"/library/metadata/{top.key}/art/{top.updated_at}"
    if item.parent is not None:
        made["parentThumb"] = thumb(item.parent)
    if item.kind in ("episode", "track"):
        made |= {"grandparentThumb": thumb(top), "grandparentArt": made["art"]}
    if item.kind == "playlist":
        made = {"composite": f"/playlists/{item.key}/composite/{item.updated_at}"}
    return made


def thumb(item: Item) -> str:
    """Path of a title's own poster."""
    return f"/library/metadata/{item.key}/thumb/{item.updated_at}"


def _parent_keys(world: World, item: Item) -> dict[str, Value]:
    parent, top = item.parent or item, item.top
    made: dict[str, Value] = {"parentRatingKey": str(parent.key)}
    if item.kind in ("episode", "track"):
        made["grandparentRatingKey"] = str(top.key)
    made["parentGuid"] = world.facts(parent).guid
    if item.kind in ("episode", "track"):
        made["grandparentGuid"] = world.facts(top).guid
    if item.kind == "episode":
        made["grandparentSlug"] = _slug(top)
    return made


def _ancestry(item: Item) -> dict[str, Value]:
    if item.parent is None or item.kind not in PARENTED:
        return {}
    made: dict[str, Value] = {}
    if item.kind in ("episode", "track"):
        made = {"grandparentKey": f"/library/metadata/{item.top.key}", "grandparentTitle": item.top.title}
    return made | {"parentKey": f"/library/metadata/{item.parent.key}", "parentTitle": item.parent.title}


def _view(world: World, item: Item, account: Account) -> dict[str, Value]:
    view = world.view(account.id, item)
    rated: dict[str, Value] = {"userRating": view.user_rating, "lastRatedAt": view.rated_at or None}
    if item.kind in ("show", "season", "artist", "album"):
        if item.kind in ("artist", "album"):
            return rated
        leaves = world.leaves(item)
        viewed = sum(1 for leaf in leaves if world.view(account.id, leaf).count)
        seasons = len(item.children) if item.kind == "show" else None
        return {**rated, "leafCount": len(leaves), "viewedLeafCount": viewed, "childCount": seasons}
    return {
        **rated,
        "viewCount": view.count or None,
        "viewOffset": view.offset_ms or None,
        "lastViewedAt": view.last_viewed_at or None,
    }


def _parent_index(item: Item) -> int | None:
    if item.kind == "season":
        return 1
    return item.parent.index if item.parent and item.kind in ("episode", "track") else None


def _holder_attrs(world: World, item: Item, account: Account) -> dict[str, Value]:
    members = [member for _, member in world.members(item) if world.may_see(account, member)]
    about: dict[str, Value] = {"smart": item.rule is not None, "content": str(item.given.get("content") or "") or None}
    if item.kind == "collection":
        return about | {
            "subtype": str(item.given.get("subtype", "movie")), "childCount": str(len(members)),
            "index": shelf_tag(item), "minYear": min((each.year for each in members if each.year), default=None),
            "maxYear": max((each.year for each in members if each.year), default=None),
        }  # fmt: skip
    leaves = [leaf for member in members for leaf in world.leaves(member)]
    return about | {
        "playlistType": item.media_type,
        "leafCount": len(leaves),
        "duration": sum(leaf.duration_ms or 0 for leaf in leaves),
    }


def _media(world: World, media: Media, account: Account, *, full: bool) -> El:
    part = media.parts[0]
    attrs: dict[str, Value] = {
        "id": media.id,
        "duration": sum(part.duration_ms for part in media.parts),
        "bitrate": media.bitrate,
        "width": media.width or None,
        "height": media.height or None,
        "aspectRatio": 1.78 if media.width else None,
        "audioChannels": media.channels,
        "audioCodec": media.audio_codec,
        "videoCodec": media.video_codec or None,
        "videoResolution": media.resolution or None,
        "container": media.container,
        "videoFrameRate": "24p" if media.width else None,
        "videoProfile": "main 10" if media.video_codec == "hevc" else "high" if media.width else None,
        "hasVoiceActivity": False if media.width else None,
        "deletedAt": media.deleted_at or None,
    }
    selected = world.selections.get((account.id, part.id), {})
    return El("Media", attrs, [_part(part, media, selected, full=full) for part in media.parts])


def _part(part: Part, media: Media, selected: dict[int, int], *, full: bool) -> El:
    attrs: dict[str, Value] = {
        "id": part.id,
        "key": f"/library/parts/{part.id}/{part.id % 86_400 + 1_600_000_000}/file.{part.container}",
        "duration": part.duration_ms,
        "file": part.file,
        "size": part.size,
        "container": part.container,
        "indexes": "sd" if media.width else None,
        "videoProfile": "main 10" if media.video_codec == "hevc" else "high" if media.width else None,
    }
    return El("Part", attrs, [stream(each, media, selected) for each in part.streams] if full else ())


def chosen(part: Part, selected: dict[int, int], kind: int) -> int:
    """Id of the stream of a kind that plays: the account's choice, else the default; 0 for no subtitles."""
    if kind in selected:
        return selected[kind]
    return next((each.id for each in part.streams if each.kind == kind and each.is_default), 0)


def stream(each: Stream, media: Media, selected: dict[int, int]) -> El:
    """One stream of a file; the playing one of its kind carries `selected`."""
    is_selected = selected.get(each.kind, each.id if each.is_default else 0) == each.id and each.kind != VIDEO
    label = f"{RESOLUTION_NAMES.get(media.resolution, '')} ({each.codec.upper()})" if each.kind == VIDEO else each.label
    name, tag, code = each.language or (None, None, None)
    attrs: dict[str, Value] = {
        "id": each.id,
        "streamType": each.kind,
        "selected": is_selected or None,
        "default": each.is_default or None,
        "codec": each.codec,
        "index": each.index,
        "channels": each.channels or None,
        "bitrate": each.bitrate,
        "language": name,
        "languageTag": tag,
        "languageCode": code,
        "forced": each.is_forced or None,
        "hearingImpaired": each.is_for_deaf or None,
        "canAutoSync": False if each.kind == SUBTITLE else None,
        "title": each.title,
        "displayTitle": label,
        "extendedDisplayTitle": f"{each.title} ({label})" if each.title else label,
    }
    if each.kind == VIDEO:
        attrs |= {
            "height": media.height, "width": media.width, "codedHeight": media.height, "codedWidth": media.width,
            "frameRate": 23.976, "bitDepth": 8, "chromaSubsampling": "4:2:0", "colorPrimaries": "bt709", "profile":
            "high", "refFrames": 4, "scanType": "progressive",
        }  # fmt: skip
    if each.channels:
        attrs |= {"audioChannelLayout": {6: "5.1(side)", 8: "7.1"}.get(each.channels, "stereo"), "samplingRate": 48_000}
    return El("Stream", attrs)


def _pictures(item: Item, facts: Facts) -> list[El]:
    if item.kind in ("playlist", "track"):
        return []
    made = [El("Image", {"alt": item.title, "type": "coverPoster", "url": thumb(item)})]
    if item.parent is None:
        art = f"/library/metadata/{item.key}/art/{item.updated_at}"
        made.append(El("Image", {"alt": item.title, "type": "background", "url": art}))
    left, right, lower_right, lower_left = facts.colors
    blur: dict[str, Value] = {
        "topLeft": left, "topRight": right, "bottomRight": lower_right, "bottomLeft": lower_left,
    }  # fmt: skip
    return [*made, El("UltraBlurColors", blur)]


def _ratings(facts: Facts) -> list[El]:
    rows = (
        ("imdb://image.rating", facts.rating, "audience"),
        ("themoviedb://image.rating", facts.audience_rating, "audience"),
    )  # fmt: skip
    return [El("Rating", {"image": image, "value": value, "type": of}) for image, value, of in rows if value]


def _tags(item: Item, facts: Facts, *, full: bool) -> list[El]:
    made: list[El] = []
    lists: tuple[tuple[str, Iterable[str]], ...] = (
        ("Genre", item.genres), ("Country", facts.countries), ("Director", facts.directors), ("Writer", facts.writers),
        ("Producer", facts.producers),
    )  # fmt: skip
    for tag, names in lists:
        shown = list(names) if full else list(names)[: CUT[tag]]
        made += [El(tag, _tag(tag, name) if full else {"tag": name}) for name in shown]
    for name, character in facts.roles if full else facts.roles[: CUT["Role"]]:
        made.append(El("Role", {**_tag("Role", name, "actor"), "role": character} if full else {"tag": name}))
    return made


def _shelves(world: World, item: Item, *, full: bool) -> list[El]:
    made = []
    for shelf in world.shelves(item):
        about: dict[str, Value] = {"tag": shelf.title}
        if full:
            number = shelf_tag(shelf)
            about = {"id": number, "filter": f"collection={number}", **about, "guid": world.guid(shelf)}
        made.append(El("Collection", about))
    return made


def _written_by_hand(world: World, item: Item) -> list[El]:
    """Labels and locked fields: no listing shows them."""
    made = [El("Label", _tag("Label", name)) for name in world.labels(item)]
    return made + [El("Field", {"name": name, "locked": True}) for name in sorted(item.locked)]


def _tag(kind: str, name: str, field: str = "") -> dict[str, Value]:
    number = tag_id(kind, name)
    made: dict[str, Value] = {"id": number, "filter": f"{field or kind.lower()}={number}", "tag": name}
    return made | {"tagKey": digest(kind, name)[:24]} if kind == "Role" else made


def _slug(item: Item) -> str | None:
    return _NOT_IN_SLUG.sub("-", item.title.casefold()).strip("-")[:80] or None

"""The mirror's view of Plex's JSON: what is kept of a title, and nothing that only one account's watching changes."""

from __future__ import annotations

import json
from hashlib import blake2b

import msgspec

from daemon.core.library import (
    LibraryKind,
    ListedTitle,
    Located,
    LocatedCollection,
    LocatedTitle,
    Part,
    Tag,
    TagKind,
    Version,
)
from daemon.core.text import plain
from integrations.plex.shapes import Loose, Shape, entries, number, text

_KINDS = frozenset(kind.value for library in LibraryKind for kind in library.kinds)
_PEOPLE_MAX = {"director": 3, "role": 3, "writer": 2}  # as listings cut them: a detail read alone must look the same
_KEY_MAX = 2**63 - 1
_SECONDS_MAX = 253_370_764_800  # the year 9999


class NamedShape(Shape):
    """A person or another tag."""

    tag: Loose = None


class GuidShape(Shape):
    """An external id: `imdb://tt0096697`."""

    id: Loose = None


class FileShape(Shape):
    """A file of a version."""

    id: Loose = None
    file: Loose = None
    size: Loose = None
    container: Loose = None
    duration: Loose = None


class VersionShape(Shape):
    """A version of a title."""

    id: Loose = None
    container: Loose = None
    videoCodec: Loose = None
    audioCodec: Loose = None
    audioChannels: Loose = None
    videoResolution: Loose = None
    width: Loose = None
    height: Loose = None
    bitrate: Loose = None
    duration: Loose = None
    Part: list[FileShape] | None = None


class MirroredShape(Shape):
    """A title as the mirror keeps it."""

    ratingKey: Loose = None
    type: Loose = None
    parentRatingKey: Loose = None
    grandparentRatingKey: Loose = None
    index: Loose = None
    parentIndex: Loose = None
    title: Loose = None
    titleSort: Loose = None
    originalTitle: Loose = None
    parentTitle: Loose = None
    grandparentTitle: Loose = None
    year: Loose = None
    duration: Loose = None
    contentRating: Loose = None
    rating: Loose = None
    audienceRating: Loose = None
    guid: Loose = None
    thumb: Loose = None
    leafCount: Loose = None
    addedAt: Loose = None
    updatedAt: Loose = None
    Guid: list[GuidShape] | None = None
    Director: list[NamedShape] | None = None
    Role: list[NamedShape] | None = None
    Writer: list[NamedShape] | None = None
    Media: list[VersionShape] | None = None


class KeyedTagShape(NamedShape):
    """A tag with the server's key for it, which only details have."""

    id: Loose = None


class LocatedShape(MirroredShape):
    """The same, read by its key: the library it is in stands in it, and all its tags."""

    librarySectionID: Loose = None
    Genre: list[KeyedTagShape] | None = None
    Label: list[KeyedTagShape] | None = None


class KeyShape(Shape):
    """The key of an entry and nothing else: for listings that are read for their members."""

    ratingKey: Loose = None


class AboutShape(KeyShape):
    """What is asked of a title now and then and not mirrored."""

    summary: Loose = None
    viewCount: Loose = None
    leafCount: Loose = None
    viewedLeafCount: Loose = None


class LibraryShape(Shape):
    """An entry of `/library/sections`."""

    key: Loose = None
    type: Loose = None
    title: Loose = None
    uuid: Loose = None
    contentChangedAt: Loose = None
    updatedAt: Loose = None


class TagShape(Shape):
    """An entry of `/library/sections/N/genre`; `ratingKey` is a collection's."""

    key: Loose = None
    title: Loose = None
    ratingKey: Loose = None


class _PageContainerShape(Shape):
    totalSize: Loose = None
    librarySectionID: Loose = None
    Metadata: list[MirroredShape] | None = None


class _PageShape(Shape):
    MediaContainer: _PageContainerShape | None = None


class _KeysContainerShape(Shape):
    totalSize: Loose = None
    Metadata: list[KeyShape] | None = None


class _KeysShape(Shape):
    MediaContainer: _KeysContainerShape | None = None


class _RawContainerShape(Shape):
    totalSize: Loose = None
    librarySectionID: Loose = None
    Metadata: list[msgspec.Raw] | None = None


class _RawPageShape(Shape):
    MediaContainer: _RawContainerShape | None = None


_PAGE = msgspec.json.Decoder(_PageShape, strict=False)
_KEYS = msgspec.json.Decoder(_KeysShape, strict=False)
_RAW = msgspec.json.Decoder(_RawPageShape, strict=False)
_digest = msgspec.msgpack.Encoder().encode


def decode_page(body: bytes) -> tuple[tuple[ListedTitle, ...], int | None, int]:
    """The titles of a page, the total it tells, and how many entries it has. msgspec.DecodeError for anything else.

    A page is decoded in one go; only when that fails entry by entry, and what cannot be read is left out.
    """
    try:
        page = _PAGE.decode(body).MediaContainer
        shapes = (page.Metadata or []) if page is not None else []
        count = len(shapes)
        total = page.totalSize if page is not None else None
    except msgspec.ValidationError:
        slow = _RAW.decode(body).MediaContainer
        raws = (slow.Metadata or []) if slow is not None else []
        shapes, count = entries(raws, MirroredShape), len(raws)
        page, total = (_PageContainerShape() if slow is not None else None), slow.totalSize if slow else None
    if page is None:
        raise msgspec.ValidationError("no MediaContainer")
    titles = tuple(title for shape in shapes if (title := to_listed(shape)) is not None)
    return titles, number(total), count


def decode_keys(body: bytes) -> tuple[list[int], int | None, int]:
    """The rating keys of a page, the total it tells, and how many entries it has."""
    page = _KEYS.decode(body).MediaContainer
    if page is None:
        raise msgspec.ValidationError("no MediaContainer")
    shapes = page.Metadata or []
    keys = [key for shape in shapes if (key := _key(shape.ratingKey)) is not None]
    return keys, number(page.totalSize), len(shapes)


def decode_located(body: bytes) -> Located:
    """Titles and collections read by their keys; what is in no library (clips, playlists) is left out."""
    page = _RAW.decode(body).MediaContainer
    if page is None:
        raise msgspec.ValidationError("no MediaContainer")
    titles, collections = [], []
    for shape in entries(page.Metadata, LocatedShape):
        section = text(shape.librarySectionID) or text(page.librarySectionID)
        if section is None:
            continue
        if shape.type == "collection" and (key := _key(shape.ratingKey)) is not None:
            name = _line(shape.title) or str(key)
            collections.append(LocatedCollection(section, Tag(TagKind.COLLECTION, str(key), name)))
        elif (title := to_listed(_only_mirrored(shape))) is not None:
            titles.append(LocatedTitle(section, title, _tags(shape)))
    return Located(tuple(titles), tuple(collections))


def _tags(shape: LocatedShape) -> tuple[Tag, ...] | None:
    pairs = [(TagKind.GENRE, each) for each in shape.Genre or ()]
    pairs += [(TagKind.LABEL, each) for each in shape.Label or ()]
    tags = [Tag(kind, key, text(each.tag) or key) for kind, each in pairs if (key := text(each.id)) is not None]
    return tuple(tags) if len(tags) == len(pairs) else None


def to_listed(shape: MirroredShape) -> ListedTitle | None:
    """The title, or None without a rating key and for what is not mirrored (photos, clips, collections)."""
    key, kind = _key(shape.ratingKey), shape.type
    if key is None or kind not in _KINDS:
        return None
    return ListedTitle(
        key,
        str(kind),
        _key(shape.parentRatingKey),
        _key(shape.grandparentRatingKey),
        number(shape.index),
        number(shape.parentIndex),
        _line(shape.title) or "Untitled",
        _line(shape.titleSort),
        _line(shape.originalTitle),
        _line(shape.parentTitle),
        _line(shape.grandparentTitle),
        number(shape.year),
        number(shape.duration),
        _line(shape.contentRating),
        _tenths(shape.rating),
        _tenths(shape.audienceRating),
        text(shape.guid),
        text(shape.thumb),
        number(shape.leafCount),
        _micros(shape.addedAt),
        _micros(shape.updatedAt),
        _people(shape),
        _digest_of(shape),
        tuple(guid for each in shape.Guid or () if (guid := text(each.id)) is not None),
        tuple(_version(each) for each in shape.Media or () if number(each.id) is not None),
    )


def _version(shape: VersionShape) -> Version:
    parts = tuple(
        Part(part_id, text(each.file), number(each.size), text(each.container), number(each.duration))
        for each in shape.Part or ()
        if (part_id := number(each.id)) is not None
    )
    return Version(
        number(shape.id) or 0,
        text(shape.container),
        text(shape.videoCodec),
        text(shape.audioCodec),
        number(shape.audioChannels),
        text(shape.videoResolution),
        number(shape.width),
        number(shape.height),
        number(shape.bitrate),
        number(shape.duration),
        parts,
    )


def _people(shape: MirroredShape) -> str | None:
    if not (shape.Director or shape.Role or shape.Writer):
        return None
    named = {"director": shape.Director, "role": shape.Role, "writer": shape.Writer}
    people = {
        part: names
        for part, tags in named.items()
        if tags and (names := [name for each in tags[: _PEOPLE_MAX[part]] if (name := _line(each.tag))])
    }
    return json.dumps(people, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _only_mirrored(shape: LocatedShape) -> MirroredShape:
    """As a listing would have it, so that the digest is the same."""
    same = MirroredShape(**{name: getattr(shape, name) for name in MirroredShape.__struct_fields__})
    for name, part in (("Director", "director"), ("Role", "role"), ("Writer", "writer")):
        tags = getattr(same, name)
        setattr(same, name, tags[: _PEOPLE_MAX[part]] if tags else tags)
    return same


def _digest_of(shape: MirroredShape) -> int:
    return int.from_bytes(blake2b(_digest(shape), digest_size=8).digest(), signed=True)


def _key(value: Loose) -> int | None:
    found = number(value)
    return found if found is not None and 0 < found <= _KEY_MAX else None


def _line(value: Loose) -> str | None:
    line = text(value)
    if line is None or (line.isascii() and line.isprintable()):
        return line
    return plain(line) or None


def _tenths(value: Loose) -> int | None:
    try:
        return None if value is None or value == "" else round(float(value) * 10)
    except (ValueError, OverflowError):
        return None


def _micros(value: Loose) -> int | None:
    seconds = number(value)
    return seconds * 1_000_000 if seconds is not None and 0 < seconds < _SECONDS_MAX else None

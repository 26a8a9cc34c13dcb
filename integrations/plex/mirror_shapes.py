"""The mirror's view of Plex's JSON: what is kept of a title, and nothing that only one account's watching changes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from math import isfinite
from typing import TypeVar

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
from integrations.plex.shapes import Loose, Shape, number, text

S = TypeVar("S", bound=msgspec.Struct)

_KINDS = frozenset(kind.value for library in LibraryKind for kind in library.kinds)
_PEOPLE_MAX = {"director": 3, "role": 3, "writer": 2}
_KEY_MAX = 2**63 - 1
_SECONDS_MAX = 253_370_764_800  # the year 9999


class NamedShape(Shape):
    """A person or another tag."""

    tag: str | None = None


class GuidShape(Shape):
    """An external id: `imdb://tt0096697`."""

    id: str | None = None


class FileShape(Shape):
    """A file of a version."""

    id: int | None = None
    file: str | None = None
    size: int | None = None
    container: str | None = None
    duration: int | None = None


class VersionShape(Shape):
    """A version of a title."""

    id: int | None = None
    container: str | None = None
    videoCodec: str | None = None
    audioCodec: str | None = None
    audioChannels: int | None = None
    videoResolution: str | None = None
    width: int | None = None
    height: int | None = None
    bitrate: int | None = None
    duration: int | None = None
    Part: list[FileShape] | None = None


class MirroredShape(Shape):
    """A title as the mirror keeps it, every value of the type it is kept as; `_mended` makes it so where it is not."""

    ratingKey: int | None = None
    type: str | None = None
    parentRatingKey: int | None = None
    grandparentRatingKey: int | None = None
    index: int | None = None
    parentIndex: int | None = None
    title: str | None = None
    titleSort: str | None = None
    originalTitle: str | None = None
    parentTitle: str | None = None
    grandparentTitle: str | None = None
    year: int | None = None
    duration: int | None = None
    contentRating: str | None = None
    rating: float | None = None
    audienceRating: float | None = None
    guid: str | None = None
    thumb: str | None = None
    leafCount: int | None = None
    addedAt: int | None = None
    updatedAt: int | None = None
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

    librarySectionID: str | int | None = None
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
_pack = msgspec.msgpack.Encoder().encode
_json = msgspec.json.Encoder().encode


def decode_page(body: bytes) -> tuple[list[MirroredShape], int | None, int]:
    """What a page tells of its titles, the total it tells, and how many entries it has.

    msgspec.DecodeError for anything else. A page is decoded in one go; only when that fails entry by entry, and what
    cannot be read is left out.
    """
    try:
        page = _PAGE.decode(body).MediaContainer
    except msgspec.ValidationError:
        slow = _RAW.decode(body).MediaContainer
        if slow is None:
            raise
        raws = slow.Metadata or []
        return _mended_entries(raws, MirroredShape), number(slow.totalSize), len(raws)
    if page is None:
        raise msgspec.ValidationError("no MediaContainer")
    shapes = page.Metadata or []
    return shapes, number(page.totalSize), len(shapes)


def decode_keys(body: bytes) -> tuple[list[int], int | None, int]:
    """The rating keys of a page, the total it tells, and how many entries it has."""
    page = _KEYS.decode(body).MediaContainer
    if page is None:
        raise msgspec.ValidationError("no MediaContainer")
    shapes = page.Metadata or []
    keys = [key for shape in shapes if (key := _key(number(shape.ratingKey))) is not None]
    return keys, number(page.totalSize), len(shapes)


def decode_located(body: bytes) -> Located:
    """Titles and collections read by their keys; what is in no library (clips, playlists) is left out."""
    page = _RAW.decode(body).MediaContainer
    if page is None:
        raise msgspec.ValidationError("no MediaContainer")
    titles, collections = [], []
    for shape in _mended_entries(page.Metadata or [], LocatedShape):
        section = text(shape.librarySectionID) or text(page.librarySectionID)
        if section is None:
            continue
        if shape.type == "collection" and (key := _key(shape.ratingKey)) is not None:
            name = _line(shape.title) or str(key)
            collections.append(LocatedCollection(section, Tag(TagKind.COLLECTION, str(key), name)))
        elif (title := to_listed(shape)) is not None:
            titles.append(LocatedTitle(section, title, _tags(shape)))
    return Located(tuple(titles), tuple(collections))


def _tags(shape: LocatedShape) -> tuple[Tag, ...] | None:
    pairs = [(TagKind.GENRE, each) for each in shape.Genre or ()]
    pairs += [(TagKind.LABEL, each) for each in shape.Label or ()]
    tags = [Tag(kind, key, text(each.tag) or key) for kind, each in pairs if (key := text(each.id)) is not None]
    return tuple(tags) if len(tags) == len(pairs) else None


def to_listed(shape: MirroredShape) -> ListedTitle | None:
    """The title, or None without a rating key and for what is not mirrored (photos, clips, collections)."""
    key = _key(shape.ratingKey)
    if key is None or shape.type not in _KINDS:
        return None
    facts = (
        key,
        shape.type,
        _key(shape.parentRatingKey),
        _key(shape.grandparentRatingKey),
        shape.index,
        shape.parentIndex,
        _line(shape.title) or "Untitled",
        _line(shape.titleSort),
        _line(shape.originalTitle),
        _line(shape.parentTitle),
        _line(shape.grandparentTitle),
        shape.year,
        shape.duration,
        _line(shape.contentRating),
        _tenths(shape.rating),
        _tenths(shape.audienceRating),
        shape.guid or None,
        shape.thumb or None,
        shape.leafCount,
        _micros(shape.addedAt),
        _micros(shape.updatedAt),
        _people(shape),
    )
    guids = tuple([each.id for each in shape.Guid if each.id]) if shape.Guid else ()
    versions = tuple([_version(each) for each in shape.Media if each.id is not None]) if shape.Media else ()
    return ListedTitle._make((*facts, _digest_of(facts, guids, versions), guids, versions))


def _version(shape: VersionShape) -> Version:
    parts = tuple(
        [
            Part(each.id, each.file or None, each.size, each.container or None, each.duration)
            for each in shape.Part or ()
            if each.id is not None
        ]
    )
    return Version(
        shape.id or 0,
        shape.container or None,
        shape.videoCodec or None,
        shape.audioCodec or None,
        shape.audioChannels,
        shape.videoResolution or None,
        shape.width,
        shape.height,
        shape.bitrate,
        shape.duration,
        parts,
    )


def _people(shape: MirroredShape) -> str | None:
    if not (shape.Director or shape.Role or shape.Writer):
        return None
    people = {}
    for part, tags in (("director", shape.Director), ("role", shape.Role), ("writer", shape.Writer)):
        # As listings cut them: a detail read alone must look the same.
        if tags and (names := [name for each in tags[: _PEOPLE_MAX[part]] if (name := _line(each.tag))]):
            people[part] = names
    return _json(people).decode()


def _digest_of(*content: object) -> int:
    return int.from_bytes(blake2b(_pack(content), digest_size=8).digest(), signed=True)


def _mended_entries(raws: list[msgspec.Raw], shape: type[S]) -> list[S]:
    """Entry by entry, with values of whatever types; entries of another form are left out."""
    found: list[S] = []
    for raw in raws:
        with suppress(msgspec.ValidationError):
            found.append(msgspec.convert(_mended(msgspec.json.decode(raw), shape), shape))
    return found


def _mended(entry: object, shape: type[msgspec.Struct]) -> dict[str, object]:
    """The values of an entry as the types that a shape has: "12" and 12.7 are 12 where it wants a number."""
    if not isinstance(entry, dict):
        raise msgspec.ValidationError("no object")
    found: dict[str, object] = {}
    for field in _fields(shape):
        value = entry.get(field.name)
        if (below := _LISTS.get(field.name)) is not None:
            if value is not None and not isinstance(value, list):
                raise msgspec.ValidationError("no list")
            found[field.name] = [_mended(each, below) for each in value or ()]
        elif isinstance(value, dict | list):
            raise msgspec.ValidationError("no scalar")
        else:
            found[field.name] = _READ.get(field.type, _same)(value)
    return found


def _same(value: Loose) -> Loose:
    return value


def _decimal(value: Loose) -> float | None:
    try:
        return None if value is None or value == "" else float(value)
    except (ValueError, OverflowError):
        return None


_READ: dict[object, Callable[[Loose], Loose]] = {int | None: number, str | None: text, float | None: _decimal}
_LISTS: dict[str, type[msgspec.Struct]] = {
    "Guid": GuidShape, "Director": NamedShape, "Role": NamedShape, "Writer": NamedShape, "Media": VersionShape,
    "Part": FileShape, "Genre": KeyedTagShape, "Label": KeyedTagShape,
}  # fmt: skip
_fields = cache(msgspec.structs.fields)


def _key(value: int | None) -> int | None:
    return value if value is not None and 0 < value <= _KEY_MAX else None


def _line(value: str | None) -> str | None:
    if not value or (value.isascii() and value.isprintable()):
        return value or None
    return plain(value) or None


def _tenths(value: float | None) -> int | None:
    return None if value is None or not isfinite(value) else round(value * 10)


def _micros(seconds: int | None) -> int | None:
    return seconds * 1_000_000 if seconds is not None and 0 < seconds < _SECONDS_MAX else None

"""Plex's JSON as msgspec structs: every field optional, numbers may be text, unknown fields are skipped.

Plex types one and the same field differently between versions (`ratingKey` as text or number, booleans as 1 or true,
one object or a list of it), so scalars are `Loose` and are read through `number()` and `text()`.
"""

from __future__ import annotations

from typing import Any, TypeAlias, TypeVar

import msgspec

Loose: TypeAlias = str | int | float | bool | None

S = TypeVar("S", bound=msgspec.Struct)


class Shape(msgspec.Struct, gc=False):
    """A JSON object of Plex. `gc=False`: instances never form cycles, and listings make many of them."""


class StreamShape(Shape):
    """One stream of a part. `streamType`: 1 video, 2 audio, 3 subtitles, 4 lyrics."""

    id: Loose = None
    streamType: Loose = None
    displayTitle: Loose = None
    extendedDisplayTitle: Loose = None
    title: Loose = None
    language: Loose = None
    languageCode: Loose = None
    codec: Loose = None
    selected: Loose = None


class PartShape(Shape):
    """One file of a version; `selected` marks what plays."""

    id: Loose = None
    selected: Loose = None
    decision: Loose = None
    Stream: list[StreamShape] | None = None


class MediaShape(Shape):
    """One version of a title."""

    id: Loose = None
    selected: Loose = None
    Part: list[PartShape] | None = None


class UserShape(Shape):
    """The account of a session."""

    id: Loose = None
    title: Loose = None


class PlayerShape(Shape):
    """The player of a session."""

    machineIdentifier: Loose = None
    title: Loose = None
    product: Loose = None
    platform: Loose = None
    device: Loose = None
    state: Loose = None
    address: Loose = None


class TranscodeShape(Shape):
    """Present on a session while the server converts something."""

    videoDecision: Loose = None
    audioDecision: Loose = None


class ItemShape(Shape):
    """Anything with a rating key, as listings give it."""

    ratingKey: Loose = None
    key: Loose = None
    type: Loose = None
    title: Loose = None
    year: Loose = None
    duration: Loose = None
    index: Loose = None
    parentIndex: Loose = None
    parentTitle: Loose = None
    grandparentTitle: Loose = None
    librarySectionTitle: Loose = None
    librarySectionID: Loose = None
    thumb: Loose = None
    parentThumb: Loose = None
    grandparentThumb: Loose = None
    composite: Loose = None
    playlistType: Loose = None
    viewOffset: Loose = None
    viewCount: Loose = None
    leafCount: Loose = None
    addedAt: Loose = None
    playQueueItemID: Loose = None
    reason: Loose = None


class SessionShape(ItemShape):
    """An entry of `/status/sessions`; live television and pre-rolls lack most fields, some have no user."""

    sessionKey: Loose = None
    live: Loose = None
    User: UserShape | list[UserShape] | None = None
    Player: PlayerShape | list[PlayerShape] | None = None
    TranscodeSession: TranscodeShape | list[TranscodeShape] | None = None
    Media: list[MediaShape] | None = None


class OnDeckShape(Shape):
    """What a show continues with."""

    Metadata: ItemShape | list[ItemShape] | None = None


class DetailShape(ItemShape):
    """A title read by its key."""

    Media: list[MediaShape] | None = None
    OnDeck: OnDeckShape | None = None


class ClientShape(Shape):
    """A player that announced itself to the server (`/clients`)."""

    name: Loose = None
    title: Loose = None
    host: Loose = None
    address: Loose = None
    port: Loose = None
    machineIdentifier: Loose = None
    product: Loose = None
    platform: Loose = None
    protocol: Loose = None
    protocolCapabilities: Loose = None


class HubShape(Shape):
    """One kind of search results."""

    type: Loose = None
    Metadata: list[msgspec.Raw] | None = None


class ContainerShape(Shape):
    """The root of nearly every answer. Entries stay raw until `entries()` reads them one shape at a time."""

    size: Loose = None
    totalSize: Loose = None
    offset: Loose = None
    machineIdentifier: Loose = None
    friendlyName: Loose = None
    version: Loose = None
    librarySectionTitle: Loose = None
    librarySectionID: Loose = None
    playQueueID: Loose = None
    playQueueSelectedItemID: Loose = None
    playQueueTotalCount: Loose = None
    playQueueShuffled: Loose = None
    Metadata: list[msgspec.Raw] | None = None
    Directory: list[msgspec.Raw] | None = None
    Server: list[msgspec.Raw] | None = None
    Hub: list[HubShape] | None = None


class AnswerShape(Shape):
    """`{"MediaContainer": ...}`"""

    MediaContainer: ContainerShape | None = None


class ListingContainerShape(Shape):
    """A page of a listing, decoded in one go."""

    size: Loose = None
    totalSize: Loose = None
    librarySectionTitle: Loose = None
    Metadata: list[ItemShape] | None = None


class ListingShape(Shape):
    """`{"MediaContainer": ...}` of a listing."""

    MediaContainer: ListingContainerShape | None = None


class PlayingShape(Shape):
    """An entry of a `playing` notice: what a session's player did."""

    sessionKey: Loose = None
    clientIdentifier: Loose = None
    ratingKey: Loose = None
    state: Loose = None
    viewOffset: Loose = None
    playQueueID: Loose = None


class TimelineShape(Shape):
    """An entry of a `timeline` notice: what became of a title. `state` 5 is done, 9 deleted."""

    sectionID: Loose = None
    itemID: Loose = None
    state: Loose = None


class NoticeShape(Shape):
    """A message of the server's websocket; entries stay raw so that one bad entry loses no other."""

    type: Loose = None
    PlaySessionStateNotification: msgspec.Raw = msgspec.Raw()
    TimelineEntry: msgspec.Raw = msgspec.Raw()


class MessageShape(Shape):
    """`{"NotificationContainer": ...}`"""

    NotificationContainer: NoticeShape | None = None


_ANSWER = msgspec.json.Decoder(AnswerShape, strict=False)
_LISTING = msgspec.json.Decoder(ListingShape, strict=False)
_MESSAGE = msgspec.json.Decoder(MessageShape, strict=False)
_DECODERS: dict[type[msgspec.Struct], msgspec.json.Decoder[Any]] = {}


def container(body: bytes) -> ContainerShape:
    """The MediaContainer of an answer. Raises msgspec.DecodeError when the body is not such JSON."""
    found = _ANSWER.decode(body).MediaContainer
    if found is None:
        raise msgspec.ValidationError("no MediaContainer")
    return found


def listing(body: bytes) -> tuple[ContainerShape | ListingContainerShape, list[ItemShape]]:
    """A page of a listing: its container and its entries; an entry that cannot be read is left out.

    The whole page is decoded at once (fast); only when that fails entry by entry.
    """
    try:
        page = _LISTING.decode(body).MediaContainer
    except msgspec.ValidationError:
        slow = container(body)
        return slow, entries(slow.Metadata, ItemShape)
    if page is None:
        raise msgspec.ValidationError("no MediaContainer")
    return page, page.Metadata or []


def message(body: bytes | str) -> NoticeShape | None:
    """The notice in a websocket message, or None when it is not one."""
    try:
        return _MESSAGE.decode(body).NotificationContainer
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def entries(raws: list[msgspec.Raw] | msgspec.Raw | None, shape: type[S]) -> list[S]:
    """Each raw entry as `shape`; entries of another form are left out, the others stay."""
    if raws is None:
        return []
    decoder = _DECODERS.get(shape) or _DECODERS.setdefault(shape, msgspec.json.Decoder(shape, strict=False))
    if isinstance(raws, msgspec.Raw):
        body = bytes(raws)
        raws = msgspec.json.decode(body, type=list[msgspec.Raw]) if body.startswith(b"[") else [raws] if body else []
    found: list[S] = []
    for raw in raws:
        try:
            found.append(decoder.decode(raw))
        except msgspec.ValidationError:
            continue
    return found


def first(value: S | list[S] | None) -> S | None:
    """The object where Plex gives one object or a list of it."""
    if isinstance(value, list):
        return value[0] if value else None
    return value


def number(value: Loose) -> int | None:
    """`value` as an int: "12", 12 and 12.7 are 12, true is 1; None for what is no number."""
    if value is None or value == "":
        return None
    try:
        return int(value)
    except (ValueError, OverflowError):
        pass
    try:
        return int(float(value))
    except (ValueError, OverflowError):
        return None


def text(value: Loose) -> str | None:
    """`value` as text, None when empty; numbers become their digits."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else str(value)


def flag(value: Loose) -> bool:
    """`value` as a boolean: true, 1, "1" and "true" are."""
    return value is True or value in (1, "1", "true")

"""From Plex's shapes to our values. Pure; what cannot be a value is None, never an error."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from daemon.core.ids import PlayerId, RatingKey, ServerId
from daemon.core.media import (
    Playback,
    Player,
    PlayerRef,
    PlayState,
    QueueItem,
    Stream,
    StreamKind,
    Title,
    TitleKind,
    TitleRef,
)
from daemon.core.text import plain
from integrations.plex.shapes import (
    ItemShape,
    Loose,
    MediaShape,
    PartShape,
    SessionShape,
    StreamShape,
    first,
    flag,
    number,
    text,
)

_KINDS = {kind.value: kind for kind in TitleKind}
_STATES = {state.value: state for state in PlayState}
_STREAM_KINDS = {2: StreamKind.AUDIO, 3: StreamKind.SUBTITLE}
_CONTINUOUS = frozenset({TitleKind.EPISODE, TitleKind.TRACK})
_MUSIC = frozenset({TitleKind.ARTIST, TitleKind.ALBUM, TitleKind.TRACK})

Streams: TypeAlias = tuple[tuple[Stream, ...], tuple[Stream, ...]]  # audio, subtitles

NO_KEY = RatingKey("0")  # live television has no rating key; no title of a library has this one


def to_title(
    server: ServerId, item: ItemShape, library: str | None = None, library_key: str | None = None
) -> Title | None:
    """The title that `item` describes; None when it has no rating key or is nothing playable (a photo, a person).

    `library` and `library_key` are what the whole answer says of the library, where the item itself does not.
    """
    key = text(item.ratingKey)
    if key is None:
        return None
    kind = _KINDS.get(text(item.type) or "")
    if kind is None:
        return None
    return Title(
        TitleRef(server, RatingKey(key)),
        kind,
        _line(item.title) or "Untitled",
        number(item.year),
        number(item.duration),
        _line(item.parentTitle),
        _line(item.grandparentTitle),
        number(item.index),
        number(item.parentIndex),
        library or _line(item.librarySectionTitle),
        _poster_path(kind, item),
        number(item.viewOffset) or 0,
        number(item.leafCount),
        text(item.librarySectionID) or library_key,
    )


def _line(value: Loose) -> str | None:
    """Text of Plex on one line without control characters; plain ASCII, the usual case, is passed through."""
    line = text(value)
    if line is None or (line.isascii() and line.isprintable()):
        return line
    return plain(line) or None


def _poster_path(kind: TitleKind, item: ItemShape) -> str | None:
    """The upright poster where there is one: an episode's own picture is a still, a track has its album's cover."""
    match kind:
        case TitleKind.EPISODE:
            order = (item.grandparentThumb, item.parentThumb, item.thumb)
        case TitleKind.PLAYLIST:
            order = (item.composite, item.thumb, None)
        case _:
            order = (item.thumb, item.parentThumb, item.grandparentThumb)
    return next((path for value in order if (path := text(value))), None)


def to_state(value: Loose) -> PlayState:
    """Plex's word for a state; unknown ones (`error`) count as stopped."""
    return _STATES.get(text(value) or "", PlayState.STOPPED)


def to_playback(server: ServerId, session: SessionShape, seen_at: datetime) -> Playback | None:
    """A session as a playback; None for one that is over, has no player or plays nothing that has a title.

    Sessions without a user (some players' left-overs) and without a rating key (live television) are kept.
    """
    player = first(session.Player)
    player_id = text(player.machineIdentifier) if player else None
    if player is None or player_id is None or (state := to_state(player.state)) is PlayState.STOPPED:
        return None
    title = to_title(server, session)
    if title is None and _line(session.title):
        title = Title(
            TitleRef(server, NO_KEY),
            _KINDS.get(text(session.type) or "", TitleKind.CLIP),
            _line(session.title) or "Untitled",
            parent=_line(session.parentTitle),
            grandparent=_line(session.grandparentTitle),
            thumb=_poster_path(TitleKind.EPISODE, session),
        )
    if title is None:
        return None
    user = first(session.User)
    audio, subtitles = to_streams(playing_part(session.Media))
    return Playback(
        player=Player(
            PlayerRef(server, PlayerId(player_id)),
            _line(player.title) or _line(player.device) or "Unnamed player",
            _line(player.product) or "",
            _line(player.platform) or "",
            state,
        ),
        title=title,
        state=state,
        position_ms=max(0, number(session.viewOffset) or 0),
        duration_ms=max(0, number(session.duration) or 0),
        seen_at=seen_at,
        session_key=text(session.sessionKey),
        account=_line(user.title) if user else None,
        is_transcoding=is_transcoding(session),
        audio=audio,
        subtitles=subtitles,
    )


def is_transcoding(session: SessionShape) -> bool:
    """Whether the server converts picture or sound; copying both into another container does not count."""
    transcode = first(session.TranscodeSession)
    if transcode is None:
        return False
    return "transcode" in (text(transcode.videoDecision), text(transcode.audioDecision))


def playing_part(media: list[MediaShape] | None) -> PartShape | None:
    """The part that plays: the selected one of the selected version, else the first."""
    versions = media or []
    version = next((one for one in versions if flag(one.selected)), versions[0] if versions else None)
    parts = (version.Part if version else None) or []
    return next((part for part in parts if flag(part.selected)), parts[0] if parts else None)


def to_streams(part: PartShape | None) -> Streams:
    """Audio and subtitle streams of a file."""
    found: list[Stream] = [stream for shape in (part.Stream if part else None) or [] if (stream := _stream(shape))]
    return (
        tuple(stream for stream in found if stream.kind is StreamKind.AUDIO),
        tuple(stream for stream in found if stream.kind is StreamKind.SUBTITLE),
    )


def all_streams(media: list[MediaShape] | None) -> tuple[Streams, ...]:
    """Streams of each file of a title, the one that plays by default first."""
    default = playing_part(media)
    parts = [part for version in media or [] for part in version.Part or []]
    parts.sort(key=lambda part: part is not default)
    return tuple(to_streams(part) for part in parts)


def _stream(shape: StreamShape) -> Stream | None:
    kind, stream_id = _STREAM_KINDS.get(number(shape.streamType) or 0), number(shape.id)
    if kind is None or stream_id is None:
        return None
    label = _line(shape.displayTitle) or _line(shape.language) or _line(shape.codec) or "Unknown"
    extra = _line(shape.title)
    if extra and extra.casefold() not in label.casefold():
        label = f"{label} - {extra}"
    return Stream(stream_id, kind, label, _line(shape.language), flag(shape.selected))


def to_queue_item(server: ServerId, item: ItemShape) -> QueueItem | None:
    """An entry of a play queue; None without a number of its own."""
    item_id, title = number(item.playQueueItemID), to_title(server, item)
    return None if item_id is None or title is None else QueueItem(item_id, title)


def media_type(title: Title, playlist_type: str | None = None) -> str:
    """The word players want beside a command: `music` or `video`."""
    return "music" if title.kind in _MUSIC or playlist_type == "audio" else "video"


def is_continuous(kind: TitleKind) -> bool:
    """Whether what follows the title should play after it."""
    return kind in _CONTINUOUS

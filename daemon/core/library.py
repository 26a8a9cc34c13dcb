"""What a listing tells of a library's titles, as plain values: the language between Plex's reader and the mirror.

They are tuples and no dataclasses because there are hundreds of thousands of them in one pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from daemon.core.ids import ServerId
from daemon.core.media import TitleKind


class LibraryKind(StrEnum):
    """What a library holds, with Plex's own names. Photos are not mirrored."""

    MOVIE = "movie"
    SHOW = "show"
    ARTIST = "artist"

    @property
    def kinds(self) -> tuple[TitleKind, ...]:
        """The kinds of its titles, those above before those below."""
        return _KINDS[self]


_KINDS = {
    LibraryKind.MOVIE: (TitleKind.MOVIE,),
    LibraryKind.SHOW: (TitleKind.SHOW, TitleKind.SEASON, TitleKind.EPISODE),
    LibraryKind.ARTIST: (TitleKind.ARTIST, TitleKind.ALBUM, TitleKind.TRACK),
}


class TagKind(StrEnum):
    """Words that titles are sorted under. Listings cut them off, so they are read from a listing for each."""

    GENRE = "genre"
    COLLECTION = "collection"
    LABEL = "label"


@dataclass(frozen=True, slots=True)
class LibraryFacts:
    """A library as its server lists it. `stamp` differs when its content changed; None when the server is silent."""

    key: str
    uuid: str | None
    kind: LibraryKind
    name: str
    stamp: str | None


@dataclass(frozen=True, slots=True)
class Tag:
    """A genre, a collection or a label; `key` is the server's name for it within the library."""

    kind: TagKind
    key: str
    name: str


class Part(NamedTuple):
    """A file of a version."""

    part_id: int
    file: str | None
    size_bytes: int | None
    container: str | None
    duration_ms: int | None


class Version(NamedTuple):
    """One version of a title; its size is the sum of its parts."""

    media_id: int
    container: str | None
    video_codec: str | None
    audio_codec: str | None
    audio_channels: int | None
    resolution: str | None  # "4k", "1080", "sd": Plex's own words
    width: int | None
    height: int | None
    bitrate_kbps: int | None
    duration_ms: int | None
    parts: tuple[Part, ...]


class ListedTitle(NamedTuple):
    """One title of a listing. Times are microseconds since 1970, ratings tenths (78 is 7.8 of 10).

    `digest` is equal for equal content; what one account has watched is no part of it. `people` is JSON,
    `{"director": [...], "role": [...], "writer": [...]}`, as far as listings name them.
    """

    rating_key: int
    kind: str
    parent_key: int | None
    grandparent_key: int | None
    index_no: int | None
    parent_index_no: int | None
    name: str
    sort_name: str | None
    original_name: str | None
    parent_name: str | None
    grandparent_name: str | None
    year: int | None
    duration_ms: int | None
    content_rating: str | None
    rating_tenths: int | None
    audience_rating_tenths: int | None
    guid: str | None
    thumb: str | None
    leaf_count: int | None
    added_at: int | None
    updated_at: int | None
    people: str | None
    digest: int
    guids: tuple[str, ...]
    versions: tuple[Version, ...]


class LocatedTitle(NamedTuple):
    """A title read by its key, and the key of the library it is in.

    `tags` are all its genres and labels, which are whole here; None when the server does not tell their keys.
    """

    library_key: str
    title: ListedTitle
    tags: tuple[Tag, ...] | None = None


class LocatedCollection(NamedTuple):
    """A collection read by its rating key, and the key of its library."""

    library_key: str
    tag: Tag


@dataclass(frozen=True, slots=True)
class Located:
    """What some rating keys stand for."""

    titles: tuple[LocatedTitle, ...] = ()
    collections: tuple[LocatedCollection, ...] = ()


@dataclass(frozen=True, slots=True)
class TitlePage:
    """A page of a listing and the listing's length as the server tells it with this page."""

    titles: tuple[ListedTitle, ...]
    total: int
    entries: int  # on the page, those included that are no title


@dataclass(frozen=True, slots=True)
class CollectionRef:
    """A collection on a server; `key` is its rating key. Its text form, `c:<server>:<key>`, is for autocomplete."""

    server: ServerId
    key: str

    def __str__(self) -> str:
        return f"c:{self.server}:{self.key}"

    @classmethod
    def parse(cls, text: str) -> CollectionRef | None:
        """The reference in `text`, or None when it is anything else."""
        parts = text.split(":")
        if len(parts) != 3 or parts[0] != "c" or not parts[1] or not (parts[2].isascii() and parts[2].isdigit()):
            return None
        return cls(ServerId(parts[1]), parts[2])

"""What Plex holds and plays, as plain values: the language between `integrations.plex` and the modules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from daemon.core.errors import UpstreamError
from daemon.core.ids import PlayerId, RatingKey, ServerId


class TitleKind(StrEnum):
    """Anything watchable or playable, with Plex's own type names."""

    MOVIE = "movie"
    SHOW = "show"
    SEASON = "season"
    EPISODE = "episode"
    ARTIST = "artist"
    ALBUM = "album"
    TRACK = "track"
    PLAYLIST = "playlist"
    CLIP = "clip"


class PlayState(StrEnum):
    """State of a player, with Plex's own names."""

    PLAYING = "playing"
    PAUSED = "paused"
    BUFFERING = "buffering"
    STOPPED = "stopped"


class StreamKind(StrEnum):
    """The two kinds of stream a member can choose."""

    AUDIO = "audio"
    SUBTITLE = "subtitle"


@dataclass(frozen=True, slots=True)
class TitleRef:
    """A title on a server. Its text form, `t:<server>:<rating key>`, is what autocomplete sends back."""

    server: ServerId
    rating_key: RatingKey

    def __str__(self) -> str:
        return f"t:{self.server}:{self.rating_key}"

    @classmethod
    def parse(cls, text: str) -> TitleRef | None:
        """The reference in `text`, or None when it is anything else (a pasted name, say)."""
        parts = text.split(":")
        if len(parts) != 3 or parts[0] != "t" or not parts[1] or not parts[2].isdigit():
            return None
        return cls(ServerId(parts[1]), RatingKey(parts[2]))


@dataclass(frozen=True, slots=True)
class Title:
    """One title. `parent` is the season or album, `grandparent` the show or artist; indexes count from 1."""

    ref: TitleRef
    kind: TitleKind
    name: str
    year: int | None = None
    duration_ms: int | None = None
    parent: str | None = None
    grandparent: str | None = None
    index: int | None = None
    parent_index: int | None = None
    library: str | None = None
    thumb: str | None = None  # path on the server
    view_offset_ms: int = 0
    leaf_count: int | None = None  # episodes of a show or season, tracks of an album
    library_key: str | None = None  # of its library on the server, where that was told with it

    def __str__(self) -> str:
        """The name people use: `Dune (2021)`, `The Office - S02E04 - The Fire`, `Blue Train - Locomotion`."""
        match self.kind:
            case TitleKind.EPISODE:
                number = "" if self.index is None else f"S{self.parent_index or 0:02}E{self.index:02}"
                return " - ".join(part for part in (self.grandparent, number, self.name) if part)
            case TitleKind.SEASON | TitleKind.ALBUM:
                return " - ".join(part for part in (self.parent, self.name) if part)
            case TitleKind.TRACK:
                return " - ".join(part for part in (self.grandparent, self.name) if part)
            case _:
                return f"{self.name} ({self.year})" if self.year else self.name


@dataclass(frozen=True, slots=True)
class PlayerRef:
    """A player as reached through one server. Its text form is `p:<server>:<player id>`."""

    server: ServerId
    player_id: PlayerId

    def __str__(self) -> str:
        return f"p:{self.server}:{self.player_id}"

    @classmethod
    def parse(cls, text: str) -> PlayerRef | None:
        """The reference in `text`, or None when it is anything else."""
        kind, _, rest = text.partition(":")
        server, _, player_id = rest.partition(":")
        if kind != "p" or not server or not player_id:
            return None
        return cls(ServerId(server), PlayerId(player_id))


@dataclass(frozen=True, slots=True)
class Player:
    """A Plex client we know of. `problem` says in one sentence why it cannot be controlled; None when it can."""

    ref: PlayerRef
    name: str
    product: str
    platform: str = ""
    state: PlayState = PlayState.STOPPED
    problem: str | None = None

    @property
    def is_controllable(self) -> bool:
        """Whether commands may be sent."""
        return self.problem is None


@dataclass(frozen=True, slots=True)
class Stream:
    """An audio or subtitle stream of the part that plays."""

    stream_id: int
    kind: StreamKind
    label: str  # "English (AC3 5.1)"
    language: str | None = None
    is_selected: bool = False


@dataclass(frozen=True, slots=True)
class Playback:
    """One player playing one title, as its server reports it; `position_ms` was true at `seen_at`."""

    player: Player
    title: Title
    state: PlayState
    position_ms: int
    duration_ms: int
    seen_at: datetime
    session_key: str | None = None  # None when only the player itself told us
    account: str | None = None  # name of the Plex account that watches
    volume: int | None = None  # percent, when the player tells
    is_transcoding: bool = False
    audio: tuple[Stream, ...] = ()
    subtitles: tuple[Stream, ...] = ()

    def position_at(self, when: datetime) -> int:
        """Position in ms at `when`: interpolated while playing, bounded by the duration.

        Players report every 10 s only; a position of 60,000 seen 4 s ago is 64,000 now.
        """
        if self.state is not PlayState.PLAYING:
            return self.position_ms
        moved = max(0, int((when - self.seen_at).total_seconds() * 1000))
        return min(self.position_ms + moved, self.duration_ms) if self.duration_ms else self.position_ms + moved


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One entry of a play queue."""

    item_id: int  # playQueueItemID
    title: Title


@dataclass(frozen=True, slots=True)
class PlayQueue:
    """What a player plays now and next, in order. At most `core.limits.QUEUE_WINDOW` items are read."""

    queue_id: int
    items: tuple[QueueItem, ...]
    selected_item_id: int | None
    total: int
    is_shuffled: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """Titles that match a search, best first. `is_complete` is False when a server did not answer in time."""

    titles: tuple[Title, ...]
    is_complete: bool = True


Failures = Mapping[ServerId, UpstreamError]
"""How each server failed that did not answer, in the order of the configuration."""


@dataclass(frozen=True, slots=True)
class NowPlaying:
    """What plays everywhere, in the order of servers and sessions. `is_blind`: no server has told, now or lately.

    `ages_s`: servers that did not tell now, and how many seconds ago they told what is here of them.
    """

    playbacks: tuple[Playback, ...]
    failures: Failures = field(default_factory=dict)
    is_blind: bool = False
    ages_s: Mapping[ServerId, float] = field(default_factory=dict)

    @property
    def silent_servers(self) -> tuple[ServerId, ...]:
        """The servers of which nothing is known."""
        return tuple(server for server in self.failures if server not in self.ages_s)


@dataclass(frozen=True, slots=True)
class Roster:
    """Players of the servers that answered, controllable ones first. `is_blind`: no server at all has answered."""

    players: tuple[Player, ...]
    failures: Failures = field(default_factory=dict)
    is_blind: bool = False

"""What a card shows, as plain values: two equal faces look the same to everybody. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from daemon.core.media import Playback, PlayState, Stream, Title, TitleKind, TitleRef
from daemon.core.players import player_name
from daemon.core.text import duration, plain
from daemon.core.titles import title_name

from .orders import Verb
from .sight import is_hidden


class Phase(StrEnum):
    """Where a card is in its life."""

    STARTING = "starting"  # Plex was told to play, the player has not shown anything yet
    LIVE = "live"
    ENDED = "ended"
    REPLACED = "replaced"  # the same player has a newer card in the same channel


@dataclass(frozen=True, slots=True)
class Face:
    """Everything a person can see on a card, to the second and the percent."""

    phase: Phase
    name: str  # of the film, the episode, the track
    context: str  # what it belongs to: "The Office · S02E04", "Blue Train"; "" for what stands alone
    year: int | None
    player: str
    account: str | None = None
    state: PlayState = PlayState.PLAYING
    position_s: int = 0
    duration_s: int = 0
    volume: int | None = None
    audio: tuple[Stream, ...] = ()
    subtitles: tuple[Stream, ...] = ()
    notice: str | None = None  # a sentence under the rest: "Plex server attic is unreachable."
    poster: TitleRef | None = None  # the title whose poster belongs here
    picture: str | None = None  # file name of the attached poster; None when there is none
    is_controllable: bool = True
    is_hidden: bool = False  # of what plays nothing is told: the name only says that something does

    @property
    def part(self) -> float:
        """How much is over, 0 to 1."""
        return min(1.0, self.position_s / self.duration_s) if self.duration_s else 0.0

    @property
    def times(self) -> str:
        """`41:03 / 2:35:10`, without the second part when the length is not known."""
        now = duration(self.position_s * 1000)
        return f"{now} / {duration(self.duration_s * 1000)}" if self.duration_s else now

    @classmethod
    def starting(cls, title: Title, player: str) -> Face:
        """The face of a card whose player was just told to play `title`."""
        return cls(
            Phase.STARTING,
            name=_own_name(title),
            context=context_of(title),
            year=title.year,
            player=player,
            duration_s=(title.duration_ms or 0) // 1000,
            poster=None if is_hidden(title) else title.ref,
            is_hidden=is_hidden(title),
        )

    @classmethod
    def live(cls, playback: Playback, now: datetime, problem: str | None = None) -> Face:
        """The face of a player that plays or pauses; `problem` says why it cannot be controlled."""
        title = playback.title
        return cls(
            Phase.LIVE,
            name=_own_name(title),
            context=context_of(title),
            year=title.year,
            player=player_name(playback.player),
            account=plain(playback.account) if playback.account else None,
            state=playback.state,
            position_s=playback.position_at(now) // 1000,
            duration_s=playback.duration_ms // 1000,
            volume=playback.volume,
            audio=playback.audio,
            subtitles=playback.subtitles,
            poster=None if is_hidden(title) else title.ref,
            notice=problem,
            is_controllable=problem is None,
            is_hidden=is_hidden(title),
        )

    def with_poster(self, image: bytes | None) -> Face:
        """The same with the file name that suits the image: PNG or JPEG."""
        if not image:
            return replace(self, picture=None)
        return replace(self, picture="poster.png" if image.startswith(b"\x89PNG") else "poster.jpg")

    def with_notice(self, notice: str) -> Face:
        """The same as it stands, with a sentence about why it stands."""
        return replace(self, notice=notice)

    def ended(self) -> Face:
        """The same after the end: position and tracks no longer mean anything."""
        never_began = self.phase is Phase.STARTING
        return replace(
            self,
            phase=Phase.ENDED,
            state=PlayState.STOPPED,
            position_s=0,
            volume=None,
            audio=(),
            subtitles=(),
            notice="The player did not begin to play it." if never_began else None,
        )

    def replaced(self) -> Face:
        """The same when a newer card shows the player."""
        return replace(self.ended(), phase=Phase.REPLACED)

    def to_state(self) -> dict[str, Any]:
        """What must be known of it after a restart, to say what ended: JSON for the database."""
        return {
            "name": self.name,
            "context": self.context,
            "year": self.year,
            "player_name": self.player,
            "duration_s": self.duration_s,
            "poster": str(self.poster) if self.poster else None,
            "picture": self.picture,
            "hidden": self.is_hidden,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Face:
        """The face of a card that was open when the daemon went down, before its player was looked at again."""
        poster = state["poster"]
        return cls(
            Phase.LIVE,
            name=state["name"],
            context=state["context"],
            year=state["year"],
            player=state["player_name"],
            duration_s=state["duration_s"],
            poster=TitleRef.parse(poster) if poster else None,
            picture=state["picture"],
            is_hidden=bool(state.get("hidden")),
        )


def context_of(title: Title) -> str:
    """What a title belongs to, on one line: show and episode number, artist and album; "" for what stands alone."""
    parts: list[str | None] = []
    match title.kind:
        case TitleKind.EPISODE:
            number = None if title.index is None else f"S{title.parent_index or 0:02}E{title.index:02}"
            parts = [title.grandparent, number]
        case TitleKind.TRACK:
            parts = [title.grandparent, title.parent]
        case TitleKind.SEASON | TitleKind.ALBUM:
            parts = [title.parent]
    return " · ".join(plain(part) for part in parts if part)


def _own_name(title: Title) -> str:
    return plain(title.name) or title_name(title)


def foreseen(playback: Playback, verb: Verb, value: str | None, now: datetime) -> Playback:
    """What the player will show once it has obeyed: it tells so itself only seconds later.

    Going to another title cannot be foreseen, so NEXT and PREVIOUS change nothing here.
    """
    here = replace(playback, position_ms=playback.position_at(now), seen_at=now)
    match verb:
        case Verb.PAUSE:
            return replace(here, state=PlayState.PAUSED)
        case Verb.RESUME:
            return replace(here, state=PlayState.PLAYING)
        case Verb.SEEK if value:
            position = here.position_ms + int(value) * 1000
            return replace(here, position_ms=max(0, min(position, here.duration_ms or position)))
        case Verb.VOLUME if value and here.volume is not None:
            return replace(here, volume=max(0, min(100, here.volume + int(value))))
        case Verb.AUDIO:
            return replace(here, audio=_choose(here.audio, value))
        case Verb.SUBTITLES:
            return replace(here, subtitles=_choose(here.subtitles, value))
        case _:
            return playback


def _choose(streams: tuple[Stream, ...], value: str | None) -> tuple[Stream, ...]:
    return tuple(replace(stream, is_selected=str(stream.stream_id) == value) for stream in streams)

"""What a member wants done, as plain values that can be kept while they choose between several answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from daemon.core.ids import GuildId, MemberId, ProfileId
from daemon.core.media import Player, PlayQueue, Title


class Verb(StrEnum):
    """What can be asked of a player."""

    PLAY = "play"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    NEXT = "next"
    PREVIOUS = "previous"
    SEEK = "seek"
    VOLUME = "volume"
    AUDIO = "audio"
    SUBTITLES = "subtitles"
    QUEUE_ADD = "queue-add"
    QUEUE_SHOW = "queue-show"
    QUEUE_REMOVE = "queue-remove"
    QUEUE_CLEAR = "queue-clear"
    QUEUE_SHUFFLE = "queue-shuffle"


EVERYBODYS = frozenset({Verb.QUEUE_SHOW})
"""Orders that need no right to control players."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and from where; `guild_id` None: a direct message.

    While somebody types their profile is not looked up: then `profile_id` is None.
    """

    member_id: MemberId
    guild_id: GuildId | None
    profile_id: ProfileId | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One wish. `player` and `title` are what the member gave: a reference's text or a name; None when left out.

    `value` is the position, the level (whole percent, or a change such as "+10"), the track or the queue item.
    """

    verb: Verb
    player: str | None = None
    title: str | None = None
    value: str | None = None
    from_start: bool = False
    shuffle: bool = False

    def to_state(self) -> dict[str, Any]:
        """As JSON for the database."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Order:
        """The inverse of `to_state`."""
        return cls(**{**state, "verb": Verb(state["verb"])})


@dataclass(frozen=True, slots=True)
class Done:
    """Carried out; `sentence` says what, as plain text with names in it: not yet safe as Markdown."""

    sentence: str
    player: Player


@dataclass(frozen=True, slots=True)
class Started:
    """A title was started: of a show it is the episode that plays."""

    title: Title
    player: Player


@dataclass(frozen=True, slots=True)
class Listing:
    """The play queue of a player; None when it has none."""

    queue: PlayQueue | None
    player: Player


@dataclass(frozen=True, slots=True)
class PickTitle:
    """Several titles fit: the member chooses, best first, at most 25."""

    order: Order
    titles: tuple[Title, ...]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class PickPlayer:
    """Several players fit: the member chooses, at most 25."""

    order: Order
    players: tuple[Player, ...]


Outcome = Done | Started | Listing | PickTitle | PickPlayer

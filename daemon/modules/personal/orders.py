"""What somebody wants done on their account, and what comes of it, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from daemon.core.ids import GuildId, MemberId, ProfileId
from daemon.core.limits import QUERY_CHARS_MAX
from daemon.core.media import Player, Title
from integrations.plex.playlists import Entry


class Verb(StrEnum):
    """What can be asked for."""

    WATCHED = "watched"
    UNWATCHED = "unwatched"
    RATE = "rate"
    RESUME = "resume"
    CREATE = "create"
    ADD = "add"
    REMOVE = "remove"
    DELETE = "delete"
    PLAY = "play"


PLAYING = frozenset({Verb.RESUME, Verb.PLAY})
"""Orders that need the right to control players."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and from where: what they may see depends on both."""

    member_id: MemberId
    guild_id: GuildId | None
    profile_id: ProfileId


@dataclass(frozen=True, slots=True)
class Order:
    """One wish; texts are what the person gave: a reference's text or a name. `is_sure`: they were asked."""

    verb: Verb
    title: str | None = None
    playlist: str | None = None
    name: str | None = None
    stars: int | None = None
    player: str | None = None
    is_sure: bool = False

    def bounded(self) -> Order:
        """With texts that are short enough to be searched for and kept, however much somebody pasted."""
        given = (self.title, self.playlist, self.name, self.player)
        title, playlist, name, player = (text and text[: 4 * QUERY_CHARS_MAX] for text in given)
        return replace(self, title=title, playlist=playlist, name=name, player=player)

    def to_state(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Order:
        """The inverse of `to_state`."""
        return cls(**{**state, "verb": Verb(state["verb"])})


@dataclass(frozen=True, slots=True)
class Undo:
    """The way back from what was done to a title of this account.

    Of `WATCHED` and `UNWATCHED`: the titles that are to be marked the other way, and where some of them were left, as
    (rating key, ms). Of `RATE`: the `rating` of before.
    """

    verb: Verb
    account_id: int
    title: str
    name: str
    keys: tuple[int, ...] = ()
    offsets_ms: tuple[tuple[int, int], ...] = ()
    rating: float | None = None

    def to_state(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Undo:
        """The inverse of `to_state`."""
        offsets_ms = tuple((int(key), int(ms)) for key, ms in state["offsets_ms"])
        return cls(**{**state, "verb": Verb(state["verb"]), "keys": tuple(state["keys"]), "offsets_ms": offsets_ms})


@dataclass(frozen=True, slots=True)
class Done:
    """Carried out, or found to be so already (not `is_good`). Plain text with names in it, not yet safe as Markdown.

    `undo` None: there is nothing to undo, or no way back.
    """

    sentence: str
    details: tuple[str, ...] = ()
    undo: Undo | None = None
    is_good: bool = True


@dataclass(frozen=True, slots=True)
class Started:
    """A title was started; `playlist`: it is the first of one, of which `left_out` titles are too many to be played."""

    title: Title
    player: Player
    offset_ms: int = 0
    playlist: str | None = None
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Ask:
    """Whether it is meant: a question, what will happen (plain text), and what the button says that does it."""

    order: Order
    question: str
    details: tuple[str, ...]
    label: str
    is_grave: bool = False


@dataclass(frozen=True, slots=True)
class PickTitle:
    """Several titles fit: which one?"""

    order: Order
    titles: tuple[Title, ...]


@dataclass(frozen=True, slots=True)
class PickEntry:
    """A playlist holds the title several times, or several that fit: which entry? With their places, from 1."""

    order: Order
    entries: tuple[tuple[int, Entry], ...]


@dataclass(frozen=True, slots=True)
class PickPlayer:
    """Several players fit: which one?"""

    order: Order
    players: tuple[Player, ...]


Outcome = Done | Started | Ask | PickTitle | PickEntry | PickPlayer

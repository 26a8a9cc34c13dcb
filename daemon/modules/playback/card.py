"""One card: where it stands, what it shows, and how it is shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from daemon.core.ids import ChannelId, MessageId, ModuleId, PanelId
from daemon.core.media import Playback, PlayerRef
from daemon.services.panels import Panel

from .faces import Face
from .orders import Asker

MODULE = ModuleId("playback")
KIND = "card"


class Shown(Enum):
    """What became of an edit."""

    OK = auto()
    GONE = auto()  # somebody deleted the message or the channel
    FORBIDDEN = auto()  # the bot may not see the channel
    LATER = auto()  # Discord is not to be had now; the next look tries again


Poster = bytes | None
Show = Callable[[Panel, Face, tuple[Poster] | None], Awaitable[Shown]]
"""Edits the card's message. The last argument is None while the poster stays, else a tuple of the new one, if any."""

Post = Callable[[PanelId, Face, Poster], Awaitable[tuple[ChannelId, MessageId] | None]]
"""Posts a new card; None when Discord did not say where it stands."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a card is looked at: see the module's settings."""

    fast_s: float
    slow_s: float
    slow_after_s: float


@dataclass(slots=True, eq=False)
class Card:
    """An open card, as far as this process knows."""

    panel: Panel
    player: PlayerRef
    asker: Asker  # who asked for it: it shows what they may see, which is never more than everybody in its guild may
    face: Face  # what the message shows; after a restart what it is about
    is_shown: bool  # whether `face` is what the message shows
    problem: str | None = None  # why the player cannot be controlled
    playback: Playback | None = None
    looked_at: datetime | None = None
    edited_at: datetime | None = None
    missing: int = 0  # looks in a row at which the player showed nothing
    stamp: int = 0  # rises with every press: a look that began before it is out of date
    is_queued: bool = False
    is_busy: bool = False  # a worker looks at it: one edit of a message in flight
    is_again: bool = False  # news came meanwhile
    is_replaced: bool = False
    is_held: bool = False  # not edited for now
    trace_id: str = ""  # of what it is queued for


@contextmanager
def held(cards: Iterable[Card]) -> Iterator[None]:
    """Edit none of them meanwhile."""
    cards = tuple(cards)
    for card in cards:
        card.is_held = True
    try:
        yield
    finally:
        for card in cards:
            card.is_held = False

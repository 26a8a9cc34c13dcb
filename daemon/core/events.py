"""Events: what happened, in the past tense. One class for everybody: modules own none.

An event is kept for weeks and may be read by a newer program than the one that wrote it. So: change a class (another
field, another meaning) only together with its `VERSION`, and say in `daemon.services.events.catalog` how an old body
becomes a new one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(ABC):
    """A fact. Two events with one `event_id` are the same fact: the second is not published again."""

    TYPE: ClassVar[str]  # its name for ever: a class may be renamed, the word that is stored may not
    VERSION: ClassVar[int] = 1

    occurred_at: datetime

    @abstractmethod
    def event_id(self) -> str:
        """1 to 300 characters, derived from the source of the fact and never from chance or from when we noticed."""

    def ordering_key(self) -> str | None:
        """Events of one key reach each subscription one after the other, as they were published; None: as they come."""
        return None

    def micros(self) -> int:
        """When it occurred, in microseconds since 1970: what most ids end with."""
        return (self.occurred_at - _EPOCH) // _MICROSECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLost(Event):
    """A Plex server that was there cannot be used any more. `problem` completes "Plex ...": "is unreachable"."""

    TYPE: ClassVar[str] = "server_lost"

    server: str
    problem: str

    def event_id(self) -> str:
        """The server and when it was first missed."""
        return f"plex:{self.server}:lost:{self.micros()}"

    def ordering_key(self) -> str | None:
        """Lost and back again must not change places."""
        return f"plex:{self.server}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerBack(Event):
    """A Plex server that was lost since `lost_at` answers again."""

    TYPE: ClassVar[str] = "server_back"

    server: str
    lost_at: datetime

    def event_id(self) -> str:
        """The server and when it answered."""
        return f"plex:{self.server}:back:{self.micros()}"

    def ordering_key(self) -> str | None:
        """Lost and back again must not change places."""
        return f"plex:{self.server}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDied(Event):
    """A message of a queue was given up and lies among the dead letters. `reason` is one word of `services.queue`."""

    TYPE: ClassVar[str] = "message_died"

    letter_id: int
    queue: str
    topic: str
    reason: str
    attempts: int
    source: str

    def event_id(self) -> str:
        """The letter's own number, which none gets twice."""
        return f"letter:{self.letter_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatcherAlarmed(Event):
    """Deliveries are not as published: how many of each kind, by the words of `services.watcher`.

    `after` is the number of the watcher's event before this one, 0 for the first: several processes watch, and of one
    turn of things there is one event.
    """

    TYPE: ClassVar[str] = "watcher_alarmed"

    findings: dict[str, int]
    after: int

    def event_id(self) -> str:
        """What it followed."""
        return f"watcher:{self.after}"

    def ordering_key(self) -> str | None:
        """Alarm and all-clear must not change places."""
        return "watcher"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatcherCleared(Event):
    """Every delivery is as published again, after the alarm numbered `after`."""

    TYPE: ClassVar[str] = "watcher_cleared"

    after: int

    def event_id(self) -> str:
        """What it followed."""
        return f"watcher:{self.after}"

    def ordering_key(self) -> str | None:
        """Alarm and all-clear must not change places."""
        return "watcher"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupMade(Event):
    """A backup was written and read back."""

    TYPE: ClassVar[str] = "backup_made"

    name: str
    size_bytes: int

    def event_id(self) -> str:
        """The name of its file."""
        return f"backup:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupFailed(Event):
    """A backup could not be made, or not be read back. `problem` is a sentence for the operator."""

    TYPE: ClassVar[str] = "backup_failed"

    problem: str

    def event_id(self) -> str:
        """When it failed."""
        return f"backup:failed:{self.micros()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingsChanged(Event):
    """What a guild sees has changed. `change` is "bound" or "unbound" and what: "bound attic 1"."""

    TYPE: ClassVar[str] = "bindings_changed"

    guild_id: int
    change: str

    def event_id(self) -> str:
        """The guild, what was changed, and when."""
        return f"bindings:{self.guild_id}:{self.change}:{self.micros()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinksChanged(Event):
    """A Plex account was linked or unlinked, or other things are shared with it: `change` says which."""

    TYPE: ClassVar[str] = "links_changed"

    profile_id: int
    change: str

    def event_id(self) -> str:
        """The profile, what happened, and when."""
        return f"links:{self.profile_id}:{self.change}:{self.micros()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonForgotten(Event):
    """Everything about a person was erased, as they asked: whoever remembers them has to forget them as well."""

    TYPE: ClassVar[str] = "person_forgotten"

    profile_id: int

    def event_id(self) -> str:
        """A profile is forgotten once."""
        return f"forgotten:{self.profile_id}"


EVENTS: tuple[type[Event], ...] = (
    ServerLost,
    ServerBack,
    MessageDied,
    WatcherAlarmed,
    WatcherCleared,
    BackupMade,
    BackupFailed,
    BindingsChanged,
    LinksChanged,
    PersonForgotten,
)
"""Every class above that is a fact."""

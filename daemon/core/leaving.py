"""Leaving soon: what is listed for leaving by which rule, and what becomes of each title."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from daemon.core.ids import AppId, ChannelId, GuildId, MessageId, ProfileId, RatingKey, ServerId
from daemon.core.media import TitleKind, TitleRef
from daemon.core.visibility import LibraryRef

GB = 10**9


class RoundState(StrEnum):
    """Where a round is. Members may keep while it is open; an owner decides while it is closed."""

    OPEN = "open"
    CLOSED = "closed"
    DELETING = "deleting"
    DONE = "done"


class Outcome(StrEnum):
    """What became of a listed title, for good."""

    KEPT = "kept"  # a member wanted it
    DELETED = "deleted"
    GONE = "gone"  # it was not there any more when it was to be deleted
    REFUSED = "refused"  # it is not, or may not be, what was listed; the reason says why
    LEFT = "left"  # nobody pressed Delete


class Reason(StrEnum):
    """Why a title was not deleted although nobody kept it."""

    REPLACED = "replaced"  # another title has its number now
    FILES = "files"  # its files are not those that were listed
    MOVED = "moved"  # it is in another library
    PLAYED = "played"  # somebody has played it since it was listed
    PLAYING = "playing"  # somebody is playing it
    STAYED = "stayed"  # the server said that it was deleted, and still has it
    FAILED = "failed"  # the server could not do it, several times


class Halt(StrEnum):
    """Why the deletion of a whole round was given up before its end; an owner may press again."""

    SWITCHED_OFF = "switched-off"  # the server does not let media be deleted
    REFUSED = "refused"  # the server does not take our token
    AWAY = "away"  # the server did not answer for too long


@dataclass(frozen=True, slots=True)
class Rule:
    """Which titles are listed. Rating is of 10, in tenths; `keep_days` is how long members may press Keep.

    What they keep is not listed again for `exempt_days`.
    """

    unwatched_days: int
    keep_days: int
    exempt_days: int
    size_bytes_min: int = 0
    rating_tenths_max: int | None = None

    def to_state(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "unwatched_days": self.unwatched_days,
            "keep_days": self.keep_days,
            "exempt_days": self.exempt_days,
            "size_bytes_min": self.size_bytes_min,
            "rating_tenths_max": self.rating_tenths_max,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Rule:
        """From JSON."""
        return cls(**state)


@dataclass(frozen=True, slots=True)
class Listed:
    """A title as it is listed: what it must still be when it is deleted.

    Sizes and files are of all its versions, of a show of all its episodes. `played_at` is when anybody played it last.
    """

    rating_key: RatingKey
    kind: TitleKind
    guid: str
    name: str
    year: int | None
    size_bytes: int
    files: int
    added_at: datetime
    played_at: datetime | None
    rating_tenths: int | None

    def __str__(self) -> str:
        """`Dune (2021)`."""
        return f"{self.name} ({self.year})" if self.year else self.name

    def to_state(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "rating_key": self.rating_key, "kind": self.kind.value, "guid": self.guid, "name": self.name,
            "year": self.year, "size_bytes": self.size_bytes, "files": self.files,
            "added_at": self.added_at.isoformat(), "rating_tenths": self.rating_tenths,
            "played_at": None if self.played_at is None else self.played_at.isoformat(),
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Listed:
        """From JSON."""
        played_at = state["played_at"]
        return cls(
            RatingKey(state["rating_key"]), TitleKind(state["kind"]), state["guid"], state["name"], state["year"],
            state["size_bytes"], state["files"], datetime.fromisoformat(state["added_at"]),
            None if played_at is None else datetime.fromisoformat(played_at), state["rating_tenths"],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Round:
    """Titles of one library that were announced together, and where that stands.

    `message_id` None: the card is not posted yet (`posted_at` None) or is gone. `revision` counts changes that the
    card has to show, `shown` is the one it shows. `confirmed_by` is the owner who had the rest deleted.
    """

    round_id: int
    guild_id: GuildId
    library: LibraryRef
    library_name: str
    rule: Rule
    announced_by: ProfileId | None
    announced_at: datetime
    keep_until: datetime
    state: RoundState
    closed_at: datetime | None
    confirmed_by: ProfileId | None
    confirmed_at: datetime | None
    ended_at: datetime | None
    halt: Halt | None
    app_id: AppId
    channel_id: ChannelId
    message_id: MessageId | None
    posted_at: datetime | None
    revision: int
    shown: int


@dataclass(frozen=True, slots=True)
class RoundTitle:
    """A title of a round with what members and owners have decided. `outcome` None: nothing is decided yet.

    `sent_at`: the server was asked to delete it, and whether it did is not known.
    """

    title_id: int
    round_id: int
    server: ServerId
    listed: Listed
    keeps: int
    outcome: Outcome | None
    reason: Reason | None
    decided_at: datetime | None
    freed_bytes: int
    sent_at: datetime | None
    attempts: int

    @property
    def ref(self) -> TitleRef:
        """The title on its server, as it was listed."""
        return TitleRef(self.server, self.listed.rating_key)

    @property
    def is_wanted(self) -> bool:
        """Whether a member keeps it."""
        return self.keeps > 0 or self.outcome is Outcome.KEPT


@dataclass(frozen=True, slots=True)
class Standing:
    """What a server says of a title now. Sizes and files as in `Listed`."""

    library: str
    guid: str
    name: str
    size_bytes: int
    files: int


def difference(listed: Listed, library: str, now: Standing) -> Reason | None:
    """What keeps a title from being the one that was listed; None when nothing does."""
    if (now.guid, now.name) != (listed.guid, listed.name):
        return Reason.REPLACED
    if now.library != library:
        return Reason.MOVED
    if (now.size_bytes, now.files) != (listed.size_bytes, listed.files):
        return Reason.FILES
    return None

"""What the delivery of notices asks of Discord; implemented by the Discord integration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Protocol

from daemon.core.ids import AppId, ChannelId, MemberId, ModuleId
from daemon.services.notify.notice import Notice


class Fate(Enum):
    """What became of a request."""

    DONE = auto()  # posted, opened, found
    ABSENT = auto()  # looked for, and not there
    REFUSED = auto()  # this bot cannot: no channel, no permission, a member who takes no messages, a bad message
    LATER = auto()  # not done, and worth trying again
    UNKNOWN = auto()  # the answer was lost: it may have been done


@dataclass(frozen=True, slots=True)
class Answer:
    """`snowflake` is the message or channel when it is DONE; `detail` says for the log and for owners what is wrong."""

    fate: Fate
    snowflake: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Speakers:
    """Who can post now, in the order in which they should try. `is_complete`: no further bot will come up."""

    app_ids: Sequence[AppId]
    is_complete: bool


class NoticeSender(Protocol):
    """Bots that are logged in. Nothing is raised for what Discord does or does not do."""

    def speakers(self, module: ModuleId) -> Speakers:
        """The bots that serve `module`, then the others."""
        ...

    async def open_direct(self, app_id: AppId, member_id: MemberId) -> Answer:
        """The channel for direct messages with a member; opening it twice gives the same one."""
        ...

    async def post(self, app_id: AppId, channel_id: ChannelId, notice: Notice) -> Answer:
        """Post under the notice's nonce, which for some minutes gives back the first message instead of a second."""
        ...

    async def find(self, app_id: AppId, channel_id: ChannelId, nonce: str, since: datetime) -> Answer:
        """Look for the message of a nonce, posted at `since` or later by this application.

        ABSENT only when all messages since then were read; REFUSED when they cannot be.
        """
        ...

"""What is to be said in Discord, as one value that survives a restart."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

import msgspec

from daemon.core.ids import ChannelId, MemberId, ModuleId

NONCE_CHARS = 25  # as many as Discord takes: 125 bits


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to a channel, or to a member directly: one of the two ids is given.

    `key` makes it the same notice: of several with one key the first is posted ("server_lost:attic:2026-11-20T18:03").
    `text` and `title` are Markdown, so what others wrote has to be made safe by the caller; they are cut to what
    Discord takes. `module` is who speaks, which decides the bot. `accent` colours the edge (0xRRGGBB), `url` becomes a
    button.
    """

    module: ModuleId
    key: str
    text: str
    channel_id: ChannelId | None = None
    member_id: MemberId | None = None
    title: str = ""
    accent: int | None = None
    url: str = ""
    url_label: str = "Open"
    source: str = ""
    trace_id: str = ""

    def __post_init__(self) -> None:
        if (self.channel_id is None) == (self.member_id is None):
            raise ValueError("a notice goes to a channel or to a member")
        if not self.key or not self.text:
            raise ValueError("a notice has a key and a text")

    @property
    def nonce(self) -> str:
        """The key in 25 characters: Discord's word for it, and ours."""
        digest = hashlib.sha256(self.key.encode()).digest()
        return base64.b32encode(digest).decode().lower()[:NONCE_CHARS]

    @property
    def order(self) -> str:
        """Notices with the same order arrive one after the other."""
        return f"member:{self.member_id}" if self.channel_id is None else f"channel:{self.channel_id}"


def encode(notice: Notice) -> bytes:
    """The notice as it waits in the queue."""
    return msgspec.json.encode(notice)


def decode(body: bytes) -> Notice:
    """The notice of `encode`; msgspec.DecodeError for anything else. Fields that are missing have their defaults."""
    return msgspec.json.decode(body, type=Notice)

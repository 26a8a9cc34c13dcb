"""What goes into the adapter and comes out of it; no plexapi here."""

from __future__ import annotations

from dataclasses import dataclass, field

from daemon.core.errors import UpstreamError, UpstreamKind


@dataclass(frozen=True, slots=True)
class ServerSpec:
    """A server as the adapter needs it: its address, our identity, who it must be, and how long it may take."""

    service: str  # its name for people
    url: str
    token: str = field(repr=False)
    machine_id: str
    client_identifier: str
    connect_s: float
    request_s: float
    player_s: float
    first_command_id: int = 1  # a player ignores numbers it has seen, also from before a restart of ours


@dataclass(frozen=True, slots=True)
class Target:
    """A player as commands need it. `base_url` is None when only the server can reach it."""

    player_id: str
    name: str
    product: str = ""
    base_url: str | None = None
    capabilities: str = ""


@dataclass(frozen=True, slots=True)
class QueueMade:
    """A new play queue and the title it starts with; None for an empty one."""

    queue_id: int
    rating_key: str | None
    key: str | None


@dataclass(frozen=True, slots=True)
class TimelineState:
    """What a player says of one media type; None where it says nothing. `subtitle_id` 0 or less is off.

    `machine_id` is the server it plays from: rating keys and queues mean something there only.
    """

    media_type: str  # "video" or "music"
    state: str
    machine_id: str | None = None
    rating_key: str | None = None
    position_ms: int | None = None
    duration_ms: int | None = None
    volume: int | None = None
    queue_id: int | None = None
    audio_id: int | None = None
    subtitle_id: int | None = None


class PlayerRefused(UpstreamError):
    """The player, or the server for it, answered that it does not know the command or the player."""

    def __init__(self, service: str, status: int) -> None:
        super().__init__(service, UpstreamKind.NOT_FOUND, f"HTTP {status}")
        self.status = status

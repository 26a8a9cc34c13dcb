"""What the Plex integration is told from outside: servers, time-outs and bounds."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PlexServerConfig:
    """How to reach one server. `url` may carry a path (a reverse proxy); the token never appears in a repr."""

    url: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PlexTimeouts:
    """How long things may take and how often they are tried, in seconds of real time."""

    connect_s: float = 3.0
    request_s: float = 10.0  # one answer of a server, body included
    page_s: float = 60.0  # one page of a library listing; a large server takes its time
    player_s: float = 4.0  # one answer of a player reached directly
    poster_s: float = 5.0
    retry_first_s: float = 1.0  # connection and websocket: back-off between attempts
    retry_max_s: float = 60.0
    ping_s: float = 15.0  # websocket ping; an answer is due within half of it
    probe_every_s: float = 60.0  # identity check while connected
    players_fresh_s: float = 5.0  # a list of players is reused for this long
    uncontrollable_fresh_s: float = 300.0  # a player that could not be controlled is tried again after this
    breaker_open_s: float = 30.0
    breaker_failures_max: int = 5

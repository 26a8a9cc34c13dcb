"""Plex: servers, titles, players, commands. `Plex` is the door; everything else is behind it."""

from __future__ import annotations

from integrations.plex.account import PlexTv
from integrations.plex.config import PlexServerConfig, PlexTimeouts
from integrations.plex.connection import ServerState
from integrations.plex.live import LiveTitles
from integrations.plex.plex import Plex

__all__ = ["LiveTitles", "Plex", "PlexServerConfig", "PlexTimeouts", "PlexTv", "ServerState"]

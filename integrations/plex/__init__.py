"""Plex: servers, titles, players, commands. `Plex` is the door; everything else is behind it."""

from __future__ import annotations

from integrations.plex.account import PlexTv
from integrations.plex.config import PlexServerConfig, PlexTimeouts
from integrations.plex.connection import ServerState
from integrations.plex.known_players import KnownPlayers
from integrations.plex.personal import Personal
from integrations.plex.personal_access import PersonalAccess
from integrations.plex.player_choice import PlayerChoice
from integrations.plex.playlists import Playlists
from integrations.plex.plex import Plex

__all__ = [
    "KnownPlayers",
    "Personal",
    "PersonalAccess",
    "PlayerChoice",
    "Playlists",
    "Plex",
    "PlexServerConfig",
    "PlexTimeouts",
    "PlexTv",
    "ServerState",
]

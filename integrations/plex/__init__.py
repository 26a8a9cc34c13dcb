"""Plex: servers, titles, players, commands. `Plex` is the door; everything else is behind it."""

from __future__ import annotations

from integrations.plex.account import PlexTv
from integrations.plex.collections import Collections, CollectionState
from integrations.plex.config import PlexServerConfig, PlexTimeouts
from integrations.plex.connection import ServerState
from integrations.plex.editing import Editing
from integrations.plex.history import LastPlays
from integrations.plex.known_players import KnownPlayers
from integrations.plex.live import LiveTitles
from integrations.plex.personal import Personal
from integrations.plex.personal_access import PersonalAccess
from integrations.plex.player_choice import PlayerChoice, seen_roster
from integrations.plex.playlists import Playlists
from integrations.plex.plex import Plex
from integrations.plex.removal import Removal
from integrations.plex.removal_values import Deletion
from integrations.plex.trash import Trash, Trashed
from integrations.plex.upkeep import Activity, Upkeep

__all__ = [
    "Activity",
    "CollectionState",
    "Collections",
    "Deletion",
    "Editing",
    "KnownPlayers",
    "LastPlays",
    "LiveTitles",
    "Personal",
    "PersonalAccess",
    "PlayerChoice",
    "Playlists",
    "Plex",
    "PlexServerConfig",
    "PlexTimeouts",
    "PlexTv",
    "Removal",
    "ServerState",
    "Trash",
    "Trashed",
    "Upkeep",
    "seen_roster",
]

"""Every table, by importing every file that defines one: what `metadata` holds once this is imported."""

from __future__ import annotations

from daemon.data import audit, guilds, interactions, keys, panels, people, plex_servers, version

__all__ = ["audit", "guilds", "interactions", "keys", "panels", "people", "plex_servers", "version"]

"""Every table, by importing every file that defines one: what `metadata` holds once this is imported."""

from __future__ import annotations

from daemon.data import (
    audit,
    events,
    guilds,
    interactions,
    keys,
    notices,
    panels,
    people,
    plex_servers,
    schedules,
    version,
)
from daemon.data.library import tables as library
from daemon.data.queue import tables as queue

__all__ = [
    "audit",
    "events",
    "guilds",
    "interactions",
    "keys",
    "library",
    "notices",
    "panels",
    "people",
    "plex_servers",
    "queue",
    "schedules",
    "version",
]

"""Every table, by importing every file that defines one: what `metadata` holds once this is imported."""

from __future__ import annotations

from daemon.data import (
    audit,
    bindings,
    events,
    forgotten,
    guilds,
    interactions,
    keys,
    link_requests,
    links,
    notices,
    panels,
    people,
    plays,
    plex_servers,
    privacy,
    schedules,
    version,
)
from daemon.data.leaving import tables as leaving
from daemon.data.library import tables as library
from daemon.data.queue import tables as queue

__all__ = [
    "audit",
    "bindings",
    "events",
    "forgotten",
    "guilds",
    "interactions",
    "keys",
    "leaving",
    "library",
    "link_requests",
    "links",
    "notices",
    "panels",
    "people",
    "plays",
    "plex_servers",
    "privacy",
    "queue",
    "schedules",
    "version",
]

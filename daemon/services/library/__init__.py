"""The libraries: mirrored from their servers, and searched."""

from __future__ import annotations

from daemon.services.library.mirror import Mirror
from daemon.services.library.mirroring import Mirroring
from daemon.services.library.search import Search
from daemon.services.library.shelves import Shelves
from daemon.services.library.source import Outcome, Progress, Source, Summary
from daemon.services.library.stock import Stock

SEARCH_FILE = "search.sqlite3"
"""Its name in the data folder; whoever deletes it loses nothing."""

__all__ = [
    "SEARCH_FILE", "Mirror", "Mirroring", "Outcome", "Progress", "Search", "Shelves", "Source", "Stock", "Summary",
]  # fmt: skip

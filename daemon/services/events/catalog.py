"""The catalog of this program: every event of `daemon.core.events`, and how older versions of them become today's.

When a class changes, raise its VERSION and add a function here: `UPCASTERS["server_lost", 1]` is given the fields of
version 1, as JSON has them, and returns those of version 2.
"""

from __future__ import annotations

from typing import Final

from daemon.core.events import EVENTS
from daemon.services.events.coding import Catalog, Upcaster

UPCASTERS: Final[dict[tuple[str, int], Upcaster]] = {}

CATALOG: Final = Catalog(EVENTS, UPCASTERS)

"""Was the server lost, is it back? Said once to the rest of the daemon, as an event."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime

import structlog

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.ids import ServerId
from daemon.services.servers import Servers

_log = structlog.get_logger(__name__)

_MISSES = 2  # looks in a row: one lost answer is no lost server


class Presence:
    """Tells `Servers` when the server is lost or back, after each look until that has been stored.

    Which of the two was said last is kept in the database. So nothing is said twice after a restart, a change that
    happened while the daemon was away is said at the first look, and what could not be stored is said at the next.
    """

    def __init__(self, server: ServerId, registry: Servers) -> None:
        self._server = server
        self._registry = registry
        self._is_there: bool | None = None  # as last stored by this process
        self._misses = 0
        self._missed_at: datetime | None = None

    async def seen(self, at: datetime) -> None:
        """The server answered."""
        self._misses = 0
        if self._is_there is not True and await self._store(self._registry.mark_back(self._server, at)):
            self._is_there = True

    async def missed(self, kind: UpstreamKind, at: datetime) -> None:
        """The server did not answer, or not as ours does. It was lost when it was first missed."""
        self._misses += 1
        if self._misses == 1 or self._missed_at is None:
            self._missed_at = at
        if self._misses < _MISSES or self._is_there is False:
            return
        if await self._store(self._registry.mark_lost(self._server, self._missed_at, str(kind))):
            self._is_there = False

    async def _store(self, work: Awaitable[None]) -> bool:
        try:
            await work
        except UpstreamError as error:  # the database, or a queue that is full
            _log.warning("plex_presence_not_stored", server=self._server, problem=str(error))
            return False
        return True

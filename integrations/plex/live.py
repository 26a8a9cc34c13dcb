"""What servers find and list themselves: for titles that the mirror does not hold, or does not hold yet."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from daemon.core.errors import UpstreamError
from daemon.core.ids import ServerId
from daemon.core.media import Found, Title
from daemon.core.query import Query, place_of
from integrations.plex.http import within
from integrations.plex.plex import Plex
from integrations.plex.titles import Titles

SEARCH_S = 1.0  # members wait for it
PLAYLISTS_MAX = 500  # of one server


class LiveTitles:
    """As the account of a server's token sees them: whoever passes them on has to leave out what others may not see."""

    def __init__(self, plex: Plex) -> None:
        self._plex = plex

    async def search(self, text: str, servers: Collection[ServerId], limit: int) -> Found:
        """What the servers find by title, best first; each gets one second.

        `is_complete` is False when one of them did not answer in that time.
        """
        query = Query.parse(text)
        if not query.words:
            return Found(())
        answers = await asyncio.gather(
            *(within(SEARCH_S, _search(self._plex.server(name).titles, query, limit)) for name in servers)
        )
        titles = [title for answer in answers for title in answer or ()]
        best = sorted(titles, key=lambda title: place_of(query, title))[:limit]
        return Found(tuple(best), all(answer is not None for answer in answers))

    async def playlists(self, server: ServerId) -> tuple[Title, ...]:
        """The playlists of the account of the server's token. UpstreamError."""
        return tuple(await self._plex.server(server).titles.playlists(PLAYLISTS_MAX))


async def _search(titles: Titles, query: Query, limit: int) -> list[Title] | None:
    try:
        return await titles.search(query.key, None, limit)
    except UpstreamError:
        return None

"""Finding the title that a member means, among those that they may see."""

from __future__ import annotations

from dataclasses import dataclass

from daemon.core.limits import AUTOCOMPLETE_CHOICES_MAX
from daemon.core.media import Title
from daemon.core.query import NONE, Query, is_like, sorted_in, tier_of
from daemon.core.visibility import Visibility
from daemon.services.library import Search
from integrations.plex import LiveTitles

from .known_playlists import KnownPlaylists
from .orders import Asker
from .sight import Sight

_ASKED_FOR = 200  # of the servers: what is not seen is left out of their answers, not out of their search


@dataclass(frozen=True, slots=True)
class Finds:
    """Titles, best first.

    `is_complete`: every server that was asked has answered; `is_ready`: the search holds all that is seen.
    """

    titles: tuple[Title, ...]
    is_complete: bool = True
    is_ready: bool = True


class Finding:
    """The search, playlists, and while a server's libraries have not all been read, that server's own search.

    A server is also asked when the search finds nothing: it knows titles by their original names, and what was added
    within the last seconds.
    """

    def __init__(self, search: Search, live: LiveTitles, playlists: KnownPlaylists, sight: Sight) -> None:
        self._search = search
        self._live = live
        self._playlists = playlists
        self._sight = sight

    async def suggest(self, text: str, asker: Asker) -> list[Title]:
        """For somebody who is typing; the newest titles for an empty text."""
        sees = await self._sight.of(asker)
        titles = await self._search.suggest(text, sees, limit=AUTOCOMPLETE_CHOICES_MAX)
        query = Query.parse(text)
        if not query.words:
            return titles
        titles = sorted_in(query, titles, await self._fitting_playlists(query, asker))
        if self._unready(sees):
            titles = sorted_in(
                query, titles, (await self._from_servers(text, asker, sees, AUTOCOMPLETE_CHOICES_MAX)).titles
            )
        return titles[:AUTOCOMPLETE_CHOICES_MAX]

    async def find(self, text: str, asker: Asker, limit: int) -> Finds:
        """For a whole query."""
        sees = await self._sight.of(asker)
        query = Query.parse(text)
        if not query.words:  # nothing but signs: there are no words to go by
            newest = await self._search.suggest(text, sees, limit=AUTOCOMPLETE_CHOICES_MAX)
            return Finds(tuple(title for title in newest if text in title.name))
        near = (await self._search.find(text, sees, limit=limit)).titles
        found = [title for title in near if is_like(query, title)]  # what is meant will be played: no wild guesses
        titles = sorted_in(query, found, await self._fitting_playlists(query, asker))
        is_ready = not self._unready(sees)
        if titles and is_ready:
            return Finds(tuple(titles[:limit]))
        live = await self._from_servers(text, asker, sees, limit)
        return Finds(tuple(sorted_in(query, titles, live.titles)[:limit]), live.is_complete, is_ready)

    def _unready(self, sees: Visibility) -> bool:
        return not all(self._search.holds(server) for server in self._sight.servers(sees))

    async def _fitting_playlists(self, query: Query, asker: Asker) -> list[Title]:
        fitting = [title for title in self._playlists.recall() if tier_of(query, title)[0] != NONE]
        return await self._sight.seen(fitting, asker) if fitting else []

    async def _from_servers(self, text: str, asker: Asker, sees: Visibility, limit: int) -> Finds:
        found = await self._live.search(text, self._sight.servers(sees), _ASKED_FOR)
        return Finds(tuple(await self._sight.seen(found.titles, asker))[:limit], found.is_complete)

"""Search and hubs."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from aiohttp import web

from simulators.plex.answers import (
    NotThere,
    account_of,
    container,
    flag,
    library_container,
    number,
    reply,
    window,
    with_paging,
)  # fmt: skip
from simulators.plex.deck import deck
from simulators.plex.elements import element, section_attrs
from simulators.plex.items import Item
from simulators.plex.listing import matches_words
from simulators.plex.render import El, Value
from simulators.plex.server import Server
from simulators.plex.world import Account

HUBS = (
    ("movie", "Movies"), ("show", "Shows"), ("season", "Seasons"), ("episode", "Episodes"), ("artist", "Artists"),
    ("album", "Albums"), ("track", "Tracks"), ("playlist", "Playlists"), ("collection", "Collections"),
)  # fmt: skip
SCAN_MAX = 200  # matches looked at before the best are chosen
RESULTS_MAX = 100


class SearchRoutes:
    """`/hubs/...`, `/search`, `/library/search`."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._world = server.world

    def table(self) -> list[web.RouteDef]:
        """Routes for the application."""
        return [
            web.get("/hubs/search", self.hub_search),
            web.get("/hubs", self.hubs),
            web.get("/hubs/promoted", self.hubs),
            web.get("/hubs/home/recentlyAdded", self.hubs),
            web.get("/hubs/sections/{section}", self.hubs),
            web.get("/hubs/continueWatching", self.continue_watching),
            web.get("/hubs/continueWatching/items", self.continue_watching_items),
            web.get("/hubs/home/continueWatching", self.continue_watching),
            web.get("/library/search", self.library_search),
            web.get("/search", self.search),
        ]

    def _matches(self, text: str, kind: str, account: Account) -> list[tuple[float, Item]]:
        """Best first: the whole title, its beginning, a word's beginning, anywhere."""
        wanted = text.casefold().strip()
        if not wanted:
            return []
        pool = self._world.visible(account, self._world.listed(None, kind))
        found = islice((item for item in pool if matches_words(item.title, wanted)), SCAN_MAX)
        scored = [(_score(item.title.casefold(), wanted), item) for item in found]
        return sorted(scored, key=lambda row: -row[0])

    async def hub_search(self, request: web.Request) -> web.Response:
        """A hub for each kind of title, filled or empty, at most `limit` titles in each."""
        text, limit = request.query.get("query", ""), number(request, "limit", 3)
        account, section = account_of(request), number(request, "sectionId")
        hubs = []
        for kind, title in HUBS:
            items = [item for _, item in self._matches(text, kind, account)]
            if section:
                items = [item for item in items if item.section == section]
            hubs.append(self._hub(kind, title, items, limit, account, guids=flag(request, "includeGuids")))
        hubs.sort(key=lambda hub: hub.attrs["size"] == 0)
        return reply(request, container(hubs, identifier="com.plexapp.plugins.library"))

    def _hub(
        self,
        kind: str,
        title: str,
        items: list[Item],
        limit: int,
        account: Account,
        *,
        guids: bool = False,
        name: str = "",
    ) -> El:
        shown = items[:limit]
        rows = [element(self._world, item, account, guids=guids) for item in shown]
        for row, item in zip(rows, shown, strict=True):
            if item.section:
                row.attrs = {**row.attrs, **section_attrs(self._world, item)}
        attrs: dict[str, Value] = {
            "hubKey": f"/library/metadata/{','.join(str(item.key) for item in shown)}" if shown else None,
            "key": f"/hubs/{name or kind}/items", "title": title, "type": kind, "hubIdentifier": name or kind,
            "context": f"hub.{name or kind}", "size": len(rows), "more": len(items) > limit, "style": "shelf",
        }  # fmt: skip
        return El("Hub", attrs, rows)

    async def library_search(self, request: web.Request) -> web.Response:
        """Results of every kind in one list, each with its score."""
        text, limit = request.query.get("query", ""), number(request, "limit", RESULTS_MAX)
        account = account_of(request)
        found = [row for kind, _ in HUBS for row in self._matches(text, kind, account)]
        found.sort(key=lambda row: -row[0])
        rows = [
            El("SearchResult", {"score": score}, [element(self._world, item, account)])
            for score, item in found[: min(limit, RESULTS_MAX)]
        ]  # fmt: skip
        return reply(request, container(rows))

    async def search(self, request: web.Request) -> web.Response:
        """The old search: a flat list, `type` to narrow it."""
        text, wanted = request.query.get("query", ""), number(request, "type")
        account = account_of(request)
        kinds = [kind for kind, _ in HUBS if not wanted or _NUMBERS.get(kind) == wanted]
        items = [item for kind in kinds for _, item in self._matches(text, kind, account)]
        return self._list(request, items[:RESULTS_MAX])

    def _list(self, request: web.Request, items: Iterable[Item]) -> web.Response:
        pool, page = list(items), window(request)
        start, size = page or (0, len(pool))
        account = account_of(request)
        rows = [element(self._world, item, account) for item in pool[start : start + size]]
        paging: dict[str, Value] = {"totalSize": len(pool), "offset": start} if page else {}
        response = reply(request, library_container(rows, **paging))
        return with_paging(response, start, len(pool)) if page else response

    async def hubs(self, request: web.Request) -> web.Response:
        """The home screen, or that of one library."""
        account, only = account_of(request), request.match_info.get("section")
        if only is not None and not (only.isdigit() and int(only) in self._world.sections):
            raise NotThere
        hubs = []
        for section in self._world.sections.values():
            if not account.may_see(section.id) or (only is not None and section.id != int(only)):
                continue
            seen = self._world.visible(account, self._world.listed(section.id, section.kind))
            newest = sorted(seen, key=lambda item: -item.added_at)
            name = f"{section.kind}.recentlyadded.{section.id}"
            hubs.append(self._hub(section.kind, f"Recently Added in {section.title}", newest, 10, account, name=name))
        return reply(request, library_container(hubs))

    async def continue_watching(self, request: web.Request) -> web.Response:
        """What to go on with, as a hub."""
        account = account_of(request)
        items = deck(self._world, account)
        hub = self._hub("mixed", "Continue Watching", items, 20, account, name="home.continue")
        return reply(request, library_container([hub]))

    async def continue_watching_items(self, request: web.Request) -> web.Response:
        """What to go on with, as a list."""
        return self._list(request, deck(self._world, account_of(request)))


_NUMBERS = {"movie": 1, "show": 2, "season": 3, "episode": 4, "artist": 8, "album": 9, "track": 10}


def _score(title: str, wanted: str) -> float:
    if title == wanted:
        return 1.0
    if title.removeprefix("the ").startswith(wanted):
        return 0.9
    return 0.7 if f" {wanted}" in f" {title}" else 0.4

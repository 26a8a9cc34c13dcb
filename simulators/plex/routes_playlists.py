"""Playlists: list, look into, make, change, delete."""

from __future__ import annotations

from aiohttp import web

from simulators.plex.answers import (
    NotThere,
    account_of,
    flag,
    library_container,
    nothing,
    number,
    reply,
    window,
    with_paging,
)  # fmt: skip
from simulators.plex.elements import element
from simulators.plex.items import Item
from simulators.plex.render import Value
from simulators.plex.server import Server


class PlaylistRoutes:
    """`/playlists/...`; playlists belong to the owner and are shown to everybody who may see their titles."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._world = server.world

    def table(self) -> list[web.RouteDef]:
        """Routes for the application."""
        return [
            web.get("/playlists", self.playlists),
            web.get("/playlists/all", self.playlists),
            web.post("/playlists", self.create),
            web.get("/playlists/{key}", self.playlist),
            web.put("/playlists/{key}", self.edit),
            web.delete("/playlists/{key}", self.delete),
            web.get("/playlists/{key}/items", self.items),
            web.put("/playlists/{key}/items", self.add),
            web.delete("/playlists/{key}/items/{member}", self.remove),
            web.put("/playlists/{key}/items/{member}/move", self.move),
        ]

    def _playlist(self, request: web.Request) -> Item:
        key = request.match_info["key"]
        item = self._world.items.get(int(key)) if key.isascii() and key.isdigit() else None
        if item is None or item.kind != "playlist":
            raise NotThere
        return item

    async def playlists(self, request: web.Request) -> web.Response:
        """All playlists; filters title, playlistType, sectionID."""
        query = request.query
        pool = [
            item for item in self._world.listed(None, "playlist")
            if query.get("title", item.title).casefold() in item.title.casefold()
            and query.get("playlistType", item.media_type) == item.media_type
        ]  # fmt: skip
        page = window(request)
        start, size = page or (0, len(pool))
        rows = [element(self._world, item, account_of(request)) for item in pool[start : start + size]]
        paging: dict[str, Value] = {"totalSize": len(pool), "offset": start} if page else {}
        return with_paging(reply(request, library_container(rows, **paging)), start, len(pool))

    async def playlist(self, request: web.Request) -> web.Response:
        """One playlist."""
        return self._show(request, self._playlist(request))

    def _show(self, request: web.Request, item: Item) -> web.Response:
        return reply(request, library_container([element(self._world, item, account_of(request), full=True)]))

    async def items(self, request: web.Request) -> web.Response:
        """What is in it, each title under its own `playlistItemID`."""
        item, account, page = self._playlist(request), account_of(request), window(request)
        members = [member for member in item.members if account.may_see(member[1].section)]
        start, size = page or (0, len(members))
        rows = []
        for number_, title in members[start : start + size]:
            row = element(self._world, title, account, guids=flag(request, "includeGuids"))
            row.attrs = {**row.attrs, "playlistItemID": number_}
            rows.append(row)
        about: dict[str, Value] = {
            "playlistType": item.media_type, "ratingKey": str(item.key), "smart": False, "title": item.title,
            "leafCount": len(members),
        }  # fmt: skip
        if page:
            about |= {"totalSize": len(members), "offset": start}
        return with_paging(reply(request, library_container(rows, **about)), start, len(members))

    async def create(self, request: web.Request) -> web.Response:
        """Make one from a uri."""
        titles = self._server.queues.resolve(request.query.get("uri", ""))
        made = Item(0, "playlist", request.query.get("title", "Playlist"), 0, int(self._server.clock.now()))
        made.given["playlistType"] = request.query.get("type", "video")
        self._world.add(made)
        self._append(made, titles)
        return self._show(request, made)

    def _append(self, item: Item, titles: list[Item]) -> None:
        leaves = [leaf for title in titles for leaf in self._world.leaves(title)]
        first = max((number_ for number_, _ in item.members), default=item.key * 100) + 1
        item.members += list(enumerate(leaves, first))
        self._world.touch(0)

    async def add(self, request: web.Request) -> web.Response:
        """Append titles."""
        item = self._playlist(request)
        self._append(item, self._server.queues.resolve(request.query.get("uri", "")))
        return self._show(request, item)

    async def remove(self, request: web.Request) -> web.Response:
        """Take one title out."""
        item = self._playlist(request)
        kept = [member for member in item.members if str(member[0]) != request.match_info["member"]]
        if len(kept) == len(item.members):
            raise NotThere
        item.members = kept
        self._world.touch(0)
        return self._show(request, item)

    async def move(self, request: web.Request) -> web.Response:
        """Put one title behind another, or first."""
        item, after = self._playlist(request), number(request, "after")
        moved = next((member for member in item.members if str(member[0]) == request.match_info["member"]), None)
        if moved is None:
            raise NotThere
        item.members.remove(moved)
        place = next((n for n, member in enumerate(item.members, 1) if member[0] == after), 0)
        item.members.insert(place, moved)
        self._world.touch(0)
        return self._show(request, item)

    async def edit(self, request: web.Request) -> web.Response:
        """Rename or describe it."""
        item, query = self._playlist(request), request.query
        changes = {name: query[f"{name}.value"] for name in ("title", "summary") if f"{name}.value" in query}
        changes |= {name: query[name] for name in ("title", "summary") if name in query}
        self._world.edit(item, int(self._server.clock.now()), **changes)
        return nothing()

    async def delete(self, request: web.Request) -> web.Response:
        """Throw it away."""
        self._world.remove(self._playlist(request))
        return web.Response(status=204)

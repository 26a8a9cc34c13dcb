"""Playlists: list, look into, make, change, delete."""

from __future__ import annotations

from aiohttp import web

from simulators.plex.answers import (
    NotThere,
    Refused,
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
from simulators.plex.scan import vanish
from simulators.plex.server import Server
from simulators.plex.shelves import follow


class PlaylistRoutes:
    """`/playlists/...`: everybody has their own, and sees no others. What an account may not see is not in them."""

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
            web.delete("/playlists/{key}/items", self.clear),
            web.delete("/playlists/{key}/items/{member}", self.remove),
            web.put("/playlists/{key}/items/{member}/move", self.move),
        ]

    def _playlist(self, request: web.Request) -> Item:
        key = request.match_info["key"]
        item = self._world.items.get(int(key)) if key.isascii() and key.isdigit() else None
        if item is None or item.kind != "playlist" or not self._world.may_see(account_of(request), item):
            raise NotThere
        return item

    def _plain(self, request: web.Request) -> Item:
        """One that is filled by hand; the 400 page for a smart one."""
        item = self._playlist(request)
        if item.rule is not None:
            raise Refused
        return item

    async def playlists(self, request: web.Request) -> web.Response:
        """The playlists of whoever asks; filters title, playlistType, smart."""
        query, account = request.query, account_of(request)
        pool = [
            item for item in self._world.visible(account, self._world.listed(None, "playlist"))
            if query.get("title", item.title).casefold() in item.title.casefold()
            and query.get("playlistType", item.media_type) == item.media_type
            and ("smart" not in query or flag(request, "smart") is (item.rule is not None))
        ]  # fmt: skip
        page = window(request)
        start, size = page or (0, len(pool))
        rows = [element(self._world, item, account) for item in pool[start : start + size]]
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
        members = [row for row in self._world.members(item) if self._world.may_see(account, row[1])]
        start, size = page or (0, len(members))
        rows = []
        for number_, title in members[start : start + size]:
            row = element(self._world, title, account, guids=flag(request, "includeGuids"))
            row.attrs = {**row.attrs, "playlistItemID": number_}
            rows.append(row)
        about: dict[str, Value] = {
            "playlistType": item.media_type, "ratingKey": str(item.key), "smart": item.rule is not None,
            "title": item.title,
            "leafCount": len(members),
        }  # fmt: skip
        if page:
            about |= {"totalSize": len(members), "offset": start}
        return with_paging(reply(request, library_container(rows, **about)), start, len(members))

    async def create(self, request: web.Request) -> web.Response:
        """Make one from a uri: of titles, or with smart=1 of a filter."""
        uri, account = request.query.get("uri", ""), account_of(request)
        titles = [] if flag(request, "smart") or not uri else self._titles(request)
        made = Item(
            0, "playlist", request.query.get("title", "").strip() or "Playlist", 0, int(self._server.clock.now()),
            owner=account.id,
        )  # fmt: skip
        made.given["playlistType"] = request.query.get("type", "video")
        if flag(request, "smart"):
            follow(self._server, made, uri)
        self._world.add(made)
        self._append(made, titles)
        return self._show(request, made)

    def _titles(self, request: web.Request) -> list[Item]:
        """What plays of the titles of the uri, as far as the account may see them; the 400 page when nothing does."""
        account, world = account_of(request), self._world
        found = self._server.queues.resolve(request.query.get("uri", ""))
        leaves = [leaf for title in found for leaf in world.leaves(title) if world.may_see(account, leaf)]
        if not leaves:
            raise Refused
        return leaves

    def _append(self, item: Item, titles: list[Item]) -> None:
        first = max((number_ for number_, _ in item.members), default=item.key * 100) + 1
        self._set(item, [*item.members, *enumerate(titles, first)])

    def _set(self, item: Item, members: list[tuple[int, Item]]) -> None:
        self._world.set_members(item, members, int(self._server.clock.now()))
        self._server.tell_timeline(item, 5, "processed")

    async def add(self, request: web.Request) -> web.Response:
        """Append titles; a smart one gets another filter."""
        item = self._playlist(request)
        if item.rule is not None:
            follow(self._server, item, request.query.get("uri", ""))
            self._set(item, [])
        else:
            self._append(item, self._titles(request))
        return self._show(request, item)

    async def remove(self, request: web.Request) -> web.Response:
        """Take one title out."""
        item = self._plain(request)
        kept = [member for member in item.members if str(member[0]) != request.match_info["member"]]
        if len(kept) == len(item.members):
            raise NotThere
        self._set(item, kept)
        return self._show(request, item)

    async def clear(self, request: web.Request) -> web.Response:
        """Take all out."""
        item = self._plain(request)
        self._set(item, [])
        return self._show(request, item)

    async def move(self, request: web.Request) -> web.Response:
        """Put one title behind another, or first."""
        item, after = self._plain(request), number(request, "after")
        moved = next((member for member in item.members if str(member[0]) == request.match_info["member"]), None)
        if moved is None:
            raise NotThere
        rows = [row for row in item.members if row is not moved]
        place = next((n for n, member in enumerate(rows, 1) if member[0] == after), 0)
        self._set(item, [*rows[:place], moved, *rows[place:]])
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
        vanish(self._server, self._playlist(request))
        return web.Response(status=204)

"""Collections: look into, make, fill, sort, delete; plain ones and such as follow a filter."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from simulators.plex.answers import (
    NotThere,
    Refused,
    account_of,
    flag,
    found_item,
    library_container,
    nothing,
    number,
    reply,
    window,
    with_paging,
)  # fmt: skip
from simulators.plex.elements import element, section_attrs
from simulators.plex.items import Item
from simulators.plex.render import Value
from simulators.plex.scan import vanish
from simulators.plex.server import Server
from simulators.plex.shelves import KINDS_BY_NUMBER, fill, follow, make_collection


class CollectionRoutes:
    """`/library/collections/...`; who may not see a title does not see it here, nor a collection of such only."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._world = server.world

    def table(self) -> list[web.RouteDef]:
        """Routes for the application."""
        one = "/library/collections/{key}"
        return [
            web.post("/library/collections", self.create),
            web.get(one, self.collection),
            web.delete(one, self.delete),
            web.get(f"{one}/children", self.children),
            web.get(f"{one}/items", self.children),
            web.put(f"{one}/items", self.add),
            web.delete(f"{one}/items/{{title}}", self.remove),
            web.put(f"{one}/items/{{title}}/move", self.move),
        ]

    def _collection(self, request: web.Request) -> Item:
        item = found_item(self._server, request, request.match_info["key"])
        if item.kind != "collection":
            raise NotThere
        return item

    def _plain(self, request: web.Request) -> Item:
        """One whose titles are put in by hand; the 400 page for a smart one."""
        item = self._collection(request)
        if item.rule is not None:
            raise Refused
        return item

    async def collection(self, request: web.Request) -> web.Response:
        """A collection itself."""
        return self._show(request, self._collection(request))

    def _show(self, request: web.Request, item: Item) -> web.Response:
        return reply(request, library_container([element(self._world, item, account_of(request), full=True)]))

    async def children(self, request: web.Request) -> web.Response:
        """What is in it, in its own order."""
        item, account, page = self._collection(request), account_of(request), window(request)
        pool = list(self._world.visible(account, (member for _, member in self._world.members(item))))
        start, size = page or (0, len(pool))
        guids = flag(request, "includeGuids")
        rows = [element(self._world, each, account, guids=guids) for each in pool[start : start + size]]
        about: dict[str, Value] = {"key": str(item.key), "title1": item.title, "title2": item.title, "nocache": True}
        about |= section_attrs(self._world, item)
        if page is not None:
            about |= {"totalSize": len(pool), "offset": start}
        response = reply(request, library_container(rows, **about))
        return with_paging(response, start, len(pool)) if page is not None else response

    async def create(self, request: web.Request) -> web.Response:
        """Make one from a uri: of titles, or with smart=1 of a filter."""
        query, section = request.query, number(request, "sectionId")
        if section not in self._world.sections or not query.get("title", "").strip():
            raise Refused
        subtype = KINDS_BY_NUMBER.get(number(request, "type"), self._world.sections[section].kind)
        titles = [] if flag(request, "smart") else self._titles(request, section)
        made = make_collection(self._server, section, query["title"].strip(), titles, subtype)
        if flag(request, "smart"):
            try:
                follow(self._server, made, query.get("uri", ""))
            except ValueError:
                self._world.remove(made)
                raise
        return self._show(request, made)

    def _titles(self, request: web.Request, section: int) -> Sequence[Item]:
        uri = request.query.get("uri", "")
        if not uri:
            return []
        found = self._server.queues.resolve(uri)
        if any(item.section != section for item in found):
            raise Refused
        return found

    async def add(self, request: web.Request) -> web.Response:
        """Append titles; those that are in it stay where they are. A smart one gets another filter."""
        item = self._collection(request)
        if item.rule is not None:
            follow(self._server, item, request.query.get("uri", ""))
            self._world.edit(item, int(self._server.clock.now()))
            self._server.tell_timeline(item, 5, "processed")
            return self._show(request, item)
        held = {member.serial for _, member in item.members}
        fresh = [each for each in self._titles(request, item.section) if each.serial not in held]
        fill(self._server, item, [*item.members, *((each.key, each) for each in fresh)])
        return self._show(request, item)

    async def remove(self, request: web.Request) -> web.Response:
        """Take one title out, by its rating key; with the last one the collection goes."""
        item = self._plain(request)
        kept = [row for row in item.members if str(row[1].key) != request.match_info["title"]]
        if len(kept) == len(item.members):
            raise NotThere
        fill(self._server, item, kept)
        return nothing()

    async def move(self, request: web.Request) -> web.Response:
        """Put one title behind another, or first."""
        item, after = self._plain(request), number(request, "after")
        moved = next((row for row in item.members if str(row[1].key) == request.match_info["title"]), None)
        if moved is None:
            raise NotThere
        rows = [row for row in item.members if row is not moved]
        place = next((n for n, row in enumerate(rows, 1) if row[1].key == after), 0)
        fill(self._server, item, [*rows[:place], moved, *rows[place:]])
        return self._show(request, item)

    async def delete(self, request: web.Request) -> web.Response:
        """Throw it away; its titles stay."""
        vanish(self._server, self._collection(request))
        return nothing()

"""Pictures: posters and backgrounds of titles, and the server's photo converter."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict

from aiohttp import web

from simulators.plex.answers import NotThere, account_of, found_item, number
from simulators.plex.artwork import Design, draw
from simulators.plex.items import Item
from simulators.plex.server import Server

PICTURES_KEPT_MAX = 400
SIDE_MAX = 2_000
_PATH = re.compile(r"/(?:library/(?:metadata|collections)|playlists)/(\d+)/(thumb|art|composite|banner|poster)")


class ArtRoutes:
    """`.../thumb/...`, `.../art/...`, `/photo/:/transcode`."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._drawn: OrderedDict[tuple[object, ...], bytes] = OrderedDict()

    def table(self) -> list[web.RouteDef]:
        """Routes for the application."""
        return [
            web.get("/library/metadata/{key}/{what:thumb|art|banner|poster}", self.picture),
            web.get("/library/metadata/{key}/{what:thumb|art|banner|poster}/{at}", self.picture),
            web.get("/library/collections/{key}/{what:thumb|composite}/{at}", self.picture),
            web.get("/playlists/{key}/{what:composite}/{at}", self.picture),
            web.get("/library/sections/{section}/composite/{at}", self.section_picture),
            web.get("/:/resources/{name}", self.resource),
            web.get("/photo/:/transcode", self.converted),
        ]

    async def picture(self, request: web.Request) -> web.Response:
        """A picture in its own size."""
        item = found_item(self._server, request, request.match_info["key"])
        return await self._show(item, request.match_info["what"], 0, 0)

    async def section_picture(self, request: web.Request) -> web.Response:
        """A picture for a library."""
        text = request.match_info["section"]
        section = self._server.world.sections.get(int(text)) if text.isdigit() else None
        if section is None or not account_of(request).may_see(section.id):
            raise NotThere
        return await self._drawn_once(Design("square", section.title, "", "Documentary", section.id), 0, 0)

    async def resource(self, request: web.Request) -> web.Response:
        """A picture that comes with the server, such as `movie.png`."""
        shape = "backdrop" if "fanart" in request.match_info["name"] else "square"
        return await self._drawn_once(Design(shape, "", "", "Documentary", len(request.match_info["name"])), 0, 0)

    async def converted(self, request: web.Request) -> web.Response:
        """The picture at `url` made to fit `width` by `height`."""
        match = _PATH.search(request.query.get("url", ""))
        if match is None:
            raise NotThere
        width, height = (min(SIDE_MAX, max(0, number(request, side))) for side in ("width", "height"))
        return await self._show(found_item(self._server, request, match[1]), match[2], width, height)

    async def _show(self, item: Item, what: str, width: int, height: int) -> web.Response:
        return await self._drawn_once(self._design(item, what), width, height)

    async def _drawn_once(self, design: Design, width: int, height: int) -> web.Response:
        name = (design, width, height)
        if name not in self._drawn:
            self._drawn[name] = await asyncio.to_thread(draw, design, width, height)
            while len(self._drawn) > PICTURES_KEPT_MAX:
                self._drawn.popitem(last=False)
        headers = {"Cache-Control": "max-age=31536000"}
        return web.Response(body=self._drawn[name], content_type="image/jpeg", headers=headers)

    def _design(self, item: Item, what: str) -> Design:
        top = item.top
        genre = next(iter(item.genres or top.genres), "")
        title, caption = item.title, str(item.year or "")
        shape = "backdrop" if what in ("art", "banner") else "poster"
        if shape == "backdrop":
            pass
        elif item.kind in ("artist", "album", "track", "playlist"):
            shape, genre = "square", "Music"
            caption = top.title if item.kind != "artist" else ""
            caption = "Playlist" if item.kind == "playlist" else caption
        elif item.kind == "episode":
            shape = "still"
            caption = f"{top.title}  ·  S{item.parent.index if item.parent else 0}  E{item.index}"
        elif item.kind == "season":
            title, caption = top.title, item.title
        seed = top.serial * 1000 + (item.serial if item.kind not in ("show", "season", "track") else 0)
        return Design(shape, title, caption, genre, seed + self._server.world.seed * 1_000_003)

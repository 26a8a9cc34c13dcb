"""What was played, by whom and when."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from aiohttp import web

from simulators.plex.answers import NotThere, Refused, container, nothing, reply, window, with_paging
from simulators.plex.items import Item
from simulators.plex.server import Play, Server
from simulators.plex.sessions import history_element

_BOUNDS: Mapping[str, Callable[[int, int], bool]] = {
    "viewedAt>": operator.ge, "viewedAt<": operator.le, "viewedAt>>": operator.gt, "viewedAt<<": operator.lt,
}  # fmt: skip


class HistoryRoutes:
    """`/status/sessions/history/...`; for the owner only, which the gate sees to."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def table(self) -> list[web.RouteDef]:
        """Routes for the application."""
        return [
            web.get("/status/sessions/history/all", self.history),
            web.get("/status/sessions/history/{id}", self.row),
            web.delete("/status/sessions/history/{id}", self.forget),
        ]

    async def history(self, request: web.Request) -> web.Response:
        """Filters accountID, deviceID, librarySectionID, metadataItemID (with all below it), viewedAt; newest first."""
        chosen = [play for play in self._server.history if self._is_wanted(request, play)]
        field, _, direction = request.query.get("sort", "viewedAt:desc").partition(":")
        key = _SORTS.get(field)
        if key is None:
            raise Refused
        chosen.sort(key=key, reverse=direction == "desc")
        start, size = window(request) or (0, len(chosen))
        rows = [history_element(self._server, play) for play in chosen[start : start + size]]
        response = reply(request, container(rows, totalSize=len(chosen), offset=start))
        return with_paging(response, start, len(chosen))

    def _is_wanted(self, request: web.Request, play: Play) -> bool:
        query = request.query
        pairs = (
            ("accountID", play.account), ("librarySectionID", play.item.section),
            ("deviceID", list(self._server.players).index(play.player.id) + 1),
        )  # fmt: skip
        if any(name in query and query[name] != str(value) for name, value in pairs):
            return False
        if "metadataItemID" in query and query["metadataItemID"] not in _keys(play.item):
            return False
        try:
            return all(
                compare(play.viewed_at, int(query[name])) for name, compare in _BOUNDS.items() if name in query
            )  # fmt: skip
        except ValueError as error:
            raise Refused from error

    def _play(self, request: web.Request) -> Play:
        wanted = request.match_info["id"]
        found = next((play for play in self._server.history if str(play.id) == wanted), None)
        if found is None:
            raise NotThere
        return found

    async def row(self, request: web.Request) -> web.Response:
        """One row."""
        return reply(request, container([history_element(self._server, self._play(request))]))

    async def forget(self, request: web.Request) -> web.Response:
        """Delete one row; view counts stay."""
        self._server.history.remove(self._play(request))
        return nothing()


def _keys(item: Item) -> set[str]:
    """Its own rating key and those above it."""
    keys, above = {str(item.key)}, item.parent
    while above is not None:
        keys.add(str(above.key))
        above = above.parent
    return keys


_SORTS: Mapping[str, Callable[[Play], int]] = {
    "viewedAt": lambda play: play.viewed_at, "accountID": lambda play: play.account, "id": lambda play: play.id,
}  # fmt: skip

"""What is done to one title: delete it or a version, split, merge, match, refresh, analyze."""

from __future__ import annotations

from aiohttp import web

from simulators.plex.activities import begin, end
from simulators.plex.answers import Forbidden, NotThere, Refused, container, found_item, nothing, number, reply
from simulators.plex.elements import thumb
from simulators.plex.items import Item
from simulators.plex.matching import KINDS, Candidate, Matches
from simulators.plex.render import El
from simulators.plex.server import Server
from simulators.plex.upkeep import merge, remove, remove_version, split

OWNED = frozenset({"collection", "playlist"})  # holders have no files: deleting them needs no leave


class ItemRoutes:
    """`/library/metadata/N/...` as far as it changes something; for the owner only, which the gate sees to."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._matches = Matches(server)

    def table(self) -> list[web.RouteDef]:
        """Routes for the application."""
        one = "/library/metadata/{key}"
        return [
            web.delete(one, self.delete),
            web.delete(f"{one}/media/{{media}}", self.delete_version),
            web.put(f"{one}/split", self.split),
            web.put(f"{one}/merge", self.merge),
            web.get(f"{one}/matches", self.matches),
            web.put(f"{one}/match", self.match),
            web.put(f"{one}/unmatch", self.unmatch),
            web.put(f"{one}/refresh", self.refresh),
            web.get(f"{one}/refresh", self.refresh),
            web.put(f"{one}/analyze", self.analyze),
        ]

    def _item(self, request: web.Request) -> Item:
        return found_item(self._server, request, request.match_info["key"])

    def _may_delete(self) -> None:
        if not self._server.prefs["allowMediaDeletion"]:
            raise Forbidden

    async def delete(self, request: web.Request) -> web.Response:
        """Delete a title with its files; 403 while the server is set not to delete media."""
        item = self._item(request)
        if item.kind not in OWNED:
            self._may_delete()
        remove(self._server, item)
        return nothing()

    async def delete_version(self, request: web.Request) -> web.Response:
        """Delete one version with its files."""
        item, media = self._item(request), request.match_info["media"]
        self._may_delete()
        if not (media.isascii() and media.isdigit() and remove_version(self._server, item, int(media))):
            raise NotThere
        return nothing()

    async def split(self, request: web.Request) -> web.Response:
        """Make a title of each version; 400 for one that has a single version."""
        if not split(self._server, self._item(request)):
            raise Refused
        return nothing()

    async def merge(self, request: web.Request) -> web.Response:
        """Make versions of this title of those in `ids`; 400 when one is of another kind or library, or itself."""
        item = self._item(request)
        others = [found_item(self._server, request, key) for key in request.query.get("ids", "").split(",") if key]
        if not others or any(
            other is item or (other.kind, other.section) != (item.kind, item.section) for other in others
        ):
            raise Refused
        merge(self._server, item, others)
        return nothing()

    async def matches(self, request: web.Request) -> web.Response:
        """What it could be: `title` and `year` to ask for something else than its own."""
        item = self._item(request)
        if item.kind not in KINDS:
            raise Refused
        year = number(request, "year") or None
        is_known = item.key not in self._server.faults.unmatchable
        found = self._matches.look(item, request.query.get("title", ""), year) if is_known else []
        rows = [self._row(item, each) for each in found]
        return reply(request, container(rows, identifier="com.plexapp.plugins.library"))

    def _row(self, item: Item, found: Candidate) -> El:
        return El("SearchResult", {
            "thumb": thumb(item), "type": item.kind, "guid": found.guid, "name": found.name, "year": found.year,
            "score": found.score, "summary": "", "lifespanEnded": False,
        })  # fmt: skip

    async def match(self, request: web.Request) -> web.Response:
        """Make it what `guid` says; 400 without one."""
        item, guid = self._item(request), request.query.get("guid", "")
        if not guid or item.kind not in KINDS:
            raise Refused
        self._matches.take(item, guid, request.query.get("name", ""))
        return nothing()

    async def unmatch(self, request: web.Request) -> web.Response:
        """Forget what it is."""
        self._matches.drop(self._item(request))
        return nothing()

    async def refresh(self, request: web.Request) -> web.Response:
        """Read its metadata again."""
        item = self._item(request)
        about = begin(
            self._server, "library.refresh.items", "Refreshing", subtitle=item.title,
            context={"key": f"/library/metadata/{item.key}"},
        )  # fmt: skip
        self._server.world.edit(item, int(self._server.clock.now()))
        self._server.tell_timeline(item, 3, "loading")
        self._server.tell_timeline(item, 5, "processed")
        about.progress = 100
        end(self._server, about)
        return nothing()

    async def analyze(self, request: web.Request) -> web.Response:
        """Look into its files again."""
        item = self._item(request)
        self._server.world.edit(item, int(self._server.clock.now()))
        self._server.tell_timeline(item, 5, "processed")
        return nothing()

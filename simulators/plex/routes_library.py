"""The library: sections, listings with paging, details, children, what comes next, collections."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from aiohttp import web

from simulators.plex.answers import (
    NotThere,
    Refused,
    account_of,
    container,
    flag,
    found_item,
    library_container,
    number,
    reply,
    wants_json,
    window,
    with_paging,
)  # fmt: skip
from simulators.plex.deck import deck, next_unwatched
from simulators.plex.elements import element, section_attrs
from simulators.plex.items import Item
from simulators.plex.listing import select, sort_title
from simulators.plex.meta import meta
from simulators.plex.pages import Pages
from simulators.plex.render import El, Value, page_json, page_xml
from simulators.plex.routes_sections import found_section
from simulators.plex.sections import DIRECTORIES, WAYS, choices, listing_attrs, section_element
from simulators.plex.server import Server
from simulators.plex.shelves import KINDS_BY_NUMBER
from simulators.plex.world import Section

SELECTIONS_CACHED_MAX = 128


class LibraryRoutes:
    """`/library/...`. Rendered rows and filtered lists are kept until what they show changes."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._world = server.world
        self._pages = Pages(server.world)
        self._selections: OrderedDict[tuple[object, ...], list[Item]] = OrderedDict()

    def table(self) -> list[web.RouteDef]:
        """Routes for the application."""
        return [
            web.get("/library", self.library),
            web.get("/library/sections", self.sections),
            web.get("/library/sections/", self.sections),
            web.get("/library/sections/all", self.sections),
            web.get("/library/sections/{section}", self.section),
            web.get("/library/sections/{section}/all", self.section_all),
            web.get("/library/sections/{section}/unwatched", self.section_all),
            web.get("/library/sections/{section}/recentlyAdded", self.section_recent),
            web.get("/library/sections/{section}/newest", self.section_recent),
            web.get("/library/sections/{section}/onDeck", self.section_on_deck),
            web.get("/library/sections/{section}/collections", self.section_collections),
            web.get("/library/sections/{section}/firstCharacter", self.first_character),
            web.get("/library/sections/{section}/{tag:" + "|".join(DIRECTORIES) + "}", self.choices),
            web.get("/library/all", self.all),
            web.get("/library/recentlyAdded", self.recent),
            web.get("/library/onDeck", self.on_deck),
            web.get("/library/metadata/{keys:[0-9,]+}", self.details),
            web.get("/library/metadata/{key}/children", self.children),
            web.get("/library/metadata/{key}/grandchildren", self.leaves),
            web.get("/library/metadata/{key}/allLeaves", self.leaves),
            web.get("/library/metadata/{key}/onDeck", self.item_on_deck),
            web.get("/library/metadata/{key}/{extras:extras|related|similar}", self.extras),
        ]

    def _section(self, request: web.Request) -> Section:
        return found_section(self._server, request)

    async def library(self, request: web.Request) -> web.Response:
        """The root of the library."""
        rows = [
            El("Directory", {"key": "sections", "title": "Library Sections"}),
            El("Directory", {"key": "recentlyAdded", "title": "Recently Added Content"}),
            El("Directory", {"key": "onDeck", "title": "On Deck Content"}),
        ]
        return reply(request, library_container(rows, art="/:/resources/library-art.png", title1="Plex Library"))

    async def sections(self, request: web.Request) -> web.Response:
        """The libraries shared with whoever asks."""
        account = account_of(request)
        rows = [section_element(each) for each in self._world.sections.values() if account.may_see(each.id)]
        return reply(request, container(rows, allowSync=True, title1="Plex Library"))

    async def section(self, request: web.Request) -> web.Response:
        """The ways into one library; with includeDetails the library itself."""
        section = self._section(request)
        about: dict[str, Value] = {
            "allowSync": False, "art": f"/:/resources/{section.kind}-fanart.jpg", "content": "secondary",
            "identifier": "com.plexapp.plugins.library", "librarySectionID": section.id, "thumb":
            f"/:/resources/{section.kind}.png", "title1": section.title, "viewGroup": "secondary",
        }  # fmt: skip
        rows = [section_element(section)] if flag(request, "includeDetails") else []
        rows += [El("Directory", {"key": key, "title": title}) for key, title in WAYS]
        return reply(request, container(rows, **about))

    async def section_all(self, request: web.Request) -> web.Response:
        """The big listing: filters, sort, paging, guids, includeMeta."""
        section = self._section(request)
        kind = self._kind(request, section)
        extra = [("unwatched", "1")] if request.path.endswith("/unwatched") else []
        return self._listing(request, section, kind, extra)

    def _kind(self, request: web.Request, section: Section) -> str:
        wanted = number(request, "type")
        if wanted and wanted not in KINDS_BY_NUMBER:
            raise Refused
        return KINDS_BY_NUMBER[wanted] if wanted else section.kind

    async def section_recent(self, request: web.Request) -> web.Response:
        """What came last."""
        section = self._section(request)
        kind = {"show": "episode", "artist": "album"}.get(section.kind, section.kind)
        return self._listing(request, section, kind, [("sort", "addedAt:desc"), ("limit", "50")])

    async def section_collections(self, request: web.Request) -> web.Response:
        """The collections of one library."""
        return self._listing(request, self._section(request), "collection", [])

    async def section_on_deck(self, request: web.Request) -> web.Response:
        """What to go on with in one library."""
        section = self._section(request)
        return self._plain(
            request, (item for item in deck(self._world, account_of(request)) if item.section == section.id)
        )

    async def all(self, request: web.Request) -> web.Response:
        """Titles of every library, by guid, title or type."""
        wanted = KINDS_BY_NUMBER.get(number(request, "type"))
        kinds = [wanted] if wanted else ["movie", "show", "season", "episode", "artist", "album", "track"]
        account, guid = account_of(request), request.query.get("guid")
        if guid is not None:  # looked up, not looked through
            pool = [item for item in self._world.visible(account, self._world.by_guid(guid)) if item.kind in kinds]
        else:
            pool = [item for kind in kinds for item in self._world.visible(account, self._world.listed(None, kind))]
        return self._plain(request, select(self._world, pool, request.query.items(), account))

    async def recent(self, request: web.Request) -> web.Response:
        """The last 50 additions of all libraries."""
        account = account_of(request)
        pool = [
            item for kind in ("movie", "season", "album")
            for item in self._world.visible(account, self._world.listed(None, kind))
        ]  # fmt: skip
        pool.sort(key=lambda item: item.added_at, reverse=True)
        return self._plain(request, pool[:50])

    async def on_deck(self, request: web.Request) -> web.Response:
        """What to go on with: films begun, and the next episode of each series begun."""
        return self._plain(request, deck(self._world, account_of(request)))

    async def item_on_deck(self, request: web.Request) -> web.Response:
        """The next episode of a series."""
        item = found_item(self._server, request, request.match_info["key"])
        following = next_unwatched(self._world, item, account_of(request))
        return self._plain(request, [following] if following else [])

    async def details(self, request: web.Request) -> web.Response:
        """One or several titles in full; unknown ones among several are left out, a single unknown one is a 404."""
        keys = [key for key in request.match_info["keys"].split(",") if key]
        account = account_of(request)
        known = [item for key in keys if (item := self._world.items.get(int(key)))]
        ghosts = self._server.faults.ghosts
        items = [item for item in self._world.visible(account, known) if item.key not in ghosts]
        if not items:
            raise NotThere
        rows = [element(self._world, item, account, full=True) for item in items]
        attrs: dict[str, Value] = {}
        if items[0].section:
            section = self._world.sections[items[0].section]
            attrs = {
                "librarySectionID": section.id, "librarySectionTitle": section.title,
                "librarySectionUUID": section.uuid,
            }  # fmt: skip
        return reply(request, library_container(rows, **attrs))

    async def children(self, request: web.Request) -> web.Response:
        """Seasons of a show, episodes of a season, albums, tracks."""
        item = found_item(self._server, request, request.match_info["key"])
        account = account_of(request)
        below = item.children or [member for _, member in self._world.members(item)]
        below = list(self._world.visible(account, below))
        attrs: dict[str, Value] = {"key": str(item.key), "title1": item.top.title, "title2": item.title}
        if item.section:
            attrs |= section_attrs(self._world, item)
        attrs |= {"parentIndex": item.index, "parentTitle": item.title, "nocache": True}
        if below:
            attrs["viewGroup"] = below[0].kind
        return self._plain(request, sorted(below, key=lambda each: each.index or 0) if item.children else below, attrs)

    async def leaves(self, request: web.Request) -> web.Response:
        """Every episode or track below a title."""
        item = found_item(self._server, request, request.match_info["key"])
        pool = list(self._world.visible(account_of(request), self._world.leaves(item)))
        wanted = {"unwatched", "viewCount", "title", "index"} & set(request.query)
        if wanted:
            query = [*request.query.items(), ("sort", "none")]
            pool = select(self._world, pool, query, account_of(request))
        return self._plain(request, pool)

    async def extras(self, request: web.Request) -> web.Response:
        """No trailers in this house."""
        found_item(self._server, request, request.match_info["key"])
        return reply(request, library_container([]))

    async def first_character(self, request: web.Request) -> web.Response:
        """How many titles begin with each letter."""
        section = self._section(request)
        counts: dict[str, int] = {}
        for item in self._world.visible(account_of(request), self._world.listed(section.id, section.kind)):
            first = sort_title(item)[:1].upper()
            letter = first if first.isalpha() else "#"
            counts[letter] = counts.get(letter, 0) + 1
        rows = [El("Directory", {"size": counts[letter], "key": letter, "title": letter}) for letter in sorted(counts)]
        return reply(request, library_container(rows))

    async def choices(self, request: web.Request) -> web.Response:
        """The values a filter can take."""
        section, tag = self._section(request), request.match_info["tag"]
        about: dict[str, Value] = {
            "allowSync": False, "identifier": "com.plexapp.plugins.library", "title1": section.title,
            "title2": f"By {tag.title()}", "viewGroup": "secondary",
        }  # fmt: skip
        kind = self._kind(request, section)
        return reply(request, container(choices(self._world, section, tag, kind, account_of(request)), **about))

    def _plain(
        self, request: web.Request, items: Iterable[Item], attrs: dict[str, Value] | None = None
    ) -> web.Response:
        """A short list, paged when asked for."""
        pool, page = list(items), window(request)
        start, size = page or (0, len(pool))
        account, guids = account_of(request), flag(request, "includeGuids")
        rows = [element(self._world, item, account, guids=guids) for item in pool[start : start + size]]
        known = dict(attrs or {})
        if page is not None:
            known |= {"totalSize": len(pool), "offset": start}
        response = reply(request, library_container(rows, **known))
        return with_paging(response, start, len(pool)) if page is not None else response

    def _listing(self, request: web.Request, section: Section, kind: str, extra: list[tuple[str, str]]) -> web.Response:
        pool = self._select(request, section, kind, extra)
        page, faults = window(request), self._server.faults
        start, size = page or (0, len(pool))
        first = max(0, start - faults.overlap) if start else start
        shown = pool[first : first + size]
        total = len(pool) + (self._world.revision + start) % 3 if faults.totals_drift else len(pool)
        json = wants_json(request)
        account = account_of(request)

        attrs = listing_attrs(section, kind)
        if page is not None:
            attrs |= {"totalSize": total, "offset": start}
        rows = self._pages.rows(shown, account, json=json, guids=flag(request, "includeGuids"))
        root = library_container([meta(section)] if flag(request, "includeMeta") else [], **attrs)
        root.attrs["size"] = len(rows)
        body = page_json(root, "Metadata", rows) if json else page_xml(root, rows)
        response = web.Response(body=body, content_type="application/json" if json else "text/xml", charset="utf-8")
        return with_paging(response, start, total) if page is not None else response

    def _select(self, request: web.Request, section: Section, kind: str, extra: list[tuple[str, str]]) -> list[Item]:
        account = account_of(request)
        query = [*request.query.items(), *extra]
        wanted = tuple((name, value) for name, value in query if not name.startswith(("X-Plex", "include")))
        name = (self._world.state(account.id), account.id, section.id, kind, wanted)
        if name not in self._selections:
            seen = self._world.visible(account, self._world.listed(section.id, kind))
            self._selections[name] = select(self._world, seen, wanted, account)
            while len(self._selections) > SELECTIONS_CACHED_MAX:
                self._selections.popitem(last=False)
        return self._selections[name]

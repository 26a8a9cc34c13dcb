"""Keeping libraries: scan, empty the trash, analyze, rename, remove, tidy up."""

from __future__ import annotations

from aiohttp import web

from simulators.plex.activities import begin, end, run_through
from simulators.plex.answers import NotThere, account_of, container, flag, nothing, reply
from simulators.plex.render import El, Value
from simulators.plex.scan import scan, stop_scan
from simulators.plex.server import Server
from simulators.plex.upkeep import empty_trash, remove_section
from simulators.plex.world import Section

WORK_S = 30.0  # simulated seconds that analyzing or tidying takes


def found_section(server: Server, request: web.Request) -> Section:
    """The library in the path, if it is shared with whoever asks; else the 404 page."""
    text = request.match_info["section"]
    section = server.world.sections.get(int(text)) if text.isascii() and text.isdigit() else None
    if section is None or not account_of(request).may_see(section.id):
        raise NotThere
    return section


class SectionRoutes:
    """`/library/sections/N/...` as far as it changes something, and what tidies the whole library."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def table(self) -> list[web.RouteDef]:
        """Routes for the application."""
        one = "/library/sections/{section}"
        return [
            web.get("/library/sections/all/refresh", self.refresh_all),
            web.post("/library/sections/all/refresh", self.refresh_all),
            web.delete("/library/sections/all/refresh", self.cancel_all),
            web.get(f"{one}/refresh", self.refresh),
            web.post(f"{one}/refresh", self.refresh),
            web.delete(f"{one}/refresh", self.cancel),
            web.put(f"{one}/emptyTrash", self.empty_trash),
            web.put(f"{one}/analyze", self.analyze),
            web.delete(f"{one}/indexes", self.delete_previews),
            web.get(f"{one}/prefs", self.prefs),
            web.put(f"{one}", self.edit),
            web.delete(f"{one}", self.remove),
            web.put("/library/clean/bundles", self.clean),
            web.put("/library/optimize", self.optimize),
        ]

    def _section(self, request: web.Request) -> Section:
        return found_section(self._server, request)

    async def refresh(self, request: web.Request) -> web.Response:
        """Scan a library, or with `path` one folder of it; with `force` its metadata are read again."""
        section = self._section(request)
        path = request.query.get("path", "")
        self._server.run("scan", scan(self._server, section, path=path))
        if flag(request, "force"):
            self._work("library.refresh.items", f"Refreshing {section.title}", section)
        return nothing()

    async def refresh_all(self, request: web.Request) -> web.Response:
        """Scan every library."""
        for section in self._server.world.sections.values():
            self._server.run("scan", scan(self._server, section))
        return nothing()

    async def cancel(self, request: web.Request) -> web.Response:
        """Stop scanning."""
        stop_scan(self._server, self._section(request))
        return nothing()

    async def cancel_all(self, request: web.Request) -> web.Response:
        """Stop scanning everywhere."""
        for section in self._server.world.sections.values():
            stop_scan(self._server, section)
        return nothing()

    async def empty_trash(self, request: web.Request) -> web.Response:
        """Forget titles and versions whose files are gone."""
        section = self._section(request)
        about = begin(
            self._server, "library.empty.trash", f"Emptying the trash of {section.title}",
            context={"librarySectionID": str(section.id)},
        )  # fmt: skip
        empty_trash(self._server, section)
        about.progress = 100
        end(self._server, about)
        return nothing()

    async def analyze(self, request: web.Request) -> web.Response:
        """Look into every file again, in the background."""
        section = self._section(request)
        self._work("media.analyze", f"Analyzing {section.title}", section)
        return nothing()

    async def delete_previews(self, request: web.Request) -> web.Response:
        """Throw preview thumbnails away."""
        self._section(request)
        return nothing()

    async def prefs(self, request: web.Request) -> web.Response:
        """Settings of a library."""
        self._section(request)
        rows = [
            El("Setting", {
                "id": name, "label": name, "summary": "", "type": "bool", "default": "true", "value": "true",
                "hidden": False, "advanced": False, "group": "",
            })
            for name in ("hidden", "enableCinemaTrailers", "collectionMode")
        ]  # fmt: skip
        return reply(request, container(rows))

    async def edit(self, request: web.Request) -> web.Response:
        """Rename a library."""
        section = self._section(request)
        section.title = request.query.get("name", section.title)
        self._server.world.touch(section.id)
        return nothing()

    async def remove(self, request: web.Request) -> web.Response:
        """Take a library away; its files stay where they are."""
        remove_section(self._server, self._section(request).id)
        return nothing()

    async def clean(self, request: web.Request) -> web.Response:
        """Remove bundles that nothing uses, in the background."""
        self._work("butler.clean.bundles", "Cleaning bundles")
        return nothing()

    async def optimize(self, request: web.Request) -> web.Response:
        """Optimize the database, in the background."""
        self._work("database.optimize", "Optimizing the database")
        return nothing()

    def _work(self, kind: str, title: str, section: Section | None = None) -> None:
        context: dict[str, Value] = {"librarySectionID": str(section.id)} if section else {}
        about = begin(self._server, kind, title, is_cancellable=True, context=context)

        async def work() -> None:
            await run_through(self._server, about, WORK_S)
            end(self._server, about)

        self._server.run(kind, work())

"""The nightly tasks and what runs in the background."""

from __future__ import annotations

from aiohttp import web

from simulators.plex.activities import activity_element, begin, end, run_through
from simulators.plex.answers import NotThere, Refused, container, nothing, reply
from simulators.plex.render import El
from simulators.plex.server import Activity, Server

TASK_S = 20.0  # simulated seconds that a task takes
TASKS = {
    "BackupDatabase": "Backup Database", "CleanOldBundles": "Clean Old Bundles", "OptimizeDatabase":
    "Optimize Database", "RefreshLibraries": "Refresh Libraries", "UpgradeMediaAnalysis": "Upgrade Media Analysis",
    "GenerateChapterThumbs": "Generate Chapter Thumbs", "RefreshPeriodicMetadata": "Refresh Periodic Metadata",
}  # fmt: skip


class ButlerRoutes:
    """`/butler` and `/activities`."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._running: dict[str, Activity] = {}

    def table(self) -> list[web.RouteDef]:
        """Routes for the application."""
        return [
            web.get("/butler", self.tasks),
            web.post("/butler", self.start_all),
            web.delete("/butler", self.stop_all),
            web.post("/butler/{task}", self.start),
            web.delete("/butler/{task}", self.stop),
            web.get("/activities", self.activities),
            web.delete("/activities/{uuid}", self.cancel),
        ]

    async def tasks(self, request: web.Request) -> web.Response:
        """What there is to do at night."""
        rows = [
            El("ButlerTask", {
                "name": name, "interval": 1, "scheduleRandomized": False, "enabled": True, "title": title,
                "description": "",
            })
            for name, title in TASKS.items()
        ]  # fmt: skip
        return reply(request, El("ButlerTasks", {}, rows))

    def _task(self, request: web.Request) -> str:
        task = request.match_info["task"]
        if task not in TASKS:
            raise NotThere
        return task

    async def start(self, request: web.Request) -> web.Response:
        """Start a task: 202 when it is already running, else 200; 404 for an unknown one."""
        return web.Response(status=200 if self._start(self._task(request)) else 202)

    async def start_all(self, request: web.Request) -> web.Response:
        """Start every task."""
        for task in TASKS:
            self._start(task)
        return nothing()

    def _start(self, task: str) -> bool:
        running = self._running.get(task)
        if running is not None and running.uuid in self._server.activities:
            return False
        about = begin(self._server, f"butler.{task}", TASKS[task], is_cancellable=True)
        self._running[task] = about

        async def work() -> None:
            await run_through(self._server, about, TASK_S)
            end(self._server, about)

        self._server.run(f"butler {task}", work())
        return True

    async def stop(self, request: web.Request) -> web.Response:
        """Stop a task; 404 when it is not running."""
        running = self._running.pop(self._task(request), None)
        if running is None or running.uuid not in self._server.activities:
            raise NotThere
        end(self._server, running)
        return nothing()

    async def stop_all(self, request: web.Request) -> web.Response:
        """Stop every task."""
        for running in self._running.values():
            end(self._server, running)
        self._running.clear()
        return nothing()

    async def activities(self, request: web.Request) -> web.Response:
        """What runs in the background."""
        return reply(request, container([activity_element(each) for each in self._server.activities.values()]))

    async def cancel(self, request: web.Request) -> web.Response:
        """End an activity: 404 for an unknown one, 400 for one that cannot be cancelled."""
        activity = self._server.activities.get(request.match_info["uuid"])
        if activity is None:
            raise NotThere
        if not activity.is_cancellable:
            raise Refused
        end(self._server, activity)
        return nothing()

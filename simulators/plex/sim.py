"""A Plex server, its players and plex.tv on loopback, for tests and the demo."""

from __future__ import annotations

import asyncio
import gc
import math
import random
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any

from aiohttp import web

from simulators.clock import SimClock
from simulators.plex import guests, household, upkeep
from simulators.plex.companion import Companion
from simulators.plex.control import ControlRoutes
from simulators.plex.control_library import add_history, rekey
from simulators.plex.faults import Faults
from simulators.plex.files import Media
from simulators.plex.gate import ACCOUNT_FACE, CONTROL, Gate
from simulators.plex.generator import generate
from simulators.plex.items import Item
from simulators.plex.players import STOPPED, Player
from simulators.plex.plextv import AccountRoutes
from simulators.plex.plextv_pins import PinRoutes
from simulators.plex.plextv_sharing import SharingRoutes
from simulators.plex.routes_art import ArtRoutes
from simulators.plex.routes_butler import ButlerRoutes
from simulators.plex.routes_collections import CollectionRoutes
from simulators.plex.routes_edit import EditRoutes
from simulators.plex.routes_history import HistoryRoutes
from simulators.plex.routes_items import ItemRoutes
from simulators.plex.routes_library import LibraryRoutes
from simulators.plex.routes_listen import ListenRoutes
from simulators.plex.routes_playback import PlaybackRoutes
from simulators.plex.routes_playlists import PlaylistRoutes
from simulators.plex.routes_search import SearchRoutes
from simulators.plex.routes_sections import SectionRoutes
from simulators.plex.routes_server import ServerRoutes
from simulators.plex.scan import appear, vanish
from simulators.plex.server import Play, SeenRequest, Server
from simulators.plex.turns import Turn
from simulators.plex.world import World

HOST = "127.0.0.1"
STOP_S = 0.2  # real seconds that open requests get when the simulator stops


class PlexSim:
    """`async with PlexSim(seed=7) as sim:` serves until the block ends.

    `size` is small, 20k or 100k. `life` has members of the household already watching. `clock` is shared with
    other simulators when given; `speed` sets it. Another seed is another server with other ids and tokens.
    """

    def __init__(
        self, *, seed: int = 7, size: str = "small", clock: SimClock | None = None, speed: float | None = None,
        port: int = 0, name: str = "Marquee House", life: bool = True, buffering_s: float = 0.5,
    ) -> None:  # fmt: skip
        self.clock = clock or SimClock()
        if speed is not None:
            self.clock.set_speed(speed)
        self.seed = seed
        self._size, self._port, self._name, self._has_life = size, port, name, life
        self._buffering_s = buffering_s
        self._server: Server | None = None
        self._runners: list[web.AppRunner] = []
        self._closed_doors: list[socket.socket] = []
        self._tasks = asyncio.TaskGroup()
        self._running: list[asyncio.Task[None]] = []
        self._rng = random.Random(f"people:{seed}")

    async def __aenter__(self) -> PlexSim:
        world = await asyncio.to_thread(generate, self.seed, self._size, self.clock.now())
        if self._size != "small":
            gc.freeze()  # a large world lives as long as the process: the collector need not look at it again
        self._server = Server(world, self.clock, self._name, self._buffering_s)
        await self._tasks.__aenter__()
        self.server.tasks = self._tasks
        async with AsyncExitStack() as undo:  # a taken port must leave nothing of ours open
            undo.push_async_callback(self._close)
            await self._open()
            undo.pop_all()
        return self

    async def _open(self) -> None:
        companion = Companion(self.server)
        for player in self.server.players.values():
            await self._open_door(player, companion)
        self.server.ports["server"] = await self._serve(self._application(companion), self._port)
        if self._has_life:
            self._settle_in()
        self._running = [self._tasks.create_task(self._tick()), self._tasks.create_task(self._follow_clock())]

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        self.server.faults.clear()
        self.server.notifications.drop_all()
        for runner in self._runners:
            await runner.cleanup()
        for door in self._closed_doors:
            door.close()
        self.server.close()
        for task in self._running:
            task.cancel()
        await self._tasks.__aexit__(None, None, None)

    @property
    def server(self) -> Server:
        """State of the simulated server; RuntimeError before it runs."""
        if self._server is None:
            raise RuntimeError("the simulator is not running")
        return self._server

    @property
    def url(self) -> str:
        """Base address of the Plex Media Server."""
        return f"http://{HOST}:{self.server.ports['server']}"

    @property
    def token(self) -> str:
        """The owner's token."""
        return self.server.owner.token

    @property
    def account_url(self) -> str:
        """Base address of plex.tv."""
        return self.url + ACCOUNT_FACE

    @property
    def control_url(self) -> str:
        """Base address of the control API."""
        return self.url + CONTROL

    @property
    def world(self) -> World:
        """Titles, accounts and what they have seen."""
        return self.server.world

    @property
    def players(self) -> dict[str, Player]:
        """Players by title, brought up to the present."""
        self.server.settle()
        return {player.spec.title: player for player in self.server.players.values()}

    @property
    def faults(self) -> Faults:
        """Misbehaviour in force."""
        return self.server.faults

    @property
    def requests(self) -> list[SeenRequest]:
        """What came in, oldest first; the last 10,000."""
        return list(self.server.requests)

    @property
    def unknown_routes(self) -> list[str]:
        """`METHOD /path` of every request that no route knows."""
        return self.server.unknown_routes

    @property
    def machine_id(self) -> str:
        """The server's machineIdentifier."""
        return self.server.machine_id

    def token_of(self, account: str) -> str:
        """The token of an account, by its name, that the server takes."""
        return self.server.account(account).server_token

    def account_token_of(self, account: str) -> str:
        """The token that an account has signed in to plex.tv with last; of use on the server only when it owns it."""
        found = self.server.account(account)
        given = [token for token, owner in self.world.sign_ins.items() if owner == found.id]
        return given[-1] if given else found.token

    def play(self, player: str, title: str | Item, account: str = "Olivia", *, offset_ms: int = 0) -> Player:
        """Have somebody start a title on a player by hand; LookupError for unknown names."""
        item = title if isinstance(title, Item) else self.world.find(title)
        found = self.server.player(player)
        self.server.start(
            found, f"/library/metadata/{item.key}", self.server.account(account), offset_ms=offset_ms,
            continuous=item.kind == "episode",
        )  # fmt: skip
        return found

    # What tests do to the library and to those who read it

    def appear(self, item: Item) -> Item:
        """Add a title; listeners hear of it."""
        return appear(self.server, item)

    def place(self, item: Item) -> None:
        """Lay a file on the disk, which the next scan finds."""
        self.server.disk.put(item)

    def lose(self, item: Item) -> None:
        """Take a title's files off the disk; the next scan puts it into the trash."""
        self.server.disk.lose(item)

    def edit(self, item: Item, **changes: Any) -> None:
        """Change fields (`title`, `year`, `labels`, `summary`, ...); listeners hear of it."""
        self.world.edit(item, int(self.clock.now()), **changes)
        self.server.tell_timeline(item, 5, "processed")

    def remove(self, item: Item) -> None:
        """Remove a title and all below it; listeners hear of it."""
        vanish(self.server, item)

    def rekey(self, item: Item) -> int:
        """Give a title another rating key, as a replaced file does; returns it."""
        return rekey(self.server, item)

    def trash(self, item: Item, media: int | None = None) -> None:
        """Have the files of a title, or of one version of it, found missing."""
        upkeep.trash(self.server, item, media)

    def add_version(self, item: Item, resolution: str = "720", **options: Any) -> Media:
        """Give a title another file; options: video_codec, audio_codec, size_bytes, file, parts."""
        return upkeep.add_version(self.server, item, resolution, **options)

    def remove_section(self, section: int) -> None:
        """Remove a library."""
        upkeep.remove_section(self.server, section)

    def between(self, path: str, act: Callable[[], object], *, after: int = 1, times: int = 1) -> Turn:
        """Do something right after the answer to the `after`-th request that matches the regex `path`.

        It is searched in `METHOD /path?query`; with `times` it is done again after each of the next requests.
        """
        return self.server.turns.add(path, act, after=after, times=times)

    def restrict(self, account: str, **what: Any) -> None:
        """Share other `sections` with an account or set its `filter_movies`, `filter_television`, `filter_all`, ..."""
        guests.restrict(self.server, self.server.account(account), **what)

    def revoke(self, token: str) -> None:
        """End what an account signed in with: 401 from now on. `token_of` gives what it gets when it signs in again."""
        guests.revoke(self.server, token)

    def watched(self, item: Item, account: str = "Olivia", *, at: float | None = None) -> Play:
        """Have somebody have watched a title, now or at an instant: history and view count."""
        when = int(self.clock.now() if at is None else at)
        return add_history(self.server, item, self.server.account(account).id, when)

    def join(self, other: PlexSim) -> None:
        """Have the plex.tv of each list the other's server too: one owner, several servers."""
        self.server.siblings.append(other.server)
        other.server.siblings.append(self.server)

    def shape(self) -> dict[str, Any]:
        """The part of a simulator process's first line that is about Plex."""
        return {
            "url": self.url, "token": self.token, "account_url": self.account_url, "control_url": self.control_url,
        }  # fmt: skip

    def _application(self, companion: Companion) -> web.Application:
        app = web.Application(middlewares=[Gate(self.server).middleware()], client_max_size=16 * 1024 * 1024)
        server = self.server
        for routes in (
            ServerRoutes(server), ButlerRoutes(server), LibraryRoutes(server), SectionRoutes(server),
            ItemRoutes(server), EditRoutes(server), CollectionRoutes(server), SearchRoutes(server),
            PlaylistRoutes(server), HistoryRoutes(server), PlaybackRoutes(server, companion), ArtRoutes(server),
            ListenRoutes(server), AccountRoutes(server), PinRoutes(server), SharingRoutes(server),
            ControlRoutes(server),
        ):  # fmt: skip
            app.add_routes(routes.table())
        return app

    async def _open_door(self, player: Player, companion: Companion) -> None:
        """Serve a player's own port, or hold one that refuses connections."""
        if not player.spec.is_direct:
            door = socket.socket()
            door.bind((HOST, 0))  # bound and never listening: connections are refused
            self._closed_doors.append(door)
            self.server.ports[player.spec.id] = door.getsockname()[1]
            return
        app = web.Application(middlewares=[Gate(self.server, f"player:{player.spec.id}").middleware()])

        async def resources(request: web.Request) -> web.StreamResponse:
            return self._if_online(player, request) or companion.resources(player, request)

        async def command(request: web.Request) -> web.StreamResponse:
            gone = self._if_online(player, request)
            return gone or await companion.handle(player, request, request.match_info["command"])

        app.add_routes([web.get("/resources", resources), web.get("/player/{command:.+}", command)])
        self.server.ports[player.spec.id] = await self._serve(app, 0)

    def _if_online(self, player: Player, request: web.Request) -> web.Response | None:
        if player.is_online:
            return None
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=503)

    async def _serve(self, app: web.Application, port: int) -> int:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_S)
        await runner.setup()
        self._runners.append(runner)
        site = web.TCPSite(runner, HOST, port)
        await site.start()
        return int(runner.addresses[0][1])

    def _settle_in(self) -> None:
        for name, player, kind, title, percent, is_paused in household.WATCHING:
            item = self.world.find(title, kind)
            first = next((leaf for leaf in self.world.leaves(item) if not leaf.parent or leaf.parent.index), item)
            offset = (first.duration_ms or 0) * percent // 100
            found = self.play(player, first, name, offset_ms=offset)
            if is_paused:
                found.pause(self.clock.now())

    def _find_something(self, now: float) -> None:
        """Whoever of the household has had nothing on for a while picks something else of the same kind."""
        for name, title, kind, _, _, _ in household.WATCHING:
            player, account = self.server.player(title), self.server.account(name)
            if player.state != STOPPED or not player.ended_at or now - player.ended_at < household.IDLE_S:
                continue
            pool = list(self.world.visible(account, self.world.listed(None, kind)))
            if pool:
                leaves = self.world.leaves(self._rng.choice(pool))
                self.play(title, self._rng.choice(leaves), name)

    async def _tick(self) -> None:
        """Let things happen at their time, for those who only listen."""
        while True:
            now = self.server.settle()
            if self._has_life:
                self._find_something(now)
            self.server.stirred.clear()
            left = self.server.next_event() - now
            is_endless = math.isinf(left) or self.clock.speed == 0
            wait_s = None if is_endless else max(0.002, left / self.clock.speed)
            try:
                async with asyncio.timeout(wait_s):
                    await self.server.stirred.wait()
            except TimeoutError:
                continue

    async def _follow_clock(self) -> None:
        version = self.clock.version
        while True:
            version = await self.clock.wait_change(version)
            self.server.stirred.set()

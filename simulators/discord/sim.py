"""The whole simulator: one TLS port for REST, gateway and CDN, one plain port for control."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from aiohttp import web

from simulators.clock import SimClock
from simulators.discord.answers import Answers
from simulators.discord.control import ROOT as CONTROL_ROOT
from simulators.discord.control import Control
from simulators.discord.faults import Faults
from simulators.discord.gateway import Gateway
from simulators.discord.interactions import Interactions
from simulators.discord.limits import RateLimits
from simulators.discord.objects import App, Channel, Guild, Json
from simulators.discord.problems import Problems
from simulators.discord.rest import Rest, Seen
from simulators.discord.rest_commands import CommandRoutes
from simulators.discord.rest_guilds import GuildRoutes
from simulators.discord.rest_interactions import InteractionRoutes
from simulators.discord.rest_messages import MessageRoutes
from simulators.discord.routes import Router
from simulators.discord.sessions import Sessions
from simulators.discord.spec import SpecDocument
from simulators.discord.tls import make as make_tls
from simulators.discord.user import User
from simulators.discord.world import World, marquee_house


class DiscordSim:
    """`async with DiscordSim() as lab:` a Discord on 127.0.0.1.

    `connect` is where all of Discord's hosts are to be found, `ca_file` whom to trust, `tokens` the bots by name in
    lower case, `problems` what the program under test (or this simulator) did wrong.
    """

    def __init__(
        self,
        spec: Path | None = None,
        clock: SimClock | None = None,
        *,
        port: int = 0,
        tokens: Mapping[str, str] | None = None,
    ) -> None:
        self._spec = spec
        self._wanted_port = port
        self.clock = clock or SimClock()
        self.world = World(self.clock)
        self.guild: Guild = marquee_house(self.world, tokens)
        self.faults = Faults()
        self.problems = Problems()
        self.limits = RateLimits()
        self.interactions = Interactions(self.world, self.problems)
        self.sessions = Sessions(self.world)
        self.interactions.send = self._send
        self.gateway = Gateway(self.world, self.sessions, self.faults, self.problems)
        self.messages = MessageRoutes(self.world)
        self.rest = Rest(self.world, self._router(), self.faults, self.problems, self.limits)
        self._closing = contextlib.AsyncExitStack()
        self.port = 0
        self.ca_file = Path()
        self.control_url = ""

    # ---------------------------------------------------------------- names for tests

    @property
    def connect(self) -> str:
        """`127.0.0.1:PORT`."""
        return f"127.0.0.1:{self.port}"

    @property
    def tokens(self) -> dict[str, str]:
        """Bot tokens by app name in lower case."""
        return {app.name.lower(): app.token for app in self.world.apps.values()}

    @property
    def requests(self) -> deque[Seen]:
        """REST requests so far, oldest first."""
        return self.rest.requests

    def user(self, name: str, guild: Guild | None = None) -> User:
        """A scripted user, at home in the default guild unless another is given."""
        return User(self.world, self.interactions, self.world.person(name), guild or self.guild)

    def channel(self, name: str | int, guild: Guild | None = None) -> Channel:
        """A channel of the default guild (or another) by name or id."""
        return self.world.channel(name, guild or self.guild)

    # ---------------------------------------------------------------- running

    async def __aenter__(self) -> DiscordSim:
        async with contextlib.AsyncExitStack() as stack:
            folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="discord-simulator-")
            stack.push_async_callback(asyncio.to_thread, folder.cleanup)
            tls = await asyncio.to_thread(make_tls, Path(folder.name))
            self.ca_file = tls.ca_file
            face = web.Application(client_max_size=64 * 1024 * 1024)
            face.router.add_route("*", "/{path:.*}", self._face)
            runner = web.AppRunner(face, access_log=None, shutdown_timeout=0.5)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            stack.push_async_callback(self._hang_up)
            site = web.TCPSite(runner, "127.0.0.1", self._wanted_port, ssl_context=tls.context)
            await site.start()
            self.port = runner.addresses[0][1]
            self.control_url = await self._start_control(stack)
            if self._spec:
                self.rest.document = await asyncio.to_thread(SpecDocument.load, self._spec)
            self._closing = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._closing.aclose()

    async def _start_control(self, stack: contextlib.AsyncExitStack) -> str:
        runner = web.AppRunner(Control(self).app(), access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}{CONTROL_ROOT}"

    def _send(self, app: App, guild_id: int | None, payload: Json) -> None:
        self.sessions.interaction(app, guild_id, payload)
        if self.faults.repeat_interactions > 0:
            self.faults.repeat_interactions -= 1
            self.sessions.interaction(app, guild_id, payload)

    async def _hang_up(self) -> None:
        self.gateway.drop_all(1001)

    def _router(self) -> Router:
        router = Router()
        router.add(*self.messages.routes(), *GuildRoutes(self.world).routes(), *CommandRoutes(self.world).routes())
        router.add(*InteractionRoutes(Answers(self.world, self.interactions)).routes())
        return router

    async def _face(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self.gateway.handle(request)
        path = request.path
        if path.startswith(("/attachments/", "/ephemeral-attachments/")):
            if path not in self.world.files:
                return web.Response(status=404, text="This content is no longer available.")
            content, kind = self.world.files[path]
            return web.Response(body=content, headers={"Content-Type": kind})
        return await self.rest.handle(request)

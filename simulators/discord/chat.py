"""The chat page: the simulated Discord in a browser, over plain HTTP on loopback, with live updates on a websocket."""

from __future__ import annotations

import asyncio
import errno
import json
import mimetypes
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp
from aiohttp import web

from simulators.clock import SimClock
from simulators.discord.client import Client
from simulators.discord.components import walk
from simulators.discord.feed import Change, Subscription
from simulators.discord.interactions import Interaction, Interactions, NotAnswered
from simulators.discord.objects import Channel, Guild, Json, Person
from simulators.discord.options import Refused
from simulators.discord.viewer import Viewer
from simulators.discord.world import World

PAGE = Path(__file__).parent / "page"
HOST = "127.0.0.1"
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
HEALTH_TIMEOUT_S = 2.0
BODY_BYTES_MAX = 256 * 1024
JUMP_S_MAX = 7 * 86_400.0
SPEED_MAX = 1_000.0
MODAL_CALLBACK = 9
# What a browser may show in place; anything else on the CDN is offered for download.
SHOWN_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif")

# Structure of the world changed in a way the page shows: send it all again rather than patch it.
STRUCTURAL = frozenset(
    {"guild_changed", "channel_created", "channel_changed", "channel_deleted"}
    | {"role_created", "member_joined", "member_left", "member_changed"}
)

Answer = Callable[[Client, Channel, Json], Awaitable[Json]]


class Chat:
    """Serves the page for one guild of the world: `async with Chat(...) as chat: print(chat.url)`.

    `health_url` is the daemon's health document that the page links to and asks about; None leaves it out.
    Listens on `port` of 127.0.0.1; when that is taken, on a free one (`is_elsewhere` tells so).
    """

    def __init__(
        self,
        world: World,
        interactions: Interactions,
        guild: Guild,
        clock: SimClock,
        *,
        port: int = 0,
        health_url: str | None = None,
    ) -> None:
        self.world = world
        self.interactions = interactions
        self.guild = guild
        self.clock = clock
        self.health_url = health_url
        self.is_elsewhere = False
        self.port = port
        self._files: dict[str, tuple[bytes, str]] = {}
        self._http: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self._sockets: set[web.WebSocketResponse] = set()

    @property
    def url(self) -> str:
        """Where the page is, with a slash at the end."""
        return f"http://{HOST}:{self.port}/"

    async def __aenter__(self) -> Chat:
        self._files = await asyncio.to_thread(_read_page)
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=HEALTH_TIMEOUT_S))
        self._runner = web.AppRunner(self._app(), access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, HOST, self.port).start()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                await self.__aexit__(None, None, None)
                raise
            self.is_elsewhere = True
            await web.TCPSite(self._runner, HOST, 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for socket in list(self._sockets):
            await socket.close(code=aiohttp.WSCloseCode.GOING_AWAY)
        if self._runner:
            await self._runner.cleanup()
        if self._http:
            await self._http.close()

    # ---------------------------------------------------------------- routes

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[_guard])
        app.router.add_get("/", self._page)
        app.router.add_get("/page/{name}", self._page)
        app.router.add_get("/cdn/{path:.+}", self._cdn)
        app.router.add_get("/api/live", self._live)
        app.router.add_get("/api/health", self._health)
        app.router.add_post("/api/clock", self._set_clock)
        answers: dict[str, Answer] = {
            "say": self._say,
            "run": self._run,
            "suggest": self._suggest,
            "press": self._press,
            "submit": self._submit,
            "dismiss": self._dismiss,
        }
        for name, answer in answers.items():
            app.router.add_post(f"/api/{name}", self._acting(answer))
        return app

    async def _page(self, request: web.Request) -> web.Response:
        found = self._files.get(request.match_info.get("name", "index.html"))
        if found is None:
            raise web.HTTPNotFound
        content, content_type = found
        charset = None if content_type.startswith("image/png") else "utf-8"
        return web.Response(body=content, content_type=content_type, charset=charset)

    async def _cdn(self, request: web.Request) -> web.Response:
        found = self.world.files.get("/" + request.match_info["path"])
        if found is None:
            raise web.HTTPNotFound
        content, content_type = found
        if content_type == "application/octet-stream":  # uploads often leave their type to the name
            content_type = mimetypes.guess_type(request.path)[0] or content_type
        is_shown = content_type in SHOWN_TYPES
        headers = {"Cache-Control": "max-age=3600", "Content-Disposition": "inline" if is_shown else "attachment"}
        return web.Response(
            body=content, content_type=content_type if is_shown else "application/octet-stream", headers=headers
        )

    async def _health(self, _request: web.Request) -> web.Response:
        status = "away"
        if self.health_url and self._http:
            try:
                async with self._http.get(self.health_url) as answer:
                    status = str((await answer.json(content_type=None))["status"])
            except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError):
                status = "away"
        return web.json_response({"status": status})

    async def _set_clock(self, request: web.Request) -> web.Response:
        body = await _body(request)
        try:
            if "speed" in body:
                self.clock.set_speed(min(float(body["speed"]), SPEED_MAX))
            if "jump_s" in body:
                self.clock.jump(min(float(body["jump_s"]), JUMP_S_MAX))
        except (TypeError, ValueError) as error:
            return _refusal(str(error))
        return web.json_response({})

    # ---------------------------------------------------------------- what a member does

    def _acting(self, answer: Answer) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            body = await _body(request)
            try:
                client = Client(self.world, self.interactions, self._member(body["as"]))
                channel = self.world.channels[int(body["channel"])]
                return web.json_response(await answer(client, channel, body))
            except Refused as error:
                return _refusal(str(error))
            except NotAnswered:
                return _refusal("The application did not respond", 504)
            except (KeyError, TypeError, ValueError):
                return _refusal("This is not what the page sends.")

        return handle

    async def _say(self, client: Client, channel: Channel, body: Json) -> Json:
        client.say(channel, str(body["content"]))
        return {}

    async def _run(self, client: Client, channel: Channel, body: Json) -> Json:
        app, command = client.command(int(body["command_id"]), channel)
        return await self._outcome(client.invoke(channel, app, command, body["path"][1:], body["options"]))

    async def _suggest(self, client: Client, channel: Channel, body: Json) -> Json:
        app, command = client.command(int(body["command_id"]), channel)
        given = {**body["options"], body["focused"]: body["text"]}
        sent = client.invoke(channel, app, command, body["path"][1:], given, focused=body["focused"])
        await self.interactions.answer_to(sent)
        return {"choices": sent.choices}

    async def _press(self, client: Client, _channel: Channel, body: Json) -> Json:
        post = client.post(int(body["message_id"]))
        parts = walk(post.data["components"])
        component = next((part for part in parts if part.get("custom_id") == body["custom_id"]), None)
        if component is None:
            raise Refused("That has changed in the meantime.")
        return await self._outcome(client.press(post, component, body.get("values")))

    async def _submit(self, client: Client, _channel: Channel, body: Json) -> Json:
        opener = self.interactions.by_id(int(body["modal_id"]))
        if opener is None:
            raise Refused("no modal is open")
        return await self._outcome(client.submit(opener, body["values"]))

    async def _dismiss(self, client: Client, _channel: Channel, body: Json) -> Json:
        client.dismiss(client.post(int(body["message_id"])))
        return {}

    async def _outcome(self, sent: Interaction) -> Json:
        """Wait for the bot's first answer; messages arrive on the websocket, only a modal comes back here."""
        await self.interactions.answer_to(sent)
        if sent.callback_type == MODAL_CALLBACK and sent.modal:
            return {"outcome": "modal", "modal": {**sent.modal, "id": str(sent.interaction_id)}}
        return {"outcome": "answered"}

    def _member(self, user_id: Any) -> Person:
        """The member who acts; Refused for a bot or a stranger."""
        person = self.world.people.get(int(user_id))
        if person is None or person.is_bot or person.user_id not in self.guild.members:
            raise Refused("Nobody of that name is here.")
        return person

    # ---------------------------------------------------------------- live updates

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=20, max_msg_size=4096)
        await socket.prepare(request)
        viewer = self._viewer(request.query.get("as", ""))
        self._sockets.add(socket)
        changes = self.world.subscribe()
        version = self.clock.version
        try:
            await socket.send_json({**viewer.state(self.health_url), "clock": await self.clock.follow()})
            async with asyncio.TaskGroup() as group:
                feeds = [
                    group.create_task(self._feed_changes(socket, viewer, changes)),
                    group.create_task(self._feed_clock(socket, version)),
                ]
                async for _ in socket:  # the page sends nothing; this ends when it goes away
                    pass
                for feed in feeds:
                    feed.cancel()
        except ConnectionError:
            pass  # the page went away while something was being sent
        finally:
            changes.close()
            self._sockets.discard(socket)
        return socket

    def _viewer(self, wanted: str) -> Viewer:
        """The member asked for, or the guild's owner."""
        member = self.guild.members.get(int(wanted)) if wanted.isdigit() else None
        person = self.world.people[member.user_id if member else self.guild.owner_id]
        return Viewer(self.world, self.guild, Client(self.world, self.interactions, person))

    async def _feed_changes(self, socket: web.WebSocketResponse, viewer: Viewer, changes: Subscription) -> None:
        async for change in changes:
            for news in await self._news(viewer, change):
                await _send(socket, news)

    async def _news(self, viewer: Viewer, change: Change) -> list[Json]:
        if change.kind in STRUCTURAL:
            return [{**viewer.state(self.health_url), "clock": await self.clock.follow()}]
        return viewer.news(change)

    async def _feed_clock(self, socket: web.WebSocketResponse, version: int) -> None:
        while True:
            version = await self.clock.wait_change(version)
            await _send(socket, {"type": "clock", "clock": await self.clock.follow()})


async def _send(socket: web.WebSocketResponse, news: Json) -> None:
    try:
        await socket.send_json(news)
    except ConnectionError:
        await socket.close()


@web.middleware
async def _guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Only this page may talk to us: other sites a browser has open can reach loopback ports too."""
    origin = request.headers.get("Origin")
    name = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
    if name not in LOOPBACK_NAMES or (origin is not None and origin != f"http://{request.host}"):
        raise web.HTTPForbidden(text="This page is for the computer it runs on.")
    answer = await handler(request)
    if not answer.prepared:
        answer.headers.update(_security_headers(request.host))
    return answer


def _security_headers(host: str) -> dict[str, str]:
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": f"'self' ws://{host}",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    headers = {
        "Content-Security-Policy": "; ".join(f"{key} {value}" for key, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    return {"Cache-Control": "no-cache"} | headers


async def _body(request: web.Request) -> Json:
    try:
        body = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        body = None
    return body if isinstance(body, dict) else {}


def _refusal(text: str, status: int = 400) -> web.Response:
    return web.json_response({"error": text}, status=status)


def _read_page() -> dict[str, tuple[bytes, str]]:
    types = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
    files = [file for file in PAGE.iterdir() if file.is_file()]
    return {
        file.name: (file.read_bytes(), types.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "text/plain")
        for file in files
    }

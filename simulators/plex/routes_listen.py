"""The server's notifications: websocket and event stream."""

from __future__ import annotations

import asyncio

from aiohttp import web

from simulators.plex.answers import account_of
from simulators.plex.notifications import Listener
from simulators.plex.server import Server

PATHS = ("/:/websockets/notifications", "/:/websocket/notifications")


class ListenRoutes:
    """`/:/websockets/notifications`, its singular twin, and `/:/eventsource/notifications`."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def table(self) -> list[web.RouteDef]:
        """Routes for the application."""
        return [
            *(web.get(path, self.websocket) for path in PATHS),
            web.get("/:/eventsource/notifications", self.events),
        ]

    async def websocket(self, request: web.Request) -> web.StreamResponse:
        """Send until either side ends it; pings are answered, anything else a listener says is ignored."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        listener = self._server.notifications.join(account_of(request))
        try:
            async with asyncio.TaskGroup() as both:
                sender = both.create_task(self._send(socket, listener))
                async for _ in socket:
                    pass
                sender.cancel()
        finally:
            self._server.notifications.leave(listener)
        return socket

    async def _send(self, socket: web.WebSocketResponse, listener: Listener) -> None:
        while (text := await listener.next()) is not None:
            try:
                await socket.send_str(text)
            except ConnectionError:
                return
        await socket.close()

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The same messages as server-sent events."""
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        await stream.prepare(request)
        listener = self._server.notifications.join(account_of(request))
        try:
            while (text := await listener.next()) is not None:
                await stream.write(f"event: notification\ndata: {text}\n\n".encode())
        except ConnectionError:
            pass
        finally:
            self._server.notifications.leave(listener)
        return stream

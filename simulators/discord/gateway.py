"""The gateway: one websocket's protocol from HELLO to close."""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from collections import deque
from typing import Any, Protocol

import zstandard
from aiohttp import WSMsgType, web

from simulators.discord.faults import Faults
from simulators.discord.objects import App, Json
from simulators.discord.problems import Problems
from simulators.discord.sessions import PRIVILEGED, Session, Sessions
from simulators.discord.world import World

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, VOICE, RESUME, RECONNECT = 0, 1, 2, 3, 4, 6, 7
REQUEST_MEMBERS, INVALID_SESSION, HELLO, ACK = 8, 9, 10, 11

HEARTBEAT_MS = 41_250
ACK_AFTER_S = 0.02  # as over the internet: discord.py takes an acknowledgement that overtakes its clock for 41 s late
PAYLOAD_MAX = 4_096  # bytes an app may send in one frame
SENDS_MAX, SENDS_PER_S = 120, 60.0
KNOWN_INTENTS = (1 << 17) - 1 | 1 << 20 | 1 << 21 | 1 << 24 | 1 << 25
IDENTIFY_WINDOW_S = 5.0
UNREAD_MAX = 10_000  # frames

ABORT = object()  # queue marker: the connection was cut, nothing is sent any more


class Encoder(Protocol):
    """Turns one event into one frame."""

    def frame(self, text: bytes) -> bytes | str:
        """Text frames are str, compressed ones bytes."""
        ...


class Plain:
    """No transport compression."""

    def frame(self, text: bytes) -> bytes | str:
        """The JSON itself."""
        return text.decode()


class Zlib:
    """zlib-stream: one context a socket, each event ends with a sync flush (00 00 FF FF)."""

    def __init__(self) -> None:
        self._context = zlib.compressobj()

    def frame(self, text: bytes) -> bytes | str:
        """A piece of the stream."""
        return self._context.compress(text) + self._context.flush(zlib.Z_SYNC_FLUSH)


class Zstd:
    """zstd-stream: one context a socket, each event ends with a flushed block."""

    def __init__(self) -> None:
        self._context = zstandard.ZstdCompressor().compressobj()

    def frame(self, text: bytes) -> bytes | str:
        """A piece of the stream."""
        return self._context.compress(text) + self._context.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)


ENCODERS: dict[str | None, type[Plain] | type[Zlib] | type[Zstd]] = {
    None: Plain,
    "zlib-stream": Zlib,
    "zstd-stream": Zstd,
}


class Closed(Exception):
    """Ends a connection with a close code."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code
        self.why = why


class Connection:
    """One websocket. Frames leave through a queue, so that dispatching never waits."""

    def __init__(self, gateway: Gateway, request: web.Request, socket: web.WebSocketResponse) -> None:
        self._gateway = gateway
        self._request = request
        self._socket = socket
        self._encoder = ENCODERS[request.query.get("compress")]()
        self._out: asyncio.Queue[Any] = asyncio.Queue()
        self._sends: deque[float] = deque(maxlen=SENDS_MAX)
        self.session: Session | None = None
        self.received: deque[Json] = deque(maxlen=200)
        self._is_closing = False

    def push(self, frame: Json) -> None:
        """Send one frame when its turn comes; a client that reads nothing is cut off."""
        if self._out.qsize() > UNREAD_MAX:
            self.abort()
            return
        self._out.put_nowait(frame)

    def push_raw(self, text: str) -> None:
        """Send text as it is, JSON or not."""
        self._out.put_nowait(text)

    def close(self, code: int) -> None:
        """Close with a code after what is queued."""
        self._out.put_nowait(Closed(code, "closed on order"))

    def abort(self) -> None:
        """Cut the connection without a close frame."""
        if self._request.transport:
            self._request.transport.abort()
        self._out.put_nowait(ABORT)

    async def run(self) -> None:
        """Serve until either side ends it."""
        self.push({"op": HELLO, "d": {"heartbeat_interval": self._gateway.heartbeat_ms, "_trace": []}, "s": None})
        async with asyncio.TaskGroup() as tasks:
            writer = tasks.create_task(self._write())
            try:
                await self._read()
            except Closed as closed:
                self._gateway.problems.add("gateway", f"close {closed.code}", closed.why)
                self._out.put_nowait(closed)
                await writer
            finally:
                writer.cancel()
                self._detach()

    async def _write(self) -> None:
        while True:
            item = await self._out.get()
            if item is ABORT:
                return
            if isinstance(item, Closed):
                self._is_closing = True
                await self._socket.close(code=item.code, message=item.why.encode())
                return
            text = item.encode() if isinstance(item, str) else json.dumps(item, separators=(",", ":")).encode()
            frame = self._encoder.frame(text)
            try:
                await (self._socket.send_bytes(frame) if isinstance(frame, bytes) else self._socket.send_str(frame))
            except (ConnectionError, RuntimeError):
                return

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            text = message.data if isinstance(message.data, str) else message.data.decode()
            self._count(len(text.encode()))
            try:
                frame = json.loads(text)
                op = int(frame["op"])
            except (ValueError, TypeError, KeyError):
                raise Closed(4002, "Error while decoding payload.") from None
            self.received.append(frame)
            await self._handle(op, frame.get("d"))
        if self.session and not self._is_closing and self._socket.close_code in (1000, 1001):
            self._gateway.sessions.end(self.session)  # the client said goodbye: nothing to resume

    def _count(self, size: int) -> None:
        if size > PAYLOAD_MAX:
            raise Closed(4002, "Payload too large.")
        now = time.monotonic()
        if len(self._sends) == SENDS_MAX and now - self._sends[0] < SENDS_PER_S:
            raise Closed(4008, "You are being rate limited.")
        self._sends.append(now)

    async def _handle(self, op: int, data: Any) -> None:
        if op == HEARTBEAT:
            await asyncio.sleep(ACK_AFTER_S)
            if not self._gateway.faults.mute_acks:
                self.push({"op": ACK, "d": None})
        elif op == IDENTIFY:
            self._identify(data)
        elif op == RESUME:
            self._resume(data)
        elif self.session is None:
            raise Closed(4003, "Not authenticated.")
        elif op == REQUEST_MEMBERS:
            self._members(self.session, data)
        elif op not in (PRESENCE, VOICE, 31):
            raise Closed(4001, "Unknown opcode.")

    def _identify(self, data: Any) -> None:
        if self.session:
            raise Closed(4005, "Already authenticated.")
        app = self._gateway.world.app_of_token(str(data.get("token", "")).removeprefix("Bot "))
        if app is None:
            raise Closed(4004, "Authentication failed.")
        intents = data.get("intents")
        if not isinstance(intents, int) or intents & ~KNOWN_INTENTS:
            raise Closed(4013, "Invalid intent(s).")
        if intents & PRIVILEGED & ~app.privileged_intents:
            raise Closed(4014, "Disallowed intent(s).")
        number, count = data.get("shard") or (0, 1)
        if not 0 <= number < count:
            raise Closed(4010, "Invalid shard.")
        if not self._gateway.may_identify(app, number):
            self.push({"op": INVALID_SESSION, "d": False})
            return
        app.identifies_left -= 1
        self.session = self._gateway.sessions.open(app, intents, (number, count))
        self.session.push = self.push
        self._gateway.sessions.ready(self.session, "wss://gateway-us-east1-b.discord.gg")

    def _resume(self, data: Any) -> None:
        session = self._gateway.sessions.get(str(data.get("session_id")))
        app = self._gateway.world.app_of_token(str(data.get("token", "")))
        if app is None:
            raise Closed(4004, "Authentication failed.")
        faults = self._gateway.faults
        missed = session.missed(int(data.get("seq") or 0)) if session and session.app is app else None
        if faults.refuse_resume > 0 or session is None or missed is None:
            faults.refuse_resume = max(0, faults.refuse_resume - 1)
            self.push({"op": INVALID_SESSION, "d": False})
            return
        self.session = session
        for frame in missed:
            self.push(frame)
        session.push = self.push
        session.dispatch("RESUMED", {"_trace": []})

    def _members(self, session: Session, data: Any) -> None:
        world = self._gateway.world
        wanted = data["guild_id"]
        guild = world.guilds.get(int(wanted[0] if isinstance(wanted, list) else wanted))
        if guild is None or session.app.app_id not in guild.members:
            return
        ids = {int(user_id) for user_id in data.get("user_ids") or ()}
        query = str(data.get("query") or "").lower()
        found = [
            member.to_json(world.people[member.user_id])
            for member in guild.members.values()
            if (member.user_id in ids if ids else world.people[member.user_id].username.startswith(query))
        ]
        chunk: Json = {
            "guild_id": str(guild.guild_id),
            "members": found,
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": [str(user_id) for user_id in ids if user_id not in guild.members],
        }
        if "nonce" in data:
            chunk["nonce"] = data["nonce"]
        session.dispatch("GUILD_MEMBERS_CHUNK", chunk)

    def _detach(self) -> None:
        if self.session and self.session.push == self.push:
            self.session.push = None
            self.session.detached_at = time.monotonic()


class Gateway:
    """Accepts sockets and drives the faults of all of them."""

    def __init__(self, world: World, sessions: Sessions, faults: Faults, problems: Problems) -> None:
        self.world = world
        self.sessions = sessions
        self.faults = faults
        self.problems = problems
        self.heartbeat_ms = HEARTBEAT_MS
        self.connections: set[Connection] = set()
        self._identified: dict[tuple[int, int], float] = {}

    def may_identify(self, app: App, shard: int) -> bool:
        """One identify in five seconds for each rate-limit key, at most a thousand a day.

        A restarted bot of the same app is let through: the window only binds different shards of one start.
        """
        if app.identifies_left <= 0:
            return False
        key, now = (app.app_id, shard % app.max_concurrency), time.monotonic()
        other = self._identified.get(key)
        is_free = other is None or now - other >= IDENTIFY_WINDOW_S or shard == 0
        if is_free:
            self._identified[key] = now
        return is_free

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one handshake and its socket."""
        if self.faults.refuse_ws > 0:
            self.faults.refuse_ws -= 1
            return web.Response(status=503, text="no healthy upstream")
        if request.query.get("compress") not in ENCODERS:
            return web.Response(status=400, text="unknown compression")
        socket = web.WebSocketResponse(max_msg_size=1 << 20, compress=False, autoping=True)
        await socket.prepare(request)
        connection = Connection(self, request, socket)
        self.connections.add(connection)
        try:
            await connection.run()
        finally:
            self.connections.discard(connection)
        return socket

    def drop_all(self, code: int | None = None) -> int:
        """End every socket: with a close code, or (None) by cutting the connection. Gives how many."""
        for connection in list(self.connections):
            if code is None:
                connection.abort()
            else:
                connection.close(code)
        return len(self.connections)

    def reconnect_all(self) -> None:
        """Ask every client to reconnect and resume (op 7)."""
        for connection in list(self.connections):
            connection.push({"op": RECONNECT, "d": None})

    def invalidate_all(self, *, is_resumable: bool = False) -> None:
        """Tell every client that its session is invalid (op 9)."""
        for connection in list(self.connections):
            if connection.session and not is_resumable:
                self.sessions.end(connection.session)
            connection.push({"op": INVALID_SESSION, "d": is_resumable})

    def send_malformed(self, event: str = "MESSAGE_CREATE") -> None:
        """Dispatch an event without the fields a client needs."""
        for connection in list(self.connections):
            if connection.session:
                connection.session.dispatch(event, {"id": "1", "channel_id": "1"})

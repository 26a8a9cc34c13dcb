"""The control API: tests and the demo drive clock, world, players and faults over HTTP."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from simulators.plex.control_library import LibraryActions
from simulators.plex.gate import CONTROL
from simulators.plex.players import Player
from simulators.plex.render import plain
from simulators.plex.server import Server
from simulators.plex.sessions import session_element


class ControlRoutes:
    """Everything below `/__sim`; JSON in, JSON out, 400 with `{"error": ...}` for what makes no sense."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._library = LibraryActions(server)

    def table(self) -> list[web.RouteDef]:
        """Routes for the application."""
        made = [
            web.get(f"{CONTROL}/clock", self.clock),
            web.post(f"{CONTROL}/clock", self.set_clock),
            web.get(f"{CONTROL}/state", self.state),
            web.get(f"{CONTROL}/requests", self.requests),
            web.delete(f"{CONTROL}/requests", self.forget_requests),
            web.get(f"{CONTROL}/faults", self.faults),
            web.post(f"{CONTROL}/faults", self.add_fault),
            web.delete(f"{CONTROL}/faults", self.clear_faults),
            web.delete(f"{CONTROL}/faults/{{id}}", self.remove_fault),
            web.post(f"{CONTROL}/faults/{{id}}/release", self.release_fault),
        ]
        for name, action in self._actions.items():
            made.append(web.post(f"{CONTROL}/{name}", self._handler(action)))
        return made

    @property
    def _actions(self) -> dict[str, Any]:
        return {
            "play": self._play, "kill": self._kill, "vanish": self._vanish, "revive": self._revive,
            **self._library.actions, "restart": self._restart, "identity": self._identity,
            "notify": self._notify, "websockets/drop": self._drop_websockets, "websockets/mute": self._mute,
        }  # fmt: skip

    def _handler(self, action: Any) -> Any:
        async def handle(request: web.Request) -> web.Response:
            try:
                body = await request.json() if request.can_read_body else {}
                self._server.settle()
                return web.json_response(action(body) or {"ok": True})
            except (LookupError, ValueError, TypeError) as error:
                return web.json_response({"error": str(error)}, status=400)

        return handle

    async def clock(self, request: web.Request) -> web.Response:
        """`now`, `speed`, `version`; with ?version=N held until the version differs, at most 10 s."""
        text = request.query.get("version", "")
        version = int(text) if text.isdigit() else None
        return web.json_response(await self._server.clock.follow(version))

    async def set_clock(self, request: web.Request) -> web.Response:
        """`{"speed": 10}` and/or `{"jump": 600}` (seconds)."""
        try:
            body = await request.json()
            if "speed" in body:
                self._server.clock.set_speed(float(body["speed"]))
            if "jump" in body:
                self._server.clock.jump(float(body["jump"]))
        except (ValueError, TypeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        self._server.settle()
        return web.json_response(await self._server.clock.follow())

    async def state(self, request: web.Request) -> web.Response:
        """Players, sessions, queues and counts."""
        server = self._server
        now = server.settle()
        return web.json_response({
            "now": now, "machine_id": server.machine_id, "boots": server.boots, "version": server.version,
            "titles": len(server.world.items), "revision": server.world.revision,
            "accounts": [
                {"id": each.id, "name": each.name, "token": each.server_token, "account_token": each.token}
                for each in server.world.accounts.values()
            ],
            "players": [self._shown(player, now) for player in server.players.values()],
            "sessions": [plain(session_element(server, player, now)) for player in server.sessions()],
            "queues": [
                {"id": queue.id, "selected": queue.selected_id, "titles": [each.item.title for each in queue.entries]}
                for queue in server.queues.all()
            ],
            "history": [
                {"title": play.item.title, "account": play.account, "viewed_at": play.viewed_at}
                for play in server.history
            ],
            "listeners": server.notifications.listeners, "notifications_sent": server.notifications.sent_total,
            "unknown_routes": server.unknown_routes, "faults": server.faults.shown(),
        })  # fmt: skip

    def _shown(self, player: Player, now: float) -> dict[str, Any]:
        return {
            "id": player.spec.id, "title": player.spec.title, "state": player.state, "is_online": player.is_online,
            "playing": player.item.title if player.item else None, "position_ms": player.position_ms(now),
            "duration_ms": player.duration_ms, "volume": player.volume, "port": self._server.ports[player.spec.id],
            "account": player.account.name if player.account else None, "stale_commands": player.stale_commands,
        }  # fmt: skip

    async def requests(self, request: web.Request) -> web.Response:
        """The log, oldest first; ?path= keeps those whose path contains it."""
        wanted = request.query.get("path", "")
        return web.json_response([
            {
                "at": each.at, "where": each.where, "method": each.method, "path": each.path,
                "query": dict(each.query), "headers": dict(each.headers), "status": each.status,
                "is_unknown": each.is_unknown,
            }
            for each in self._server.requests if wanted in each.path
        ])  # fmt: skip

    async def forget_requests(self, request: web.Request) -> web.Response:
        """Empty the log and the list of unknown routes."""
        self._server.requests.clear()
        self._server.unknown_routes.clear()
        return web.json_response({"ok": True})

    async def faults(self, request: web.Request) -> web.Response:
        """Faults in force."""
        return web.json_response(self._server.faults.shown())

    async def add_fault(self, request: web.Request) -> web.Response:
        """`{"path": "/status/sessions", "kind": "hold"}` or `"status": 503`; see Faults.add for the rest.

        `{"sessions_without_user": true}`, `{"totals_drift": true}` and `{"overlap": 3}` switch the oddities.
        """
        try:
            body = await request.json()
            for oddity in ("sessions_without_user", "totals_drift"):
                if oddity in body:
                    setattr(self._server.faults, oddity, bool(body.pop(oddity)))
            if "overlap" in body:
                self._server.faults.overlap = max(0, int(body.pop("overlap")))
            if not body:
                return web.json_response({"ok": True})
            what = body.pop("kind", None) or body.pop("status")
            fault = self._server.faults.add(body.pop("path"), what, **body)
        except (LookupError, ValueError, TypeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(fault.shown())

    async def clear_faults(self, request: web.Request) -> web.Response:
        """End all."""
        self._server.faults.clear()
        return web.json_response({"ok": True})

    async def remove_fault(self, request: web.Request) -> web.Response:
        """End one."""
        return self._with_fault(request, self._server.faults.remove)

    async def release_fault(self, request: web.Request) -> web.Response:
        """Let what it holds go on."""
        return self._with_fault(request, lambda fault: fault.release())

    def _with_fault(self, request: web.Request, act: Any) -> web.Response:
        text = request.match_info["id"]
        fault = self._server.faults.get(int(text)) if text.isdigit() else None
        if fault is None:
            return web.json_response({"error": "no such fault"}, status=404)
        act(fault)
        return web.json_response(fault.shown())

    # Actions: take the body, may return what to answer

    def _play(self, body: dict[str, Any]) -> None:
        item = self._library.item(body)
        account = self._server.account(body.get("user", "Olivia"))
        self._server.start(
            self._server.player(body["player"]), f"/library/metadata/{item.key}", account,
            offset_ms=int(body.get("offset_ms", 0)), shuffle=bool(body.get("shuffle")),
        )  # fmt: skip

    def _kill(self, body: dict[str, Any]) -> None:
        self._server.player(body["player"]).kill(self._server.clock.now())

    def _vanish(self, body: dict[str, Any]) -> None:
        self._server.player(body["player"]).is_online = False

    def _revive(self, body: dict[str, Any]) -> None:
        player = self._server.player(body["player"])
        player.is_online = True
        if player.is_killed:
            player.bury(self._server.clock.now())

    def _restart(self, body: dict[str, Any]) -> None:
        self._server.restart(down_s=float(body.get("down_s", 0)))

    def _identity(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"machine_id": self._server.change_identity()}

    def _notify(self, body: dict[str, Any]) -> None:
        self._server.notifications.send_text(body["raw"] if "raw" in body else json.dumps(body))

    def _drop_websockets(self, body: dict[str, Any]) -> None:
        self._server.notifications.drop_all()

    def _mute(self, body: dict[str, Any]) -> None:
        self._server.notifications.muted = bool(body.get("on", True))

"""The control API: tests and the demo drive clock, world, players and faults over HTTP."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from simulators.plex.gate import CONTROL
from simulators.plex.items import Item
from simulators.plex.players import Player
from simulators.plex.render import plain
from simulators.plex.scan import appear, scan, vanish
from simulators.plex.server import Server
from simulators.plex.sessions import session_element


class ControlRoutes:
    """Everything below `/__sim`; JSON in, JSON out, 400 with `{"error": ...}` for what makes no sense."""

    def __init__(self, server: Server) -> None:
        self._server = server

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
            "titles/add": self._add, "titles/remove": self._remove, "titles/rename": self._rename,
            "titles/rekey": self._rekey, "scan": self._scan, "restart": self._restart, "identity": self._identity,
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
                {"id": each.id, "name": each.name, "token": each.token} for each in server.world.accounts.values()
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

        `{"sessions_without_user": true}` and `{"totals_drift": true}` switch the two oddities.
        """
        try:
            body = await request.json()
            for oddity in ("sessions_without_user", "totals_drift"):
                if oddity in body:
                    setattr(self._server.faults, oddity, bool(body.pop(oddity)))
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

    def _item(self, body: dict[str, Any]) -> Item:
        """The title named by `key` or `title`."""
        if "key" in body:
            return self._server.world.items[int(body["key"])]
        return self._server.world.find(body["title"], body.get("kind"))

    def _play(self, body: dict[str, Any]) -> None:
        item = self._item(body)
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

    def _add(self, body: dict[str, Any]) -> dict[str, Any]:
        now = int(self._server.clock.now())
        minutes, genres = int(body.get("minutes", 100)), tuple(body.get("genres", ["Drama"]))
        section = int(body.get("section", 1))
        if section not in self._server.world.sections:
            raise LookupError(f"no section {section}")
        made = Item(0, "movie", str(body["title"]), section, now, body.get("year", 2026), minutes * 60_000, genres)
        return {"key": appear(self._server, made).key}

    def _remove(self, body: dict[str, Any]) -> None:
        vanish(self._server, self._item(body))

    def _rename(self, body: dict[str, Any]) -> None:
        item = self._item(body)
        self._server.world.edit(item, int(self._server.clock.now()), title=str(body["to"]))
        self._server.tell_timeline(item, 5, "processed")

    def _rekey(self, body: dict[str, Any]) -> dict[str, Any]:
        item = self._item(body)
        self._server.tell_timeline(item, 9, "deleted")
        key = self._server.world.rekey(item)
        self._server.tell_timeline(item, 5, "created")
        return {"key": key}

    def _scan(self, body: dict[str, Any]) -> None:
        section = self._server.world.sections[int(body.get("section", 1))]
        self._server.run("scan", scan(self._server, section))

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

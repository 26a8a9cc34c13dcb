"""The plex.tv face: who a token belongs to, what may be reached with it, and linking by PIN."""

from __future__ import annotations

import html
from dataclasses import dataclass

from aiohttp import web

from simulators.plex.answers import NotThere, container, html_error, reply, wants_json
from simulators.plex.gate import ACCOUNT_FACE
from simulators.plex.render import El, Value
from simulators.plex.server import Server
from simulators.plex.world import Account

PIN_S = 900  # a PIN is good for this long
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(slots=True)
class Pin:
    """A request to be linked: `token` is empty until somebody says yes."""

    id: int
    code: str
    client: str
    made_at: float
    token: str = ""


class AccountRoutes:
    """Everything below `/_plex.tv`."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._pins: dict[int, Pin] = {}

    def table(self) -> list[web.RouteDef]:
        """Routes for the application."""
        face = ACCOUNT_FACE
        return [
            web.get(f"{face}/api/v2/ping", self.ping),
            web.get(f"{face}/api/v2/user", self.user),
            web.get(f"{face}/api/v2/resources", self.resources),
            web.get(f"{face}/api/resources", self.resources),
            web.post(f"{face}/api/v2/pins", self.make_pin),
            web.get(f"{face}/api/v2/pins/{{id}}", self.pin),
            web.get(f"{face}/api/users/", self.users),
            web.get(f"{face}/api/users", self.users),
            web.get(f"{face}/link", self.link_page),
            web.post(f"{face}/link", self.link),
            web.get(f"{face}/users/{{uuid}}/avatar", self.avatar),
        ]

    def _who(self, request: web.Request) -> Account:
        token = request.headers.get("X-Plex-Token") or request.query.get("X-Plex-Token") or ""
        account = self._server.world.by_token(token)
        if account is None:
            raise web.HTTPUnauthorized(text=html_error(401).text, content_type="text/html")
        return account

    async def ping(self, request: web.Request) -> web.Response:
        """Whether the token is good."""
        self._who(request)
        return reply(request, El("pong", {"text": "pong"})) if wants_json(request) else web.Response(text="<pong/>")

    async def user(self, request: web.Request) -> web.Response:
        """Whose token this is."""
        return self._top(request, self._user(self._who(request)))

    def _user(self, account: Account) -> El:
        attrs: dict[str, Value] = {
            "id": account.remote_id, "uuid": account.uuid, "username": account.name, "title": account.name,
            "email": account.email, "friendlyName": account.name, "locale": None, "confirmed": True,
            "joinedAt": 1_500_000_000, "emailOnlyAuth": False, "hasPassword": not account.is_managed,
            "protected": account.is_managed, "thumb": self._avatar(account), "authToken": account.token,
            "mailingListActive": False, "scrobbleTypes": "", "country": "US", "subscriptionDescription": "",
            "restricted": account.is_managed, "anonymous": None, "home": account.is_owner or account.is_managed,
            "guest": False, "homeSize": 2, "homeAdmin": account.is_owner, "maxHomeSize": 15,
            "twoFactorEnabled": False, "backupCodesCreated": False,
        }  # fmt: skip
        features = El("features", {}, [El("feature", {"id": name}) for name in ("pass", "session_kick", "webhooks")])
        active: dict[str, Value] = {"active": account.is_owner, "status": "Active", "plan": "lifetime"}
        return El("user", attrs, [
            El("subscription", active, [features]), El("profile", {"autoSelectAudio": True}),
            El("entitlements"), El("roles"), El("services"),
        ])  # fmt: skip

    def _avatar(self, account: Account) -> str:
        return f"https://plex.tv/users/{account.uuid}/avatar?c=1"

    async def resources(self, request: web.Request) -> web.Response:
        """The server (with a token for it) and, for its owner, the players."""
        account = self._who(request)
        rows = [self._server_resource(account)]
        if account.is_owner:
            rows += [self._player_resource(player_id) for player_id in self._server.players]
        if wants_json(request):
            shown = []
            for row in rows:
                connections = [dict(child.attrs) for child in row.children[0].children]
                shown.append({**row.attrs, "connections": connections})
            return web.json_response(shown)
        return reply(request, El("resources", {}, rows))

    def _server_resource(self, account: Account) -> El:
        port = self._server.ports["server"]
        attrs: dict[str, Value] = {
            "name": self._server.name, "product": "Plex Media Server", "productVersion": self._server.version,
            "platform": "Linux", "platformVersion": "12", "device": "PC", "clientIdentifier": self._server.machine_id,
            "createdAt": "2024-01-01T00:00:00Z", "lastSeenAt": "2026-01-16T19:00:00Z", "provides": "server",
            "ownerId": None if account.is_owner else self._server.owner.remote_id,
            "sourceTitle": None if account.is_owner else self._server.owner.name, "publicAddress": "203.0.113.9",
            "accessToken": account.token, "owned": account.is_owner, "home": account.is_managed, "synced": False,
            "relay": False, "presence": True, "httpsRequired": False, "publicAddressMatches": True,
            "dnsRebindingProtection": False, "natLoopbackSupported": True,
        }  # fmt: skip
        return El("resource", attrs, [El("connections", {}, [_connection("127.0.0.1", port)])])

    def _player_resource(self, player_id: str) -> El:
        player = self._server.players[player_id]
        spec = player.spec
        attrs: dict[str, Value] = {
            "name": spec.title, "product": spec.product, "productVersion": spec.version, "platform": spec.platform,
            "platformVersion": spec.platform_version, "device": spec.device, "clientIdentifier": spec.id,
            "createdAt": "2024-01-01T00:00:00Z", "lastSeenAt": "2026-01-16T19:00:00Z", "provides":
            "client,player,pubsub-player", "publicAddress": "203.0.113.9", "accessToken": "", "owned": True,
            "home": False, "synced": False, "relay": False, "presence": player.is_online, "httpsRequired": False,
            "publicAddressMatches": spec.location == "lan", "dnsRebindingProtection": False,
            "natLoopbackSupported": False,
        }  # fmt: skip
        return El("resource", attrs, [
            El("connections", {}, [_connection(spec.address, self._server.ports[player_id])])
        ])  # fmt: skip

    async def users(self, request: web.Request) -> web.Response:
        """Friends and managed users; XML only, as the real one."""
        self._who(request)
        rows = []
        for account in self._server.world.accounts.values():
            if account.is_owner:
                continue
            server: dict[str, Value] = {
                "id": account.remote_id * 10, "serverId": "1", "machineIdentifier": self._server.machine_id,
                "name": self._server.name, "lastSeenAt": 1_768_000_000, "numLibraries": len(account.sections or ()),
                "allLibraries": account.sections is None, "owned": True, "pending": False,
            }  # fmt: skip
            user: dict[str, Value] = {
                "id": account.remote_id, "title": account.name, "username": "" if account.is_managed else account.name,
                "email": account.email, "thumb": self._avatar(account), "home": account.is_managed,
                "restricted": account.is_managed, "protected": account.is_managed,
            }  # fmt: skip
            rows.append(El("User", user, [El("Server", server)]))
        root = container(rows, friendlyName="myPlex", machineIdentifier=self._server.machine_id, totalSize=len(rows))
        return reply(request, root)

    async def make_pin(self, request: web.Request) -> web.Response:
        """A PIN to be linked: four letters, or a long one with strong=true."""
        client = request.headers.get("X-Plex-Client-Identifier", "")
        if not client:
            return html_error(400)
        form = await request.post()
        is_strong = str(request.query.get("strong") or form.get("strong") or "").lower() in ("1", "true")
        number = len(self._pins) + 1
        code = "".join(
            _LETTERS[(number * 7 + n * (11 + number)) % len(_LETTERS)] for n in range(25 if is_strong else 4)
        )
        pin = self._pins[number] = Pin(number, code, client, self._server.clock.now())
        return self._top(request, self._pin(pin), status=201)

    def _pin(self, pin: Pin) -> El:
        left = max(0, int(pin.made_at + PIN_S - self._server.clock.now()))
        return El("pin", {
            "id": pin.id, "code": pin.code, "product": "Marquee", "trusted": False, "clientIdentifier": pin.client,
            "expiresIn": left, "authToken": pin.token or None, "newRegistration": None,
        })  # fmt: skip

    async def pin(self, request: web.Request) -> web.Response:
        """Whether a PIN has been linked; 404 when it is unknown or too old."""
        text = request.match_info["id"]
        pin = self._pins.get(int(text)) if text.isascii() and text.isdigit() else None
        if pin is None or self._server.clock.now() > pin.made_at + PIN_S:
            raise NotThere
        return self._top(request, self._pin(pin))

    async def link_page(self, request: web.Request) -> web.Response:
        """A page on which to be somebody and link a PIN."""
        code = html.escape(request.query.get("pin", request.query.get("code", "")), quote=True)
        buttons = "".join(
            f'<button name="account" value="{account.id}">Link as {html.escape(account.name)}</button> '
            for account in self._server.world.accounts.values()
        )
        page = (
            "<!doctype html><title>Link a device</title><body style='font:18px sans-serif;margin:4em'>"
            f"<h1>Link a device</h1><form method=post><p><input name=code value='{code}' placeholder=Code></p>"
            f"<p>{buttons}</p></form>"
        )
        return web.Response(text=page, content_type="text/html")

    async def link(self, request: web.Request) -> web.Response:
        """Link the PIN with this code to an account of the household."""
        form = await request.post()
        code = str(form.get("code", "")).strip().upper()
        pin = next((pin for pin in self._pins.values() if pin.code == code), None)
        account = self._server.world.accounts.get(int(str(form.get("account", "1"))))
        if pin is None or account is None:
            raise NotThere
        pin.token = account.token
        return web.Response(text="<!doctype html><title>Linked</title><h1>Linked. You may close this page.</h1>",
                            content_type="text/html")  # fmt: skip

    async def avatar(self, request: web.Request) -> web.Response:
        """Nobody here has a face."""
        raise NotThere

    def _top(self, request: web.Request, root: El, *, status: int = 200) -> web.Response:
        """plex.tv's JSON has no MediaContainer around it, and its lists are plain."""
        if not wants_json(request):
            return reply(request, root, status=status)
        shown: dict[str, object] = dict(root.attrs)
        for child in root.children:
            is_list = child.tag in ("entitlements", "roles", "services")
            shown[child.tag] = [] if is_list else dict(child.attrs)
        return web.json_response(shown, status=status)


def _connection(address: str, port: int) -> El:
    return El("connection", {
        "protocol": "http", "address": address, "port": port, "uri": f"http://{address}:{port}", "local": True,
        "relay": False, "IPv6": False,
    })  # fmt: skip

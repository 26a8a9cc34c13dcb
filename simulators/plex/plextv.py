"""The plex.tv face: who a token belongs to and what may be reached with it."""

from __future__ import annotations

from aiohttp import web

from simulators.plex.answers import NotThere, html_error, reply, wants_json
from simulators.plex.gate import ACCOUNT_FACE
from simulators.plex.guests import sign_out
from simulators.plex.render import El, Value
from simulators.plex.server import Server
from simulators.plex.world import Account


def signed_in(server: Server, request: web.Request) -> Account:
    """Whose token the request carries; plex.tv's 401 when it is nobody's."""
    token = request.headers.get("X-Plex-Token") or request.query.get("X-Plex-Token") or ""
    account = server.world.by_token(token)
    if account is None:
        raise web.HTTPUnauthorized(text=html_error(401).text, content_type="text/html")
    return account


def avatar_of(account: Account) -> str:
    """Address of its picture."""
    return f"https://plex.tv/users/{account.uuid}/avatar?c=1"


def top_reply(request: web.Request, root: El, *, status: int = 200) -> web.Response:
    """plex.tv's JSON has no MediaContainer around it, and its lists are plain."""
    if not wants_json(request):
        return reply(request, root, status=status)
    shown: dict[str, object] = dict(root.attrs)
    for child in root.children:
        is_list = child.tag in ("entitlements", "roles", "services")
        shown[child.tag] = [] if is_list else dict(child.attrs)
    return web.json_response(shown, status=status)


class AccountRoutes:
    """Everything below `/_plex.tv`."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def table(self) -> list[web.RouteDef]:
        """Routes for the application."""
        face = ACCOUNT_FACE
        return [
            web.get(f"{face}/api/v2/ping", self.ping),
            web.get(f"{face}/api/v2/user", self.user),
            web.get(f"{face}/api/v2/resources", self.resources),
            web.get(f"{face}/api/resources", self.resources),
            web.delete(f"{face}/api/v2/users/signout", self.sign_out),
            web.get(f"{face}/users/{{uuid}}/avatar", self.avatar),
        ]

    async def ping(self, request: web.Request) -> web.Response:
        """Whether the token is good."""
        signed_in(self._server, request)
        return reply(request, El("pong", {"text": "pong"})) if wants_json(request) else web.Response(text="<pong/>")

    async def user(self, request: web.Request) -> web.Response:
        """Whose token this is."""
        return top_reply(request, self._user(signed_in(self._server, request)))

    def _user(self, account: Account) -> El:
        managed = sum(each.is_managed for each in self._server.world.accounts.values())
        attrs: dict[str, Value] = {
            "id": account.remote_id, "uuid": account.uuid, "username": account.name, "title": account.name,
            "email": account.email, "friendlyName": account.name, "locale": None, "confirmed": True,
            "joinedAt": 1_500_000_000, "emailOnlyAuth": False, "hasPassword": not account.is_managed,
            "protected": bool(account.pin), "thumb": avatar_of(account), "authToken": account.token,
            "mailingListActive": False, "scrobbleTypes": "", "country": "US", "subscriptionDescription": "",
            "restricted": account.is_managed, "anonymous": None, "home": account.is_owner or account.is_managed,
            "guest": False, "homeSize": 1 + managed, "homeAdmin": account.is_owner, "maxHomeSize": 15,
            "twoFactorEnabled": False, "backupCodesCreated": False,
        }  # fmt: skip
        features = El("features", {}, [El("feature", {"id": name}) for name in ("pass", "session_kick", "webhooks")])
        active: dict[str, Value] = {"active": account.is_owner, "status": "Active", "plan": "lifetime"}
        return El("user", attrs, [
            El("subscription", active, [features]), El("profile", {"autoSelectAudio": True}),
            El("entitlements"), El("roles"), El("services"),
        ])  # fmt: skip

    async def resources(self, request: web.Request) -> web.Response:
        """The server (with a token for it) and, for its owner, the players."""
        account = signed_in(self._server, request)
        rows = [_server_resource(self._server, account)] if account.is_shared else []
        for sibling in self._server.siblings:  # the same person is another account there, with another token
            there = next(
                (each for each in sibling.world.accounts.values() if each.remote_id == account.remote_id), None
            )  # fmt: skip
            if there is not None and there.is_shared:
                rows.append(_server_resource(sibling, there))
        if account.is_owner:
            rows += [self._player_resource(player_id) for player_id in self._server.players]
        if wants_json(request):
            shown = []
            for row in rows:
                connections = [dict(child.attrs) for child in row.children[0].children]
                shown.append({**row.attrs, "connections": connections})
            return web.json_response(shown)
        return reply(request, El("resources", {}, rows))

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

    async def sign_out(self, request: web.Request) -> web.Response:
        """End this token."""
        signed_in(self._server, request)
        sign_out(self._server, request.headers.get("X-Plex-Token") or request.query.get("X-Plex-Token") or "")
        return web.Response(status=204)

    async def avatar(self, request: web.Request) -> web.Response:
        """Nobody here has a face."""
        raise NotThere


def _connection(address: str, port: int) -> El:
    return El("connection", {
        "protocol": "http", "address": address, "port": port, "uri": f"http://{address}:{port}", "local": True,
        "relay": False, "IPv6": False,
    })  # fmt: skip


def _server_resource(server: Server, account: Account) -> El:
    port = server.ports["server"]
    attrs: dict[str, Value] = {
        "name": server.name, "product": "Plex Media Server", "productVersion": server.version,
        "platform": "Linux", "platformVersion": "12", "device": "PC", "clientIdentifier": server.machine_id,
        "createdAt": "2024-01-01T00:00:00Z", "lastSeenAt": "2026-01-16T19:00:00Z", "provides": "server",
        "ownerId": None if account.is_owner else server.owner.remote_id,
        "sourceTitle": None if account.is_owner else server.owner.name, "publicAddress": "203.0.113.9",
        "accessToken": account.server_token, "owned": account.is_owner, "home": account.is_managed, "synced": False,
        "relay": False, "presence": True, "httpsRequired": False, "publicAddressMatches": True,
        "dnsRebindingProtection": False, "natLoopbackSupported": True,
    }  # fmt: skip
    return El("resource", attrs, [El("connections", {}, [_connection("127.0.0.1", port)])])

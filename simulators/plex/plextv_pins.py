"""Linking by PIN at plex.tv: a code is made, somebody says yes or no to it on a page, the token is fetched."""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from simulators.plex.answers import NotThere, html_error
from simulators.plex.details import digest
from simulators.plex.gate import ACCOUNT_FACE
from simulators.plex.plextv import signed_in, top_reply
from simulators.plex.render import El
from simulators.plex.server import Server
from simulators.plex.world import Account

PIN_S = 900  # a PIN is good for this long
PINS_KEPT_MAX = 1_000
CODE_LETTERS, STRONG_LETTERS = 4, 25
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(slots=True)
class Pin:
    """A request to be linked: `account` is None until somebody says yes, and `token` is what it then gives."""

    id: int
    code: str
    client: str
    product: str
    made_at: float
    account: int | None = None
    token: str = ""


class PinRoutes:
    """`/api/v2/pins` and the page on which they are linked."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._pins: dict[int, Pin] = {}
        self._made = 0

    def table(self) -> list[web.RouteDef]:
        """Routes for the application."""
        face = ACCOUNT_FACE
        return [
            web.post(f"{face}/api/v2/pins", self.make_pin),
            web.put(f"{face}/api/v2/pins/link", self.link_with_token),
            web.get(f"{face}/api/v2/pins/{{id}}", self.pin),
            web.get(f"{face}/link", self.link_page),
            web.post(f"{face}/link", self.link),
        ]

    async def make_pin(self, request: web.Request) -> web.Response:
        """A PIN to be linked: four letters, or a long one with strong=true; 400 without a client identifier."""
        form = await request.post()
        client = _client(request) or str(form.get("X-Plex-Client-Identifier") or "")
        if not client:
            return html_error(400)
        is_strong = str(request.query.get("strong") or form.get("strong") or "").lower() in ("1", "true")
        self._made += 1
        number = self._made
        count = STRONG_LETTERS if is_strong else CODE_LETTERS
        code = "".join(_LETTERS[(number * 7 + n * (11 + number)) % len(_LETTERS)] for n in range(count))
        product = request.headers.get("X-Plex-Product", "Marquee")
        pin = self._pins[number] = Pin(number, code, client, product, self._server.clock.now())
        self._pins.pop(number - PINS_KEPT_MAX, None)
        return top_reply(request, self._shown(pin), status=201)

    def _shown(self, pin: Pin) -> El:
        account = self._server.world.accounts.get(pin.account or 0)
        left = max(0, int(pin.made_at + PIN_S - self._server.clock.now()))
        return El("pin", {
            "id": pin.id, "code": pin.code, "product": pin.product, "trusted": False, "clientIdentifier": pin.client,
            "expiresIn": left, "createdAt": _stamp(pin.made_at), "expiresAt": _stamp(pin.made_at + PIN_S),
            "authToken": pin.token or None, "newRegistration": False if account else None,
        })  # fmt: skip

    def _valid(self, pin: Pin | None) -> Pin:
        if pin is None or self._server.clock.now() > pin.made_at + PIN_S:
            raise NotThere
        return pin

    async def pin(self, request: web.Request) -> web.Response:
        """Whether a PIN has been linked; 404 when it is unknown, denied, too old, or another client's.

        `code`, when it is given, must be its code.
        """
        text = request.match_info["id"]
        pin = self._valid(self._pins.get(int(text)) if text.isascii() and text.isdigit() else None)
        if _client(request) != pin.client or request.query.get("code", pin.code) != pin.code:
            raise NotThere
        return top_reply(request, self._shown(pin))

    async def link_page(self, request: web.Request) -> web.Response:
        """A page on which to be somebody and link a PIN, or to refuse."""
        code = html.escape(request.query.get("pin", request.query.get("code", "")), quote=True)
        client = html.escape(request.query.get("clientID", ""), quote=True)
        buttons = "".join(
            f'<button name="account" value="{account.id}">Link as {html.escape(account.name)}</button> '
            for account in self._server.world.accounts.values()
        )
        page = (
            "<!doctype html><title>Link a device</title><body style='font:18px sans-serif;margin:4em'>"
            f"<h1>Link a device</h1><form method=post><p><input name=code value='{code}' placeholder=Code></p>"
            f"<input type=hidden name=clientID value='{client}'><p>{buttons}"
            "<button name=deny value=1>Refuse</button></p></form>"
        )
        return web.Response(text=page, content_type="text/html")

    async def link(self, request: web.Request) -> web.Response:
        """Link the PIN with this code to an account of the household, or with `deny` throw it away.

        A `clientID` that is not the one that made the PIN finds nothing.
        """
        form = await request.post()
        pin = self._by_code(str(form.get("code", "")))
        if str(form.get("clientID") or pin.client) != pin.client:
            raise NotThere
        if form.get("deny"):
            del self._pins[pin.id]
            return _page("Refused", "Nothing was linked.")
        text = str(form.get("account", "1"))
        account = self._server.world.accounts.get(int(text)) if text.isdigit() else None
        if account is None:
            raise NotThere
        self._say_yes(pin, account)
        return _page("Linked", "Linked. You may close this page.")

    async def link_with_token(self, request: web.Request) -> web.Response:
        """Link a PIN as whoever's token the request carries."""
        account = signed_in(self._server, request)
        form = await request.post()
        self._say_yes(self._by_code(str(form.get("code") or request.query.get("code", ""))), account)
        return web.Response(status=204)

    def _by_code(self, code: str) -> Pin:
        wanted = code.strip().upper()
        return self._valid(next((pin for pin in reversed(self._pins.values()) if pin.code == wanted), None))

    def _say_yes(self, pin: Pin, account: Account) -> None:
        if pin.account is not None:  # a PIN is linked once
            raise NotThere
        pin.account = account.id
        pin.token = digest(self._server.machine_id, "pin", pin.id, pin.made_at)[:20]
        self._server.world.sign_in(account, pin.token)


def _client(request: web.Request) -> str:
    name = "X-Plex-Client-Identifier"
    return request.headers.get(name) or request.query.get(name) or ""


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _page(title: str, text: str) -> web.Response:
    page = f"<!doctype html><title>{title}</title><h1>{text}</h1>"
    return web.Response(text=page, content_type="text/html")

"""plex.tv: signing in by PIN, whose a token is, what owners share with whom. Behind a circuit breaker of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import structlog
from yarl import URL

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.ids import AccountId, ServerId
from daemon.core.shares import Share
from daemon.kernel.breaker import Breaker, BreakerOpen
from daemon.kernel.health import Health
from daemon.kernel.logs import add_secret
from daemon.kernel.metrics import Metrics
from daemon.kernel.trace import span
from integrations.plex.account_shapes import (
    KnownUser,
    Pin,
    PlexUser,
    to_accepted,
    to_access_tokens,
    to_known_users,
    to_pin,
    to_profiles,
    to_shared_sections,
    to_user,
    with_profile,
)
from integrations.plex.config import PlexServerConfig, PlexTimeouts
from integrations.plex.errors import is_outage, kind_of_status
from integrations.plex.http import new_session
from integrations.plex.identity import PRODUCT, plex_headers

__all__ = ["KnownUser", "Pin", "PlexTv", "PlexUser"]

log = structlog.get_logger(__name__)

T = TypeVar("T")

SERVICE: Final = "plex.tv"
PLEX_TV: Final = "https://plex.tv"
_AUTH_PAGE = "https://app.plex.tv/auth#?"
_BODY_BYTES_MAX = 8 * 1024 * 1024  # a user with their servers is below 1 kB
_CHUNK_BYTES = 64 * 1024


class PlexTv:
    """What plex.tv is asked. Every failure is an UpstreamError that names it; no token stands in any of them.

    Each call names the token it is made with: of a member who has just signed in, or of a server from the settings.
    """

    def __init__(
        self,
        account_url: str,
        servers: Mapping[ServerId, PlexServerConfig],
        client_identifier: str,
        health: Health,
        metrics: Metrics,
        timeouts: PlexTimeouts | None = None,
    ) -> None:
        self._base = account_url.rstrip("/")
        self._servers = servers
        self._client_identifier = client_identifier
        self._headers = plex_headers(client_identifier)
        self._metrics = metrics
        self._timeouts = timeouts or PlexTimeouts()
        self._session: aiohttp.ClientSession | None = None
        self._breaker = Breaker(
            SERVICE,
            counts=is_outage,
            failures_max=self._timeouts.breaker_failures_max,
            open_s=self._timeouts.breaker_open_s,
            metrics=metrics,
            health=health,
            owner="plex",
        )

    async def start(self) -> None:
        """Open the session; nothing is asked."""
        self._session = new_session()

    async def stop(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    # Signing in

    async def create_pin(self) -> Pin:
        """A new PIN that nobody has approved. It can only be approved on the page of `sign_in_url`, not typed in."""
        return await self._call("POST", "/api/v2/pins", to_pin, params={"strong": "true"})

    async def check_pin(self, pin_id: int, code: str) -> Pin | None:
        """How the PIN stands: with a token when it was approved. None: plex.tv does not know it (any more)."""
        try:
            pin = await self._call("GET", f"/api/v2/pins/{pin_id}", to_pin, params={"code": code})
        except UpstreamError as error:
            if error.kind is UpstreamKind.NOT_FOUND:
                return None
            raise
        if pin.token is not None:
            add_secret(pin.token)
        # Numbers of PINs can be guessed: what has another code was never ours.
        return pin if pin.code.casefold() == code.casefold() else None

    def sign_in_url(self, code: str, who: str) -> str:
        """The page on which somebody signs in and approves the PIN; `who` is shown there as the device's name."""
        if self._base != PLEX_TV:
            return f"{self._base}/link?{urlencode({'clientID': self._client_identifier, 'code': code})}"
        fields = {
            "clientID": self._client_identifier,
            "code": code,
            "context[device][product]": PRODUCT,
            "context[device][deviceName]": who,
        }
        return _AUTH_PAGE + urlencode(fields, quote_via=quote)

    async def user(self, token: str) -> PlexUser:
        """Whose token this is. UpstreamError UNAUTHORIZED when it is nobody's any more."""
        return await self._call("GET", "/api/v2/user", to_user, token=token)

    async def owner(self, server: ServerId) -> PlexUser:
        """Whose token the server has in the settings."""
        return await self.user(self._servers[server].token)

    async def access_tokens(self, token: str) -> dict[str, str]:
        """What the account of `token` opens servers with, by their machine identifiers.

        A server takes its owner's own token; from everybody else it wants one that plex.tv has made for the two.
        """
        params = {"includeHttps": "1", "includeRelay": "1"}
        found = await self._call("GET", "/api/v2/resources", to_access_tokens, params=params, token=token)
        for access in found.values():
            add_secret(access)
        return found

    async def sign_out(self, token: str) -> bool:
        """End a token that is not needed any more; whether plex.tv said that it has. Raises nothing of plex.tv's."""
        try:
            await self._call("DELETE", "/api/v2/users/signout", bytes, token=token)
        except UpstreamError as error:
            log.info("plex_token_not_signed_out", problem=str(error.kind))
            return False
        return True

    # What owners share

    async def users(self, server: ServerId) -> tuple[KnownUser, ...]:
        """Friends and Home users of the account whose token the server has in the settings."""
        token = self._servers[server].token
        found = await self._call("GET", "/api/users/", to_known_users, token=token)
        if not any(user.is_managed for user in found):
            return found
        # What Plex presets for children stands in another list.
        profiles = await self._call("GET", "/api/home/users", to_profiles, token=token)
        return tuple(
            replace(user, filters=with_profile(user.filters, profiles[user.account_id]))
            if user.account_id in profiles
            else user
            for user in found
        )

    async def shares(self, server: ServerId, machine_id: str) -> dict[AccountId, Share]:
        """What each account may see of the server, its owner included; whoever is missing may see nothing."""
        token = self._servers[server].token
        owner = await self.user(token)
        users = await self.users(server)
        shared = [(user, one) for user in users for one in user.servers if one.machine_id == machine_id]
        sections: dict[AccountId, frozenset[str]] = {}
        if any(not one.is_all for _, one in shared):
            path = f"/api/servers/{machine_id}/shared_servers"
            sections = await self._call("GET", path, to_shared_sections, token=token)
        found = {
            user.account_id: Share(None if one.is_all else sections.get(user.account_id, frozenset()), user.filters)
            for user, one in shared
        }
        return {**found, owner.account_id: Share()}

    async def accepted(self, server: ServerId, machine_id: str) -> dict[AccountId, int]:
        """Since when each account has what is shared with it, in seconds since 1970; as far as plex.tv tells."""
        path = f"/api/servers/{machine_id}/shared_servers"
        return await self._call("GET", path, to_accepted, token=self._servers[server].token)

    async def _call(
        self,
        method: str,
        path: str,
        decode: Callable[[bytes], T],
        *,
        params: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> T:
        async def work() -> T:
            return await self._fetch(method, path, decode, params or {}, token)

        try:
            return await self._breaker.call(work)
        except BreakerOpen:
            raise UpstreamError(SERVICE, UpstreamKind.RESTING) from None

    async def _fetch(
        self, method: str, path: str, decode: Callable[[bytes], T], params: Mapping[str, str], token: str | None
    ) -> T:
        began_s, outcome = time.monotonic(), "cancelled"
        try:
            with span("plex.account", method=method, path=path):
                answer = decode(await self._read(method, path, params, token))
            outcome = "ok"
        except UpstreamError as error:
            outcome = error.kind.name.lower()
            raise
        except (OSError, aiohttp.ClientError, ValueError) as error:
            mapped = _mapped(error)
            outcome = mapped.kind.name.lower()
            raise mapped from None  # the original's text holds the URL, and with it the code
        finally:
            self._metrics.plex_requests_total.labels(server=SERVICE, outcome=outcome).inc()
            self._metrics.plex_request_seconds.labels(server=SERVICE).observe(time.monotonic() - began_s)
        return answer

    async def _read(self, method: str, path: str, params: Mapping[str, str], token: str | None) -> bytes:
        if self._session is None:
            raise UpstreamError(SERVICE, UpstreamKind.UNREACHABLE, "stopped")
        # Lists of users and shares are XML whatever is asked for; the rest speaks JSON when it is asked to.
        accept = "application/json" if path.startswith("/api/v2/") else "application/xml"
        headers = {**self._headers, "Accept": accept, **({} if token is None else {"X-Plex-Token": token})}
        limits = self._timeouts
        timeout = aiohttp.ClientTimeout(total=limits.request_s, sock_connect=limits.connect_s)
        url = URL(f"{self._base}{path}").update_query(dict(params))
        options: dict[str, Any] = {"headers": headers, "timeout": timeout, "allow_redirects": False}
        async with self._session.request(method, url, **options) as response:
            if (kind := kind_of_status(response.status)) is not None:
                raise UpstreamError(SERVICE, kind, f"HTTP {response.status}")
            body = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                body += chunk
                if len(body) > _BODY_BYTES_MAX:
                    raise UpstreamError(SERVICE, UpstreamKind.BROKEN, f"more than {_BODY_BYTES_MAX} bytes")
            return bytes(body)


def _mapped(error: Exception) -> UpstreamError:
    name = type(error).__name__
    if isinstance(error, TimeoutError):
        return UpstreamError(SERVICE, UpstreamKind.TIMED_OUT, name)
    if isinstance(error, ValueError | aiohttp.ClientPayloadError | aiohttp.ClientResponseError):
        return UpstreamError(SERVICE, UpstreamKind.BROKEN, name)
    return UpstreamError(SERVICE, UpstreamKind.UNREACHABLE, name)

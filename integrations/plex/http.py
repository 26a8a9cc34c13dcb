"""Reading from one Plex server: JSON over aiohttp, bounded, timed, counted, behind the server's circuit breaker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import aiohttp
import msgspec
from yarl import URL

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.ids import ServerId
from daemon.kernel.breaker import Breaker, BreakerOpen, BreakerState
from daemon.kernel.health import Health
from daemon.kernel.metrics import Metrics
from daemon.kernel.trace import span
from integrations.plex.config import PlexServerConfig, PlexTimeouts
from integrations.plex.errors import is_outage, kind_of_status, service_of
from integrations.plex.identity import plex_headers

T = TypeVar("T")
Params = Mapping[str, str | int]

BODY_BYTES_MAX = 32 * 1024 * 1024  # a page of 250 titles is about 0.6 MB
_CHUNK_BYTES = 64 * 1024
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, aiohttp.ClientPayloadError, aiohttp.ClientResponseError)

_WORTH_A_LOOK = frozenset({UpstreamKind.UNAUTHORIZED, UpstreamKind.UNREACHABLE, UpstreamKind.TIMED_OUT})


class ServerHttp:
    """Requests to one server. The token travels in a header only, redirects are not followed.

    `refusal` blocks every request but the identity check, while that fails: whoever asks learns at once what is wrong.
    `on_trouble` is called when a request is refused so, when one gets no answer or the breaker opens, and when the
    token is rejected, so that somebody looks at once.
    """

    def __init__(
        self,
        server: ServerId,
        config: PlexServerConfig,
        client_identifier: str,
        session: aiohttp.ClientSession,
        timeouts: PlexTimeouts,
        metrics: Metrics,
        health: Health,
    ) -> None:
        self.server = server
        self.service = service_of(server)
        self.base = URL(config.url.rstrip("/"))
        self.headers = {**plex_headers(client_identifier), "X-Plex-Token": config.token, "Accept": "application/json"}
        self.session = session
        self.page_s = timeouts.page_s
        self.refusal: UpstreamError | None = None
        self.on_trouble: Callable[[], None] = lambda: None
        self._timeouts = timeouts
        self._metrics = metrics
        self._health = health
        self._breaker = self.new_breaker(f"plex:{server}")

    def url(self, path: str, params: Params | None = None) -> URL:
        """Where `path` of the server is, below the configured URL."""
        url = URL(f"{self.base}{path}", encoded=False)
        return url.update_query({name: str(value) for name, value in params.items()}) if params else url

    async def fetch(
        self,
        path: str,
        params: Params | None = None,
        *,
        decode: Callable[[bytes], T],
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        bytes_max: int = BODY_BYTES_MAX,
        breaker: Breaker | None = None,
    ) -> T:
        """`decode` of the answer's body. Every failure is an UpstreamError; nothing of the URL is in its text.

        `breaker` stands in for the server's own, for requests whose failure says nothing about the rest.
        """
        limit_s = timeout_s or self._timeouts.request_s

        async def work() -> T:
            return await self._get(path, params, decode, headers, limit_s, bytes_max)

        return await self.guarded(work, breaker)

    async def probe(self, path: str, *, decode: Callable[[bytes], T]) -> T:
        """As `fetch`, but even while the breaker is open or requests are refused: how a server comes back."""
        answer = await self._get(path, None, decode, None, self._timeouts.request_s, BODY_BYTES_MAX)
        self._breaker.note_answer()
        return answer

    def check_refusal(self) -> None:
        """Raise what stands against any request to this server, if something does."""
        if self.refusal is not None:
            self.on_trouble()
            raise UpstreamError(self.refusal.service, self.refusal.kind, self.refusal.detail)

    async def guarded(self, work: Callable[[], Awaitable[T]], breaker: Breaker | None = None) -> T:
        """`work()` behind a breaker, the server's own unless another is given; for calls of the adapter, too."""
        self.check_refusal()
        own = breaker or self._breaker
        try:
            return await own.call(work)
        except BreakerOpen:
            raise UpstreamError(self.service, UpstreamKind.RESTING) from None
        except UpstreamError as error:
            if own is self._breaker and (own.state is BreakerState.OPEN or error.kind in _WORTH_A_LOOK):
                self.on_trouble()
            raise

    async def _get(
        self,
        path: str,
        params: Params | None,
        decode: Callable[[bytes], T],
        headers: Mapping[str, str] | None,
        timeout_s: float,
        bytes_max: int,
    ) -> T:
        began_s = time.monotonic()
        outcome = "cancelled"
        try:
            with span("plex.get", server=self.server, path=path):
                answer = decode(await self._read(self.url(path, params), headers, timeout_s, bytes_max))
            outcome = "ok"
        except (OSError, aiohttp.ClientError, ValueError) as error:
            mapped = self._mapped(error)
            outcome = mapped.kind.name.lower()
            raise mapped from None  # the original's text holds the URL
        except UpstreamError as error:
            outcome = error.kind.name.lower()
            raise
        finally:
            self._metrics.plex_requests_total.labels(server=self.server, outcome=outcome).inc()
            self._metrics.plex_request_seconds.labels(server=self.server).observe(time.monotonic() - began_s)
        return answer

    async def _read(self, url: URL, headers: Mapping[str, str] | None, timeout_s: float, bytes_max: int) -> bytes:
        timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=self._timeouts.connect_s)
        every = {**self.headers, **(headers or {})}
        async with self.session.get(url, headers=every, timeout=timeout, allow_redirects=False) as response:
            if (kind := kind_of_status(response.status)) is not None:
                raise UpstreamError(self.service, kind, f"HTTP {response.status}")
            body = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                body += chunk
                if len(body) > bytes_max:
                    raise UpstreamError(self.service, UpstreamKind.BROKEN, f"more than {bytes_max} bytes")
            return bytes(body)

    def _mapped(self, error: Exception) -> UpstreamError:
        """The error without its text, which may hold the URL and the answer."""
        name = type(error).__name__
        if isinstance(error, TimeoutError):
            return UpstreamError(self.service, UpstreamKind.TIMED_OUT, name)
        if isinstance(
            error, msgspec.DecodeError | UnicodeDecodeError | aiohttp.ClientPayloadError | aiohttp.ClientResponseError
        ):
            return UpstreamError(self.service, UpstreamKind.BROKEN, name)
        return UpstreamError(self.service, UpstreamKind.UNREACHABLE, name)

    def new_breaker(self, name: str) -> Breaker:
        """A breaker for a part of what this server does, shown in health and metrics."""
        return Breaker(
            name,
            counts=is_outage,
            failures_max=self._timeouts.breaker_failures_max,
            open_s=self._timeouts.breaker_open_s,
            metrics=self._metrics,
            health=self._health,
            owner="plex",
        )


def new_session() -> aiohttp.ClientSession:
    """The one aiohttp session of the integration: no cookies, few connections, a Plex server is one SQLite."""
    connector = aiohttp.TCPConnector(limit=32, limit_per_host=8, ttl_dns_cache=60)
    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(_refuse_redirect)
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, trace_configs=[tracing]
    )


async def _refuse_redirect(session: aiohttp.ClientSession, context: object, params: object) -> None:
    """For websockets, which cannot be told not to follow: a redirect would carry the token elsewhere."""
    raise aiohttp.ClientError("redirected")


def paging(start: int, size: int) -> dict[str, str]:
    """The headers that ask for a listing's entries from `start` on, at most `size`; 0 only tells how many there are."""
    return {"X-Plex-Container-Start": str(start), "X-Plex-Container-Size": str(size)}


async def within(seconds: float, work: Awaitable[T]) -> T | None:
    """The result of `work`, or None when it takes longer than `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        return None

"""plexapi, with its traps guarded. Everything here blocks and runs in the adapter's threads only.

Importing this module imports plexapi; `adapter.py` does so in a thread, at the first command.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, cast
from xml.etree import ElementTree

# plexapi reads these at its import and whenever it makes an object. No user's plexapi configuration file may change
# what we do, and an attribute that a listing lacks must not cost a request of its own.
os.environ["PLEXAPI_CONFIG_PATH"] = os.devnull
os.environ["PLEXAPI_PLEXAPI_AUTORELOAD"] = "0"
os.environ["PLEXAPI_LOG_SHOW_SECRETS"] = "false"

import requests
from plexapi.client import PlexClient
from plexapi.exceptions import BadRequest, NotFound, PlexApiException, Unauthorized
from plexapi.server import PlexServer
from plexapi.utils import joinArgs
from urllib3.exceptions import HTTPError, ReadTimeoutError

from daemon.core.errors import UpstreamError, UpstreamKind
from integrations.plex.adapter_values import PlayerRefused, QueueMade, ServerSpec, Target, TimelineState
from integrations.plex.errors import kind_of_status, looks_like_html
from integrations.plex.identity import plex_headers

T = TypeVar("T")

BODY_BYTES_MAX = 4 * 1024 * 1024
_CHUNK_BYTES = 16 * 1024
_DELEGATION_S = 600.0  # how long one is used for commands; what is played from gets a new one each time
_NOT_SUPPORTED = frozenset({400, 404, 405, 406, 501})  # how players say that they do not know a command
_TYPES = ("video", "music")


class Refused(BadRequest):  # type: ignore[misc]  # plexapi has no types
    """An answer that is no success; a plexapi exception, so that plexapi's own fall-backs go on working."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class _RefusedToken(Refused, Unauthorized):  # type: ignore[misc]
    pass


class _RefusedUnknown(Refused, NotFound):  # type: ignore[misc]
    pass


class WebPage(PlexApiException):  # type: ignore[misc]
    """A web page where data was expected: a proxy's error page, a login form, another service."""


class TooMuch(PlexApiException):  # type: ignore[misc]
    """The body is larger than BODY_BYTES_MAX, or did not end in time."""


class GuardedSession(requests.Session):
    """Bounds every answer in size and time and judges its status before plexapi sees it.

    plexapi turns 498 and 520-530 into TypeError, makes one BadRequest of 403, 429 and 503, and takes web pages for
    servers. Redirects are refused, because they would carry the token to another place.
    """

    def __init__(self, connect_s: float, total_s: float) -> None:
        super().__init__()
        self.trust_env = False  # no proxy, no .netrc
        self.headers["Accept-Encoding"] = "identity"  # pieces of a compressed body may decode to nothing yet
        self._connect_s = connect_s
        self._total_s = total_s

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """As `requests.Session.request`; raises Refused, WebPage and TooMuch."""
        deadline_s = time.monotonic() + self._total_s
        kwargs |= {"timeout": (self._connect_s, self._total_s), "stream": True, "allow_redirects": False}
        with super().request(method, url, *args, **kwargs) as response:
            if kind_of_status(response.status_code) is not None:
                raise {401: _RefusedToken, 404: _RefusedUnknown}.get(response.status_code, Refused)(
                    response.status_code
                )
            body = self._read(response, deadline_s)
            if looks_like_html(response.headers.get("Content-Type", ""), body):
                raise WebPage
            response._content = body
            return response

    @staticmethod
    def _read(response: requests.Response, deadline_s: float) -> bytes:
        """The body, piece by piece as it arrives: `iter_content` waits for whole chunks, however slow they drip."""
        body = bytearray()
        try:
            while piece := response.raw.read1(_CHUNK_BYTES, decode_content=True):
                body += piece
                if len(body) > BODY_BYTES_MAX or time.monotonic() > deadline_s:
                    raise TooMuch
        except ReadTimeoutError:
            raise requests.ReadTimeout from None
        except HTTPError as error:
            raise requests.ConnectionError(type(error).__name__) from None
        return bytes(body)


class _Server(PlexServer):  # type: ignore[misc]
    """A server that introduces itself with our identity instead of the machine's network address."""

    def __init__(self, spec: ServerSpec, session: GuardedSession) -> None:
        self._identity = plex_headers(spec.client_identifier)
        super().__init__(spec.url, spec.token, session=session)

    def _headers(self, **kwargs: str) -> dict[str, str]:
        return {**super()._headers(**self._identity), **kwargs}


class _Client(PlexClient):  # type: ignore[misc]
    """A player whose headers are its own: plexapi writes token and target into the global BASE_HEADERS."""

    def __init__(self, target: Target, server: _Server, session: GuardedSession, identity: dict[str, str]) -> None:
        self._identity = identity
        element = ElementTree.Element(
            "Player",
            machineIdentifier=target.player_id,
            title=target.name,
            product=target.product,
            protocolCapabilities=target.capabilities,
        )
        super().__init__(server, element, "/clients", baseurl=target.base_url, connect=False, session=session)

    def _headers(self, **kwargs: str) -> dict[str, str]:
        headers = dict(self._identity)
        if self._token:
            headers["X-Plex-Token"] = self._token
        return {**headers, **kwargs}


class Calls:
    """One server and the players reached through it, as blocking calls. Thread-safe.

    Every failure is an UpstreamError without URLs in its text: plexapi's and requests' texts hold them, and the one
    of `playMedia` holds a token. `PlayerRefused` means that the player answered, but does not know the command.
    """

    def __init__(self, spec: ServerSpec) -> None:
        self._spec = spec
        self._lock = threading.Lock()
        self._connected: _Server | None = None
        self._delegation: tuple[str | None, float] = (None, -_DELEGATION_S)
        self._server_session = GuardedSession(spec.connect_s, spec.request_s)
        self._player_session = GuardedSession(spec.connect_s, spec.player_s)
        self._command_ids = itertools.count(spec.first_command_id)

    def on_server(self, work: Callable[[PlexServer], T]) -> T:
        """`work(server)`; whatever it raises comes out as an UpstreamError, a UserError of ours as it is."""
        with self._mapped(self._spec.service):
            return work(self._server())

    def create_queue(self, params: Mapping[str, str | int]) -> QueueMade:
        """Make a play queue of `uri` (or `playlistID`) and say what it starts with."""
        with self._mapped(self._spec.service):
            server = self._server()
            root = server.query(f"/playQueues{joinArgs(dict(params))}", method=server._session.post)
            return _queue_made(root)

    def edit_queue(self, method: str, path: str, params: Mapping[str, str | int]) -> None:
        """PUT or DELETE below `/playQueues`; the answer is not read, servers differ in what they return."""
        with self._mapped(self._spec.service):
            server = self._server()
            send = {"PUT": server._session.put, "DELETE": server._session.delete}[method]
            server.query(f"{path}{joinArgs(dict(params))}", method=send)

    def delegation_token(self) -> str | None:
        """A new token for a player, which lets it fetch from the server and expires by itself.

        None when the server is unclaimed or the configured token is not its owner's: the player then uses its own.
        """
        with self._mapped(self._spec.service):
            try:
                token = self._server().createToken()
            except Refused as error:
                if error.status not in (401, 403, 404):
                    raise
                token = None
            self._delegation = (token, time.monotonic())
            return cast("str | None", token)

    def command(self, target: Target, is_proxied: bool, command: str, params: Mapping[str, str | int]) -> None:
        """Send `playback/...` to the player, directly or through the server."""
        self._send(target, is_proxied, command, dict(params))

    def timelines(self, target: Target, is_proxied: bool) -> tuple[TimelineState, ...]:
        """What the player says it does, for each media type; empty when it answers without telling."""
        root = self._send(target, is_proxied, "timeline/poll", {"wait": 0})
        return tuple(_timeline(child.attrib) for child in root or () if child.get("type") in _TYPES)

    def close(self) -> None:
        """Close the connections."""
        self._server_session.close()
        self._player_session.close()

    def _send(
        self, target: Target, is_proxied: bool, command: str, params: dict[str, str | int]
    ) -> ElementTree.Element | None:
        service = self._spec.service if is_proxied else f"Player {target.name}"
        if not is_proxied and target.base_url is None:
            raise UpstreamError(service, UpstreamKind.UNREACHABLE, "no address")
        with self._mapped(self._spec.service):
            server = self._server()
            token = None if is_proxied else self._known_delegation_token()
        with self._mapped(service, is_player=True):
            client = _Client(target, server, self._player_session, plex_headers(self._spec.client_identifier))
            client._token = token
            client._commandId = next(self._command_ids) - 1
            client._last_call = time.time()  # its work-around for an old player would send a poll of its own
            try:
                return cast("ElementTree.Element | None", client.sendCommand(command, proxy=is_proxied, **params))
            except ElementTree.ParseError:
                return None  # "OK", or XML that is never closed: many players answer a command so

    def _known_delegation_token(self) -> str | None:
        token, made_s = self._delegation
        return token if time.monotonic() - made_s < _DELEGATION_S else self.delegation_token()

    def _server(self) -> _Server:
        """The server, asked once who it is."""
        with self._lock:
            if self._connected is None:
                server = _Server(self._spec, self._server_session)
                found = getattr(server, "machineIdentifier", None)
                if not found:
                    raise UpstreamError(self._spec.service, UpstreamKind.BROKEN, "no machineIdentifier")
                if found != self._spec.machine_id:
                    raise UpstreamError(self._spec.service, UpstreamKind.WRONG_SERVER)
                self._connected = server
            return self._connected

    @contextmanager
    def _mapped(self, service: str, *, is_player: bool = False) -> Iterator[None]:
        try:
            yield
        except Refused as error:
            if is_player and error.status in _NOT_SUPPORTED:
                raise PlayerRefused(service, error.status) from None
            kind = kind_of_status(error.status) or UpstreamKind.BROKEN
            raise UpstreamError(service, kind, f"HTTP {error.status}") from None
        except (requests.Timeout, TooMuch) as error:
            # A connection that was never made cannot have carried the command: it may be sent another way.
            is_unsent = isinstance(error, requests.ConnectTimeout)
            kind = UpstreamKind.UNREACHABLE if is_unsent else UpstreamKind.TIMED_OUT
            raise UpstreamError(service, kind, type(error).__name__) from None
        except requests.ConnectionError as error:
            raise UpstreamError(service, UpstreamKind.UNREACHABLE, type(error).__name__) from None
        except (
            PlexApiException, requests.RequestException, ElementTree.ParseError, TypeError, AttributeError, ValueError,
        ) as error:  # fmt: skip  # plexapi trips over unforeseen answers in these ways
            raise UpstreamError(service, UpstreamKind.BROKEN, type(error).__name__) from None


def _queue_made(root: ElementTree.Element | None) -> QueueMade:
    if root is None or not (queue_id := root.get("playQueueID", "")).isdigit():
        raise ValueError("no play queue")
    selected = root.get("playQueueSelectedItemID")
    items = [child for child in root if child.get("playQueueItemID")]
    item = next((child for child in items if child.get("playQueueItemID") == selected), items[0] if items else None)
    return QueueMade(
        int(queue_id),
        item.get("ratingKey") if item is not None else None,
        item.get("key") if item is not None else None,
    )


def _timeline(attributes: Mapping[str, str]) -> TimelineState:
    """Attribute names are compared without case: players write audioStreamID and audioStreamId."""
    given = {name.lower(): value for name, value in attributes.items()}

    def number(name: str) -> int | None:
        try:
            return int(float(given.get(name, "")))
        except (ValueError, OverflowError):
            return None

    return TimelineState(
        media_type=given.get("type", "video"),
        state=given.get("state", "stopped"),
        machine_id=given.get("machineidentifier"),
        rating_key=given.get("ratingkey"),
        position_ms=number("time"),
        duration_ms=number("duration"),
        volume=number("volume"),
        queue_id=number("playqueueid"),
        audio_id=number("audiostreamid"),
        subtitle_id=number("subtitlestreamid"),
    )

"""Is the server there, and is it the one we know? Asked for ever, with back-off while it is away."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from daemon.core.clock import Clock
from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.ids import ServerId
from daemon.kernel.health import Check, Health, Status
from daemon.kernel.metrics import Metrics
from daemon.kernel.retry import backoff
from daemon.kernel.trace import traced
from daemon.services.servers import Servers
from integrations.plex.config import PlexTimeouts
from integrations.plex.http import ServerHttp
from integrations.plex.presence import Presence
from integrations.plex.shapes import container, text

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ServerState:
    """What is known of one server. `problem` is a sentence for the operator, None while all is well."""

    server: ServerId
    is_up: bool = False
    problem: str | None = None
    version: str | None = None
    friendly_name: str | None = None
    checked_at: datetime | None = None


class Connection:
    """Keeps the state of one server, its health check and the gate in front of its requests."""

    def __init__(
        self,
        http: ServerHttp,
        registry: Servers,
        health: Health,
        metrics: Metrics,
        clock: Clock,
        timeouts: PlexTimeouts,
        rng: random.Random,
    ) -> None:
        self.state = ServerState(http.server, problem="not asked yet")
        self.machine_id: str | None = None
        self.limitation: str | None = None  # what the token may not do
        self.on_change: Callable[[], None] = lambda: None
        self._http = http
        self._registry = registry
        self._presence = Presence(http.server, registry)
        self._health = health
        self._metrics = metrics
        self._clock = clock
        self._timeouts = timeouts
        self._rng = rng
        self._is_up = asyncio.Event()
        self._look = asyncio.Event()
        http.on_trouble = self.look_now

    async def run(self) -> None:
        """For ever: ask who is there; again after a while when all is well, after a back-off when not."""
        attempt = 0
        while True:
            self._look.clear()
            with traced(""):
                is_up = await self.check()
            if is_up:
                attempt = 0
                await self._wait(self._timeouts.probe_every_s)
            else:
                wait_s = backoff(
                    attempt, first_s=self._timeouts.retry_first_s, max_s=self._timeouts.retry_max_s, rng=self._rng
                )
                attempt += 1
                await self._wait(wait_s)

    async def check(self) -> bool:
        """Ask the server who it is and take note of the answer; whether it is up and the right one."""
        try:
            answer = await self._http.probe("/", decode=container)
            identifier = text(answer.machineIdentifier)
            if identifier is None:
                raise UpstreamError(self._http.service, UpstreamKind.BROKEN, "no machineIdentifier")
            await self._compare(identifier)
        except UpstreamError as error:
            self._note_down(error)
            if error.service == self._http.service:  # and not the database, which we asked as well
                await self._presence.missed(error.kind, self._clock.now())
            return False
        self.machine_id = identifier
        self._note_up(text(answer.friendlyName), text(answer.version))
        await self._presence.seen(self._clock.now())
        return True

    async def wait_up(self) -> None:
        """Return once the server is up."""
        await self._is_up.wait()

    def look_now(self) -> None:
        """Something went wrong elsewhere: do not wait for the next regular check."""
        self._look.set()

    def note_limitation(self, limitation: str | None) -> None:
        """Take note of what the token may not do."""
        if limitation != self.limitation:
            self.limitation = limitation
            self.publish()

    def publish(self) -> None:
        """Bring the health check up to date. Plex being away is a warning, never a failure."""
        state = self.state
        problem = state.problem or self.limitation
        if problem is not None:
            check = Check(Status.WARN, problem)
        else:
            name = state.friendly_name or state.server
            check = Check(Status.PASS, f"{name}, Plex {state.version or 'of unknown version'}")
        self._health.set(f"plex:{state.server}", check, owner="plex")
        self._metrics.plex_up.labels(server=state.server).set(state.is_up)

    async def _compare(self, identifier: str) -> None:
        server = self._http.server
        known = await self._registry.machine_id(server)
        if known is None:
            await self._registry.remember_machine_id(server, identifier)
        elif known != identifier:
            raise UpstreamError(self._http.service, UpstreamKind.WRONG_SERVER)

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._look.wait()
        except TimeoutError:
            return
        await asyncio.sleep(min(1.0, seconds))  # many requests fail together: one look for all of them

    def _note_up(self, friendly_name: str | None, version: str | None) -> None:
        was_up = self.state.is_up
        if not was_up:
            self.limitation = None  # to be found out anew: the token may have been exchanged meanwhile
        self.state = replace(
            self.state,
            is_up=True,
            problem=None,
            version=version,
            friendly_name=friendly_name,
            checked_at=self._clock.now(),
        )
        self._http.refusal = None
        self._is_up.set()
        self.publish()
        if not was_up:
            _log.info("plex_server_up", server=self.state.server, name=friendly_name, version=version)
            self.on_change()

    def _note_down(self, error: UpstreamError) -> None:
        was_up, server = self.state.is_up, self.state.server
        problem = _problem(server, error)
        if was_up or problem != self.state.problem:
            _log.warning("plex_server_down", server=server, kind=error.kind.name.lower(), detail=error.detail)
        self.state = replace(self.state, is_up=False, problem=problem, checked_at=self._clock.now())
        self._http.refusal = error
        self._is_up.clear()
        self.publish()
        if was_up:
            self.on_change()


def _problem(server: ServerId, error: UpstreamError) -> str:
    """What is wrong and how to mend it."""
    setting = f"MARQUEE_PLEX__SERVERS__{server.upper()}"
    match error.kind:
        case UpstreamKind.UNAUTHORIZED:
            return f"Plex server {server} rejected the token; set a valid one in {setting}__TOKEN"
        case UpstreamKind.WRONG_SERVER:
            return (
                f"another Plex server than before answers as {server}; correct {setting}__URL, "
                "or give the new server a name of its own"
            )
        case UpstreamKind.UNREACHABLE:
            return f"Plex server {server} is unreachable; check {setting}__URL and that the server runs"
        case kind:
            return f"Plex server {server} {kind}" + (f" ({error.detail})" if error.detail else "")

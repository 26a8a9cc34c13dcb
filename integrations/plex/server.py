"""One server, put together from its parts."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from daemon.core.clock import Clock
from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.ids import PlayerId, ServerId
from daemon.core.media import PlayState
from daemon.kernel.health import Health
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.cache import Region
from daemon.services.servers import Servers
from integrations.plex.adapter import Adapter, AdapterThreads
from integrations.plex.adapter_values import ServerSpec
from integrations.plex.config import PlexServerConfig, PlexTimeouts
from integrations.plex.connection import Connection
from integrations.plex.control import Control
from integrations.plex.http import ServerHttp
from integrations.plex.listener import Listener, PlayNotice
from integrations.plex.mirror import MirrorReader
from integrations.plex.playbacks import Playbacks, PlayerMemory
from integrations.plex.players import Players
from integrations.plex.posters import Posters
from integrations.plex.queues import Queues
from integrations.plex.remote import Remote, ServerAddress
from integrations.plex.sessions import Sessions
from integrations.plex.titles import Titles

GUESTS_MAX = 8  # people whose connections to one server stay open beside those of the configured token


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all servers share."""

    client_identifier: str
    session: aiohttp.ClientSession
    threads: AdapterThreads
    registry: Servers
    supervisor: Supervisor
    health: Health
    metrics: Metrics
    clock: Clock
    timeouts: PlexTimeouts
    rng: random.Random
    posters: Region[bytes]


class Server:
    """The parts of one server. Nothing here asks the server anything; the tasks of `start` do."""

    def __init__(
        self,
        name: ServerId,
        config: PlexServerConfig,
        shared: Surroundings,
        on_change: Callable[[ServerId, PlayerId | None], None],
        on_library: Callable[[ServerId, int | None], None],
    ) -> None:
        timeouts, clock = shared.timeouts, shared.clock
        self.name = name
        self._config = config
        self._shared = shared
        self._on_change = on_change
        self._on_library = on_library
        self._adapter: Adapter | None = None
        self._guests: OrderedDict[str, Adapter] = OrderedDict()  # by token, the one used last at the end
        http = self.http = ServerHttp(
            name, config, shared.client_identifier, shared.session, timeouts, shared.metrics, shared.health
        )
        connection = self.connection = Connection(
            http, shared.registry, shared.health, shared.metrics, clock, timeouts, shared.rng
        )
        self.memory = PlayerMemory()
        self.titles = Titles(name, http)
        self.sessions = Sessions(http, connection, clock)
        self.control = Control(name, http, self.adapter, shared.registry, clock, timeouts)
        self.players = Players(name, http, self.sessions, self.control, shared.supervisor, clock, timeouts)
        self.playbacks = Playbacks(
            name, connection, self.sessions, self.players, self.control, self.titles, self.memory, clock, timeouts
        )
        self.remote = Remote(name, self.players, self.control, self.titles, self.sessions, self.memory)
        self.queues = Queues(name, http, self.titles, self.playbacks, self.remote, self.memory)
        self.posters = Posters(http, shared.posters, timeouts.poster_s)
        self.mirror = MirrorReader(name, http, timeouts)
        self._listener = Listener(
            http,
            connection,
            timeouts,
            shared.rng,
            on_play=self._note_play,
            on_library=self.note_library,
            on_gap=self._note_gap,
        )
        connection.on_change = lambda: on_change(name, None)

    def start(self) -> None:
        """Start what keeps this server current."""
        self.connection.publish()
        for part, run in (("connection", self.connection.run), ("notices", self._listener.run)):
            self._shared.supervisor.start(f"plex:{self.name}:{part}", run, owner="plex")

    async def close(self) -> None:
        """Close the adapters' connections."""
        for adapter in (self._adapter, *self._guests.values()):
            if adapter is not None:
                adapter.close()
        self._guests.clear()

    def adapter(self) -> Adapter:
        """The commands of this server. UpstreamError while it was never reached: nobody knows yet who it is."""
        machine_id = self.machine_id()
        if self._adapter is None:
            self._adapter = self._new_adapter(self._config.token, machine_id)
        return self._adapter

    def guest_adapter(self, token: str) -> Adapter:
        """The same with somebody else's token: of the last few people, whose connections are kept open that long."""
        machine_id = self.machine_id()
        adapter = self._guests.pop(token, None) or self._new_adapter(token, machine_id)
        self._guests[token] = adapter
        while len(self._guests) > GUESTS_MAX:
            self.forget_guest(next(iter(self._guests)))
        return adapter

    def forget_guest(self, token: str) -> None:
        """Nobody is let in by that token any more."""
        adapter = self._guests.pop(token, None)
        if adapter is not None:
            adapter.close()

    def _new_adapter(self, token: str, machine_id: str) -> Adapter:
        timeouts = self._shared.timeouts
        spec = ServerSpec(
            service=self.http.service,
            url=str(self.http.base),
            token=token,
            machine_id=machine_id,
            client_identifier=self._shared.client_identifier,
            connect_s=timeouts.connect_s,
            request_s=timeouts.request_s,
            player_s=timeouts.player_s,
            first_command_id=int(self._shared.clock.now().timestamp()),  # always more than we ever sent
        )
        return Adapter(self._shared.threads, spec, self.http.guarded)

    def machine_id(self) -> str:
        """Who the server is. UpstreamError while it was never reached."""
        self.http.check_refusal()
        machine_id = self.connection.machine_id
        if machine_id is None:
            raise UpstreamError(self.http.service, UpstreamKind.UNREACHABLE, "not reached yet")
        return machine_id

    def address(self) -> ServerAddress:
        """Where players fetch from."""
        return ServerAddress(self.http.base, self.machine_id())

    def _note_play(self, notice: PlayNotice) -> None:
        if notice.player_id and notice.queue_id is not None and notice.state is not PlayState.STOPPED:
            self.memory.queues.put(notice.player_id, notice.queue_id)
        if notice.player_id and self.players.peek(notice.player_id) is None:
            self.players.forget()
        self.sessions.forget()
        self._on_change(self.name, notice.player_id or None)

    def note_library(self, rating_key: int | None) -> None:
        """A title or collection was added, changed or deleted; None: anything may have been. Whoever listens is told.

        The server itself says so, and so does whoever changed something there: its notices come late, and may be lost.
        """
        self._on_library(self.name, rating_key)

    def _note_gap(self) -> None:
        """Notices may have been missed: everything is to be looked at again."""
        self.note_library(None)
        self.sessions.forget()
        self.players.forget()
        self._on_change(self.name, None)

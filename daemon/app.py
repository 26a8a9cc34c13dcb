"""Composition root: settings in, running daemon out. The one place that knows every part."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

import structlog

from daemon.core.clock import Clock
from daemon.core.errors import UpstreamError
from daemon.core.ids import ServerId
from daemon.core.limits import DRAIN_S
from daemon.data import schema
from daemon.data.store import Store
from daemon.host.host import Host
from daemon.kernel.clock import FollowedClock, SystemClock
from daemon.kernel.closing import Closing
from daemon.kernel.health import Check, Health, Status, keep_beating
from daemon.kernel.metrics import Metrics
from daemon.kernel.release import installed_version
from daemon.kernel.tasks import Supervisor
from daemon.services.audit import Audit
from daemon.services.guilds import Guilds
from daemon.services.intake import Intake
from daemon.services.keys import Keys
from daemon.services.panels import Panels
from daemon.services.profiles import Profiles
from daemon.services.rate_limits import RateLimits
from daemon.services.servers import Servers
from daemon.settings.model import Settings
from daemon.web.server import WebServer
from integrations.discord.fleet import Fleet
from integrations.plex import Plex
from integrations.plex.config import PlexServerConfig, PlexTimeouts

_LOG = structlog.get_logger(__name__)

_DATABASE_CHECK_S = 15.0
_CLOCK_S = 3.0  # a start waits this long for the clock it is told to follow
_FINISH_S = 2.0  # what was begun may take this long after the intake has been stopped


@dataclass(frozen=True, slots=True)
class Kernel:
    """What every part is built on."""

    supervisor: Supervisor
    health: Health
    metrics: Metrics
    clock: Clock


@dataclass(frozen=True, slots=True)
class Parts:
    """The edges and the module host, wired but not started."""

    plex: Plex
    fleet: Fleet
    host: Host


async def compose(settings: Settings, kernel: Kernel, store: Store) -> Parts:
    """Build services, edges and host on an open store. Starts nothing."""
    clock = kernel.clock
    keys, servers = Keys(store, clock), Servers(store, clock)
    plex = Plex(
        {
            ServerId(name): PlexServerConfig(s.url, s.token.get_secret_value())
            for name, s in settings.plex.servers.items()
        },
        registry=servers,
        client_identifier=await keys.plex_client_identifier(),
        supervisor=kernel.supervisor,
        health=kernel.health,
        metrics=kernel.metrics,
        clock=clock,
        timeouts=PlexTimeouts(
            connect_s=settings.plex.connect_timeout_s,
            request_s=settings.plex.request_timeout_s,
            page_s=settings.plex.page_timeout_s,
            probe_every_s=settings.plex.check_interval_s,
            refresh_every_s=settings.plex.refresh_interval_s,
        ),
        titles_max=settings.plex.titles_max,
    )
    fleet = Fleet(
        {name: bot.token.get_secret_value() for name, bot in settings.discord.bots.items()},
        connect=settings.discord.address,
        ca_file=settings.discord.ca_file,
        guilds=settings.discord.guilds,
        owners=settings.owners,
        intake=Intake(store),
        rate_limits=RateLimits(),
        keys=keys,
        supervisor=kernel.supervisor,
        health=kernel.health,
        metrics=kernel.metrics,
        clock=clock,
    )
    catalog = {
        "plex": plex,
        "messages": fleet.messages,
        "profiles": Profiles(store, clock),
        "guilds": Guilds(store, clock),
        "panels": Panels(store, clock),
        "audit": Audit(store, clock),
    }
    host = Host(
        catalog, fleet.surface, kernel.supervisor, kernel.health, clock, settings.modules, settings.module_folders
    )
    return Parts(plex, fleet, host)


class App:
    """One daemon. `run` starts it, waits for a signal or `request_stop`, and stops it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = asyncio.Event()
        self.url = ""  # of the HTTP server, once it listens

    def request_stop(self) -> None:
        """Stop as after SIGTERM."""
        self._stop.set()

    async def run(self, on_started: Callable[[App, Health], Coroutine[None, None, None]] | None = None) -> None:
        """Run until told to stop; `on_started` is a task once everything has been started.

        The data folder is the caller's to lock. When it cannot start it raises ConfigError, CannotListen, or
        UpstreamError for the database.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)
        metrics = Metrics()
        supervisor = Supervisor(log=_LOG, metrics=metrics)
        closing = Closing(supervisor, within_s=DRAIN_S)
        try:
            health = await self._start(supervisor, metrics, closing)
            # What has been imported and built so far stays for good: collections need not walk through it again.
            gc.collect()
            gc.freeze()
            if on_started is not None:
                supervisor.spawn("on_started", on_started(self, health))
            await self._stop.wait()
            _LOG.info("stopping")
        finally:
            await closing.close()
            await supervisor.drain(0.0)
        _LOG.info("stopped")

    def _on_signal(self, number: int) -> None:
        if self._stop.is_set():
            os._exit(128 + number)  # asked twice: at once, whatever is under way
        self._stop.set()

    async def _start(self, supervisor: Supervisor, metrics: Metrics, closing: Closing) -> Health:
        """Start part after part; each tells `closing` how it is stopped."""
        settings = self._settings
        clock = await self._choose_clock(supervisor)
        health = Health(supervisor, clock)
        health.require("database")
        health.require("modules")  # which of them are required is only known once the host has read their manifests
        supervisor.start("heartbeat", lambda: keep_beating(health, metrics))
        kernel = Kernel(supervisor, health, metrics, clock)
        closing.add("http", (await self._open_http(kernel)).stop)
        store = await self._open_store(kernel)
        closing.add("store", store.close)
        parts = await compose(settings, kernel, store)
        closing.add("plex", parts.plex.stop)
        await parts.plex.start()
        closing.add("discord", parts.fleet.close)
        await parts.fleet.start()
        closing.add("modules", parts.host.stop)
        await parts.host.start()
        health.set("modules", Check(Status.PASS, f"{len(parts.host.states())} known"))
        closing.add("intake", lambda: self._drain(kernel, parts.fleet))
        sync = parts.fleet.sync_commands(keep=parts.host.commands_to_keep())
        supervisor.spawn("sync_commands", sync)
        _LOG.info("started", plex_servers=sorted(settings.plex.servers), bots=sorted(settings.discord.bots))
        return health

    async def _choose_clock(self, supervisor: Supervisor) -> Clock:
        if (url := self._settings.clock.url) is None:
            return SystemClock()
        _LOG.warning("clock_is_simulated", url=url)
        clock = FollowedClock(url)
        supervisor.start("clock", clock.run)
        await clock.wait_followed(_CLOCK_S)
        return clock

    async def _open_http(self, kernel: Kernel) -> WebServer:
        http, release = self._settings.http, installed_version()
        kernel.metrics.build_info.info({"version": release})
        started_at = kernel.clock.now()
        web = WebServer(
            kernel.health, kernel.metrics, host=http.host, port=http.port, version=release, started_at=started_at
        )
        await web.start()
        self.url = web.url
        _LOG.info("http_listening", url=web.url)
        return web

    async def _open_store(self, kernel: Kernel) -> Store:
        settings = self._settings
        done = await schema.ensure_head(settings.database_url, settings.data_dir)
        _LOG.info("database_ready", change=done.change.value, revision=done.head)
        store = await Store.open(settings.database_url, metrics=kernel.metrics)

        async def probe() -> Check:
            try:
                await store.ping()
            except UpstreamError as error:
                return Check(Status.FAIL, str(error))
            return Check(Status.PASS)

        kernel.health.register("database", probe, _DATABASE_CHECK_S)
        return store

    async def _drain(self, kernel: Kernel, fleet: Fleet) -> None:
        kernel.health.start_draining()
        await fleet.stop_intake()
        await kernel.supervisor.finish(_FINISH_S)

"""Composition root: settings in, running daemon out. The one place that knows every part."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Coroutine

import structlog

from daemon.backbone import Kernel, add_chores
from daemon.core.clock import Clock
from daemon.core.errors import UpstreamError
from daemon.core.limits import DRAIN_S, SPACE_EVERY_S
from daemon.core.roles import Role
from daemon.data import schema
from daemon.data.store import Store
from daemon.kernel.clock import SystemClock
from daemon.kernel.closing import Closing
from daemon.kernel.export import export_to
from daemon.kernel.followed_clock import FollowedClock
from daemon.kernel.health import Check, Health, Status, keep_beating
from daemon.kernel.identity import process_name
from daemon.kernel.metrics import Metrics
from daemon.kernel.release import installed_version
from daemon.kernel.systemd import Systemd
from daemon.kernel.tasks import Supervisor
from daemon.parts import Parts, compose
from daemon.services.space import check_space
from daemon.settings.model import Settings
from daemon.web.server import WebServer
from integrations.discord.fleet import Fleet

_LOG = structlog.get_logger(__name__)

_DATABASE_CHECK_S = 15.0
_QUEUE_CHECK_S = 30.0  # the queue counts for its metrics more often, by itself
_BACKUP_CHECK_S = 60.0
_SEARCH_CHECK_S = 1.0  # from memory
_CLOCK_S = 3.0  # a start waits this long for the clock it is told to follow
_FINISH_S = 2.0  # what was begun may take this long after the intake has been stopped


class App:
    """One daemon. `run` starts it, waits for a signal or `request_stop`, and stops it."""

    def __init__(self, settings: Settings, role: Role = Role.ALL, systemd: Systemd | None = None) -> None:
        self._settings = settings
        self._role = role
        self._systemd = systemd
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
            health.start_draining()
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
        if (endpoint := settings.otel.endpoint) is not None:
            about = {"service.version": installed_version(), "marquee.role": self._role.value}
            stop = await asyncio.to_thread(export_to, endpoint, about)
            closing.add("traces", lambda: asyncio.to_thread(stop))
        clock = await self._choose_clock(supervisor)
        health = Health(supervisor, clock)
        health.require("database")
        health.require("modules")  # which of them are required is only known once the host has read their manifests
        supervisor.start("heartbeat", lambda: keep_beating(health, metrics))
        if (systemd := self._systemd) is not None:
            supervisor.start("systemd", lambda: systemd.run(health))
        kernel = Kernel(supervisor, health, metrics, clock, process_name())
        closing.add("http", (await self._open_http(kernel)).stop)
        store = await self._open_store(kernel)
        closing.add("store", store.close)
        parts = await compose(settings, kernel, store, self._role)
        if (redis := parts.backbone.redis) is not None:
            closing.add("redis", redis.stop)
            await redis.start()
        if self._role.has_modules:
            await self._start_parts(parts, kernel, closing)
        else:
            health.set("modules", Check(Status.PASS, "none in this role"))
        health.note_started()
        _LOG.info(
            "started",
            role=self._role.value,
            plex_servers=sorted(settings.plex.servers),
            bots=sorted(settings.discord.bots),
        )
        return health

    async def _start_parts(self, parts: Parts, kernel: Kernel, closing: Closing) -> None:
        closing.add("plex", parts.plex.stop)
        await parts.plex.start()
        closing.add("plex_tv", parts.plex_tv.stop)
        await parts.plex_tv.start()
        closing.add("discord", parts.fleet.close)
        await parts.fleet.start()
        closing.add("search", parts.search.stop)
        await parts.search.start()
        kernel.health.register("search", parts.search.check, _SEARCH_CHECK_S)
        closing.add("modules", parts.host.stop)
        await parts.host.start()
        parts.fleet.check_modules([status.module for status in parts.host.states()])
        await self._start_work(parts, kernel, closing)
        kernel.health.set("modules", Check(Status.PASS, f"{len(parts.host.states())} known"))
        closing.add("intake", lambda: self._drain(kernel, parts.fleet))
        if self._role.has_gateway:
            sync = parts.fleet.sync_commands(keep=parts.host.commands_to_keep())
            kernel.supervisor.spawn("sync_commands", sync)

    async def _start_work(self, parts: Parts, kernel: Kernel, closing: Closing) -> None:
        """Handle what waits, if that is this process's part; once the modules are there that handle it."""
        backbone = parts.backbone
        await backbone.events.sync(keep=parts.host.subscriptions_to_keep())
        if self._role.works:
            await add_chores(backbone, self._settings)
            backbone.notify.deliver(parts.fleet.notices)
        closing.add("queue", backbone.queue.stop)
        await backbone.queue.start(None if self._role.works else ())
        if self._role.works:
            kernel.health.register("queue", backbone.queue.check, _QUEUE_CHECK_S)
            if backbone.backups is not None:
                kernel.health.register("backup", backbone.backups.check, _BACKUP_CHECK_S)
            closing.add("library", parts.mirroring.stop)
            await parts.mirroring.start(backbone.schedules)
            closing.add("schedules", backbone.schedules.stop)
            await backbone.schedules.start()
            kernel.supervisor.start("watcher", backbone.watcher.run)
            kernel.supervisor.start("deaths", backbone.deaths.run)
        await backbone.cache.start()

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
        kernel.metrics.role_info.info({"role": self._role.value, "process": kernel.process})
        started_at = kernel.clock.now()
        kernel.metrics.started_timestamp_seconds.set(started_at.timestamp())
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
        kernel.health.register("disk", lambda: check_space(store, settings.data_dir, kernel.metrics), SPACE_EVERY_S)
        return store

    async def _drain(self, kernel: Kernel, fleet: Fleet) -> None:
        kernel.health.start_draining()
        await fleet.stop_intake()
        await kernel.supervisor.finish(_FINISH_S)

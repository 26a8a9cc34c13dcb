"""The daemon's parts, wired as in `run` but on an empty database of their own: for commands beside a running daemon."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from daemon.backbone import Kernel
from daemon.core.roles import Role
from daemon.data import schema
from daemon.data.store import Store
from daemon.kernel.clock import SystemClock
from daemon.kernel.health import Health
from daemon.kernel.identity import process_name
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.parts import Parts, compose
from daemon.settings.model import Database, Redis, Settings


@asynccontextmanager
async def scratch(settings: Settings) -> AsyncIterator[Parts]:
    """Parts that are wired and not started, without the data folder and its lock. What was started is ended after."""
    supervisor = Supervisor(log=structlog.get_logger(__name__))
    metrics, clock = Metrics(), SystemClock()
    kernel = Kernel(supervisor, Health(supervisor, clock), metrics, clock, process_name())
    with tempfile.TemporaryDirectory(prefix="marquee-scratch-") as folder:
        own = settings.model_copy(update={"data_dir": Path(folder), "database": Database(), "redis": Redis()})
        await schema.ensure_head(own.database_url, own.data_dir)
        store = await Store.open(own.database_url, metrics=metrics)
        try:
            yield await compose(own, kernel, store, Role.ALL)
        finally:
            await supervisor.drain(0.0)
            await store.close()

"""The daemon's database for a command, beside a running daemon or without one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from daemon.cli.configuration import settings_or_exit
from daemon.cli.outcome import BAD_CONFIG, FAILED, UNAVAILABLE, leave

if TYPE_CHECKING:
    from daemon.core.clock import Clock
    from daemon.data.store import Store
    from daemon.kernel.tasks import Supervisor
    from daemon.settings.model import Settings

T = TypeVar("T")


_CLOCK_S = 3.0  # a simulator's clock that does not answer for this long is done without


@dataclass(frozen=True, slots=True)
class Opened:
    """What a command works with: the clock is the daemon's, a simulator's included."""

    store: Store
    clock: Clock


def with_store(work: Callable[[Opened], Awaitable[T]]) -> T:
    """What `work` makes of the open database. The process ends with a sentence when it cannot be used.

    A UserError of `work` ends the process, too: its sentence, exit code 1.
    """
    from daemon.core.errors import ConfigError, UpstreamError, UserError
    from daemon.kernel import logs

    settings = settings_or_exit()
    logs.configure("console", "error", settings.secrets())
    try:
        _check_revision(settings)
        return asyncio.run(_work(settings, work))
    except ConfigError as error:
        leave(BAD_CONFIG, map(logs.redact, error.mistakes))
    except UpstreamError as error:
        leave(UNAVAILABLE, [logs.redact(str(error))])
    except UserError as error:
        leave(FAILED, [logs.redact(error.text)])


def _check_revision(settings: Settings) -> None:
    from daemon.data import schema, version

    revision = schema.current(settings.database_url)
    if revision != version.HEAD:
        problem = f"the database is at revision {revision}" if revision else "there is no database yet"
        leave(FAILED, [f"{problem}; `marquee run` or `marquee db upgrade` brings it to {version.HEAD}"])


async def _work(settings: Settings, work: Callable[[Opened], Awaitable[T]]) -> T:
    import structlog

    from daemon.data.store import Store
    from daemon.kernel.metrics import Metrics
    from daemon.kernel.tasks import Supervisor

    supervisor = Supervisor(log=structlog.get_logger(__name__))
    store = await Store.open(settings.database_url, metrics=Metrics())
    try:
        return await work(Opened(store, await _choose_clock(settings, supervisor)))
    finally:
        await supervisor.drain(0.0)
        await store.close()


async def _choose_clock(settings: Settings, supervisor: Supervisor) -> Clock:
    from daemon.kernel.clock import SystemClock

    if settings.clock.url is None:
        return SystemClock()
    from daemon.kernel.followed_clock import FollowedClock  # brings an HTTP client, which takes a fifth of a second

    clock = FollowedClock(settings.clock.url)
    supervisor.start("clock", clock.run)
    await clock.wait_followed(_CLOCK_S)
    return clock

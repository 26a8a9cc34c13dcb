from __future__ import annotations

import os
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NoReturn

import click

from daemon.cli.configuration import settings_or_exit
from daemon.cli.outcome import BAD_CONFIG, UNAVAILABLE, leave
from daemon.core.roles import Role

if TYPE_CHECKING:
    from daemon.app import App
    from daemon.kernel.health import Health
    from daemon.settings.model import Settings

    OnStarted = Callable[[App, Health], Coroutine[None, None, None]]


@click.command(short_help="Run the daemon, or one part of it.")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.ALL.value,
    show_default=True,
    help="Which part of the work this process takes; other than `all` it needs PostgreSQL and Redis.",
)
def run(role: str) -> None:
    """Run the daemon until SIGTERM or Ctrl-C; a second one ends it at once.

    With --role several processes share the work on one PostgreSQL and one Redis: `bots` (one process) talks to Discord,
    `worker` (any number) handles events, jobs and notices, `web` serves HTTP.
    """
    settings = settings_or_exit()
    if mistakes := unfit(settings, Role(role)):
        leave(BAD_CONFIG, mistakes)
    run_app(settings, role=Role(role))
    sys.exit(0)


def unfit(settings: Settings, role: Role) -> list[str]:
    """Why these settings do not allow several processes; nothing for the role `all`."""
    if role is Role.ALL:
        return []
    mistakes = []
    if settings.database_url.startswith("sqlite:"):
        mistakes.append(f"--role {role} needs a database that several processes share: database.url of a PostgreSQL")
    if settings.redis.url is None:
        mistakes.append(f"--role {role} needs a Redis that tells the processes of each other's work: redis.url")
    return mistakes


def run_app(settings: Settings, on_started: OnStarted | None = None, *, role: Role = Role.ALL) -> None:
    """Run the daemon in this process until it is told to stop; ends the process when it cannot start."""
    import asyncio

    from daemon.app import App
    from daemon.core.errors import ConfigError, UpstreamError
    from daemon.kernel import logs
    from daemon.kernel.memory import share_arena
    from daemon.kernel.systemd import Systemd
    from daemon.web.server import CannotListen

    share_arena()
    logs.configure(settings.log.format, settings.log.level, settings.secrets())
    with _locked(settings, role):
        try:
            asyncio.run(App(settings, role, Systemd.of(os.environ)).run(on_started))
        except ConfigError as error:
            _leave(settings, BAD_CONFIG, error.mistakes)
        except CannotListen as error:
            _leave(settings, BAD_CONFIG, [f"{error}. Set MARQUEE_HTTP__HOST and MARQUEE_HTTP__PORT to a free address."])
        except UpstreamError as error:
            _leave(settings, UNAVAILABLE, [str(error)])


def _leave(settings: Settings, code: int, lines: Iterable[str]) -> NoReturn:
    """As `leave`, in the form of the logs: whoever collects JSON gets the last sentence, too, as JSON."""
    import structlog

    from daemon.kernel import logs

    if settings.log.format == "console":
        leave(code, map(logs.redact, lines))
    for line in lines:
        structlog.get_logger(__name__).error("cannot_start", problem=line)
    sys.exit(code)


@contextmanager
def _locked(settings: Settings, role: Role) -> Iterator[None]:
    """Workers and web servers may share a folder: what they have in common lies in the database."""
    from daemon.kernel.lock import FolderLock, LockHeld

    folder = settings.data_dir
    with ExitStack() as stack:
        try:
            if role.has_gateway:
                stack.enter_context(FolderLock(folder))
            else:
                folder.mkdir(parents=True, exist_ok=True)
        except LockHeld as error:
            _leave(settings, BAD_CONFIG, [f"{error}. Stop that one, or set MARQUEE_DATA_DIR to another folder."])
        except OSError as error:
            _leave(settings, BAD_CONFIG, [f"data_dir: {folder} cannot be used: {error.strerror}"])
        yield

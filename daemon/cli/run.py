from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NoReturn

import click

from daemon.cli.configuration import settings_or_exit
from daemon.cli.outcome import BAD_CONFIG, UNAVAILABLE, leave

if TYPE_CHECKING:
    from daemon.app import App
    from daemon.kernel.health import Health
    from daemon.settings.model import Settings

    OnStarted = Callable[[App, Health], Coroutine[None, None, None]]


@click.command(short_help="Run the daemon.")
def run() -> None:
    """Run the daemon until SIGTERM or Ctrl-C; a second one ends it at once."""
    run_app(settings_or_exit())
    sys.exit(0)


def run_app(settings: Settings, on_started: OnStarted | None = None) -> None:
    """Run the daemon in this process until it is told to stop; ends the process when it cannot start."""
    import asyncio

    from daemon.app import App
    from daemon.core.errors import ConfigError, UpstreamError
    from daemon.kernel import logs
    from daemon.kernel.memory import share_arena
    from daemon.web.server import CannotListen

    share_arena()
    logs.configure(settings.log.format, settings.log.level, settings.secrets())
    with _locked(settings):
        try:
            asyncio.run(App(settings).run(on_started))
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
def _locked(settings: Settings) -> Iterator[None]:
    from daemon.kernel.lock import FolderLock, LockHeld

    folder = settings.data_dir
    with ExitStack() as stack:
        try:
            stack.enter_context(FolderLock(folder))
        except LockHeld as error:
            _leave(settings, BAD_CONFIG, [f"{error}. Stop that one, or set MARQUEE_DATA_DIR to another folder."])
        except OSError as error:
            _leave(settings, BAD_CONFIG, [f"data_dir: {folder} cannot be used: {error.strerror}"])
        yield

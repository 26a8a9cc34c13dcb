from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from daemon.cli.configuration import settings_or_exit
from daemon.cli.outcome import BAD_CONFIG, UNAVAILABLE, leave

if TYPE_CHECKING:
    from daemon.app import App
    from daemon.settings.model import Settings


@click.command(short_help="Run the daemon.")
def run() -> None:
    """Run the daemon until SIGTERM or Ctrl-C; a second one ends it at once."""
    run_app(settings_or_exit())
    sys.exit(0)


def run_app(settings: Settings, on_ready: Callable[[App], None] | None = None) -> None:
    """Run the daemon in this process until it is told to stop; ends the process when it cannot start."""
    import asyncio

    from daemon.app import App
    from daemon.core.errors import ConfigError, UpstreamError
    from daemon.kernel import logs
    from daemon.web.server import CannotListen

    logs.configure(settings.log.format, settings.log.level, settings.secrets())
    with _locked(settings.data_dir):
        try:
            asyncio.run(App(settings).run(on_ready))
        except ConfigError as error:
            leave(BAD_CONFIG, map(logs.redact, error.mistakes))
        except CannotListen as error:
            leave(BAD_CONFIG, [f"{error}. Set MARQUEE_HTTP__HOST and MARQUEE_HTTP__PORT to a free address."])
        except UpstreamError as error:
            leave(UNAVAILABLE, [logs.redact(str(error))])


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    from daemon.kernel.lock import FolderLock, LockHeld

    with ExitStack() as stack:
        try:
            stack.enter_context(FolderLock(folder))
        except LockHeld as error:
            leave(BAD_CONFIG, [f"{error}. Stop that one, or set MARQUEE_DATA_DIR to another folder."])
        except OSError as error:
            leave(BAD_CONFIG, [f"data_dir: {folder} cannot be used: {error.strerror}"])
        yield

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from daemon.cli.configuration import settings_or_exit
from daemon.cli.outcome import BAD_CONFIG, UNAVAILABLE, leave

if TYPE_CHECKING:
    from daemon.app import App
    from daemon.settings.model import Settings


@click.command()
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
    from daemon.kernel.lock import LockHeld
    from daemon.web.server import PortTaken

    logs.configure(settings.log.format, settings.log.level, settings.secrets())
    try:
        asyncio.run(App(settings).run(on_ready))
    except ConfigError as error:
        leave(BAD_CONFIG, map(logs.redact, error.mistakes))
    except LockHeld as error:
        leave(BAD_CONFIG, [f"{error}. Stop that one, or set MARQUEE_DATA_DIR to another folder."])
    except PortTaken as error:
        leave(BAD_CONFIG, [f"{error} by another program. Stop that one, or set MARQUEE_HTTP__PORT to a free port."])
    except UpstreamError as error:
        leave(UNAVAILABLE, [logs.redact(str(error))])

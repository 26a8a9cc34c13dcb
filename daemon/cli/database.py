from __future__ import annotations

import click

from daemon.cli.configuration import settings_or_exit
from daemon.cli.database_check import check
from daemon.cli.outcome import BAD_CONFIG, FAILED, UNAVAILABLE, leave


@click.group(name="db", short_help="The database: check, revision, upgrade.")
def database() -> None:
    """Look at the database and its revision, or bring it to the one this version needs."""


database.add_command(check)


@database.command()
def upgrade() -> None:
    """Upgrade the database; an SQLite file is copied into the data folder's backups first. `run` does this, too."""
    from daemon.core.errors import ConfigError, UpstreamError
    from daemon.data import schema
    from daemon.kernel.lock import FolderLock, LockHeld

    settings = settings_or_exit()
    try:
        with FolderLock(settings.data_dir):
            done = schema.upgrade(settings.database_url, settings.data_dir)
    except ConfigError as error:
        leave(BAD_CONFIG, error.mistakes)
    except UpstreamError as error:
        leave(UNAVAILABLE, [str(error)])
    except LockHeld as error:
        leave(FAILED, [f"{error}. Stop it first."])
    except OSError as error:
        leave(BAD_CONFIG, [f"data_dir: {settings.data_dir} cannot be used: {error.strerror}"])
    click.echo(f"{done.change}: revision {done.head}" + (f", before {done.before}" if done.before else ""))
    if done.backup is not None:
        click.echo(f"copy of the old database: {done.backup}")


@database.command()
def current() -> None:
    """Show the database's revision and the one this version needs; exit 1 when they differ."""
    from daemon.core.errors import ConfigError, UpstreamError
    from daemon.data import schema, version

    settings = settings_or_exit()
    try:
        revision = schema.current(settings.database_url)
    except ConfigError as error:
        leave(BAD_CONFIG, error.mistakes)
    except UpstreamError as error:
        leave(UNAVAILABLE, [str(error)])
    click.echo(f"{revision or 'none'} (needed: {version.HEAD})")
    if revision != version.HEAD:
        leave(FAILED, ["`marquee db upgrade` brings it there; `marquee run` does so by itself"])

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from daemon.cli.configuration import settings_or_exit
from daemon.cli.outcome import BAD_CONFIG, FAILED, UNAVAILABLE, leave

if TYPE_CHECKING:
    from daemon.services.backup import Place, Report
    from daemon.services.backup.manifest import Manifest
    from daemon.settings.model import Settings

_FILE = click.argument("file", type=click.Path(path_type=Path))


@click.group(invoke_without_command=True, short_help="Make a backup; list and verify backups.")
@click.option("--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="Instead of backup.folder.")
@click.option(
    "--encrypt/--no-encrypt", "is_sealed", default=None, help="With backup.passphrase; by default when that is set."
)
@click.option("--keep", type=click.IntRange(1, 1000), help="Delete all but the newest N. Default: backup.keep.")
@click.pass_context
def backup(context: click.Context, folder: Path | None, is_sealed: bool | None, keep: int | None) -> None:
    """Put everything that the daemon knows into one file, also while it runs, and read that back.

    With --to nothing is deleted there unless --keep says how many to keep.
    """
    settings = settings_or_exit()
    place = place_of(settings, folder)
    context.obj = place
    if context.invoked_subcommand is not None:
        return
    from daemon.kernel.clock import SystemClock
    from daemon.services.backup import retire
    from daemon.services.backup.making import make

    if is_sealed and place.passphrase is None:
        leave(BAD_CONFIG, ["backup.passphrase: is not set; set MARQUEE_BACKUP__PASSPHRASE or ..._FILE"])
    with ending_well(), shown() as report:
        archive, manifest = make(
            place if is_sealed is not False else place.unsealed(), at=SystemClock().now(), report=report
        )
        kept = keep or (settings.backup.keep if folder is None else None)
        retired = [] if kept is None else retire(place.folder, kept)
    click.echo(str(archive.path))
    click.echo(f"{in_bytes(archive.size_bytes)}, {told(manifest)}; read back and found whole")
    if retired:
        click.echo(f"deleted: {', '.join(path.name for path in retired)}")
    _warn(manifest)


@backup.command(name="list")
@click.pass_obj
def list_them(place: Place) -> None:
    """List the backups in the folder, newest first."""
    from daemon.services.backup import list_archives

    with ending_well():
        archives = list_archives(place.folder)
    for archive in archives:
        kind = "before a restore" if archive.name.is_safety else ("encrypted" if archive.name.is_sealed else "")
        made_at = f"{archive.name.created_at:%Y-%m-%d %H:%M:%S}"
        click.echo(f"{archive.path}  {made_at} UTC  {in_bytes(archive.size_bytes):>9}  {kind}".rstrip())
    if not archives:
        click.echo(f"no backups in {place.folder}")


@backup.command()
@_FILE
@click.option("--drill", "is_drill", is_flag=True, help="Restore it as well, into a database that is thrown away.")
@click.pass_obj
def verify(place: Place, file: Path, is_drill: bool) -> None:
    """Read a backup through; with --drill restore it, too. Your own database is not touched."""
    from daemon.kernel.clock import SystemClock
    from daemon.services.backup.making import read_through
    from daemon.services.backup.restoring import drill

    with ending_well(), shown() as report:
        path = _find(place, file)
        if is_drill:
            manifest = drill(path, place.passphrase, at=SystemClock().now(), report=report)
        else:
            manifest = read_through(path, place.passphrase, report)
    click.echo(f"whole{' and restored' if is_drill else ''}: {told(manifest)}, {made(manifest)}")
    _warn(manifest)


@click.command(short_help="Put a backup back.")
@_FILE
@click.option("--force", is_flag=True, help="Replace what the database holds; that is kept as well.")
def restore(file: Path, force: bool) -> None:
    """Put the backup FILE (a path, or a name in the backup folder) into the configured database.

    The daemon must not run. The file is read through first, and nothing is touched when anything is wrong with it. It
    may come from SQLite or PostgreSQL, whichever the configured database is, and from an older version of Marquee.
    """
    from daemon.kernel.clock import SystemClock
    from daemon.services.backup.restoring import restore as put_back

    settings = settings_or_exit()
    place = place_of(settings, None)
    with ending_well("Nothing was restored."), shown() as report:
        done = put_back(place, _find(place, file), force=force, at=SystemClock().now(), report=report)
    click.echo(f"restored: {told(done.manifest)}, {made(done.manifest)}")
    if done.safety is not None:
        click.echo(f"what was there before: {done.safety}")
    if settings.redis.url is not None:
        click.echo("Redis still holds what was true before: empty the database of redis.url before you start Marquee.")
    _warn(done.manifest)


def place_of(settings: Settings, folder: Path | None) -> Place:
    """Where the configured installation is, with archives in `folder` if one is given."""
    from daemon.services.backup import Place

    passphrase = settings.backup.passphrase
    return Place(
        settings.database_url,
        settings.data_dir,
        folder or settings.backup_folder,
        None if passphrase is None else passphrase.get_secret_value(),
        settings.claims_folder,
        settings.claims_in_database,
    )


@contextmanager
def ending_well(afterwards: str = "") -> Iterator[None]:
    """End the process with one sentence and the right code for whatever a backup or restore may say."""
    from daemon.core.errors import ConfigError, UpstreamError
    from daemon.services.backup import BackupError

    more = [afterwards] if afterwards else []
    try:
        yield
    except BackupError as error:
        leave(FAILED, [_sentence(str(error)), *more])
    except ConfigError as error:
        leave(BAD_CONFIG, [*error.mistakes, *more])
    except UpstreamError as error:
        leave(UNAVAILABLE, [str(error), *more])


@contextmanager
def shown() -> Iterator[Report]:
    """Progress bars on a terminal, silence elsewhere."""
    if not sys.stderr.isatty():
        yield lambda what, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[shown]}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _reporting(bars.add_task, bars.update)


def _reporting(add: Callable[..., int], update: Callable[..., None]) -> Report:
    from daemon.services.backup.making import READING

    tasks: dict[str, int] = {}

    def report(what: str, done: int, total: int) -> None:
        amount = in_bytes if what == READING else "{:,} rows".format
        text = f"{amount(done)} of {amount(total)}" if total else ""
        if what not in tasks:
            tasks[what] = add(what, total=total or None, shown=text)
        update(tasks[what], completed=done, total=total or None, shown=text)

    return report


def told(manifest: Manifest) -> str:
    """How much an archive holds: "1,204 rows and 3 large bodies"."""
    bodies = f" and {manifest.claims} large bodies" if manifest.claims else ""
    return f"{manifest.rows():,} rows{bodies}"


def made(manifest: Manifest) -> str:
    """When and by what an archive was made."""
    when = f"{manifest.created_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"made {when} by Marquee {manifest.product} on {manifest.dialect} at revision {manifest.revision}"


def in_bytes(size: int) -> str:
    """A size for people: "812 bytes", "4.1 MB"."""
    if size < 100_000:
        return f"{size:,} bytes"
    return f"{size / 1e6:,.1f} MB"


def _find(place: Place, file: Path) -> Path:
    in_folder = place.folder / file
    return in_folder if not file.exists() and in_folder.exists() else file


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _warn(manifest: Manifest) -> None:
    if manifest.lost_claims:
        click.echo(
            f"warning: {len(manifest.lost_claims)} large bodies were gone or damaged before the backup; "
            "`marquee db check` names the messages that need them",
            err=True,
        )

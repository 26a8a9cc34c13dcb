from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import click

from daemon.cli.columns import moment, show_json, show_table
from daemon.cli.configuration import settings_or_exit
from daemon.cli.opened import Opened, with_store
from daemon.cli.outcome import FAILED

if TYPE_CHECKING:
    from daemon.data.library.libraries import Library
    from daemon.data.library.passes import Pass
    from daemon.services.library import Mirror, Progress, Source, Summary
    from daemon.settings.model import Settings
    from integrations.plex import PlexTimeouts

    Report = Callable[[Progress], None]

_FOLLOW_S = 0.5  # between two looks at what another process reads


@click.group(short_help="The mirror of the libraries: list, sync.")
def library() -> None:
    """What Marquee holds of the libraries of your Plex servers, beside a running daemon or without one."""


@library.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
def list_libraries(as_json: bool) -> None:
    """Every mirrored library: how many titles, when it was read whole, what is being read."""

    async def look(opened: Opened) -> tuple[list[tuple[Library, Pass | None]], dict[tuple[int, str], int]]:
        from daemon.data.library import libraries, passes

        found = await opened.store.read(libraries.listing)
        last = {one.library_id: one for one in await opened.store.read(passes.listing)}
        ids = [each.library_id for each in found]
        counts = await opened.store.read(lambda tx: libraries.counts(tx, ids))
        return [(each, last.get(each.library_id)) for each in found], counts

    found, counts = with_store(look)
    if as_json:
        show_json([_document(each, last, counts) for each, last in found])
    elif not found:
        click.echo("No library is mirrored yet: a running daemon does it, and `marquee library sync`.")
    else:
        headings = ("server", "key", "library", "titles", "read (UTC)", "state")
        show_table(headings, (_row(each, last, counts) for each, last in found), title="Libraries")


@library.command()
@click.option("--server", help="One server, by its name in the configuration. Default: all.")
@click.option("--library", "only", help="One library, by its name or key.")
@click.option("--all", "afresh", is_flag=True, help="Read libraries whose content did not change, too.")
def sync(server: str | None, only: str | None, afresh: bool) -> None:
    """Read what changed in the libraries into the database; what was interrupted goes on where it was."""
    settings = settings_or_exit()

    async def work(opened: Opened) -> list[Summary | str]:
        with _shown() as report:
            return await _sync(settings, opened, server, only, afresh=afresh, report=report)

    is_well = True
    for summary in with_store(work):
        if isinstance(summary, str):
            click.echo(summary, err=True)
            is_well = False
        else:
            click.echo(_told(summary))
            is_well = is_well and summary.problem is None
    if not is_well:
        sys.exit(FAILED)


async def _sync(
    settings: Settings, opened: Opened, server: str | None, only: str | None, *, afresh: bool, report: Report
) -> list[Summary | str]:
    import structlog

    from daemon.core.errors import UpstreamError, UserError
    from daemon.core.ids import ServerId
    from daemon.data import plex_servers
    from daemon.kernel.health import Health
    from daemon.kernel.identity import process_name
    from daemon.kernel.metrics import Metrics
    from daemon.kernel.tasks import Supervisor
    from daemon.services.keys import Keys
    from daemon.services.library import Mirror
    from integrations.plex import PlexServerConfig
    from integrations.plex.mirror_readers import check_identity, readers

    if server is not None and server not in settings.plex.servers:
        raise UserError(f"There is no Plex server {server} in the configuration.", "server_unknown")
    configs = {
        ServerId(name): PlexServerConfig(one.url, one.token.get_secret_value())
        for name, one in settings.plex.servers.items()
        if server in (None, name)
    }
    metrics, supervisor = Metrics(), Supervisor(log=structlog.get_logger(__name__))
    identifier = await Keys(opened.store, opened.clock).plex_client_identifier()
    mirror = Mirror(opened.store, opened.clock, metrics, process=f"{process_name()}-sync")
    done: list[Summary | str] = []
    async with readers(configs, identifier, _timeouts(settings), metrics, Health(supervisor, opened.clock)) as sources:
        for name, source in sources.items():
            known = await opened.store.read(partial(plex_servers.machine_id, server=name))
            try:
                await check_identity(source, known)
                done += await _follow(mirror, source, only, afresh=afresh, report=report)
            except UpstreamError as error:
                if error.service == "The database":
                    raise
                done.append(str(error))
    return done


def _timeouts(settings: Settings) -> PlexTimeouts:
    from integrations.plex import PlexTimeouts

    plex = settings.plex
    return PlexTimeouts(connect_s=plex.connect_timeout_s, request_s=plex.request_timeout_s, page_s=plex.page_timeout_s)


async def _follow(mirror: Mirror, source: Source, only: str | None, *, afresh: bool, report: Report) -> list[Summary]:
    """Bring a server up to date; what another process reads meanwhile is waited for, its progress shown."""
    import asyncio

    from daemon.services.library import Outcome, Progress

    while True:
        done = await mirror.sync(source, only=only, afresh=afresh, report=report)
        busy = {summary.library for summary in done if summary.outcome is Outcome.BUSY}
        if not busy:
            return done
        afresh = False  # what could be read was read
        for each, last in await mirror.libraries():
            if each.ref in busy and last is not None:
                report(Progress(each.ref, each.name, "by another process", last.done, last.total))
        await asyncio.sleep(_FOLLOW_S)


@contextmanager
def _shown() -> Iterator[Report]:
    """A bar for each library on a terminal; elsewhere nothing, what became of each is told at the end."""
    if not sys.stderr.isatty():
        yield lambda progress: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
        TextColumn("{task.fields[what]}"), TimeRemainingColumn(),
    )  # fmt: skip
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def report(progress: Progress) -> None:
            name, what, total = progress.name, progress.what, progress.total
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total, what=what)
            bars.update(tasks[name], completed=progress.done, total=total, what=what)

        yield report


def _told(summary: Summary) -> str:
    """One library in a line: "attic / Movies: read, 63 new, 2 changed, 1 removed"."""
    taken = summary.taken
    parts = [summary.outcome.value]
    counts = (
        (taken.added, "new"), (taken.changed, "changed"), (summary.removed, "removed"),
        (summary.healed, "under another key"),
    )  # fmt: skip
    parts += [f"{count:,} {word}" for count, word in counts if count]
    if summary.problem is not None:
        parts.append(summary.problem)
    elif not summary.is_whole:
        parts.append("the server contradicts itself about its length: nothing was removed, it is read again later")
    return f"{summary.library.server} / {summary.name}: {', '.join(parts)}"


def _row(each: Library, last: Pass | None, counts: dict[tuple[int, str], int]) -> Sequence[str]:
    kinds = [(kind.value, counts.get((each.library_id, kind.value), 0)) for kind in each.kind.kinds]
    titles = ", ".join(f"{count:,} {word}s" for word, count in kinds)
    return each.ref.server, each.ref.key, each.name, titles, moment(each.read_at), _state(last)


def _state(last: Pass | None) -> str:
    if last is None or last.ended_at is not None:
        return "as the server has it" if last is not None else "not read yet"
    how_far = f"{last.done:,} of {last.total:,}"
    return f"being read, {how_far}" if last.owner is not None else f"{last.problem or 'interrupted'}, {how_far}"


def _document(each: Library, last: Pass | None, counts: dict[tuple[int, str], int]) -> dict[str, object]:
    return {
        "server": each.ref.server, "key": each.ref.key, "name": each.name, "kind": each.kind.value,
        "titles": {kind.value: counts.get((each.library_id, kind.value), 0) for kind in each.kind.kinds},
        "read_at": each.read_at, "state": _state(last),
    }  # fmt: skip

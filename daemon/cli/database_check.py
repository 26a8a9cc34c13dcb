from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from daemon.cli.configuration import settings_or_exit
from daemon.cli.outcome import BAD_CONFIG, FAILED, UNAVAILABLE, leave

if TYPE_CHECKING:
    from daemon.services.examination import Examination


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def check(as_json: bool) -> None:
    """Look the database over: soundness, what refers to nothing, sizes. Safe while the daemon runs.

    Reads everything, so it takes as long as a backup. Exit 1 when there is something to mend.
    """
    from daemon.core.errors import ConfigError, UpstreamError
    from daemon.kernel.clock import SystemClock
    from daemon.services.examination import examine

    settings = settings_or_exit()
    try:
        found = examine(settings.database_url, settings.claims_folder, SystemClock().now())
    except ConfigError as error:
        leave(BAD_CONFIG, error.mistakes)
    except UpstreamError as error:
        leave(UNAVAILABLE, [f"It cannot be read to its end. {error}", "Restore a backup: `marquee backup list`"])
    if found is None:
        leave(FAILED, ["there is no database of Marquee yet: `marquee run` or `marquee db upgrade` makes it"])
    if as_json:
        import json

        click.echo(json.dumps(to_document(found), indent=2))
    else:
        show(found)
    if not found.is_fine:
        raise SystemExit(FAILED)


def to_document(found: Examination) -> dict[str, Any]:
    """The examination as JSON; `status` is "ok" or "findings"."""
    return {
        "status": "ok" if found.is_fine else "findings",
        "dialect": found.dialect,
        "revision": found.revision,
        "needed": found.head,
        "problems": found.problems,
        "orphans": [{"what": one.what, "count": one.count, "examples": one.examples} for one in found.orphans],
        "tables": [table._asdict() for table in found.tables],
        "database_bytes": found.database_bytes,
        "log_bytes": found.log_bytes,
        "claims": {
            "count": found.claims.count,
            "size_bytes": found.claims.size_bytes,
            "unused": found.claims.unused,
        },
    }


def show(found: Examination) -> None:
    """Print tables of sizes, then what is to be mended."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(soft_wrap=False)
    table = Table(box=box.SIMPLE)
    table.add_column("Table")
    for title in ("Rows", "Size", "Indexes"):
        table.add_column(title, justify="right")
    for size in found.tables:
        table.add_row(size.name, f"{size.rows:,}", _bytes(size.table_bytes), _bytes(size.index_bytes))
    console.print(table)
    log = "" if found.log_bytes is None else f", log {_bytes(found.log_bytes)}"
    console.print(f"{found.dialect} at revision {found.revision}, {_bytes(found.database_bytes)}{log}")
    claims = found.claims
    console.print(f"{claims.count} large bodies, {_bytes(claims.size_bytes)}, {claims.unused} of them not in use")
    for problem in found.problems:
        console.print(Text(f"WRONG  {problem}", style="bold red"))
    for orphan in found.orphans:
        examples = ", ".join(orphan.examples) + (", ..." if orphan.count > len(orphan.examples) else "")
        console.print(Text(f"WRONG  {orphan.count} {orphan.what}: {examples}", style="bold red"))
    if found.is_fine:
        console.print("All is well.")


def _bytes(size: int | None) -> str:
    from daemon.cli.backup import in_bytes

    return "?" if size is None else in_bytes(size)

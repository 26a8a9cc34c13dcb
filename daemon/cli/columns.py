"""Tables and JSON documents on stdout, without secrets."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import click


def show_table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "") -> None:
    """Print a table; whatever the cells hold, they are only text."""
    from rich import box
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    from daemon.kernel.logs import redact

    columns = [Column(heading, overflow="fold") for heading in headings]  # folded: nothing is cut off
    table = Table(*columns, title=title or None, title_justify="left", box=box.SIMPLE)
    for row in rows:
        table.add_row(*(Text(redact(cell)) for cell in row))
    Console().print(table)


def show_json(document: Any) -> None:
    """Print dataclasses, lists and plain values as one JSON document; instants in ISO 8601."""
    from daemon.kernel.logs import redact

    click.echo(redact(json.dumps(document, indent=2, default=_to_json)))


def _to_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} is no JSON")


def moment(at: datetime | None) -> str:
    """An instant in UTC to the second; "-" for none."""
    return "-" if at is None else f"{at:%Y-%m-%d %H:%M:%S}"

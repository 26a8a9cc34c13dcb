"""How a command ends: its exit code, and one sentence a line on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import NoReturn

import click

OK = 0
FAILED = 1  # something does not work or does not answer
UNAVAILABLE = 69  # EX_UNAVAILABLE: the database does not answer; starting again later may help
BAD_CONFIG = 78  # EX_CONFIG: starting again without changing something will not help


def leave(code: int, lines: Iterable[str]) -> NoReturn:
    """Say `lines` on stderr and end the process with `code`."""
    for line in lines:
        click.echo(line, err=True)
    sys.exit(code)

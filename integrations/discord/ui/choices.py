"""What is offered while somebody types."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from discord import app_commands

from daemon.core.limits import AUTOCOMPLETE_CHOICES_MAX

Choices = list[app_commands.Choice[str]]


def to_choices(lines: Iterable[tuple[str, str]]) -> Choices:
    """(label, value) as Discord takes it, the first 25."""
    return [app_commands.Choice(name=label, value=value) for label, value in islice(lines, AUTOCOMPLETE_CHOICES_MAX)]

"""Choosing one of several: when a name fits more than one title, or more than one player could be meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import discord

from daemon.core.limits import CHOICE_CHARS_MAX, SELECT_OPTIONS_MAX
from daemon.core.text import clamp, plain
from integrations.discord.components import ComponentSet
from integrations.discord.ui.layout import row


def option(label: str, value: str, *, description: str = "", is_default: bool = False) -> discord.SelectOption:
    """An option whose texts are made fit: one line, 100 characters. ValueError for a value Discord would refuse."""
    if not 1 <= len(value) <= CHOICE_CHARS_MAX:
        raise ValueError(f"the value of an option has 1 to {CHOICE_CHARS_MAX} characters, not {len(value)}")
    return discord.SelectOption(
        label=clamp(plain(label), CHOICE_CHARS_MAX) or "?",
        value=value,
        description=clamp(plain(description), CHOICE_CHARS_MAX) or None,
        default=is_default,
    )


def pick(
    components: ComponentSet,
    action: str,
    ids: Iterable[object] = (),
    *,
    options: Sequence[discord.SelectOption],
    placeholder: str,
) -> discord.ui.ActionRow[Any]:
    """A select of the first 25 options, of which each value is offered once; what is chosen comes as `values[0]`."""
    first: dict[str, discord.SelectOption] = {}
    for candidate in options:
        first.setdefault(candidate.value, candidate)
    shown = list(first.values())[:SELECT_OPTIONS_MAX]
    return row(components.select(action, ids, options=shown, placeholder=placeholder))

"""Asking once before something is done that cannot be undone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import discord

from integrations.discord.components import ComponentSet
from integrations.discord.ui.layout import row


def confirm(
    components: ComponentSet, yes: str, no: str, ids: Iterable[object] = (), *, label: str
) -> discord.ui.ActionRow[Any]:
    """A red button with `label` that runs the handler `yes`, and "Cancel", which runs `no`, both with `ids`."""
    ids = tuple(ids)
    return row(
        components.button(yes, ids, label=label, style=discord.ButtonStyle.danger),
        components.button(no, ids, label="Cancel"),
    )

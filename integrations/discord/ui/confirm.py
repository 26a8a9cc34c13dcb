"""A second thought before something that cannot be undone: for the member who asked, for one minute."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import discord

from daemon.core.errors import UserError
from daemon.core.limits import CONFIRM_S
from integrations.discord.calls import AnyInteraction, call_of
from integrations.discord.components import ComponentSet
from integrations.discord.ui.layout import row


def confirm(
    components: ComponentSet, action: str, ids: Iterable[object] = (), *, label: str, member_id: int, now: datetime
) -> discord.ui.ActionRow[Any]:
    """One red button that runs the `@component(action)` handler; there, `confirmed` gives `ids` back."""
    until = int(now.timestamp() + CONFIRM_S)
    danger = discord.ButtonStyle.danger
    return row(components.button(action, (member_id, until, *ids), label=label, style=danger))


def confirmed(interaction: AnyInteraction, ids: Sequence[str]) -> tuple[str, ...]:
    """The ids that `confirm` was given. UserError when somebody else presses, or the minute has passed.

    The handler answers with `update`, so that the button disappears in the same answer: a second press is then
    another interaction on a message that no longer has it.
    """
    member_id, until, *rest = ids
    call = call_of(interaction)
    if int(member_id) != call.member_id:
        raise UserError("Only who asked for this can confirm it.", "not_yours")
    if call.at.timestamp() > int(until):
        raise UserError("That took longer than a minute; please ask again.", "too_late")
    return tuple(rest)

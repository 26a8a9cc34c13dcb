"""How maintenance looks in Discord: the card that everybody sees, and what its owner is told."""

from __future__ import annotations

import discord

from daemon.core.ids import PanelId
from daemon.core.text import clamp
from integrations.discord.components import ComponentSet
from integrations.discord.ui.colours import GOOD
from integrations.discord.ui.layout import card, row, safe, text

from .maintenance import Notice

WARNING = discord.Colour(0xF0B232)
TEXT_CHARS_MAX = 1_500


def notice_view(items: ComponentSet, panel_id: PanelId, notice: Notice) -> discord.ui.LayoutView:
    """The card in the channel."""
    said = f"-# Said by {safe(clamp(notice.by, 80))} <t:{int(notice.at.timestamp())}:f>"
    what = safe(clamp(notice.text, TEXT_CHARS_MAX))
    if notice.over_at is not None:
        over = f"### Maintenance is over\n{what}\n-# Over since <t:{int(notice.over_at.timestamp())}:f>"
        return card(text(f"{over}\n{said}"), accent=GOOD)
    return card(text(f"### Maintenance\n{what}\n{said}"), _end(items, panel_id), accent=WARNING)


def announced_view(
    items: ComponentSet, panel_id: PanelId, watching: int, silent: list[str], *, is_new: bool
) -> discord.ui.LayoutView:
    """What the owner is told, and nobody else."""
    people = (
        "Nobody is watching" if not watching else f"{watching} play right now" if watching > 1 else "1 plays right now"
    )
    lines = ["Maintenance is announced." if is_new else "The announcement was changed.", f"{people}."]
    lines += [f"-# Of {safe(server)} that is not known: it does not answer." for server in silent]
    return card(text("\n".join(lines)), _end(items, panel_id), accent=WARNING)


def _end(items: ComponentSet, panel_id: PanelId) -> discord.ui.ActionRow[discord.ui.LayoutView]:
    return row(items.button("over", (panel_id,), label="End maintenance"))

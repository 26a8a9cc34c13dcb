"""Components V2 within Discord's limits: 40 components and 4,000 characters a message."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import discord

from daemon.core.limits import LAYOUT_CHARS_MAX, LAYOUT_COMPONENTS_MAX
from daemon.core.text import clamp, plain

_EFFECTIVE = re.compile(r"[\\*_~|`<>\[@]|:(?=//)")  # a backslash before any sign takes its effect away
_AT_START = re.compile(r"^(\d+(?=\.\s)|(?=[#+-]+\s))")  # of a list or a heading
_CONTENT_CHARS_MIN = 1  # a TextDisplay may not be empty


def safe(text: str) -> str:
    """Text that somebody else wrote (a title, a name), as it shall be read: on one line, and only text.

    No formatting, mention, timestamp or link comes of it: each sign that could begin one gets a backslash.
    """
    return _AT_START.sub(r"\1\\", _EFFECTIVE.sub(r"\\\g<0>", plain(text)))


def text(content: str) -> discord.ui.TextDisplay[Any]:
    """A paragraph of Markdown; clamped, and never empty because Discord refuses that."""
    return discord.ui.TextDisplay(clamp(content, LAYOUT_CHARS_MAX) or "\u200b")


def card(*items: discord.ui.Item[Any], accent: discord.Colour | None = None) -> discord.ui.LayoutView:
    """A message of one container with `items` from top to bottom, `accent` as the colour of its edge."""
    return layout(discord.ui.Container(*items, accent_colour=accent))


def layout(*items: discord.ui.Item[Any]) -> discord.ui.LayoutView:
    """A message of `items` from top to bottom. It never times out: components are found by their custom ids."""
    view = discord.ui.LayoutView(timeout=None)
    for item in items:
        view.add_item(item)
    return view


def row(*items: discord.ui.Item[Any]) -> discord.ui.ActionRow[Any]:
    """Up to 5 buttons, or one select, beside each other."""
    return discord.ui.ActionRow(*items)


def poster_section(media: str, lines: Iterable[str], *, description: str | None = None) -> discord.ui.Section[Any]:
    """Up to 3 paragraphs with a picture at their right; `media` is a URL or `attachment://poster.jpg`."""
    return discord.ui.Section(
        *(text(line) for line in lines),
        accessory=discord.ui.Thumbnail(media, description=clamp(description, 256) if description else None),
    )


def fit(view: discord.ui.LayoutView) -> None:
    """Hold `view` to Discord's limits, in place: the longest paragraphs are cut until all text fits.

    ValueError for what cutting cannot mend: too many components, or two with one custom id.
    """
    if view.total_children_count > LAYOUT_COMPONENTS_MAX:
        raise ValueError(f"{view.total_children_count} components in one message, at most {LAYOUT_COMPONENTS_MAX}")
    custom_ids = [item.custom_id for item in view.walk_children() if hasattr(item, "custom_id")]
    if twice := {custom_id for custom_id in custom_ids if custom_ids.count(custom_id) > 1}:
        raise ValueError(f"custom ids used twice in one message: {sorted(twice)}")
    displays = [item for item in view.walk_children() if isinstance(item, discord.ui.TextDisplay)]
    while (excess := sum(len(d.content) for d in displays) - LAYOUT_CHARS_MAX) > 0:
        longest = max(displays, key=lambda display: len(display.content))
        longest.content = clamp(longest.content, max(_CONTENT_CHARS_MIN, len(longest.content) - excess))

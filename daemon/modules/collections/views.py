"""How collections look in Discord."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord

from daemon.core.ids import PanelId
from daemon.core.limits import CHOICE_CHARS_MAX
from daemon.core.media import Title
from daemon.core.text import clamp, plain, titles_line
from daemon.core.titles import title_name
from daemon.services.library.shelves import Collected, Shown
from integrations.discord.components import ComponentSet
from integrations.discord.ui.colours import ACCENT, GOOD, QUIET
from integrations.discord.ui.confirm import confirm
from integrations.discord.ui.layout import card, row, safe, text
from integrations.discord.ui.paginator import Page, pager
from integrations.discord.ui.pick import option, pick

from .asking import Doomed, Draft
from .desk import Opened

PAGE = 10
NAME_CHARS_MAX = 200


def list_view(
    items: ComponentSet, page: Page[Collected], total: int, library: str | None, ids: Sequence[object]
) -> discord.ui.LayoutView:
    """Collections by name, a menu that opens one, and the pages."""
    heading = "### Collections" + (f" of {_safe(library, 80)}" if library else "")
    lines = [
        f"**{_safe(one.name)}**\n-# {titles_line(one.count)} · {_safe(one.library_name, 80)}" for one in page.items
    ]
    body = "\n".join(lines) or "There are none."
    more = f"\n-# {total:,} collection{'s' * (total != 1)}" if page.pages > 1 else ""
    parts: list[discord.ui.Item[Any]] = [text(f"{heading}\n{body}{more}")]
    options = [
        option(one.name, str(one.ref), description=f"{titles_line(one.count)} · {one.library_name}")
        for one in page.items
        if len(str(one.ref)) <= CHOICE_CHARS_MAX
    ]
    if options:
        parts.append(pick(items, "open", ids, options=options, placeholder="Show one of them"))
    return card(*parts, *pager(items, "list", ids, page=page), accent=ACCENT if lines else QUIET)


def show_view(items: ComponentSet, opened: Opened, page: Page[Shown], ids: Sequence[object]) -> discord.ui.LayoutView:
    """What somebody sees of a collection, in its order."""
    one = opened.collection
    lines = [
        f"{page.first_index + place}. **{_safe(title_name(shown.title))}**" for place, shown in enumerate(page.items, 1)
    ]
    head = f"### {_safe(one.name)}\n-# {titles_line(len(opened.titles))} · {_safe(one.library_name, 80)}"
    body = "\n".join(lines) or "Nothing that you can see is in it."
    note = "" if opened.is_ordered or not lines else "\n-# By name: its server does not tell its own order now."
    return card(text(f"{head}\n{body}{note}"), *pager(items, "show", ids, page=page), accent=ACCENT if lines else QUIET)


def draft_view(items: ComponentSet, draft: Draft, panel_id: PanelId, found: Sequence[Title]) -> discord.ui.LayoutView:
    """A collection that waits for its first title: named by hand, or chosen among those that were found."""
    lines = [
        f"### New collection: {_safe(draft.name, 80)}",
        f"Plex keeps no empty collections, so it begins with a title of {_safe(draft.library.name, 80)}.",
    ]
    if found:
        lines.append("-# Several titles fit; which one is it?")
    lines.append("-# With a filter instead it fills itself: /collection create with filter.")
    options = [
        option(title_name(title), str(title.ref), description=title.library or "")
        for title in found
        if len(str(title.ref)) <= CHOICE_CHARS_MAX
    ]
    parts: list[discord.ui.Item[Any]] = [text("\n".join(lines))]
    if options:
        parts.append(pick(items, "first", (panel_id,), options=options, placeholder="The first title"))
    label = "Name another title" if found else "Name the first title"
    parts.append(row(items.button("name", (panel_id,), label=label, style=discord.ButtonStyle.primary)))
    return card(*parts, accent=ACCENT)


def doomed_view(items: ComponentSet, doomed: Doomed, panel_id: PanelId) -> discord.ui.LayoutView:
    """What a deletion does, and the question."""
    said = text(
        f"### Delete the collection {_safe(doomed.name, 80)}?\n"
        f"Its {titles_line(doomed.count)} stay in {_safe(doomed.library_name, 80)}. The collection itself, its order, "
        "its poster and its description go, and cannot be brought back."
    )
    return card(said, confirm(items, "delete", "keep", (panel_id,), label="Delete the collection"), accent=ACCENT)


def told_view(heading: str, *lines: str, is_done: bool = True) -> discord.ui.LayoutView:
    """What was done, or that nothing was. The words must be safe already."""
    return card(text("\n".join([f"### {heading}", *lines])), accent=GOOD if is_done else QUIET)


def bold(name: str) -> str:
    """A name within a sentence."""
    return f"**{_safe(name)}**"


def _safe(words: str, chars_max: int = NAME_CHARS_MAX) -> str:
    return safe(clamp(plain(words), chars_max))

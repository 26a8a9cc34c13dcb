"""How the library looks in Discord: lists, one title in full, sums."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import discord

from daemon.core.ids import PanelId
from daemon.core.limits import CHOICE_CHARS_MAX
from daemon.core.media import Title
from daemon.core.text import bar, clamp, plain, size_line
from daemon.core.titles import about_line, length, title_name
from daemon.services.library.shelves import Facts, LibrarySum, Reading
from integrations.discord.components import ComponentSet
from integrations.discord.ui.colours import ACCENT, QUIET
from integrations.discord.ui.layout import card, poster_section, row, safe, text
from integrations.discord.ui.paginator import Page, pager
from integrations.discord.ui.pick import option, pick

from .asking import Searched
from .desk import Answer, Storage
from .lines import (
    Arrival,
    counts_line,
    file_line,
    people_lines,
    rating_line,
    resolution,
)

PAGE = 10
NAME_CHARS_MAX = 200
_SUMMARY_CHARS_MAX = 900
_FILES_MAX = 5
POSTER = "poster.jpg"
_PREPARING = "\n-# The search is still being prepared, so this may not be all."


def search_view(
    items: ComponentSet, searched: Searched, page: Page[Title], total: str, panel_id: PanelId, *, is_complete: bool
) -> discord.ui.LayoutView:
    """Titles that were found, a menu that opens one, and the pages."""
    lines = [f"**{_name(title)}**\n-# {safe(about_line(title))}" for title in page.items]
    heading = f"### Search: {safe(clamp(searched.text, 80))}\n"
    body = "\n".join(lines) or "Nothing fits."
    more = f"\n-# {total}" if page.items else ""
    parts: list[discord.ui.Item[Any]] = [text(heading + body + more + ("" if is_complete else _PREPARING))]
    parts += _opener(items, page.items, panel_id)
    return card(*parts, *pager(items, "search", (panel_id,), page=page), accent=ACCENT if page.items else QUIET)


def info_view(facts: Facts, summary: str | None, *, has_poster: bool, note: str = "") -> discord.ui.LayoutView:
    """One title: what it is, what it is about, who made it, which files there are."""
    title = facts.shown.title
    head = [f"### {_name(title)}", safe(about_line(title))]
    if rating := rating_line(facts):
        head.append(safe(rating))
    if facts.genres:
        head.append(safe(clamp(" · ".join(map(plain, facts.genres)), NAME_CHARS_MAX)))
    first = "\n".join(head)
    body = [safe(clamp(summary, _SUMMARY_CHARS_MAX))] if summary else []
    body += [f"-# {safe(clamp(line, NAME_CHARS_MAX))}" for line in people_lines(facts.people)]
    if facts.collections:
        body.append(f"-# In {safe(clamp(', '.join(map(plain, facts.collections)), NAME_CHARS_MAX))}")
    parts: list[discord.ui.Item[Any]] = []
    if has_poster:
        parts.append(
            poster_section(
                f"attachment://{POSTER}", [first, "\n".join(body) or "\u200b"], description=title_name(title)
            )
        )
    else:
        parts.append(text("\n".join([first, *body])))
    foot = [f"`{file_line(file)}`" for file in facts.files[:_FILES_MAX] if file_line(file)]
    if facts.shown.added_at is not None:
        foot.append(f"-# Added {_day(facts.shown.added_at)}")
    if note:
        foot.append(f"-# {safe(note)}")
    return card(*parts, *([text("\n".join(foot))] if foot else []), accent=ACCENT)


def recent_view(items: ComponentSet, page: Page[Arrival], heading: str, ids: Sequence[object]) -> discord.ui.LayoutView:
    """What is new, the newest first."""
    lines = [
        f"**{safe(clamp(str(each), NAME_CHARS_MAX))}**\n-# {_added(each.added_at)}{safe(about_line(each.title))}"
        for each in page.items
    ]
    body = text(f"### {safe(heading)}\n" + ("\n".join(lines) or "Nothing was added."))
    return card(body, *pager(items, "recent", ids, page=page), accent=ACCENT if lines else QUIET)


def stats_view(
    items: ComponentSet, libraries: Sequence[LibrarySum], readings: Sequence[Reading], ids: Sequence[object]
) -> discord.ui.LayoutView:
    """What the libraries amount to, and how far the reading of those is that are being read."""
    lines = []
    for each in libraries:
        newest = f" · newest {_day(each.newest_at)}" if each.newest_at else ""
        lines.append(
            f"**{safe(clamp(each.name, 80))}** · {safe(each.ref.server)}\n"
            f"{counts_line(each)}\n-# {length(each.play_ms)} to play{newest}"
        )
    if len(libraries) > 1:
        lines.append(f"**Together** {length(sum(each.play_ms for each in libraries))} to play")
    parts: list[discord.ui.Item[Any]] = [text("### Library\n" + ("\n".join(lines) or "No library was read yet."))]
    if readings:
        parts += [text("\n".join(map(_reading, readings))), row(items.button("stats", ids, label="Look again"))]
    return card(*parts, accent=ACCENT)


def storage_view(storage: Storage) -> discord.ui.LayoutView:
    """What files take up."""
    total = sum(each.size_bytes for each in storage.libraries)
    lines = [
        f"{bar(each.size_bytes / total if total else 0, 10)} **{safe(clamp(each.name, 80))}** "
        f"{size_line(each.size_bytes)} · {each.files:,} file{'s' * (each.files != 1)}"
        for each in sorted(storage.libraries, key=lambda one: -one.size_bytes)
    ]
    parts = [text(f"### Storage: {size_line(total)}\n" + ("\n".join(lines) or "No library was read yet."))]
    if storage.resolutions:
        by = [
            f"{safe(resolution(word))} {size_line(amount)} ({count:,})"
            for word, count, amount in storage.resolutions[:8]
        ]
        parts.append(text("**By resolution**\n" + " · ".join(by)))
    if storage.largest:
        big = [f"{size_line(amount)} · {_name(shown.title)}" for shown, amount in storage.largest]
        parts.append(text("**Largest**\n" + "\n".join(big)))
    return card(*parts, accent=ACCENT)


def have_view(answer: Answer) -> discord.ui.LayoutView:
    """Yes, or no with what comes near."""
    said = safe(clamp(answer.said, 80))
    if answer.have:
        lines = [f"**{_name(title)}**\n-# {safe(about_line(title))}" for title in answer.have]
        return card(text("### Yes\n" + "\n".join(lines)), accent=ACCENT)
    lines = [f"“{said}” is not in the library."]
    if answer.near:
        lines += ["-# The nearest names:", *(f"-# {_name(title)}" for title in answer.near)]
    return card(text("\n".join(lines) + ("" if answer.is_complete else _PREPARING)), accent=QUIET)


def _opener(items: ComponentSet, titles: Sequence[Title], panel_id: PanelId) -> list[discord.ui.Item[Any]]:
    options = [
        option(title_name(title), str(title.ref), description=about_line(title))
        for title in titles
        if len(str(title.ref)) <= CHOICE_CHARS_MAX
    ]
    return [pick(items, "info", (panel_id,), options=options, placeholder="Show one of them")] if options else []


def _name(title: Title) -> str:
    return safe(clamp(title_name(title), NAME_CHARS_MAX))


def _reading(reading: Reading) -> str:
    name, done, total = safe(clamp(reading.name, 80)), reading.done, reading.total
    if not total:
        return f"**Being read: {name}**"
    return f"**Being read: {name}**\n{bar(done / total)} {min(100, 100 * done // total)} % of {total:,} titles"


def _day(at: datetime) -> str:
    return f"<t:{int(at.timestamp())}:d>"


def _added(at: datetime | None) -> str:
    return f"<t:{int(at.timestamp())}:R> · " if at is not None else ""

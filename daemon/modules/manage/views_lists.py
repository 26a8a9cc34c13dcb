"""How the lists for owners look in Discord."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord

from daemon.core.ids import PanelId
from daemon.core.text import bar, clamp, days_line, size_line, titles_line
from daemon.core.titles import title_name
from daemon.services.library.stock import Double
from integrations.discord.components import ComponentSet
from integrations.discord.ui.colours import ACCENT, GOOD, QUIET
from integrations.discord.ui.confirm import confirm
from integrations.discord.ui.layout import card, row, safe, text
from integrations.discord.ui.paginator import Page, pager
from integrations.plex import Activity, Trashed

from .asking import Chosen
from .doings import Doing
from .inactive import Guest, Guests
from .lines import ago, day, double_line, kind_word, resolution
from .stocktaking import Stale, StaleTitle, UnmatchedPage
from .trash import Contents, Emptied
from .views import NAME_CHARS_MAX

NONE = "-"
"""In ids of components: no library; no server and no library is called so."""
DOINGS_PAGE = 8
_IDS_CHARS_MAX = 70  # of server and activity together: a custom id has 100 characters
_REMOVED_MAX = 15


def trash_view(
    items: ComponentSet, panel_id: PanelId, contents: Contents, page: Page[Trashed], note: str = ""
) -> discord.ui.LayoutView:
    """What is in the trash, and the question whether it shall go."""
    name = safe(clamp(contents.listed.library.name, 80))
    if not contents.items:
        return card(text(f"### Trash of {name}\n" + (f"{note}\n" if note else "") + "It is empty."), accent=QUIET)
    together = sum(item.size_bytes for item in contents.trash.items)
    lines = [f"### Trash of {name}: {titles_line(len(contents.items))}", *([note] if note else [])]
    lines += [_trashed_line(item) for item in page.items]
    more = f"-# Their files, {size_line(together)}, are missing; emptying the trash forgets the titles for good."
    parts: list[discord.ui.Item[Any]] = [text("\n".join([*lines, more]))]
    parts += pager(items, "trash", (panel_id,), page=page)
    if contents.refusal:
        parts.append(text(f"**It is not emptied.** {safe(contents.refusal)}"))
        return card(*parts, accent=QUIET)
    parts.append(confirm(items, "empty", "keep", (panel_id,), label="Empty the trash"))
    return card(*parts, accent=ACCENT)


def emptied_view(library: Chosen, emptied: Emptied) -> discord.ui.LayoutView:
    """What went, and what did not."""
    lines = [f"### Trash of {safe(clamp(library.name, 80))}"]
    if emptied.removed:
        lines.append(f"Removed {titles_line(len(emptied.removed))}:")
        lines += [f"- {_trashed_name(item)}" for item in emptied.removed[:_REMOVED_MAX]]
        if len(emptied.removed) > _REMOVED_MAX:
            lines.append(f"-# and {len(emptied.removed) - _REMOVED_MAX:,} more")
    elif not emptied.waiting:
        lines.append("It was empty already; nothing was removed.")
    if emptied.came_back:
        verb = "is there again and stays" if emptied.came_back == 1 else "are there again and stay"
        lines.append(f"{titles_line(emptied.came_back)} that stood in the list {verb}.")
    if emptied.waiting:
        lines.append(f"The server is still removing {titles_line(emptied.waiting)}.")
    return card(text("\n".join(lines)), accent=GOOD if emptied.removed else QUIET)


def unmatched_view(items: ComponentSet, library: Chosen, page: UnmatchedPage) -> discord.ui.LayoutView:
    """Titles that no agent knows, with a file of each to tell what they are."""
    name = safe(clamp(library.name, 80))
    lines = [
        f"**{_name(each.shown.title)}**\n-# {kind_word(each.shown.title)}"
        + (f" · {safe(_tail(each.file))}" if each.file else "")
        for each in page.rows
    ]
    heading = f"### Unmatched in {name}: {titles_line(page.total)}\n"
    body = text(heading + ("\n".join(lines) or "Every title is matched."))
    turning = Page(page.rows, page.number, page.pages, 0)
    ids = (library.ref.server, library.ref.key)
    return card(body, *pager(items, "unmatched", ids, page=turning), accent=ACCENT if lines else QUIET)


def doubles_view(
    items: ComponentSet, library: Chosen, doubles: Sequence[Double], page: Page[Double]
) -> discord.ui.LayoutView:
    """What is there more than once, and what could be saved."""
    name = safe(clamp(library.name, 80))
    lines = []
    for each in page.items:
        names = list(dict.fromkeys(_name(shown.title) for shown in each.titles))
        saves = f" · {size_line(each.saved_bytes)} could be saved" if each.saved_bytes else " · the same file"
        lines.append(f"**{clamp(' / '.join(names), NAME_CHARS_MAX)}**\n-# {safe(double_line(each))}{saves}")
    heading = f"### Duplicates in {name}: {len(doubles):,}\n"
    saved = sum(each.saved_bytes for each in doubles)
    more = f"\n-# {size_line(saved)} could be saved in all, if only the largest file of each stayed." if lines else ""
    body = text(heading + ("\n".join(lines) or "Nothing is there more than once.") + more)
    ids = (library.ref.server, library.ref.key)
    return card(body, *pager(items, "duplicates", ids, page=page), accent=ACCENT if lines else QUIET)


def stale_view(
    items: ComponentSet, library: Chosen, days: int, stale: Stale, page: Page[Any], named: Sequence[StaleTitle]
) -> discord.ui.LayoutView:
    """What nobody has played for long, the largest first."""
    lines = [_stale_line(each) for each in named]
    heading = f"### Not played for {days_line(days)}: {safe(clamp(library.name, 80))}\n"
    found = f"{titles_line(len(stale.titles))} take up **{size_line(stale.size_bytes)}**.\n" if lines else ""
    based = f"{stale.plays:,} plays by all accounts that the server remembers"
    if stale.since is not None:
        based += f", back to {day(stale.since)}"
    more = f"\n-# Based on {based}, and on what the owner's account has seen. Who watched is not looked at."
    body = text(heading + found + ("\n".join(lines) or "Everything that old was played since.") + more)
    ids = (library.ref.server, library.ref.key, days)
    return card(body, *pager(items, "stale", ids, page=page), accent=ACCENT if lines else QUIET)


def inactive_view(items: ComponentSet, days: int, guests: Guests, page: Page[Guest]) -> discord.ui.LayoutView:
    """Accounts that have access and do not use it."""
    count = len(guests.guests)
    lines = []
    for each in page.items:
        played = f"last played {ago(each.played_at)}" if each.played_at is not None else "has never played anything"
        since = f" · access since {day(each.since)}" if each.since is not None else ""
        managed = " (managed)" if each.is_managed else ""
        sees = safe(clamp("; ".join(each.sees), NAME_CHARS_MAX))
        lines.append(f"**{safe(clamp(each.name, 80))}**{managed}\n-# {played}{since}\n-# sees {sees}")
    heading = f"### Inactive for {days_line(days)}: {count:,} account{'s' * (count != 1)}\n"
    notes = "".join(f"\n-# {safe(words)}" for words in guests.silent)
    body = text(heading + ("\n".join(lines) or "Everybody with access has played something.") + notes)
    return card(body, *pager(items, "inactive", (days,), page=page), accent=ACCENT if lines else QUIET)


def doing_view(
    items: ComponentSet, library: Chosen | None, doing: Doing, page: Page[Activity], note: str = ""
) -> discord.ui.LayoutView:
    """What the servers do now, with a button for what can be cancelled."""
    where = f" on {safe(clamp(library.name, 80))}" if library is not None else ""
    lines = [f"### Activities{where}", *([note] if note else [])]
    if not doing.activities:
        lines.append("Nothing is going on.")
    lines += [f"-# {safe(words)}" for words in doing.silent]
    parts: list[discord.ui.Item[Any]] = [text("\n".join(lines))]
    for each in page.items:
        line = text(_activity_line(each))
        if each.is_cancellable and len(each.server) + len(each.uuid) <= _IDS_CHARS_MAX:
            button = items.button("cancel", (each.server, each.uuid), label="Cancel")
            parts.append(discord.ui.Section(line, accessory=button))
        else:
            parts.append(line)
    ids = (library.ref.server, library.ref.key) if library is not None else (NONE, NONE)
    parts += pager(items, "activities", ids, page=page)
    parts.append(row(items.button("doing", (*ids, page.number), label="Look again")))
    return card(*parts, accent=ACCENT if doing.activities else QUIET)


def said_view(sentence: str, *, is_good: bool = False) -> discord.ui.LayoutView:
    """One sentence, of our own making."""
    return card(text(sentence), accent=GOOD if is_good else QUIET)


def _activity_line(each: Activity) -> str:
    far = f"{bar(each.percent / 100, 12)} {each.percent} %" if each.percent is not None else "under way"
    detail = f" · {safe(clamp(each.detail, 100))}" if each.detail else ""
    return f"**{safe(clamp(each.title, 100))}** · {safe(each.server)}\n{far}{detail}"


def _stale_line(each: StaleTitle) -> str:
    name = _name(each.shown.title) if each.shown is not None else "A title that is gone by now"
    played = f"last played {ago(each.played_at)}" if each.played_at is not None else "never played"
    return f"**{name}**\n-# {size_line(each.size_bytes)} · {played} · added {day(each.added_at)}"


def _trashed_line(item: Trashed) -> str:
    file = f" · {safe(_tail(item.files[0]))}" if item.files else ""
    amount = f" · {size_line(item.size_bytes)}" if item.size_bytes else ""
    return f"**{_trashed_name(item)}**\n-# {kind_word(item.title)}{amount}{file}"


def _trashed_name(item: Trashed) -> str:
    version = resolution(item.version)
    return _name(item.title) + (f" ({safe(version)} version)" if item.version is not None else "")


def _tail(file: str) -> str:
    """The end of a path, which says more than its beginning."""
    return file if len(file) <= NAME_CHARS_MAX else "…" + file[-NAME_CHARS_MAX:]


def _name(title: Any) -> str:
    return safe(clamp(title_name(title), NAME_CHARS_MAX))

"""How rounds look in Discord: the draft an owner sees, the card everybody sees, the owners' decision, the list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import discord

from daemon.core.ids import PanelId
from daemon.core.leaving import Outcome, RoundState, RoundTitle
from daemon.core.text import bar, clamp, days_line, size_line, titles_line
from daemon.services.leaving import Whole
from integrations.discord.components import ComponentSet
from integrations.discord.ui.colours import ACCENT, DANGER, GOOD, QUIET
from integrations.discord.ui.confirm import confirm
from integrations.discord.ui.layout import card, row, safe, text
from integrations.discord.ui.paginator import page_of, pager
from integrations.discord.ui.pick import option, pick

from .asking import Draft
from .lines import halt_line, keeps_line, listed_line, message_link, outcome_line, rule_line, size, title_name

PAGE = 10
KEEP_PAGE = 6  # each title with a button of its own
_NAME_CHARS_MAX = 120

Items = list[discord.ui.Item[Any]]
Button = discord.ButtonStyle


def draft_view(items: ComponentSet, draft: Draft, panel_id: PanelId, number: int) -> discord.ui.LayoutView:
    """What would be announced, for the owner alone."""
    page = page_of(draft.titles, number, PAGE)
    cut = f" These are the largest of {draft.found:,}." if draft.found > len(draft.titles) else ""
    lines = [
        f"### Leaving soon from {_name(draft.library_name)}?",
        f"{titles_line(len(draft.titles))}, **{size_line(draft.size_bytes)}** in all.{cut}",
        f"-# {rule_line(draft.rule)}",
        *(f"**{_name(title_name(title))}**\n-# {listed_line(title)}" for title in page.items),
        f"-# Everybody who sees the library can then keep titles for {days_line(draft.rule.keep_days)}.",
        "-# Nothing is deleted before an owner says so.",
    ]
    ask = row(
        items.button("post", (panel_id,), label="Post it here", style=Button.primary),
        items.button("drop", (panel_id,), label="Cancel"),
    )
    return card(text("\n".join(lines)), *pager(items, "draft", (panel_id,), page=page), ask, accent=ACCENT)


def round_view(items: ComponentSet, whole: Whole, number: int) -> discord.ui.LayoutView:
    """A round as everybody sees it, whatever state it is in."""
    if whole.round.state is RoundState.OPEN:
        return _open_view(items, whole, number)
    page = page_of(whole.titles, number, PAGE)
    lines = [f"**{_name(title_name(one.listed))}**\n-# {_fate(one)}" for one in page.items]
    parts: Items = [text("\n".join([*_heading(whole), *lines]))]
    parts += pager(items, "round", (whole.round.round_id,), page=page)
    if whole.round.state is RoundState.CLOSED:
        parts.append(row(items.button("decide", (whole.round.round_id, 1), label="For owners: decide")))
    return card(*parts, accent=GOOD if whole.round.state is RoundState.DONE and whole.freed_bytes else QUIET)


def _open_view(items: ComponentSet, whole: Whole, number: int) -> discord.ui.LayoutView:
    page = page_of(whole.titles, number, KEEP_PAGE)
    parts: Items = [text("\n".join(_heading(whole)))]
    for one in page.items:
        line = f"**{_name(title_name(one.listed))}**\n-# {listed_line(one.listed)}"
        if one.keeps:
            line += f"\n-# ✓ {keeps_line(one)}"
        button = items.button("keep", (one.title_id, page.number), label="Keep", style=_style(one))
        parts.append(discord.ui.Section(text(line), accessory=button))
    return card(*parts, *pager(items, "round", (whole.round.round_id,), page=page), accent=ACCENT)


def decision_view(items: ComponentSet, whole: Whole, number: int, note: str = "") -> discord.ui.LayoutView:
    """What nobody kept, for an owner to decide about."""
    if whole.round.state is not RoundState.CLOSED:
        return round_view(items, whole, number)
    unwanted = whole.unwanted
    page = page_of(unwanted, number, PAGE)
    heading = f"### Nobody kept {titles_line(len(unwanted))} of {_name(whole.round.library_name)}"
    told = f"{size_line(size(unwanted))} in all; {len(whole.wanted)} of {len(whole.titles)} were kept."
    lines = [f"**{_name(title_name(one.listed))}**\n-# {listed_line(one.listed)}" for one in page.items]
    parts: Items = [text("\n".join([heading, told, *_problem(whole), *lines, *([f"-# {note}"] if note else [])]))]
    parts += pager(items, "decide", (whole.round.round_id,), page=page)
    parts.append(
        row(
            items.button("ask", (whole.round.round_id,), label="Delete these", style=Button.danger),
            items.button("leave", (whole.round.round_id,), label="Delete nothing"),
        )
    )
    return card(*parts, accent=ACCENT)


def confirm_view(items: ComponentSet, whole: Whole) -> discord.ui.LayoutView:
    """Once more, with how many and how much."""
    unwanted = whole.unwanted
    count, size_bytes, server = len(unwanted), size(unwanted), safe(whole.round.library.server)
    said = (
        f"### Delete {titles_line(count)}, {size_line(size_bytes)}?\n"
        f"Plex server {server} deletes them from {_name(whole.round.library_name)} and their files from its disks. "
        "That cannot be undone.\n"
        "-# A title that was played, replaced or moved since it was listed is left out."
    )
    ids = (whole.round.round_id, count, size_bytes)
    return card(text(said), confirm(items, "delete", "back", ids, label=f"Yes, delete {count}"), accent=DANGER)


def begun_view(whole: Whole) -> discord.ui.LayoutView:
    """An owner has confirmed."""
    link = message_link(whole.round)
    where = f"[Its card]({link}) shows how far it is." if link else "You are told when it is done."
    said = f"### Deleting {titles_line(len(whole.unwanted))} of {_name(whole.round.library_name)}\n{where}"
    return card(text(said + " It goes on after a restart."), accent=DANGER)


def said_view(said: str) -> discord.ui.LayoutView:
    """A sentence in place of what stood there."""
    return card(text(said), accent=QUIET)


def list_view(items: ComponentSet, found: Sequence[Whole], number: int) -> discord.ui.LayoutView:
    """Rounds that are not done."""
    page = page_of(found, number, PAGE)
    lines = [_round_lines(whole) for whole in page.items]
    body = text("### Leaving soon\n" + ("\n".join(lines) or "Nothing is about to leave."))
    parts: Items = [body]
    if page.items:
        options = [
            option(
                f"{whole.round.round_id} · {whole.round.library_name}",
                str(whole.round.round_id),
                description=f"{titles_line(len(whole.titles))}, {len(whole.wanted)} kept",
            )
            for whole in page.items
        ]
        parts.append(pick(items, "open", (), options=options, placeholder="Show one of them"))
    return card(*parts, *pager(items, "list", (), page=page), accent=ACCENT if lines else QUIET)


def _round_lines(whole: Whole) -> str:
    head = f"**{_name(whole.round.library_name)}** · {titles_line(len(whole.titles))} · {size_line(size(whole.titles))}"
    link = message_link(whole.round)
    card_link = f" · [card]({link})" if link else ""
    return f"{head}\n-# {_when(whole)} · {len(whole.wanted)} kept so far{card_link}"


def _when(whole: Whole) -> str:
    match whole.round.state:
        case RoundState.OPEN:
            return f"until {_at(whole.round.keep_until)} ({_at(whole.round.keep_until, 'R')})"
        case RoundState.CLOSED:
            return "the time is over; an owner decides"
        case _:
            return "being deleted"


def _heading(whole: Whole) -> list[str]:
    """What stands above the titles of a round."""
    name, titles = _name(whole.round.library_name), whole.titles
    rule = f"-# {rule_line(whole.round.rule)}"
    kept = f"{len(whole.wanted)} of {len(titles)} kept"
    match whole.round.state:
        case RoundState.OPEN:
            until = whole.round.keep_until
            return [
                f"### Leaving soon from {name}",
                f"{titles_line(len(titles))}, **{size_line(size(titles))}**. They may be deleted after {_at(until)}.",
                f"Press Keep beside what shall stay; the time is over {_at(until, 'R')}.",
                rule,
                f"-# {kept} so far; what is kept is not listed again for {days_line(whole.round.rule.exempt_days)}",
            ]
        case RoundState.CLOSED:
            left = whole.unwanted
            said = f"The time is over: {kept}. Nobody kept the other {len(left)}, {size_line(size(left))}."
            return [f"### Leaving soon from {name}", f"{said} An owner decides.", *_problem(whole), rule]
        case RoundState.DELETING:
            todo, done = len(whole.unwanted), len([one for one in titles if one.outcome not in (None, Outcome.KEPT)])
            part = done / (todo + done) if todo + done else 1.0
            said = f"{bar(part)} {done} of {todo + done} · {size_line(whole.freed_bytes)} freed"
            return [f"### Deleting from {name}", said, f"-# {kept}"]
        case RoundState.DONE:
            return _summary(whole, name)


def _summary(whole: Whole, name: str) -> list[str]:
    deleted = len(whole.of(Outcome.DELETED))
    counts = [f"{len(whole.of(Outcome.KEPT))} kept"]
    for outcome, word in ((Outcome.REFUSED, "left out"), (Outcome.GONE, "gone already"), (Outcome.LEFT, "not deleted")):
        if found := whole.of(outcome):
            counts.append(f"{len(found)} {word}")
    if not deleted:
        return [f"### Nothing was deleted from {name}", f"-# {' · '.join(counts)}"]
    freed = f"**{size_line(whole.freed_bytes)}** freed, {titles_line(deleted)} deleted"
    return [f"### Deleted from {name}", freed, f"-# {' · '.join(counts)}"]


def _fate(one: RoundTitle) -> str:
    told = outcome_line(one)
    return told if one.outcome is Outcome.DELETED else f"{told} · {size_line(one.listed.size_bytes)}"


def _problem(whole: Whole) -> list[str]:
    halt = whole.round.halt
    return [] if halt is None else [f"⚠ {safe(halt_line(halt, whole.round.library.server))}"]


def _style(one: RoundTitle) -> discord.ButtonStyle:
    return Button.success if one.keeps else Button.secondary


def _name(name: str) -> str:
    return safe(clamp(name, _NAME_CHARS_MAX))


def _at(at: datetime, how: str = "f") -> str:
    return f"<t:{int(at.timestamp())}:{how}>"

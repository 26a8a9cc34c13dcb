"""How the work on single titles looks in Discord."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord

from daemon.core.ids import PanelId
from daemon.core.text import clamp, plain
from integrations.discord.components import ComponentSet
from integrations.discord.ui.colours import ACCENT, GOOD, QUIET
from integrations.discord.ui.confirm import confirm
from integrations.discord.ui.layout import card, row, safe, text
from integrations.discord.ui.pick import option, pick
from integrations.plex.editing_fields import Change
from integrations.plex.editing_shapes import Candidate, Editable, FileVersion, agent_of

from .titles_asking import MatchOffer, MergeQuestion, Named, SplitQuestion
from .views import NAME_CHARS_MAX

_VALUE_CHARS_MAX = 900
_FILES_SHOWN = 8
_RESOLUTIONS = {"4k": "4K", "sd": "SD"}


def offer_view(items: ComponentSet, offer: MatchOffer, panel_id: PanelId) -> discord.ui.LayoutView:
    """What a title could be, the present match marked, and a menu to choose."""
    head = f"### Match {_safe(offer.title.name)}"
    if not offer.candidates:
        return card(
            text(f"{head}\nNothing fits: Plex finds nothing that this could be.\n-# Its name and year decide what is "
                 "found: /manage edit changes them."),
            accent=QUIET,
        )  # fmt: skip
    lines = [_candidate_line(one, offer.guid) for one in offer.candidates[:_FILES_SHOWN]]
    more = len(offer.candidates) - _FILES_SHOWN
    if more > 0:
        lines.append(f"-# and {more} more in the menu")
    if offer.guid not in {one.guid for one in offer.candidates}:
        lines.append(f"-# Matched now by {_safe(agent_of(offer.guid))}, to none of these.")
    options = [
        option(str(one), str(place), description=_about(one, offer.guid)) for place, one in enumerate(offer.candidates)
    ]
    menu = pick(items, "match", (panel_id,), options=options, placeholder="What is it?")
    return card(text("\n".join([head, *lines])), menu, accent=ACCENT)


def match_view(
    items: ComponentSet, offer: MatchOffer, place: int, title: Editable, panel_id: PanelId
) -> discord.ui.LayoutView:
    """What a match will change, and the question."""
    wanted = offer.candidates[place]
    lines = [
        f"### Match {_safe(offer.title.name)}?",
        f"Now: **{_safe(str(title))}** · {_safe(agent_of(title.guid))}",
        f"Then: **{_safe(str(wanted))}** · {_safe(agent_of(wanted.guid))} · score {wanted.score}",
        "Plex reads its names, texts, people and pictures anew. Files, labels and what was watched stay.",
    ]
    if title.locked:
        lines.append(f"-# Locked, and so left as they are: {_safe(', '.join(sorted(title.locked)))}")
    row_of_two = confirm(items, "rematch", "match-keep", (panel_id, place), label="Match it so")
    return card(text("\n".join(lines)), row_of_two, accent=ACCENT)


def matched_view(before: Editable, after: Editable, wanted: Candidate) -> discord.ui.LayoutView:
    """What a match has changed."""
    lines = [
        f"### Matched: {_safe(str(after))}",
        f"Before: **{_safe(str(before))}** · {_safe(agent_of(before.guid))}",
        f"Now: **{_safe(str(after))}** · {_safe(agent_of(after.guid))}",
    ]
    if after.guid != wanted.guid:
        lines.append("-# Plex has taken the order and is still reading; look again in a moment.")
    return card(text("\n".join(lines)), accent=GOOD)


def split_view(items: ComponentSet, question: SplitQuestion, panel_id: PanelId) -> discord.ui.LayoutView:
    """What would become titles of their own, and the question."""
    title = question.title
    count = len(title.versions) or len(title.folders)
    lines = [f"### Split {_safe(title.name)} into {count} titles?", *_files(title)]
    lines.append("-# Each becomes a title of its own, matched as this one is. /manage merge joins them again.")
    return card(
        text("\n".join(lines)), confirm(items, "split", "split-keep", (panel_id,), label="Split it"), accent=ACCENT
    )


def merge_view(items: ComponentSet, question: MergeQuestion, panel_id: PanelId) -> discord.ui.LayoutView:
    """Both titles with their files, and the question."""
    title, into = question.title, question.into
    lines = [
        "### Merge two titles?",
        f"**{_safe(title.name)}** · {_safe(title.library)}", *_files(title),
        f"goes into **{_safe(into.name)}** · {_safe(into.library)}", *_files(into),
        f"-# {_safe(title.name)} is then no title of its own: its files become versions of {_safe(into.name)},",
        "-# whose name, texts and pictures stay. Its own are lost, and its places in collections and playlists.",
    ]  # fmt: skip
    return card(
        text("\n".join(lines)), confirm(items, "merge", "merge-keep", (panel_id,), label="Merge them"), accent=ACCENT
    )


def edited_view(items: ComponentSet, title: str, change: Change, panel_id: PanelId) -> discord.ui.LayoutView:
    """What an edit has changed, and a button that takes it back."""
    field = change.field
    lines = [
        f"### {_safe(title)}",
        f"**{field.value.capitalize()}** was",
        _value(change.before, is_list=field.is_tags),
        "and is now",
        _value(change.after, is_list=field.is_tags),
        "-# It is locked: Plex does not read it anew."
        + ("" if change.was_locked else " Undo takes the lock off, too."),
    ]
    return card(text("\n".join(lines)), row(items.button("undo", (panel_id,), label="Undo")), accent=GOOD)


def undone_view(change: Change, now: Change) -> discord.ui.LayoutView:
    """That an edit was taken back."""
    lines = [
        f"### Undone: {change.field.value}",
        "It is now",
        _value(now.after, is_list=change.field.is_tags),
        "-# " + ("It is locked, as it was before." if change.was_locked else "It is not locked, as before."),
    ]
    return card(text("\n".join(lines)), accent=GOOD)


def told_view(heading: str, line: str, *, is_done: bool = True) -> discord.ui.LayoutView:
    """What was done, or that nothing was; the words as somebody else wrote them."""
    return card(text(f"### {_safe(heading)}\n{_safe(line, _VALUE_CHARS_MAX)}"), accent=GOOD if is_done else QUIET)


def _candidate_line(one: Candidate, now: str | None) -> str:
    return f"**{_safe(str(one))}**\n-# {_safe(_about(one, now))}"


def _about(one: Candidate, now: str | None) -> str:
    parts = ["matched now"] if one.guid == now else []
    return " · ".join([*parts, f"score {one.score}", agent_of(one.guid)])


def _files(title: Named) -> list[str]:
    rows = [_version_line(one) for one in title.versions] or [f"`{_code(folder)}`" for folder in title.folders]
    more = [f"-# and {len(rows) - _FILES_SHOWN} more"] if len(rows) > _FILES_SHOWN else []
    return [f"- {line}" for line in rows[:_FILES_SHOWN]] + more


def _version_line(one: FileVersion) -> str:
    word = one.resolution or ""
    resolution = _RESOLUTIONS.get(word, f"{word}p" if word.isdigit() else word)
    name = one.files[0].rpartition("/")[2].rpartition("\\")[2] if one.files else "no file"
    more = f" and {len(one.files) - 1} more" if len(one.files) > 1 else ""
    parts = [resolution, _size(one.size_bytes), f"`{_code(name)}`{more}"]
    return " · ".join(part for part in parts if part)


def _size(size_bytes: int) -> str:
    if not size_bytes:
        return ""
    return f"{size_bytes / 10**9:,.1f} GB" if size_bytes >= 10**9 else f"{size_bytes / 10**6:,.0f} MB"


def _value(words: Sequence[str], *, is_list: bool) -> str:
    if not words:
        return "> nothing"
    return "> " + _safe(", ".join(words) if is_list else words[0], _VALUE_CHARS_MAX)


def _code(name: str) -> str:
    return clamp(plain(name).replace("`", "'"), 100)


def _safe(words: Any, chars_max: int = NAME_CHARS_MAX) -> str:
    return safe(clamp(plain(str(words)), chars_max))

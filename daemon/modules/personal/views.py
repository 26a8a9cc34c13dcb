"""How one's own things look in Discord: what to go on with, playlists, what was done and how to take it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord

from daemon.core.ids import PanelId
from daemon.core.limits import CHOICE_CHARS_MAX
from daemon.core.media import Title
from daemon.core.players import player_choices, player_name
from daemon.core.text import clamp
from daemon.core.titles import about_line, title_label, title_name
from integrations.discord.components import ComponentSet
from integrations.discord.ui.colours import ACCENT, DANGER, GOOD, QUIET
from integrations.discord.ui.confirm import confirm
from integrations.discord.ui.layout import card, poster_section, row, safe, text
from integrations.discord.ui.paginator import Page, pager
from integrations.discord.ui.pick import option, pick
from integrations.plex.playlists import Entry, Playlist

from .lines import playlist_line, position_words, progress_line
from .orders import Ask, Done, PickEntry, PickPlayer, PickTitle, Started
from .playlists_desk import ENTRY, Contents

DECK_PAGE = 5
PAGE = 10
_NAME_CHARS_MAX = 200


def poster_name(number: int) -> str:
    """The attachment with the poster of a list's `number`-th title, from 0."""
    return f"poster-{number}.jpg"


def deck_view(
    items: ComponentSet, home: str, account: str, page: Page[Title], has_posters: Sequence[bool], notes: Sequence[str]
) -> discord.ui.LayoutView:
    """What to go on with, each with how far it is; the menu plays one."""
    foot = "".join(f"\n-# {safe(clamp(note, _NAME_CHARS_MAX))}" for note in notes)
    parts: list[discord.ui.Item[Any]] = [text(f"### Continue watching\n-# {safe(clamp(account, 80))}{foot}")]
    for number, (title, has_poster) in enumerate(zip(page.items, has_posters, strict=True)):
        line = f"**{_name(title)}**\n{safe(progress_line(title))}"
        if has_poster:
            media = f"attachment://{poster_name(number)}"
            parts.append(poster_section(media, [line], description=title_name(title)))
        else:
            parts.append(text(line))
    if not page.items:
        parts.append(text("Nothing has been begun that could be gone on with here."))
        return card(*parts, accent=QUIET)
    options = [
        option(title_name(title), str(title.ref), description=progress_line(title))
        for title in page.items
        if len(str(title.ref)) <= CHOICE_CHARS_MAX
    ]
    parts.append(pick(items, "resume", (home,), options=options, placeholder="Play one of them"))
    return card(*parts, *pager(items, "deck", (home,), page=page), accent=ACCENT)


def done_view(items: ComponentSet, done: Done, undo: PanelId | None) -> discord.ui.LayoutView:
    """What was done, and the button that takes it back."""
    mark = "✅ " if done.is_good else ""
    lines = [f"{mark}**{safe(clamp(done.sentence, 2 * _NAME_CHARS_MAX))}**"]
    lines += [f"-# {safe(clamp(detail, _NAME_CHARS_MAX))}" for detail in done.details]
    parts: list[discord.ui.Item[Any]] = [text("\n".join(lines))]
    if undo is not None:
        parts.append(row(items.button("undo", (undo,), label="Undo")))
    return card(*parts, accent=GOOD if done.is_good else QUIET)


def started_view(started: Started) -> discord.ui.LayoutView:
    """What starts where."""
    what = f"{title_name(started.title)} starts on {player_name(started.player)}{position_words(started.offset_ms)}."
    lines = [f"▶️ **{safe(clamp(what, 2 * _NAME_CHARS_MAX))}**"]
    if started.playlist is not None:
        lines.append(f"-# Of the playlist {safe(clamp(started.playlist, _NAME_CHARS_MAX))}")
    if started.left_out:
        lines.append(f"-# The last {started.left_out:,} titles are more than can be played at once.")
    return card(text("\n".join(lines)), accent=GOOD)


def ask_view(items: ComponentSet, ask: Ask, panel_id: PanelId) -> discord.ui.LayoutView:
    """What would happen, asked once."""
    lines = [f"### {safe(clamp(ask.question, 2 * _NAME_CHARS_MAX))}"]
    lines += [safe(clamp(detail, _NAME_CHARS_MAX)) for detail in ask.details]
    if ask.is_grave:
        asked = confirm(items, "yes", "no", (panel_id,), label=ask.label)
    else:
        yes = items.button("yes", (panel_id,), label=ask.label, style=discord.ButtonStyle.primary)
        asked = row(yes, items.button("no", (panel_id,), label="Cancel"))
    return card(text("\n".join(lines)), asked, accent=DANGER if ask.is_grave else ACCENT)


def pick_view(
    items: ComponentSet, outcome: PickTitle | PickEntry | PickPlayer, panel_id: PanelId
) -> discord.ui.LayoutView:
    """Which one is meant?"""
    match outcome:
        case PickTitle():
            question, action = "Several titles fit. Which one?", "title"
            lines = [(title_label(title), str(title.ref)) for title in outcome.titles]
        case PickEntry():
            question, action = "Several entries fit. Which one?", "title"
            lines = [(f"{place}. {title_name(one.title)}", f"{ENTRY}{one.entry_id}") for place, one in outcome.entries]
        case _:
            question, action = "On which player?", "player"
            lines = player_choices(outcome.players)
    options = [option(label, value) for label, value in lines if len(value) <= CHOICE_CHARS_MAX]
    return card(
        text(f"### {question}"), pick(items, action, (panel_id,), options=options, placeholder="Choose"), accent=ACCENT
    )


def playlists_view(items: ComponentSet, home: str, page: Page[Playlist]) -> discord.ui.LayoutView:
    """Somebody's playlists, and a menu that opens one."""
    lines = [f"**{safe(clamp(one.name, _NAME_CHARS_MAX))}**\n-# {safe(playlist_line(one))}" for one in page.items]
    none = "You have none yet; /playlist create makes one."
    parts: list[discord.ui.Item[Any]] = [text("### Your playlists\n" + ("\n".join(lines) or none))]
    options = [
        option(one.name, str(one.ref), description=playlist_line(one))
        for one in page.items
        if len(str(one.ref)) <= CHOICE_CHARS_MAX
    ]
    if options:
        parts.append(pick(items, "open", (home,), options=options, placeholder="Show one of them"))
    return card(*parts, *pager(items, "lists", (home,), page=page), accent=ACCENT if lines else QUIET)


def contents_view(
    items: ComponentSet, home: str, contents: Contents, page: Page[tuple[int, Entry]]
) -> discord.ui.LayoutView:
    """One playlist, its titles in their order."""
    playlist = contents.playlist
    lines = [f"{place}. **{_name(entry.title)}**\n-# {safe(about_line(entry.title))}" for place, entry in page.items]
    if not lines:
        lines = ["Nothing is in it." if not contents.hidden else "Nothing of it can be seen here."]
    heading = f"### {safe(clamp(playlist.name, _NAME_CHARS_MAX))}\n-# {safe(playlist_line(playlist))}"
    foot = f"\n-# {contents.hidden:,} more cannot be seen here." if contents.hidden and page.items else ""
    body = text(heading + "\n" + "\n".join(lines) + foot)
    ids = (home, playlist.ref.server, playlist.ref.rating_key)
    return card(body, *pager(items, "entries", ids, page=page), accent=ACCENT if page.items else QUIET)


def _name(title: Title) -> str:
    return safe(clamp(title_name(title), _NAME_CHARS_MAX))

"""Titles as lines of text: their names, what stands behind a name in a list, how long they are. Pure."""

from __future__ import annotations

from typing import Final

from daemon.core.limits import CHOICE_CHARS_MAX
from daemon.core.media import Title, TitleKind
from daemon.core.text import clamp, plain

KIND_WORDS: Final = {
    "movie": ("film", "films"), "show": ("show", "shows"), "season": ("season", "seasons"),
    "episode": ("episode", "episodes"), "artist": ("artist", "artists"), "album": ("album", "albums"),
    "track": ("track", "tracks"),
}  # fmt: skip
"""What each kind is called: one of them, several."""


def title_name(title: Title) -> str:
    """The title's name on one line, never empty."""
    return plain(str(title)) or f"Untitled {title.kind}"


def title_label(title: Title) -> str:
    """A line for a list of choices, at most 100 characters: `Dune (2021) · Movies`."""
    tail = "".join(f" · {part}" for part in (_mark(title), plain(title.library or "")) if part)
    tail = clamp(tail, CHOICE_CHARS_MAX // 2)
    return clamp(title_name(title), CHOICE_CHARS_MAX - len(tail)) + tail


def _mark(title: Title) -> str:
    is_plain = title.kind in (TitleKind.MOVIE, TitleKind.EPISODE)
    return "" if is_plain else KIND_WORDS.get(title.kind.value, (title.kind.value,))[0]


def about_line(title: Title) -> str:
    """What stands behind a name in a list: `film · 2 h 35 min · Movies`."""
    parts = [KIND_WORDS.get(title.kind.value, (title.kind.value,))[0]]
    if title.duration_ms and title.kind in (TitleKind.MOVIE, TitleKind.EPISODE, TitleKind.TRACK):
        parts.append(length(title.duration_ms))
    if title.leaf_count:
        word = KIND_WORDS["track" if title.kind is TitleKind.ALBUM else "episode"]
        parts.append(f"{title.leaf_count:,} {word[title.leaf_count != 1]}")
    if title.library:
        parts.append(plain(title.library))
    return " · ".join(parts)


def length(ms: int) -> str:
    """`2 h 35 min`, `47 min`, `3 days 4 h`."""
    minutes = max(1, round(ms / 60_000))
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days:,} day{'s' * (days != 1)}" + (f" {hours} h" if hours else "")
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"

"""Sentences and lines about what somebody has seen, rated and put into playlists. Pure."""

from __future__ import annotations

from daemon.core.media import Title, TitleKind
from daemon.core.text import bar, duration
from daemon.core.titles import about_line, length
from integrations.plex.playlists import Playlist

_BAR_CELLS = 10


def rating_words(rating: float | None) -> str:
    """`rated 8/10`, `not rated`; what completes "Dune is"."""
    return "not rated" if rating is None else f"rated {rating:g}/10"


def account_line(name: str) -> str:
    """Whose account it was done on."""
    return f"On the Plex account {name}."


def episodes_line(changed: int, before: int) -> str:
    """`8 episodes; 2 were so before.`"""
    line = f"{changed:,} episode{'s' * (changed != 1)}"
    return line + (f"; {before:,} {'was' if before == 1 else 'were'} so before." if before else ".")


def progress_line(title: Title) -> str:
    """`▰▰▰▰▱▱▱▱▱▱ 1 h 3 min left · TV`; a title that was not begun says what it is."""
    if not title.view_offset_ms or not title.duration_ms:
        start = "next" if title.kind is TitleKind.EPISODE else "from the beginning"
        return f"{start} · {about_line(title)}"
    left_ms = max(0, title.duration_ms - title.view_offset_ms)
    where = f" · {title.library}" if title.library else ""
    return f"{bar(title.view_offset_ms / title.duration_ms, _BAR_CELLS)} {length(left_ms)} left{where}"


def position_words(offset_ms: int) -> str:
    """` at 32:10`; nothing for the beginning."""
    return f" at {duration(offset_ms)}" if offset_ms else ""


def playlist_line(playlist: Playlist) -> str:
    """`12 titles · 20 h 3 min · music · smart · attic`."""
    parts = [f"{playlist.count:,} title{'s' * (playlist.count != 1)}"]
    if playlist.duration_ms:
        parts.append(length(playlist.duration_ms))
    parts += ["music"] * playlist.is_music + ["smart"] * playlist.is_smart
    return " · ".join([*parts, playlist.ref.server])

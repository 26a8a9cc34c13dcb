"""What owners are told, as lines of text. Pure."""

from __future__ import annotations

from datetime import datetime

from daemon.core.media import Title
from daemon.core.text import plain
from daemon.services.library.stock import Changes, Double

_RESOLUTIONS = {"4k": "4K", "1080": "1080p", "720": "720p", "576": "576p", "480": "480p", "sd": "SD"}
_WORDS = {"movie": "film"}


def title_name(title: Title) -> str:
    """The title's name on one line, never empty."""
    return plain(str(title)) or f"Untitled {title.kind}"


def kind_word(title: Title) -> str:
    """What it is: `film`, `show`, `episode`."""
    return _WORDS.get(title.kind.value, title.kind.value)


def titles(count: int) -> str:
    """`1 title`, `1,204 titles`."""
    return f"{count:,} title{'s' * (count != 1)}"


def span(count: int) -> str:
    """`1 day`, `365 days`"""
    return f"{count:,} day{'s' * (count != 1)}"


def size(size_bytes: int) -> str:
    """`812 MB`, `4.1 GB`, `12.3 TB`."""
    for unit, factor in (("TB", 10**12), ("GB", 10**9)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:,.1f} {unit}"
    return f"{size_bytes / 10**6:,.0f} MB"


def resolution(word: str | None) -> str:
    """Plex's word as people say it: "1080" is 1080p; empty where none is told."""
    return _RESOLUTIONS.get((word or "").lower(), word or "")


def changes_line(changes: Changes) -> str:
    """`2 titles added · 1 removed · 3 changed`; `Nothing changed.`"""
    counted = ((changes.added, "added"), (changes.removed, "removed"), (changes.changed, "changed"))
    told = [(count, word) for count, word in counted if count]
    if not told:
        return "Nothing changed."
    (first, word), *others = told
    return " · ".join([f"{titles(first)} {word}", *(f"{count:,} {word}" for count, word in others)])


def double_line(double: Double) -> str:
    """`2 versions · 4K HEVC 22.1 GB, 1080p H264 8.4 GB`, of several titles `2 titles · ...`."""
    count = len(double.titles)
    what = f"{count} titles" if count > 1 else f"{len(double.versions)} versions"
    files = [
        " ".join(
            part for part in (resolution(one.resolution), (one.video_codec or "").upper(), size(one.size_bytes)) if part
        )
        for one in double.versions[:6]
    ]
    return f"{what} · {', '.join(files)}" + (" …" if len(double.versions) > 6 else "")


def day(at: datetime) -> str:
    """A date that each reader sees in their own way."""
    return f"<t:{int(at.timestamp())}:d>"


def ago(at: datetime) -> str:
    """`3 months ago`, for each reader in their own language."""
    return f"<t:{int(at.timestamp())}:R>"

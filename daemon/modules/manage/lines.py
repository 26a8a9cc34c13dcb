"""What owners are told, as lines of text. Pure."""

from __future__ import annotations

from datetime import datetime

from daemon.core.media import Title
from daemon.core.text import size_line, titles_line
from daemon.services.library.stock import Changes, Double

_RESOLUTIONS = {"4k": "4K", "1080": "1080p", "720": "720p", "576": "576p", "480": "480p", "sd": "SD"}
_WORDS = {"movie": "film"}


def kind_word(title: Title) -> str:
    """What it is: `film`, `show`, `episode`."""
    return _WORDS.get(title.kind.value, title.kind.value)


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
    return " · ".join([f"{titles_line(first)} {word}", *(f"{count:,} {word}" for count, word in others)])


def double_line(double: Double) -> str:
    """`2 versions · 4K HEVC 22.1 GB, 1080p H264 8.4 GB`, of several titles `2 titles · ...`."""
    count = len(double.titles)
    what = f"{count} titles" if count > 1 else f"{len(double.versions)} versions"
    files = [
        " ".join(
            part
            for part in (resolution(one.resolution), (one.video_codec or "").upper(), size_line(one.size_bytes))
            if part
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

"""What owners are told, as lines of text. Pure."""

from __future__ import annotations

from daemon.core.media import Title
from daemon.core.text import plain
from daemon.services.library.stock import Changes


def title_name(title: Title) -> str:
    """The title's name on one line, never empty."""
    return plain(str(title)) or f"Untitled {title.kind}"


def titles(count: int) -> str:
    """`1 title`, `1,204 titles`."""
    return f"{count:,} title{'s' * (count != 1)}"


def changes_line(changes: Changes) -> str:
    """`2 titles added · 1 removed · 3 changed`; `Nothing changed.`"""
    counted = ((changes.added, "added"), (changes.removed, "removed"), (changes.changed, "changed"))
    told = [(count, word) for count, word in counted if count]
    if not told:
        return "Nothing changed."
    (first, word), *others = told
    return " · ".join([f"{titles(first)} {word}", *(f"{count:,} {word}" for count, word in others)])

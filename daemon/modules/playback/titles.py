"""Names of titles: how they are shown in lists, and which one a pasted name means. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from daemon.core.limits import AUTOCOMPLETE_CHOICES_MAX, CHOICE_CHARS_MAX
from daemon.core.media import Title, TitleKind
from daemon.core.text import clamp, fold, plain
from daemon.core.titles import title_name

_MARKED = frozenset({TitleKind.SHOW, TitleKind.ARTIST, TitleKind.ALBUM, TitleKind.TRACK, TitleKind.PLAYLIST})
_WHOLE = frozenset({TitleKind.MOVIE, TitleKind.SHOW, TitleKind.ARTIST, TitleKind.ALBUM, TitleKind.PLAYLIST})


def title_label(title: Title, *, where: str = "") -> str:
    """A line for a list: `Dune (2021)`, `The Office (2005) · show`, `Blue Train · album · attic`.

    At most 100 characters: a long name is cut, what follows it stays.
    """
    marks = [title.kind.value] if title.kind in _MARKED else []
    tail = "".join(f" · {part}" for part in (*marks, where) if part)
    return clamp(title_name(title), CHOICE_CHARS_MAX - len(tail)) + tail


def title_choices(titles: Sequence[Title]) -> list[tuple[str, str]]:
    """(label, reference) for at most 25 titles; equal labels are told apart by library, then by server."""
    shown = titles[:AUTOCOMPLETE_CHOICES_MAX]
    plain_labels = Counter(title_label(title) for title in shown)
    by_library = Counter(title_label(title, where=plain(title.library or "")) for title in shown)
    lines = []
    for title in shown:
        label = title_label(title)
        if plain_labels[label] > 1:
            label = title_label(title, where=plain(title.library or ""))
            if by_library[label] > 1:
                label = title_label(
                    title, where=f"{plain(title.library or '')} on {title.ref.server}".removeprefix(" on ")
                )
        lines.append((label, str(title.ref)))
    return [(label, reference) for label, reference in lines if len(reference) <= CHOICE_CHARS_MAX]


def clear_winner(text: str, titles: Sequence[Title]) -> Title | None:
    """The one title that `text` must mean, or None when the member has to choose.

    A single title wins. Else one whose name is the text, with or without its year ("dune 1984"); of several named
    alike, a whole work (film, show, album) wins over its parts, if it is the only one.
    """
    if len(titles) == 1:
        return titles[0]
    wanted = fold(text)
    for names in (_full_names, _short_names):
        named = [title for title in titles if wanted in names(title)]
        if len(named) == 1:
            return named[0]
        whole = [title for title in named if title.kind in _WHOLE]
        if named:
            return whole[0] if len(whole) == 1 else None
    return None


def _full_names(title: Title) -> set[str]:
    return {fold(str(title)), fold(title_label(title))} - {"", fold(title.name)}


def _short_names(title: Title) -> set[str]:
    return {fold(title.name)} - {""}

"""What owners want to know of a library to look after it: what changed since, what is not matched, what is double."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from daemon.core.media import TitleKind
from daemon.core.visibility import LibraryRef, Visibility
from daemon.data.library import libraries
from daemon.data.library.shown import Shown, by_ids
from daemon.data.library.tables import library_titles

_t = library_titles.c
LEAVES = (TitleKind.MOVIE.value, TitleKind.EPISODE.value, TitleKind.TRACK.value)
"""What has files of its own."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How a library stood: what came or changed later has a higher number. `count` is of films, episodes, tracks."""

    revision: int
    last_id: int
    count: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What became of a library since a mark, in films, episodes and tracks; `names` are the first that were added."""

    added: int
    removed: int
    changed: int
    names: tuple[Shown, ...]


def mark(tx: Connection, ref: LibraryRef) -> Mark | None:
    """How the library stands now; None when the mirror has none."""
    library = libraries.find(tx, ref)
    if library is None:
        return None
    of_library = _t.library_id == library.library_id
    last_id = tx.execute(select(func.max(_t.id)).where(of_library)).scalar() or 0
    count = tx.execute(select(func.count()).where(of_library, _t.kind.in_(LEAVES))).scalar_one()
    return Mark(library.revision, last_id, count)


def changes(tx: Connection, ref: LibraryRef, before: Mark, names_max: int) -> Changes | None:
    """What became of it since; None when the library is gone.

    Units that change one library follow each other, so whatever was added later has a higher id than what was there.
    """
    library = libraries.find(tx, ref)
    if library is None:
        return None
    leaves = _t.library_id == library.library_id, _t.kind.in_(LEAVES)
    count = tx.execute(select(func.count()).where(*leaves)).scalar_one()
    added = tx.execute(select(func.count()).where(*leaves, _t.id > before.last_id)).scalar_one()
    known = _t.id <= before.last_id, _t.revision > before.revision
    changed = tx.execute(select(func.count()).where(*leaves, *known)).scalar_one()
    new: Sequence[int] = (
        tx.execute(select(_t.id).where(*leaves, _t.id > before.last_id).order_by(_t.id).limit(names_max))
        .scalars()
        .all()
    )
    names = tuple(by_ids(tx, Visibility(), new))
    return Changes(added, max(0, before.count + added - count), changed, names)

"""What owners want to know of a library to look after it: what changed since, what is not matched, what is double."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, or_, select

from daemon.core.library import LibraryKind
from daemon.core.media import TitleKind
from daemon.core.visibility import LibraryRef, Visibility
from daemon.data.library import libraries
from daemon.data.library.doubles import UNMATCHED
from daemon.data.library.shown import Shown, by_ids
from daemon.data.library.tables import library_parts, library_titles

_t, _p = library_titles.c, library_parts.c
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


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A title that no agent knows, and one of its files."""

    shown: Shown
    file: str | None


@dataclass(frozen=True, slots=True)
class Shelved:
    """A film, a show or an album with all that is part of it: when anything of it was added last, and its bytes."""

    rating_key: int
    added_at: datetime
    size_bytes: int


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


def unmatched(tx: Connection, ref: LibraryRef, start: int, most: int) -> tuple[int, list[Unmatched]]:
    """How many titles no agent knows, and a page of them by name. Of a show it is the show, never its episodes."""
    library = libraries.find(tx, ref)
    if library is None:
        return 0, []
    top = (library.kind.kinds[0].value, TitleKind.ALBUM.value)
    strange = or_(_t.guid.is_(None), *(_t.guid.like(pattern) for pattern in UNMATCHED))
    of = _t.library_id == library.library_id, _t.kind.in_(top), strange
    total = tx.execute(select(func.count()).where(*of)).scalar_one()
    some = select(_t.id).where(*of).order_by(func.coalesce(_t.sort_name, _t.name), _t.id).offset(start).limit(most)
    ids = tx.execute(some).scalars().all()
    least = select(_p.title_id, func.min(_p.file)).where(_p.title_id.in_(ids)).group_by(_p.title_id)
    files: dict[int, str | None] = {row[0]: row[1] for row in tx.execute(least)}
    return total, [Unmatched(one, files.get(one.title_id)) for one in by_ids(tx, Visibility(), ids)]


def shelved(tx: Connection, ref: LibraryRef, before: datetime) -> list[Shelved]:
    """The films, shows or albums of a library to which nothing was added since `before`, the largest first."""
    library = libraries.find(tx, ref)
    if library is None:
        return []
    leaf = library.kind.kinds[-1].value
    key = {LibraryKind.MOVIE: _t.rating_key, LibraryKind.SHOW: _t.grandparent_key}.get(library.kind, _t.parent_key)
    newest, size = func.max(_t.added_at), func.coalesce(func.sum(_p.size_bytes), 0)
    # Parts of one title come as one row each: what is counted of the title itself may only be a maximum.
    statement = (
        select(key, newest, size)
        .select_from(library_titles.join(library_parts, _p.title_id == _t.id, isouter=True))
        .where(_t.library_id == library.library_id, _t.kind == leaf, key.is_not(None))
        .group_by(key)
        .having(newest < before)
        .order_by(size.desc(), key)
    )
    return [Shelved(row[0], row[1], int(row[2])) for row in tx.execute(statement)]


def by_keys(tx: Connection, ref: LibraryRef, rating_keys: Sequence[int]) -> dict[int, Shown]:
    """Those of these titles that are in the library, by their rating keys; a page of them."""
    library = libraries.find(tx, ref)
    if library is None:
        return {}
    of = select(_t.rating_key, _t.id).where(_t.library_id == library.library_id, _t.rating_key.in_(rating_keys))
    keys = {row[1]: row[0] for row in tx.execute(of)}
    return {keys[one.title_id]: one for one in by_ids(tx, Visibility(), list(keys))}


def files_below(tx: Connection, ref: LibraryRef, folders: Sequence[str]) -> tuple[int, dict[str, int]]:
    """How many files a library has, and how many of them are below each of the folders."""
    library = libraries.find(tx, ref)
    if library is None:
        return 0, {}
    parts = select(func.count()).select_from(library_parts.join(library_titles, _t.id == _p.title_id))
    parts = parts.where(_t.library_id == library.library_id)
    found: dict[str, int] = {}
    for folder in folders:
        below = func.substr(_p.file, 1, len(folder)) == folder
        found[folder] = tx.execute(parts.where(below)).scalar_one()
    return tx.execute(parts).scalar_one(), found

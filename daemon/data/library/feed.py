"""What the search file has to be told: titles changed since a revision, and how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, tuple_

from daemon.core.media import TitleKind
from daemon.data.library.tables import library_tags, library_title_tags, library_titles
from daemon.data.search.file import KIND_NO, Doc

_t = library_titles.c
_PARTED = frozenset({TitleKind.SEASON.value, TitleKind.EPISODE.value, TitleKind.ALBUM.value, TitleKind.TRACK.value})


@dataclass(frozen=True, slots=True)
class Batch:
    """Titles in the order of (revision, id); `at_revision` and `at_id` are the last one's.

    `count`, of the whole library in the same snapshot, is given with the last batch only.
    """

    docs: tuple[Doc, ...]
    at_revision: int
    at_id: int
    count: int | None


def changed(tx: Connection, library_id: int, at_revision: int, at_id: int, most: int) -> Batch:
    """The next titles behind (revision, id)."""
    columns = (
        _t.id, _t.library_id, _t.kind, _t.server, _t.rating_key, _t.name, _t.year, _t.duration_ms, _t.parent_name,
        _t.grandparent_name, _t.index_no, _t.parent_index_no, _t.thumb, _t.leaf_count, _t.grandparent_key,
        _t.content_rating, _t.parent_key, _t.revision, _t.added_at,
    )  # fmt: skip
    rows = tx.execute(
        select(*columns)
        .where(
            _t.library_id == library_id,
            _t.revision >= at_revision,
            tuple_(_t.revision, _t.id) > tuple_(at_revision, at_id),
        )
        .order_by(_t.revision, _t.id)
        .limit(most)
    ).all()
    labels = _labels(tx, library_id)
    docs = []
    for row in rows:
        own = labels.get(row.rating_key, ())
        if labels and row.kind in _PARTED:
            own = tuple({*own, *labels.get(row.parent_key, ()), *labels.get(row.grandparent_key, ())})
        show_key = row.grandparent_key if row.kind == TitleKind.EPISODE.value else None
        added_at = None if row.added_at is None else int(row.added_at.timestamp())
        docs.append(Doc._make((*row[:2], KIND_NO[row.kind], *row[3:14], show_key, row.content_rating, added_at, own)))
    last_revision, last_id = (rows[-1].revision, rows[-1].id) if rows else (at_revision, at_id)
    total = count(tx, library_id) if len(rows) < most else None
    return Batch(tuple(docs), last_revision, last_id, total)


def count(tx: Connection, library_id: int) -> int:
    """How many titles a library has."""
    return int(tx.execute(select(func.count()).where(_t.library_id == library_id)).scalar_one())


def ids(tx: Connection, library_id: int, after: int, most: int) -> Sequence[int]:
    """The next titles' ids."""
    some = select(_t.id).where(_t.library_id == library_id, _t.id > after).order_by(_t.id).limit(most)
    return tx.execute(some).scalars().all()


def _labels(tx: Connection, library_id: int) -> dict[int, tuple[str, ...]]:
    """The labels of a library's titles by rating key; most libraries have few or none."""
    g, m = library_tags.c, library_title_tags.c
    rows = tx.execute(
        select(_t.rating_key, g.name)
        .select_from(library_tags)
        .join(library_title_tags, m.tag_id == g.id)
        .join(library_titles, _t.id == m.title_id)
        .where(g.library_id == library_id, g.kind == "label")
    )
    found: dict[int, tuple[str, ...]] = {}
    for rating_key, label in rows:
        found[rating_key] = (*found.get(rating_key, ()), label)
    return found

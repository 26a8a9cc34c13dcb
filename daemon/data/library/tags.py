"""Genres, collections and labels: which titles have them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    cast,
    delete,
    exists,
    literal_column,
    or_,
    select,
    update,
)

from daemon.core.ids import ServerId
from daemon.core.library import Tag, TagKind
from daemon.data.columns import BigInt
from daemon.data.hot import HotIn, insert
from daemon.data.library.libraries import raise_revision
from daemon.data.library.tables import libraries, library_tags, library_title_tags, library_titles

_g, _m, _t = library_tags.c, library_title_tags.c, library_titles.c


def _named(keys: list[BindParameter[Any]], *columns: ColumnElement[Any]) -> Select[Any]:
    """The titles of some rating keys in a library. The sum keeps SQLite from walking through the library for them."""
    of_library = _t.library_id + literal_column("0") == bindparam("of_library")
    return select(*columns).where(_t.server == bindparam("server"), _t.rating_key.in_(keys), of_library)


_give = HotIn(
    lambda dialect, keys: (
        insert(dialect, library_title_tags)
        .from_select(["title_id", "tag_id"], _named(keys, _t.id, cast(bindparam("tag"), BigInt)))
        .on_conflict_do_nothing()
        .returning(_m.title_id)
    )
)
_take = HotIn(
    lambda _, keys: (
        delete(library_title_tags)
        .where(_m.tag_id == bindparam("tag"), _m.title_id.in_(_named(keys, _t.id)))
        .returning(_m.title_id)
    )
)


def note(tx: Connection, library_id: int, tag: Tag) -> int:
    """The number of a tag of the library, made on first sight; its name follows the server's."""
    new = insert(tx.dialect.name, library_tags).values(
        library_id=library_id, kind=tag.kind.value, key=tag.key, name=tag.name
    )
    tx.execute(
        new.on_conflict_do_update(index_elements=["library_id", "kind", "key"], set_={"name": new.excluded.name})
    )
    this = select(_g.id).where(_g.library_id == library_id, _g.kind == tag.kind.value, _g.key == tag.key)
    return int(tx.execute(this).scalar_one())


def members(tx: Connection, tag_id: int) -> set[int]:
    """Rating keys of the titles that have the tag."""
    having = select(_t.rating_key).join(library_title_tags, _m.title_id == _t.id).where(_m.tag_id == tag_id)
    return set(tx.execute(having).scalars())


def change_members(
    tx: Connection,
    library_id: int,
    server: ServerId,
    tag_id: int,
    *,
    add: Sequence[int],
    remove: Sequence[int],
    is_sight: bool = False,
) -> bool:
    """Give a tag to some titles and take it from others, by rating keys, a few hundred; False when the library is gone.

    Titles that the mirror does not hold are passed over. `is_sight`: who sees a title goes by this tag, so that it and
    all that is part of it count as changed.
    """
    revision = raise_revision(tx, library_id)
    if revision is None:
        return False
    values = {"server": server, "of_library": library_id, "tag": tag_id}
    changed = {row[0] for row in [*_give.rows(tx, add, values), *_take.rows(tx, remove, values)]}
    if is_sight and changed:
        keys = tx.execute(select(_t.rating_key).where(_t.id.in_(changed))).scalars().all()
        touched = or_(_t.id.in_(changed), _t.parent_key.in_(keys), _t.grandparent_key.in_(keys))
        tx.execute(update(library_titles).where(_t.library_id == library_id, touched).values(revision=revision))
    return True


def retag(tx: Connection, library_id: int, server: ServerId, titles: Mapping[int, Collection[Tag]]) -> int:
    """Have titles, by their rating keys, be of these genres and labels and no others; how many marks that changed.

    Collections are left alone: a title does not tell of the smart ones it is in.
    """
    kinds = (TagKind.GENRE, TagKind.LABEL)
    had: dict[int, dict[tuple[str, str], int]] = {}
    marks = (
        select(_t.rating_key, _g.kind, _g.key, _g.id)
        .join(library_title_tags, _m.title_id == _t.id)
        .join(library_tags, _g.id == _m.tag_id)
        .where(_t.library_id == library_id, _t.rating_key.in_(titles), _g.kind.in_([kind.value for kind in kinds]))
    )
    for rating_key, kind, key, tag_id in tx.execute(marks):
        had.setdefault(rating_key, {})[kind, key] = tag_id
    new: dict[Tag, list[int]] = {}
    lost: dict[tuple[str, int], list[int]] = {}
    for rating_key, wanted in titles.items():
        known = had.get(rating_key, {})
        for tag in wanted:
            if (tag.kind.value, tag.key) not in known:
                new.setdefault(tag, []).append(rating_key)
        names = {(tag.kind.value, tag.key) for tag in wanted}
        for (kind, key), tag_id in known.items():
            if (kind, key) not in names:
                lost.setdefault((kind, tag_id), []).append(rating_key)
    for tag, keys in new.items():
        tag_id = note(tx, library_id, tag)
        change_members(tx, library_id, server, tag_id, add=keys, remove=(), is_sight=tag.kind is TagKind.LABEL)
    for (kind, tag_id), keys in lost.items():
        change_members(tx, library_id, server, tag_id, add=(), remove=keys, is_sight=kind == TagKind.LABEL.value)
    if lost:  # a word that nothing is marked with any more is none that the server lists
        empty = ~exists(select(_m.title_id).where(_m.tag_id == _g.id))
        tx.execute(delete(library_tags).where(_g.id.in_([tag_id for _, tag_id in lost]), empty))
    return sum(map(len, (*new.values(), *lost.values())))


def by_keys(tx: Connection, server: ServerId, kind: TagKind, keys: Collection[str]) -> list[tuple[int, int]]:
    """(library id, number) of a server's tags of a kind that have these keys."""
    these = select(_g.library_id, _g.id).join(libraries, libraries.c.id == _g.library_id)
    found = tx.execute(these.where(libraries.c.server == server, _g.kind == kind.value, _g.key.in_(keys)))
    return [(row[0], row[1]) for row in found]


def others(tx: Connection, library_id: int, kind: TagKind, keys: Collection[str]) -> list[tuple[int, str]]:
    """The tags of a kind that are not among `keys` any more: (number, name). Empty them, then `remove`."""
    gone = select(_g.id, _g.name).where(_g.library_id == library_id, _g.kind == kind.value)
    return [(row[0], row[1]) for row in tx.execute(gone.where(_g.key.not_in(keys)))]


def remove(tx: Connection, tag_id: int) -> None:
    """Delete a tag that the server has no more."""
    tx.execute(delete(library_tags).where(_g.id == tag_id))


def listing(tx: Connection, kind: TagKind, library_ids: Collection[int] | None = None) -> list[tuple[int, int, str]]:
    """(library id, tag id, name) of every tag of a kind, by name."""
    statement = select(_g.library_id, _g.id, _g.name).where(_g.kind == kind.value).order_by(_g.name, _g.id)
    if library_ids is not None:
        statement = statement.where(_g.library_id.in_(library_ids))
    return [(row[0], row[1], row[2]) for row in tx.execute(statement)]

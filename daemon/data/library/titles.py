"""Titles as they are read: taken in by pages, taken out when they are gone, recognised under another rating key."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, func, or_, select, update

from daemon.core.ids import ServerId
from daemon.core.library import ListedTitle
from daemon.core.media import TitleKind
from daemon.data.hot import Hot, HotIn, HotInsert
from daemon.data.library.libraries import raise_revision
from daemon.data.library.tables import (
    library_guids,
    library_parts,
    library_title_tags,
    library_titles,
    library_versions,
)

_t = library_titles.c
_FACTS = ListedTitle._fields[: ListedTitle._fields.index("guids")]  # the columns that a listing fills, in order
_CHANGING = [name for name in _FACTS if name != "rating_key"]
_VERSION_COLUMNS = [column.name for column in library_versions.columns]
_PART_COLUMNS = ["title_id", "media_id", "part_id", "file", "size_bytes", "container", "duration_ms"]
_VERSION_FACTS = len(_VERSION_COLUMNS) - 1  # of a `Version`; what follows are its parts

_insert_titles = HotInsert(library_titles, ["library_id", "server", "revision", "first_pass", "seen_pass", *_FACTS])
_insert_versions = HotInsert(library_versions, _VERSION_COLUMNS)
_insert_parts = HotInsert(library_parts, _PART_COLUMNS)
_insert_guids = HotInsert(library_guids, ["title_id", "guid"])
_update_title = Hot(
    lambda _: (
        update(library_titles)
        .where(_t.id == bindparam("title_id"))
        .values({name: bindparam(f"new_{name}") for name in (*_CHANGING, "library_id", "revision")})
    )
)
_find_known = HotIn(
    lambda _, keys: select(_t.rating_key, _t.id, _t.digest, _t.library_id).where(
        _t.server == bindparam("server"), _t.rating_key.in_(keys)
    )
)
_see = HotIn(
    lambda _, keys: (
        update(library_titles)
        .where(_t.server == bindparam("of_server"), _t.rating_key.in_(keys), _t.seen_pass < bindparam("number"))
        .values(seen_pass=bindparam("number"))
    )
)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of titles that were read."""

    added: int = 0
    changed: int = 0
    same: int = 0

    def __add__(self, other: Taken) -> Taken:
        return Taken(self.added + other.added, self.changed + other.changed, self.same + other.same)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A title that a whole listing did not show."""

    title_id: int
    rating_key: int
    guid: str | None


def take_in(
    tx: Connection,
    library_id: int,
    server: ServerId,
    titles: Sequence[ListedTitle],
    pass_number: int,
    *,
    is_pass: bool = True,
) -> Taken | None:
    """Write what is new or different, and that pass `pass_number` saw them; None when the library is gone.

    `titles` are a page at most: this is one short unit. What is equal to what is stored costs one comparison. With
    `is_pass` False they were read one by one since the last pass, of that number: no pass has seen them yet.
    """
    revision = raise_revision(tx, library_id)
    if revision is None:
        return None
    first, last = (pass_number, pass_number) if is_pass else (pass_number + 1, pass_number - 1)
    listed = {title.rating_key: title for title in titles}
    known = _known(tx, server, listed)
    new = [title for key, title in listed.items() if key not in known]
    changed = [
        (known[key][0], title)
        for key, title in listed.items()
        if key in known and known[key][1:] != (title.digest, library_id)
    ]
    if new:
        head = (library_id, server, revision, first, last)
        _insert_titles.run(tx, [(*head, *title[: len(_FACTS)]) for title in new])
        ids = _known(tx, server, [title.rating_key for title in new])
        _insert_below(tx, [(ids[title.rating_key][0], title) for title in new])
    if changed:
        _update_title.run_many(tx, [_changes(title_id, title, library_id, revision) for title_id, title in changed])
        _delete_below(tx, [title_id for title_id, _ in changed])
        _insert_below(tx, changed)
    if known and is_pass:
        _see.run(tx, list(known), {"of_server": server, "number": pass_number})
    return Taken(len(new), len(changed), len(known) - len(changed))


def seen(tx: Connection, library_id: int, kind: TitleKind, pass_number: int) -> int:
    """How many titles of a kind the pass has seen."""
    of_kind = select(func.count()).where(_t.library_id == library_id, _t.kind == kind.value)
    return int(tx.execute(of_kind.where(_t.seen_pass >= pass_number)).scalar_one())


def unseen(
    tx: Connection, library_id: int, kind: TitleKind, pass_number: int, *, after: int, most: int
) -> list[Candidate]:
    """The next titles of a kind, by their ids behind `after`, that the pass has not seen."""
    statement = (
        select(_t.id, _t.rating_key, _t.guid)
        .where(_t.library_id == library_id, _t.kind == kind.value, _t.seen_pass < pass_number, _t.id > after)
        .order_by(_t.id)
        .limit(most)
    )
    return [Candidate(*row) for row in tx.execute(statement)]


def by_keys(tx: Connection, server: ServerId, rating_keys: Collection[int]) -> list[tuple[int, Candidate]]:
    """The titles of these rating keys, each with its library's id."""
    statement = select(_t.library_id, _t.id, _t.rating_key, _t.guid).where(
        _t.server == server, _t.rating_key.in_(rating_keys)
    )
    return [(row[0], Candidate(*row[1:])) for row in tx.execute(statement)]


def orphans(tx: Connection, server: ServerId, rating_keys: Collection[int]) -> list[int]:
    """Rating keys of the titles below those of these keys that are not there (any more)."""
    above = library_titles.alias()
    is_there = select(above.c.rating_key).where(above.c.server == server, above.c.rating_key.in_(rating_keys))
    gone = set(rating_keys) - set(tx.execute(is_there).scalars())
    below = (_t.server == server, or_(_t.parent_key.in_(gone), _t.grandparent_key.in_(gone)))
    return list(tx.execute(select(_t.rating_key).where(*below).order_by(_t.id)).scalars()) if gone else []


def namesakes(tx: Connection, server: ServerId, rating_keys: Collection[int]) -> list[int]:
    """Rating keys of other titles that have the guid, kind and library of one of these."""
    other = library_titles.alias()
    statement = (
        select(other.c.rating_key)
        .join(
            library_titles,
            (other.c.guid == _t.guid)
            & (other.c.kind == _t.kind)
            & (other.c.library_id == _t.library_id)
            & (other.c.id != _t.id),
        )
        .where(_t.server == server, _t.rating_key.in_(rating_keys))
    )
    return [key for key in tx.execute(statement).scalars() if key not in rating_keys]


def take_out(tx: Connection, library_id: int, gone: Sequence[Candidate]) -> tuple[int, int]:
    """Delete titles that their server has no more, or give them what came in their place: (removed, healed).

    A title heals when one of the same guid, kind and library exists that was found after a pass saw the title last: it
    takes over that one's rating key and content, and keeps its id. A title that changed its rating key meanwhile is
    not the one that is gone, and stays.
    """
    revision = raise_revision(tx, library_id)
    if revision is None:
        return 0, 0
    healed = removed = 0
    for candidate in gone:
        found = tx.execute(
            select(_t.id, _t.kind, _t.seen_pass).where(
                _t.id == candidate.title_id, _t.rating_key == candidate.rating_key
            )
        ).first()
        if found is None:
            continue
        heir = _heir(tx, library_id, candidate, found.kind, found.seen_pass)
        if heir is None:
            removed += tx.execute(delete(library_titles).where(_t.id == candidate.title_id)).rowcount
        else:
            _replace(tx, candidate.title_id, heir, revision)
            healed += 1
    return removed, healed


def see(tx: Connection, title_ids: Collection[int], pass_number: int) -> None:
    """Say that the pass knows these to be there, though no listing showed them."""
    tx.execute(update(library_titles).where(_t.id.in_(title_ids)).values(seen_pass=pass_number))


def _known(tx: Connection, server: ServerId, keys: Collection[int]) -> dict[int, tuple[int, int, int]]:
    rows = _find_known.rows(tx, list(keys), {"server": server})
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def _changes(title_id: int, title: ListedTitle, library_id: int, revision: int) -> dict[str, Any]:
    facts = {f"new_{name}": value for name, value in zip(_FACTS, title, strict=False) if name != "rating_key"}
    return {**facts, "title_id": title_id, "new_library_id": library_id, "new_revision": revision}


def _insert_below(tx: Connection, titles: Iterable[tuple[int, ListedTitle]]) -> None:
    versions: list[tuple[Any, ...]] = []
    parts: list[tuple[Any, ...]] = []
    guids: list[tuple[int, str]] = []
    for title_id, title in titles:
        guids += [(title_id, guid) for guid in dict.fromkeys(title.guids)]
        files: dict[int, tuple[Any, ...]] = {}
        for version in {version.media_id: version for version in title.versions}.values():
            versions.append((title_id, *version[:_VERSION_FACTS]))
            files |= {part.part_id: (title_id, version.media_id, *part) for part in version.parts}
        parts += files.values()
    for statement, rows in ((_insert_versions, versions), (_insert_parts, parts), (_insert_guids, guids)):
        if rows:
            statement.run(tx, rows)


def _delete_below(tx: Connection, title_ids: Sequence[int]) -> None:
    for table in (library_versions, library_parts, library_guids):
        tx.execute(delete(table).where(table.c.title_id.in_(title_ids)))


def _heir(tx: Connection, library_id: int, candidate: Candidate, kind: str, seen_pass: int) -> int | None:
    if candidate.guid is None:
        return None
    same = select(_t.id).where(_t.guid == candidate.guid, _t.library_id == library_id, _t.kind == kind)
    # What the mirror held before is no heir: of a film that was split and merged again, its first half stays itself.
    new = same.where(_t.id > candidate.title_id, _t.first_pass > seen_pass)
    heir: int | None = tx.execute(new.order_by(_t.id).limit(1)).scalar()
    return heir


def _replace(tx: Connection, title_id: int, heir: int, revision: int) -> None:
    """Give the title all that the heir has but its id, and delete the heir."""
    _delete_below(tx, [title_id])
    tx.execute(delete(library_title_tags).where(library_title_tags.c.title_id == title_id))
    tables: tuple[Table, ...] = (library_versions, library_parts, library_guids, library_title_tags)
    for table in tables:
        tx.execute(update(table).where(table.c.title_id == heir).values(title_id=title_id))
    row = tx.execute(select(library_titles).where(_t.id == heir)).one()
    kept = {column.name: value for column, value in zip(_t, row, strict=True)} | {"revision": revision}
    tx.execute(delete(library_titles).where(_t.id == heir))
    changes = {name: value for name, value in kept.items() if name not in ("id", "first_pass")}
    tx.execute(update(library_titles).where(_t.id == title_id).values(**changes))

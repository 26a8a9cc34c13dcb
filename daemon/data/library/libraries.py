"""The libraries that are mirrored, as their servers list them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, bindparam, delete, func, literal_column, select, update

from daemon.core.ids import ServerId
from daemon.core.library import LibraryFacts, LibraryKind
from daemon.core.visibility import LibraryRef
from daemon.data.hot import Hot, insert
from daemon.data.library.tables import libraries, library_tags, library_titles
from daemon.data.store.told import after_commit

_l = libraries.c
TOPIC = "library"
"""Units that change a library tell its id under this."""

LISTED = "library-listed"
"""Units by which a library comes, goes or becomes another say so under this."""

DELETED_AT_ONCE = 500  # titles, in one unit of work


@dataclass(frozen=True, slots=True)
class Library:
    """A library of the mirror. `stamp` and `read_at` are of its last whole reading, None before the first."""

    library_id: int
    ref: LibraryRef
    kind: LibraryKind
    name: str
    stamp: str | None
    read_at: datetime | None
    revision: int


_raise_revision = Hot(
    lambda _: (
        update(libraries)
        .where(_l.id == bindparam("library_id"))
        .values(revision=_l.revision + literal_column("1"))
        .returning(_l.revision)
    )
)


def note(tx: Connection, server: ServerId, facts: LibraryFacts) -> Library:
    """Take note of a library that the server lists; a new one is read whole before long.

    A section whose uuid differs is another library under a key that was used before: it is to be read whole, too.
    """
    known = tx.execute(select(libraries).where(_l.server == server, _l.key == facts.key)).first()
    if known is not None:
        changes: dict[str, object] = {"uuid": facts.uuid, "name": facts.name, "kind": facts.kind.value}
        if (known.uuid, known.kind) != (facts.uuid, facts.kind.value):
            changes |= {"stamp": None}
        if any(getattr(known, name) != value for name, value in changes.items()):
            tx.execute(update(libraries).where(_l.id == known.id).values(**changes))
            after_commit(LISTED, known.id)
    else:
        new = insert(tx.dialect.name, libraries).values(
            server=server, key=facts.key, uuid=facts.uuid, kind=facts.kind.value, name=facts.name, revision=0
        )
        tx.execute(new.on_conflict_do_nothing())
        after_commit(LISTED, facts.key)
    return _to_library(tx.execute(select(libraries).where(_l.server == server, _l.key == facts.key)).one())


def listing(tx: Connection, server: ServerId | None = None) -> list[Library]:
    """Every library, or those of one server, in the order of server and name."""
    statement = select(libraries).order_by(_l.server, _l.name, _l.id)
    return [
        _to_library(row) for row in tx.execute(statement if server is None else statement.where(_l.server == server))
    ]


def find(tx: Connection, ref: LibraryRef) -> Library | None:
    """The library of that server and key; None when the mirror has none."""
    row = tx.execute(select(libraries).where(_l.server == ref.server, _l.key == ref.key)).first()
    return None if row is None else _to_library(row)


def raise_revision(tx: Connection, library_id: int) -> int | None:
    """The library's next revision, and the library locked to others until the end of the unit; None when it is gone.

    First in every unit that changes titles: units of one library so follow each other, and a revision that can be read
    has none below it still to come.
    """
    row = _raise_revision.run(tx, {"library_id": library_id}).fetchone()
    if row is None:
        return None
    after_commit(TOPIC, library_id)
    return int(row[0])


def mark_read(tx: Connection, library_id: int, stamp: str | None, at: datetime) -> None:
    """Say that the library was read whole as it was at `stamp`; None when it is to be read again all the same."""
    tx.execute(update(libraries).where(_l.id == library_id).values(stamp=stamp, read_at=at))
    after_commit(TOPIC, library_id)


def follow(tx: Connection, library_id: int, before: str, now: str | None) -> None:
    """Say that what changed between two stamps has been taken in; nothing when the library is to be read anyway."""
    tx.execute(update(libraries).where(_l.id == library_id, _l.stamp == before).values(stamp=now))


def want_all(tx: Connection) -> None:
    """Have every library read whole at the next look at its server, whether it changed or not."""
    tx.execute(update(libraries).values(stamp=None))


def remove(tx: Connection, library_id: int) -> bool:
    """Delete some of a library's titles and, when none is left, the library; True when it is gone.

    Call it again until it is: a library of many titles is not deleted by one unit of work.
    """
    if raise_revision(tx, library_id) is None:
        return True
    tx.execute(update(libraries).where(_l.id == library_id).values(stamp=None, read_at=None))
    some = select(library_titles.c.id).where(library_titles.c.library_id == library_id).limit(DELETED_AT_ONCE)
    if tx.execute(delete(library_titles).where(library_titles.c.id.in_(some))).rowcount:
        return False
    tx.execute(delete(library_tags).where(library_tags.c.library_id == library_id))
    tx.execute(delete(libraries).where(_l.id == library_id))
    after_commit(LISTED, library_id)
    return True


def counts(tx: Connection, library_ids: Collection[int]) -> dict[tuple[int, str], int]:
    """How many titles of each kind: {(library id, "episode"): 12034}."""
    t = library_titles.c
    statement = select(t.library_id, t.kind, func.count()).where(t.library_id.in_(library_ids))
    return {(row[0], row[1]): row[2] for row in tx.execute(statement.group_by(t.library_id, t.kind))}


def _to_library(row: Row[tuple[object, ...]]) -> Library:
    return Library(
        row.id, LibraryRef(ServerId(row.server), row.key), LibraryKind(row.kind), row.name, row.stamp, row.read_at,
        row.revision,
    )  # fmt: skip

"""Statements about many values at once, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, bindparam, insert, select, update

from daemon.core.library import LibraryKind
from daemon.data.hot import HotIn
from daemon.data.library.tables import libraries
from daemon.data.store import Store

_l = libraries.c
FIND = HotIn(lambda _, keys: select(_l.key).where(_l.id.in_(keys)))
NAME = HotIn(lambda _, keys: update(libraries).where(_l.id.in_(keys)).values(name=bindparam("new_name")))


@pytest.mark.parametrize("count", [0, 1, 3, 512, 513, 1100])
async def test_as_many_keys_as_are_given_are_found_and_no_other(store: Store, count: int) -> None:
    def unit(tx: Connection) -> tuple[list[str], int]:
        kind = LibraryKind.MOVIE.value
        rows = [
            {"id": n, "server": "s", "key": str(n), "kind": kind, "name": "n", "revision": 0} for n in range(1, 1201)
        ]
        tx.execute(insert(libraries), rows)
        keys = range(1, count + 1)
        NAME.run(tx, keys, {"new_name": "seen"})
        named = tx.execute(select(_l.id).where(_l.name == "seen")).all()
        return [row[0] for row in FIND.rows(tx, keys, {})], len(named)

    found, named = await store.write(unit)
    assert sorted(found, key=int) == [str(n) for n in range(1, count + 1)]
    assert named == count

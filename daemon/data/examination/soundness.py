"""Whether the database itself is in order: its pages, indexes, constraints, and the tables that we expect."""

from __future__ import annotations

from sqlalchemy import Connection, text

from daemon.data import rows
from daemon.data.rows import Shape

_BROKEN = {
    "index": """SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
        WHERE relnamespace = current_schema()::regnamespace AND NOT (indisvalid AND indisready)""",
    "constraint": """SELECT conrelid::regclass::text || '.' || conname FROM pg_constraint
        WHERE connamespace = current_schema()::regnamespace AND NOT convalidated""",
}


def problems(tx: Connection) -> list[str]:
    """One sentence each: what SQLite's own checks find, or the broken indexes and constraints of PostgreSQL.

    On PostgreSQL every row is read, too, out of every page that it lies in; one that cannot be is the driver's error.
    """
    missing = rows.find_unknown(tx, rows.shapes())
    found = [] if missing is None else [f"{missing} is missing"]
    if tx.dialect.name == "sqlite":
        return found + rows.check_source(tx, lambda: None)
    for kind, query in _BROKEN.items():
        found += [f"the {kind} {name} is not valid" for name in tx.execute(text(query)).scalars()]
    if missing is None:
        for shape in rows.shapes():
            _read_all(tx, shape)
    return found


def _read_all(tx: Connection, shape: Shape) -> None:
    for _ in rows.read(tx, shape):
        pass

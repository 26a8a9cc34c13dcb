"""How large the database is."""

from __future__ import annotations

from sqlalchemy import Connection, text

_SIZE = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_database_size(current_database())",
}


def size_bytes(tx: Connection) -> int:
    """Bytes of all tables and indices; of SQLite the file without its log of the last moments."""
    return int(tx.execute(text(_SIZE[tx.dialect.name])).scalar_one())

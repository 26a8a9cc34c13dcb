"""An archive as an older version wrote it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from daemon.services.backup.archive import ArchiveWriter
from daemon.services.backup.manifest import FORMAT, Manifest, TableSaid
from tests.integration.backup.house import AT

_ORDER = ("profiles", "guilds", "guild_settings", "audit_log")


def write_older(path: Path, database: Path, revision: str = "0001") -> None:
    """Every row of some tables of `database`, as of `revision`."""
    with closing(sqlite3.connect(database)) as source, path.open("wb") as file:
        found = {}
        for name in _ORDER:
            result = source.execute(f"SELECT * FROM {name}")
            found[name] = (tuple(column[0] for column in result.description), result.fetchall())
        tables = tuple(TableSaid(name, columns, len(rows)) for name, (columns, rows) in found.items())
        about = Manifest(FORMAT, "0.1.0", revision, "sqlite", AT, tables)
        with ArchiveWriter(file, about, None) as writer:
            for name, (_, rows) in found.items():
                if rows:
                    writer.add(f"tables/{name}/000000.msgpack", msgspec.msgpack.encode(rows))
            writer.finish(msgspec.structs.replace(about, members=dict(writer.hashes)))

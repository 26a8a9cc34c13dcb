"""Running the migrations: the only file beside them that imports Alembic, and never part of a running daemon."""

from __future__ import annotations

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from daemon.data import version
from daemon.data.engine import open_engine, parse_url
from daemon.data.schema import NEWER


def config() -> Config:
    """Alembic's configuration, without any file."""
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    return configuration


def migrate(url: str, revision: str = "head") -> None:
    """Run the migrations that lead to `revision`, all in one transaction.

    CommandError when the database is at a revision that is not among them.
    """
    engine = open_engine(parse_url(url))
    try:
        with engine.connect() as tx:
            is_sqlite = tx.dialect.name == "sqlite"
            if is_sqlite:
                # Rebuilding a table drops the old one, which must not take the rows that refer to it along.
                tx.exec_driver_sql("PRAGMA foreign_keys = OFF")
                tx.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                tx.execute(text("SET statement_timeout = 0"))
            migrate_in(tx, revision)
            if is_sqlite and (broken := tx.exec_driver_sql("PRAGMA foreign_key_check").fetchall()):
                raise ValueError(f"{len(broken)} rows would refer to nothing")
            tx.commit()
    finally:
        engine.dispose()


def migrate_in(tx: Connection, revision: str) -> None:
    """Run the migrations that lead to `revision` in the caller's transaction."""
    configuration = config()
    configuration.attributes["connection"] = tx
    command.upgrade(configuration, revision)


def is_known(revision: str) -> bool:
    """Whether `revision` is among the migrations."""
    try:
        ScriptDirectory.from_config(config()).get_revision(revision)
    except CommandError:
        return False
    return True


def main() -> int:
    """Upgrade the database whose URL stands on standard input; `NEWER` when its revision is unknown."""
    url = sys.stdin.read()
    with open_engine(parse_url(url)).connect() as tx:
        revision = version.current(tx)
    if revision is not None and not is_known(revision):
        return NEWER
    try:
        migrate(url)
    except DBAPIError as error:
        sys.exit(str(error.orig).partition("\n")[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())

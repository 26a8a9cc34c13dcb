"""A database comes to head: fresh, old, newer, foreign, by several processes at once."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text

from daemon.core.errors import ConfigError, UpstreamError
from daemon.core.limits import BACKUPS_KEPT
from daemon.data import schema, version
from daemon.data.engine import open_engine, parse_url
from daemon.data.migrations import run
from daemon.data.schema import Change


def test_head_is_the_one_newest_migration() -> None:
    assert ScriptDirectory.from_config(run.config()).get_heads() == [version.HEAD]


def test_a_fresh_database_is_created_then_left_alone(database_url: str, tmp_path: Path) -> None:
    assert schema.current(database_url) is None
    assert schema.upgrade(database_url, tmp_path).change is Change.CREATED
    assert schema.current(database_url) == version.HEAD
    assert schema.upgrade(database_url, tmp_path) == schema.Upgrade(Change.NONE, version.HEAD, version.HEAD)
    assert not (tmp_path / "backups").exists()


def test_asking_for_the_revision_creates_no_file(tmp_path: Path) -> None:
    assert schema.current(f"sqlite:///{tmp_path}/none.sqlite3") is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("times", ["fresh", "at head"])
def test_a_daemon_imports_only_what_it_uses(database_url: str, tmp_path: Path, times: str) -> None:
    if times == "at head":
        schema.upgrade(database_url, tmp_path)
    script = f"""
import asyncio, sys
from pathlib import Path
from daemon.data import schema
from daemon.data.store import Store
from daemon.kernel.metrics import Metrics

async def main():
    await schema.ensure_head({database_url!r}, Path({str(tmp_path)!r}))
    store = await Store.open({database_url!r}, metrics=Metrics())
    await store.close()

asyncio.run(main())
extras = ("alembic", "mako", "sqlalchemy.dialects.postgresql")
print(schema.current({database_url!r}), *(name for name in extras if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [
        version.HEAD,
        *(["sqlalchemy.dialects.postgresql"] if database_url.startswith("postgresql") else []),
    ]


def test_tables_and_migrations_make_the_same_schema_on_sqlite(tmp_path: Path) -> None:
    created, migrated = tmp_path / "created.sqlite3", tmp_path / "migrated.sqlite3"
    schema.upgrade(f"sqlite:///{created}", tmp_path)
    run.migrate(f"sqlite:///{migrated}")
    assert len(_sqlite_schema(created)) > 15
    assert _sqlite_schema(created) == _sqlite_schema(migrated)


def test_tables_and_migrations_make_the_same_schema_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    run.migrate(postgres_url)
    migrated = _postgres_schema(postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    assert schema.upgrade(postgres_url, tmp_path).change is Change.CREATED
    assert {kind: len(rows) > 1 for kind, rows in migrated.items()} == dict.fromkeys(migrated, True)
    assert _postgres_schema(postgres_url) == migrated


def test_an_old_database_is_upgraded_with_what_it_holds(database_url: str, tmp_path: Path) -> None:
    run.migrate(database_url, "0001")
    _execute(database_url, "INSERT INTO guilds (guild_id, name, created_at) VALUES (1, 'House', 0)")
    _execute(database_url, "INSERT INTO guild_settings (guild_id, key, value, changed_at) VALUES (1, 'k', 'v', 0)")
    done = schema.upgrade(database_url, tmp_path)
    assert (done.change, done.before, done.head) == (Change.UPGRADED, "0001", version.HEAD)
    assert schema.current(database_url) == version.HEAD
    assert _execute(database_url, "SELECT value FROM guild_settings") == [("v",)]
    assert _execute(database_url, "SELECT count(*) FROM panels") == [(0,)]
    if database_url.startswith("sqlite"):
        assert done.backup is not None
        assert done.backup.stat().st_mode & 0o777 == 0o600
        assert schema.current(f"sqlite:///{done.backup}") == "0001"
        assert _execute(f"sqlite:///{done.backup}", "SELECT value FROM guild_settings") == [("v",)]


def test_only_the_newest_backups_are_kept(tmp_path: Path) -> None:
    database = tmp_path / "marquee.sqlite3"
    sqlite3.connect(database).close()
    made = [schema.back_up(database, tmp_path / "backups", "0001") for _ in range(BACKUPS_KEPT + 2)]
    assert sorted((tmp_path / "backups").iterdir()) == made[2:]


def test_without_a_backup_nothing_is_upgraded(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/marquee.sqlite3"
    run.migrate(url, "0001")
    (tmp_path / "backups").write_text("a file where the folder should be")
    with pytest.raises(ConfigError, match="no copy could be made"):
        schema.upgrade(url, tmp_path)
    assert schema.current(url) == "0001"


def test_a_newer_database_is_refused(database_url: str, tmp_path: Path) -> None:
    schema.upgrade(database_url, tmp_path)
    _execute(database_url, "UPDATE marquee_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match="9999, which is newer than this Marquee") as refusal:
        schema.upgrade(database_url, tmp_path)
    assert len(refusal.value.mistakes) == 1
    assert schema.current(database_url) == "9999"


def test_tables_of_somebody_else_are_left_alone(database_url: str, tmp_path: Path) -> None:
    _execute(database_url, "CREATE TABLE panels (theirs INTEGER)")
    with pytest.raises(ConfigError, match="panels that Marquee did not make"):
        schema.upgrade(database_url, tmp_path)
    assert schema.current(database_url) is None
    _execute(database_url, "DROP TABLE panels")
    _execute(database_url, "CREATE TABLE something_else (theirs INTEGER)")
    assert schema.upgrade(database_url, tmp_path).change is Change.CREATED


def test_a_migration_that_fails_changes_nothing(database_url: str, tmp_path: Path) -> None:
    run.migrate(database_url, "0001")
    _execute(database_url, "CREATE TABLE plex_players (in_the_way INTEGER)")
    with pytest.raises(ConfigError, match=r"could not be upgraded from revision 0001: .*plex_players"):
        schema.upgrade(database_url, tmp_path)
    assert schema.current(database_url) == "0001"
    with pytest.raises(Exception, match="panels"):
        _execute(database_url, "SELECT * FROM panels")
    _execute(database_url, "DROP TABLE plex_players")
    assert schema.upgrade(database_url, tmp_path).change is Change.UPGRADED


@pytest.mark.parametrize("start", ["fresh", "old"])
def test_several_at_once_upgrade_once(database_url: str, tmp_path: Path, start: str) -> None:
    if start == "old":
        run.migrate(database_url, "0001")
    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(lambda _: schema.upgrade(database_url, tmp_path).change, range(2)))
    assert schema.current(database_url) == version.HEAD
    if start == "fresh":
        assert sorted(done) == [Change.NONE, Change.CREATED]
    else:
        assert Change.UPGRADED in done


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mysql://root:hunter2@localhost/x", "mysql is not supported"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("hunter2", "not a URL"),
        ("", "not a URL"),
    ],
)
def test_a_url_we_cannot_use_is_a_mistake_without_its_password(url: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=problem) as mistake:
        schema.upgrade(url, tmp_path)
    assert "hunter2" not in str(mistake.value)


def test_a_server_that_is_away_is_an_upstream_error(tmp_path: Path) -> None:
    with pytest.raises(UpstreamError, match="The database: is unreachable") as failure:
        schema.upgrade("postgresql://someone:hunter2@127.0.0.1:1/none", tmp_path)
    assert "hunter2" not in str(failure.value)


def _execute(url: str, sql: str) -> list[tuple[object, ...]]:
    engine = open_engine(parse_url(url))
    try:
        with engine.begin() as tx:
            result = tx.execute(text(sql))
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()


def _sqlite_schema(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_schema").fetchall()
    return {name: re.sub(r"\s+", " ", sql or "") for name, sql in rows}


def _postgres_schema(url: str) -> dict[str, list[tuple[object, ...]]]:
    queries = {
        "columns": """SELECT table_name, column_name, ordinal_position, data_type, is_nullable, column_default
            FROM information_schema.columns WHERE table_schema = 'public'""",
        "constraints": """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
            FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
        "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "triggers": """SELECT pg_get_triggerdef(oid), 'trigger' FROM pg_trigger WHERE NOT tgisinternal UNION ALL
            SELECT regexp_replace(prosrc, '\\s+', ' ', 'g'), proname FROM pg_proc
            WHERE pronamespace = 'public'::regnamespace""",
    }
    with psycopg.connect(url) as connection:
        return {kind: sorted(connection.execute(query).fetchall()) for kind, query in queries.items()}

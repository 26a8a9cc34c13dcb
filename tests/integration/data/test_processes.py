"""Processes that are killed, and processes beside one another."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from sqlalchemy import text

from daemon.data import schema
from daemon.data.engine import open_engine, parse_url


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.integration.data.crash", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def fetch(url: str, sql: str) -> list[tuple[object, ...]]:
    engine = open_engine(parse_url(url))
    try:
        with engine.connect() as tx:
            return [tuple(row) for row in tx.execute(text(sql))]
    finally:
        engine.dispose()


@pytest.mark.parametrize("confirmed_min", [1, 700])
def test_kill_9_loses_nothing_that_was_confirmed(database_url: str, tmp_path: Path, confirmed_min: int) -> None:
    schema.upgrade(database_url, tmp_path)
    with start("write", database_url) as child:
        assert child.stdout is not None
        confirmed = [int(child.stdout.readline()) for _ in range(confirmed_min)]
        child.kill()
        # The last line may have been cut off by the kill. (`communicate` would leave out what `readline` read ahead.)
        confirmed += [int(line) for line in child.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    assert len(confirmed) >= confirmed_min
    kept = {n for (n,) in fetch(database_url, "SELECT guild_id FROM guilds WHERE name = 'guild ' || guild_id")}
    assert set(confirmed) <= kept
    assert len(kept) <= len(confirmed) + 64  # no more than what was on its way
    assert schema.upgrade(database_url, tmp_path).change is schema.Change.NONE


def test_two_processes_admit_each_interaction_once(database_url: str, tmp_path: Path) -> None:
    schema.upgrade(database_url, tmp_path)
    ids = [str(n) for n in range(1, 301)]
    children = [start("admit", database_url, *ids) for _ in range(2)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    outputs = [child.communicate(timeout=60)[0] for child in children]
    assert [child.returncode for child in children] == [0, 0]
    admitted: list[int] = []
    profiles: dict[int, set[int]] = defaultdict(set)
    for line in "".join(outputs).splitlines():
        number, profile_id, member_id = map(int, line.split())
        admitted += [number] if number else []
        profiles[member_id].add(profile_id)
    assert sorted(admitted) == list(range(1, 301))
    assert {member: len(ids) for member, ids in profiles.items()} == dict.fromkeys(range(1, 6), 1)
    assert fetch(database_url, "SELECT count(*) FROM profiles") == [(5,)]
    assert fetch(database_url, "SELECT count(*) FROM audit_log") == [(300,)]

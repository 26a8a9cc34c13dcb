from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from blockbuster import BlockingError

from tests.servers import Server


def test_each_test_has_an_empty_database(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        count = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert count == (0,)


def test_redis_answers_on_its_url(redis_url: str, redis_server: Server) -> None:
    assert redis_url.endswith(f"@127.0.0.1:{redis_server.port}/0")


@pytest.mark.parametrize("kind", ["postgres", "redis"])
def test_a_killed_test_run_leaves_nothing(kind: str, tmp_path: Path, postgres_server: Server) -> None:
    script = f"from tests.servers import start_{kind}; s = start_{kind}(); print(s.folder, flush=True); input()"
    child = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": "/tmp"},
    )
    assert child.stdout is not None
    assert child.stdin is not None
    folder = Path(child.stdout.readline().strip())
    assert folder.is_dir()
    child.kill()
    child.communicate()
    deadline = time.monotonic() + 20
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not folder.exists()


async def test_a_blocking_call_on_the_loop_fails() -> None:
    with pytest.raises(BlockingError):
        time.sleep(0)  # noqa: ASYNC251 - the point of the test

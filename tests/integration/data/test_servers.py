from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
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


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder for temporary files that a server's own user can reach; pytest's are closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize("kind", ["postgres", "redis"])
@pytest.mark.parametrize("when", ["starting", "running"])
def test_a_killed_test_run_leaves_nothing(
    kind: str, when: str, open_folder: Path, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(f"{kind}_server")  # skips where there is none
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"from tests.servers import start_{kind}; start_{kind}(); print('ready', flush=True); input()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(open_folder)},
    )
    assert child.stdout is not None
    if when == "running":
        assert child.stdout.readline() == "ready\n"
    assert wait_for(lambda: any(open_folder.iterdir()))
    child.kill()
    child.communicate()
    assert wait_for(lambda: not any(open_folder.iterdir()))


def wait_for(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 30
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.02)
    return is_so()


async def test_a_blocking_call_on_the_loop_fails() -> None:
    with pytest.raises(BlockingError):
        time.sleep(0)  # noqa: ASYNC251 - the point of the test

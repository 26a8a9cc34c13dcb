from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

from tests.integration.cli.marquee import call, environment


async def test_the_database_is_made_and_known(tmp_path: Path) -> None:
    environ = environment(tmp_path)
    before = await call(environ, "db", "current")
    assert before.code == 1
    assert before.out.startswith("none (needed: ")
    made = await call(environ, "db", "upgrade")
    assert (made.code, made.err) == (0, "")
    assert made.out.startswith("created: revision ")
    assert (await call(environ, "db", "current")).code == 0
    assert (await call(environ, "db", "upgrade")).out.startswith("already at head")


async def test_a_bad_database_url_is_78(tmp_path: Path) -> None:
    ended = await call(environment(tmp_path, DATABASE__URL="mysql://host/db"), "db", "upgrade")
    assert ended.code == 78


async def test_modules_are_listed_with_what_is_set(tmp_path: Path) -> None:
    environ = environment(tmp_path, MODULES__PLAYBACK__VOLUME_STEP="7", MODULES__PLAYBACK__ENABLED="false")
    ended = await call(environ, "modules", "list")
    assert (ended.code, ended.err) == (0, "")
    for words in ("playback", "/play", "built-in", "disabled", "volume_step = 7 (default 10)"):
        assert words in ended.out


async def test_healthcheck_reads_the_port_only(tmp_path: Path) -> None:
    """A mistake elsewhere in the configuration is not its affair, and neither is pydantic."""
    ended = await call(environment(tmp_path, TYPO="1"), "healthcheck")
    assert ended.code == 1
    assert "no answer from 127.0.0.1:" in ended.err
    assert (await call(environment(tmp_path, HTTP__PORT="x"), "healthcheck")).code == 1
    code = "import sys; from daemon.cli.healthcheck import _address; _address(); sys.exit('pydantic' in sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await process.wait() == 0


async def test_a_simulator_takes_the_place_of_the_command(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "daemon", "simulate", "plex", "--size", "small",
        env=environment(tmp_path), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(60):
        told = json.loads(await process.stdout.readline())
    assert told["plex"]["url"].startswith("http://127.0.0.1:")
    assert "discord" not in told
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0

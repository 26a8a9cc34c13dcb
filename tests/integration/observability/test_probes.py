"""What a container's or cluster's probes are told by a daemon that starts, runs and stops."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest

from tests.integration.cli.marquee import answer, call, end, environment, start

SLOW = {
    "manifest.toml": 'id = "slow"\nname = "Slow"\nversion = "1.0"\napi = 1\n',
    "__init__.py": """
import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

GATE = Path(__file__).parent.parent / "open"

@asynccontextmanager
async def setup(ctx):
    while not await asyncio.to_thread(GATE.exists):
        await asyncio.sleep(0.02)
    yield
    await asyncio.sleep(60)
""",
}


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """A folder with a module that starts once a file `open` is there, and takes a minute to stop."""
    folder = tmp_path / "modules" / "slow"
    folder.mkdir(parents=True)
    for name, text in SLOW.items():
        (folder / name).write_text(text)
    return folder.parent


async def probe(environ: Mapping[str, str], path: str) -> tuple[int, str, str]:
    """Status, `Retry-After` and body."""
    url = f"http://127.0.0.1:{environ['MARQUEE_HTTP__PORT']}{path}"
    async with aiohttp.ClientSession() as http, http.get(url) as found:
        return found.status, found.headers.get("Retry-After", ""), await found.text()


async def until(environ: Mapping[str, str], path: str, word: str) -> tuple[int, str, str]:
    """Ask until the body has this word."""
    async with asyncio.timeout(30):
        while True:
            try:
                found = await probe(environ, path)
                if word in found[2]:
                    return found
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.02)


async def test_probes_through_a_life(tmp_path: Path, modules: Path) -> None:
    environ = environment(tmp_path / "data", MODULE_FOLDERS=str(modules))
    process = await start(environ, "run")
    try:
        status, after, body = await until(environ, "/health/startup", "modules")
        assert (status, after, json.loads(body)["status"]) == (503, "5", "fail")
        assert (await answer(environ, "/health/live"))[0] == 200
        starting = await call(environ, "healthcheck")
        assert (starting.code, json.loads(starting.out)["status"]) == (1, "fail")

        await asyncio.to_thread((modules / "open").touch)
        assert await until(environ, "/health/startup", "pass") == (200, "", '{"status":"pass"}')
        assert (await call(environ, "healthcheck")).code == 0

        process.send_signal(signal.SIGTERM)
        status, after, body = await until(environ, "/health/ready", "draining")
        assert (status, after) == (503, "10")
        assert (await probe(environ, "/health/startup"))[0] == 200
        assert (await answer(environ, "/health/live"))[0] == 200
        stopping = await call(environ, "healthcheck")
        assert stopping.code == 1
        assert "draining: the daemon is stopping" in stopping.out
    finally:
        ended = await end(process)
    assert ended.code == 0
    gone = await call(environ, "healthcheck")
    assert (gone.code, gone.out) == (1, "")
    assert "no answer from 127.0.0.1:" in gone.err

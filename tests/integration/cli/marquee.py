"""`python -m daemon ...` as a child process, with nothing of this machine's configuration in its environment."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests import nursery

START_S = 60
END_S = 30


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


def free_port() -> int:
    """A port on loopback that nobody listens at now."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
        return port


def environment(data_dir: Path, **variables: str) -> dict[str, str]:
    """The environment of a command: a data folder, a free port, JSON logs, and the given MARQUEE_* variables."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("MARQUEE_") and name != "KEEP"}
    fixed = {
        "MARQUEE_CONFIG": os.devnull,
        "MARQUEE_DATA_DIR": str(data_dir),
        "MARQUEE_HTTP__PORT": str(free_port()),
        "MARQUEE_LOG__FORMAT": "json",
        "COLUMNS": "200",
    }
    return bare | fixed | {f"MARQUEE_{name}": value for name, value in variables.items()}


async def start(environ: Mapping[str, str], *arguments: str) -> nursery.Child:
    """The command, running, its output in pipes."""
    return await nursery.spawn("daemon", *arguments, environ=environ, stdout=nursery.PIPE, stderr=nursery.PIPE)


async def end(process: nursery.Child, sign: signal.Signals | None = None) -> Ended:
    """Send a signal, if one is given, and wait for the end; a process that does not end is killed."""
    if sign is not None:
        process.send_signal(sign)
    try:
        async with asyncio.timeout(END_S):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        out, err = await process.communicate()
    return Ended(process.returncode or 0, out.decode(), err.decode())


async def call(environ: Mapping[str, str], *arguments: str) -> Ended:
    """Run the command to its end."""
    return await end(await start(environ, *arguments))


async def answer(environ: Mapping[str, str], path: str) -> tuple[int, str]:
    """What the daemon of this environment answers at `path`."""
    url = f"http://127.0.0.1:{environ['MARQUEE_HTTP__PORT']}{path}"
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return answer.status, await answer.text()


@asynccontextmanager
async def running(environ: Mapping[str, str]) -> AsyncIterator[nursery.Child]:
    """`run`, ready; ended when the test did not."""
    process = await start(environ, "run")
    try:
        await until_ready(environ, process)
        yield process
    finally:
        if process.returncode is None:
            await end(process, signal.SIGKILL)


async def until_ready(environ: Mapping[str, str], process: nursery.Child) -> None:
    """Return when /health/ready answers 200."""
    async with asyncio.timeout(START_S):
        while True:
            if process.returncode is not None:
                raise AssertionError((await end(process)).err)
            try:
                if (await answer(environ, "/health/ready"))[0] == 200:
                    return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)

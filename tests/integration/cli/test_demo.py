"""The demo: everything starts with one command and nothing is left when it ends, however it ends."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests import nursery
from tests.integration.cli.marquee import END_S, START_S, end, environment, free_port, start

pytestmark = pytest.mark.xdist_group("demo")  # each runs two processes; not beside one another


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo, and what it has said up to its last line of greeting."""

    process: nursery.Child
    said: str
    port: int
    simulators: int  # process id


@pytest.fixture
def temp(tmp_path: Path) -> Path:
    """The folder that the demo takes for temporary files: what is left is seen."""
    folder = tmp_path / "temp"
    folder.mkdir()
    return folder


def neighbours() -> int:
    """A free port whose neighbour is free, too."""
    while True:
        port = free_port()
        with socket.socket() as door:
            try:
                door.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


def children(pid: int) -> list[int]:
    """Process ids of the children of `pid`."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def is_gone(pid: int) -> bool:
    """Whether no such process runs; one that nobody has waited for is gone, too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@asynccontextmanager
async def demo(temp: Path, port: int, **variables: str) -> AsyncIterator[Demo]:
    """A demo that has greeted; killed at the end when the test has not ended it."""
    environ = environment(temp, HTTP__PORT=str(port)) | {"TMPDIR": str(temp)} | variables
    process = await start(environ, "demo")
    try:
        yield Demo(process, await greeting(process), port, (await asyncio.to_thread(children, process.pid))[0])
    finally:
        if process.returncode is None:
            await end(process, signal.SIGKILL)


async def greeting(process: nursery.Child) -> str:
    assert process.stdout is not None
    said = ""
    async with asyncio.timeout(START_S):
        while "Ctrl-C stops everything" not in said:
            line = await process.stdout.readline()
            if not line:
                raise AssertionError((await end(process)).err)
            said += line.decode()
    return said


async def until(is_true: Callable[[], bool]) -> None:
    async with asyncio.timeout(END_S):
        while not await asyncio.to_thread(is_true):  # noqa: ASYNC110  another process
            await asyncio.sleep(0.05)


async def status_of(port: int, path: str) -> int:
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status


async def test_it_says_where_things_are_and_leaves_nothing(temp: Path) -> None:
    async with demo(temp, neighbours()) as running:
        assert f"http://127.0.0.1:{running.port}" in running.said
        assert f"http://127.0.0.1:{running.port + 1}" in running.said
        assert "/play" in running.said
        assert "taken" not in running.said
        assert await status_of(running.port, "/health/ready") == 200
        assert await status_of(running.port + 1, "/") == 200
        assert len(await asyncio.to_thread(os.listdir, temp)) > 0
        ended = await end(running.process, signal.SIGINT)
    assert (ended.code, ended.out.strip()) == (0, "Stopped.")
    assert "Traceback" not in ended.err
    assert await asyncio.to_thread(is_gone, running.simulators)
    assert await asyncio.to_thread(os.listdir, temp) == []


async def test_ctrl_c_while_it_starts_leaves_nothing_either(temp: Path) -> None:
    environ = environment(temp, HTTP__PORT=str(neighbours())) | {"TMPDIR": str(temp)}
    process = await start(environ, "demo")
    await until(lambda: bool(children(process.pid)))  # the simulators have been started, the daemon has not
    simulators = (await asyncio.to_thread(children, process.pid))[0]
    ended = await end(process, signal.SIGINT)
    assert (ended.code, ended.out.splitlines()[-1]) == (0, "Stopped.")
    assert "Traceback" not in ended.err
    await until(lambda: is_gone(simulators))
    assert await asyncio.to_thread(os.listdir, temp) == []


async def health(port: int) -> dict[str, Any]:
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/health") as answer:
        checks: dict[str, Any] = (await answer.json(content_type=None))["checks"]
        return checks


async def test_the_bot_listens_when_the_greeting_comes(temp: Path) -> None:
    async with demo(temp, neighbours()) as running:
        checks = await health(running.port)
        assert checks["discord:marquee"][0]["output"].startswith("connected")
        async with asyncio.timeout(20):  # the bot listens before Discord has confirmed its commands
            while "discord:marquee:commands" not in checks:
                await asyncio.sleep(0.05)
                checks = await health(running.port)
        assert checks["discord:marquee:commands"][0]["status"] == "pass"
        await end(running.process, signal.SIGTERM)


async def test_a_taken_port_is_told_and_another_one_chosen(temp: Path) -> None:
    port = neighbours()
    with socket.socket() as door:
        door.bind(("127.0.0.1", port + 1))
        door.listen()
        async with demo(temp, port) as running:
            assert f"Port {port + 1}, meant for the chat page, is taken by another program." in running.said
            found = re.search(r"Using ports (\d+) and (\d+) instead\.", running.said)
            assert found is not None
            steps = (int(found[1]) - port, int(found[2]) - port)  # the next pair may be taken, too
            assert steps[0] >= 10
            assert (steps[0] % 10, steps[1]) == (0, steps[0] + 1)
            assert await status_of(int(found[1]), "/ping") == 200
            assert await status_of(int(found[2]), "/") == 200
            assert (await end(running.process, signal.SIGTERM)).code == 0


async def test_kept_data_stays(temp: Path, tmp_path: Path) -> None:
    async with demo(temp, neighbours(), KEEP="1", MARQUEE_DATA_DIR=str(tmp_path / "kept")) as running:
        assert (await end(running.process, signal.SIGINT)).code == 0
    assert await asyncio.to_thread((tmp_path / "kept" / "demo" / "marquee.db").is_file)


async def test_the_simulators_end_with_a_daemon_that_is_killed(temp: Path) -> None:
    async with demo(temp, neighbours()) as running:
        await end(running.process, signal.SIGKILL)
        await until(lambda: is_gone(running.simulators))


async def test_the_demo_ends_with_its_simulators(temp: Path) -> None:
    async with demo(temp, neighbours()) as running:
        os.kill(running.simulators, signal.SIGKILL)
        ended = await end(running.process)
    assert ended.code == 1
    assert "The simulators have ended" in ended.err


async def test_the_real_world_stays_out_of_the_demo(temp: Path) -> None:
    """Whatever servers and tokens the machine is set up with, the demo talks to its simulators alone."""
    real = {
        "MARQUEE_PLEX__SERVERS__HOME__URL": "http://192.0.2.1:32400",
        "MARQUEE_PLEX__SERVERS__HOME__TOKEN": "real",
        "MARQUEE_DISCORD__BOTS__HOME__TOKEN": "real",
    }
    async with demo(temp, neighbours(), **real) as running:
        url = f"http://127.0.0.1:{running.port}/health"
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            checks = (await answer.json(content_type=None))["checks"]
        assert not any("home" in name for name in checks)
        await end(running.process, signal.SIGTERM)


async def test_alice_controls_players_and_bob_does_not(temp: Path) -> None:
    """What the greeting promises of bob is worth something only when others may."""
    async with demo(temp, neighbours()) as running:
        await until_connected(running.port)
        async with aiohttp.ClientSession(f"http://127.0.0.1:{running.port + 1}") as http:
            assert "not_allowed" in await pausing(http, "bob")
            assert "not_allowed" not in await pausing(http, "alice")
        await end(running.process, signal.SIGTERM)


async def until_connected(port: int) -> None:
    """Return when the bot of the demo takes commands."""
    async with asyncio.timeout(START_S), aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
        while True:
            async with http.get("/health") as answer:
                checks = (await answer.json(content_type=None))["checks"]
            bots = [check[0]["status"] for name, check in checks.items() if name.startswith("discord:")]
            if bots and set(bots) == {"pass"}:
                return
            await asyncio.sleep(0.05)


async def pausing(http: aiohttp.ClientSession, name: str) -> str:
    """Everything that a member sees in the first channel after /pause there."""
    state = await chat_state(http)
    member = next(one["id"] for one in state["members"] if one["name"].lower() == name)
    command = next(one["id"] for one in state["commands"] if one["name"] == "pause")
    channel = state["channels"][0]["id"]
    asked = {"as": member, "channel": channel, "command_id": command, "path": ["pause"], "options": {}}
    async with http.post("/api/run", json=asked) as answer:
        assert answer.status == 200, await answer.text()
    return str((await chat_state(http, **{"as": member}))["messages"][channel])


async def chat_state(http: aiohttp.ClientSession, **query: str) -> dict[str, Any]:
    async with http.ws_connect("/api/live", params=query) as live:
        return dict(await live.receive_json(timeout=START_S))

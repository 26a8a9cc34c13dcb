"""Arms of a comparison: child processes that take the same number of messages round by round, interleaved."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from benchmarks.process import ROOT, bare_environment, open_log
from benchmarks.rows import median

PEERS = ROOT / "build" / "peers"


@dataclass(frozen=True)
class Arm:
    """A program that speaks the protocol of `benchmarks.peers.rounds`, and how many messages a round has."""

    name: str
    command: Sequence[str]
    count: int
    warm_up: int = 0  # messages of the round before the first; 0: a tenth


@dataclass
class Result:
    """One figure a round."""

    per_second: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    others: dict[str, list[float]] = field(default_factory=dict)  # what else the program told

    @property
    def rate(self) -> float:
        """Median of messages a second."""
        return median(self.per_second)

    def add(self, told: Mapping[str, float], count: int) -> None:
        """Keep what a round of `count` messages told."""
        self.per_second.append(count / told["seconds"])
        self.cpu_us.append(told["cpu_s"] / count * 1e6)
        for name, value in told.items():
            if name not in ("seconds", "cpu_s"):
                self.others.setdefault(name, []).append(value)


async def compare(arms: Sequence[Arm], rounds: int = 5) -> dict[str, Result]:
    """Every arm once to warm up, then `rounds` times, one after the other in turn."""
    results = {arm.name: Result() for arm in arms}
    async with AsyncExitStack() as stack:
        children = [(arm, await stack.enter_async_context(_child(arm.command))) for arm in arms]
        for number in range(rounds + 1):
            for arm, child in children:
                told = await _round(arm, child, arm.count if number else arm.warm_up or max(100, arm.count // 10))
                if number:
                    results[arm.name].add(told, arm.count)
    return results


async def peer_python(name: str, *packages: str) -> str:
    """The interpreter of an environment with `packages`, made under build/ at the first use: they want other versions
    of the libraries that we use."""
    folder = PEERS / name
    python = folder / "bin" / "python"
    mark = folder / "installed"
    wanted = " ".join(packages)
    if not (await asyncio.to_thread(mark.is_file)) or await asyncio.to_thread(mark.read_text) != wanted:
        await _run(sys.executable, "-m", "venv", "--without-pip", "--clear", str(folder))
        uv = ROOT / ".uv" / "bin" / "uv"
        if await asyncio.to_thread(uv.is_file):
            await _run(str(uv), "pip", "install", "--quiet", "--python", str(python), *packages)
        else:
            await _run("python3", "-m", "pip", "--python", str(python), "install", "--quiet", *packages)
        await asyncio.to_thread(mark.write_text, wanted)
    return str(python)


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, "UV_SYSTEM_CERTS": "1"})
    if await process.wait() != 0:
        raise RuntimeError(f"{command[0]} failed")


async def _round(arm: Arm, child: asyncio.subprocess.Process, count: int) -> Mapping[str, float]:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(f"{count}\n".encode())
    await child.stdin.drain()
    async with asyncio.timeout(300):
        line = await child.stdout.readline()
    if not line:
        raise RuntimeError(f"{arm.name} ended; build/bench.log says why")
    told: dict[str, float] = json.loads(line)
    return told


@asynccontextmanager
async def _child(command: Sequence[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    with open_log() as errors:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=bare_environment(), stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=errors,
        )  # fmt: skip
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 20)
        if process.returncode is None:
            process.kill()
            await process.wait()

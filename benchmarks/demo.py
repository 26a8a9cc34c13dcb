"""The second start of the demo: from the command to the lines that say where the pages are."""

from __future__ import annotations

import asyncio
import os
import signal
import time

from benchmarks.process import ROOT
from benchmarks.rows import Row, alone, median
from benchmarks.stage import free_port

ROUNDS = 3


async def measure() -> list[Row]:
    await _start()  # the first one warms the bytecode, as it does for a person
    return [alone("demo.second_start", median([await _start() for _ in range(ROUNDS)]), "s", at_most=5.0)]


async def _start() -> float:
    start = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        "make", "--no-print-directory", "demo", cwd=ROOT, stdout=asyncio.subprocess.PIPE, start_new_session=True,
        env={**os.environ, "MARQUEE_HTTP__PORT": str(free_port())},
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            while b"Chat page" not in await process.stdout.readline():
                pass
        return time.perf_counter() - start
    finally:
        os.killpg(process.pid, signal.SIGINT)
        await process.wait()

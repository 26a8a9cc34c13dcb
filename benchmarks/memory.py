"""Idle memory, connected to both simulators, beside the bare imports of the libraries that a daemon uses."""

from __future__ import annotations

import asyncio

from benchmarks.process import resident_mb, running
from benchmarks.rows import Row, alone, beside, median
from benchmarks.stage import daemon, offers, stage

ROUNDS = 3
SETTLE_S = 3.0


async def measure() -> list[Row]:
    ours: list[float] = []
    bare: list[float] = []
    ready: list[float] = []
    for _ in range(ROUNDS):
        async with stage() as on, daemon(on) as marquee:
            await offers(on, "play")
            await on.alice.type_in("play", "title", "a")
            await asyncio.sleep(SETTLE_S)
            ours.append(resident_mb(marquee.pid))
            ready.append(marquee.ready_s)
        async with running("-m", "benchmarks.peers.bare_imports") as process:
            assert process.stdout is not None
            await process.stdout.readline()
            bare.append(resident_mb(process.pid))
    return [
        beside("memory.idle", median(ours), "MB", "bare imports", median(bare), at_most=1.15),
        alone("start.to_ready", median(ready), "s"),
    ]

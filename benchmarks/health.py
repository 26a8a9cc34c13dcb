"""Requests per second of /health/ready beside an aiohttp handler with a constant body."""

from __future__ import annotations

from benchmarks import load
from benchmarks.process import running
from benchmarks.rows import Row, beside, median
from benchmarks.stage import answers, daemon, free_port, stage

ROUNDS = 5
SECONDS = 2.0
CONNECTIONS = 10
PATH = "/health/ready"


async def measure() -> list[Row]:
    port = free_port()
    ours: list[float] = []
    bare: list[float] = []
    async with stage() as on, daemon(on) as marquee, running("-m", "benchmarks.peers.bare_http", str(port)):
        await answers(f"http://127.0.0.1:{port}{PATH}")
        for _ in range(ROUNDS):
            for at, into in ((marquee.port, ours), (port, bare)):
                into.append(await load.requests_per_second(at, PATH, connections=CONNECTIONS, seconds=SECONDS))
    return [beside("http.health_ready", median(ours), "requests/s", "bare aiohttp handler", median(bare), at_least=0.9)]

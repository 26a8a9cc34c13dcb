"""The mirror: first fill, a look at what did not change, a whole reading, changes; the reader beside plexapi."""

from __future__ import annotations

import asyncio
import json
import tempfile
from typing import Any

from benchmarks.process import running
from benchmarks.rows import Row, alone, beside
from simulators.plex.items import Item
from simulators.plex.scan import appear
from simulators.plex.sim import PlexSim

SIZE = "100k"
PEER_FILMS = 5_000  # plexapi takes its time
CHANGED = 50
_PATIENCE_S = 1_200
MOVIES = 1


async def measure() -> list[Row]:
    async with PlexSim(seed=7, size=SIZE, life=False) as sim:
        ours = await _ours(sim)
        peer = await _peer(sim)
    read, titles = ours["read"], ours["read"]["titles"]
    per_title, peers = titles / read["cpu_s"], peer["titles"] / peer["cpu_s"]
    return [
        beside("library.reader", per_title, "titles/CPU s", "plexapi, the same fields", peers, at_least=20),
        alone("library.fill_cpu", ours["fill"]["cpu_s"], "CPU s", at_most=12),
        alone("library.fill_wall", ours["fill"]["seconds"], "s"),
        alone("library.fill_peak", ours["fill"]["peak_mb"], "MB", at_most=150),
        alone("library.fill_lag_p99", ours["fill"]["lag_p99_ms"], "ms", at_most=20),
        alone("library.unchanged_cpu", ours["unchanged"]["cpu_s"], "CPU s", at_most=3),
        alone("library.whole_again_cpu", ours["again"]["cpu_s"], "CPU s"),
        alone("library.search_file_cpu", ours["search"]["cpu_s"], "CPU s"),
        alone("library.search_file_lag_p99", ours["search"]["lag_p99_ms"], "ms", at_most=20),
        alone("library.changes_searchable", ours["delta"]["seconds"], "s", at_most=2),
    ]


async def _ours(sim: PlexSim) -> dict[str, Any]:
    told: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as folder:
        async with running("-m", "benchmarks.ours.mirror", sim.url, sim.token, folder) as child:
            assert child.stdout is not None
            assert child.stdin is not None
            async with asyncio.timeout(_PATIENCE_S):
                while line := await child.stdout.readline():
                    phase = json.loads(line)
                    told[phase["phase"]] = phase
                    if phase["phase"] == "ready":
                        child.stdin.write(json.dumps(_change(sim)).encode() + b"\n")
                        await child.stdin.drain()
    if "delta" not in told:
        raise RuntimeError("the mirror ended early; build/bench.log says why")
    return told


def _change(sim: PlexSim) -> dict[str, list[Any]]:
    now = int(sim.clock.now())
    made = [
        appear(sim.server, Item(0, "movie", f"Zyxwv Bench {n}", MOVIES, now + n, 2026, 5_400_000, ("Drama",)))
        for n in range(CHANGED)
    ]
    return {"keys": [item.key for item in made], "names": [item.title for item in made]}


async def _peer(sim: PlexSim) -> dict[str, float]:
    arguments = (sim.url, sim.token, "Movies", str(PEER_FILMS))
    async with running("-m", "benchmarks.peers.library_plexapi", *arguments) as child:
        assert child.stdout is not None
        async with asyncio.timeout(_PATIENCE_S):
            line = await child.stdout.readline()
    if not line:
        raise RuntimeError("plexapi ended early; build/bench.log says why")
    told: dict[str, float] = json.loads(line)
    return told

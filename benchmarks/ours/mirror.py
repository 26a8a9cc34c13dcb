"""Our mirror of a simulated server, phase after phase, a JSON line each. Usage: URL TOKEN FOLDER

Each line tells the CPU and wall seconds of a phase, the resident memory at its end and the event loop's lag in it.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from benchmarks.ours.backbone import lag_of_loop
from benchmarks.rows import percentile
from daemon.core.ids import ServerId
from daemon.data import schema
from daemon.data.store import Store
from daemon.kernel import logs
from daemon.kernel.clock import SystemClock
from daemon.kernel.health import Health
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.library import Mirror, Search
from integrations.plex import PlexServerConfig, PlexTimeouts
from integrations.plex.mirror import MirrorReader
from integrations.plex.mirror_readers import readers

CINEMA = ServerId("cinema")
CHANGED = 50


async def main(url: str, token: str, folder: Path) -> None:
    logs.configure("console", "error", [])
    metrics, clock = Metrics(), SystemClock()
    supervisor = Supervisor(log=structlog.get_logger("bench"))
    database = f"sqlite:///{folder}/marquee.db"
    await schema.ensure_head(database, folder)
    store = await Store.open(database, metrics=metrics)
    configs = {CINEMA: PlexServerConfig(url, token)}
    async with readers(configs, "marquee-bench", PlexTimeouts(), metrics, Health(supervisor, clock)) as sources:
        reader = sources[CINEMA]
        mirror = Mirror(store, clock, metrics, process="bench", rng=random.Random(1))
        await _phase("read", lambda: _read(reader))
        await _phase("fill", lambda: mirror.sync(reader))
        await _phase("unchanged", lambda: mirror.sync(reader))
        await _phase("again", lambda: mirror.sync(reader, afresh=True))
        search = Search(store, folder / "search.sqlite3", supervisor)
        await _phase("search", search.catch_up)
        print(json.dumps({"phase": "ready"}), flush=True)
        # The parent has changed titles by now and tells their keys and names.
        line = json.loads(await asyncio.to_thread(sys.stdin.readline))
        await search.start()

        async def follow() -> None:
            await mirror.catch_up(reader, line["keys"])
            while not all([await search.suggest(name) for name in line["names"]]):
                await asyncio.sleep(0.01)

        await _phase("delta", follow)
        await search.stop()
    await store.close()


async def _read(reader: MirrorReader) -> int:
    """Every title of every library, and nothing else."""
    total = 0
    for library in await reader.libraries():
        for kind in library.kind.kinds:
            start = count = 0
            while not count or start < count:
                page = await reader.page(library.key, kind, start)
                total += len(page.titles)
                start, count = start + page.entries, page.total
                if not page.entries:
                    break
    return total


async def _phase(name: str, work: Callable[[], Awaitable[object]]) -> None:
    async with lag_of_loop() as lags_ms:
        cpu, wall = time.process_time(), time.perf_counter()
        result = await work()
        told = {"cpu_s": time.process_time() - cpu, "seconds": time.perf_counter() - wall}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    told |= {"peak_mb": peak, "lag_p99_ms": percentile(lags_ms, 99), "lag_max_ms": max(lags_ms, default=0.0)}
    titles = result if isinstance(result, int) else 0
    print(json.dumps({"phase": name, "titles": titles, **told}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))

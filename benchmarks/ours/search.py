"""Our search over made-up titles, a JSON line at the end. Usage: FOLDER TITLES SAMPLES

The queries are what somebody types who looks for one of the titles: its first letters, its name with one mistake.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import structlog

from benchmarks.ours.backbone import lag_of_loop
from benchmarks.rows import percentile
from daemon.core.ids import ServerId
from daemon.core.limits import SEARCH_BATCH
from daemon.core.visibility import LibraryRef
from daemon.data import schema
from daemon.data.search import file
from daemon.data.search.file import Doc, Known
from daemon.data.store import Store
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.library import Search
from simulators.plex import words

AT_ONCE = 8
BATCH = SEARCH_BATCH
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def titles(count: int) -> list[tuple[str, int]]:
    """(name, year), the same ones each time."""
    rng = random.Random(11)
    made: dict[str, int] = {}
    parts = [[word.title() for word in group] for group in (words.ADJECTIVES, words.NOUNS, words.PLACES)]
    while len(made) < count:
        adjective, noun, place = (rng.choice(group) for group in parts)
        other, name = rng.choice(parts[1]), rng.choice(words.FIRST_NAMES)
        shape = rng.randrange(4)
        name = (
            f"The {adjective} {noun} of {place}", f"{name} and the {adjective} {noun}", f"{place} {noun} {other}",
            f"A {noun} for {name} {rng.choice(words.LAST_NAMES)}",
        )[shape]  # fmt: skip
        if name in made:
            name += f" {rng.choice(LETTERS)}{rng.choice(LETTERS)}{rng.choice(LETTERS)}{rng.choice(LETTERS)}"
        made[name] = 1950 + rng.randrange(75)
    return list(made.items())


def fill(path: Path, made: list[tuple[str, int]]) -> None:
    """A search file of one library of films."""
    connection = file.open_file(path)
    for at in range(0, len(made), BATCH):
        docs = [
            Doc(number, 1, 0, "cinema", number, name, year, 5_400_000, None, None, None, None, None, None, None, None)
            for number, (name, year) in enumerate(made[at : at + BATCH], at + 1)
        ]
        file.put(connection, Known(1, LibraryRef(ServerId("cinema"), "1"), "Movies", 1, at), docs)
    file.optimize(connection)
    connection.close()


def mistype(name: str, rng: random.Random) -> str:
    """One letter lost, doubled, changed or swapped with its neighbour, the first one never."""
    at = rng.randrange(1, len(name) - 1)
    return (
        name[:at] + name[at + 1 :], name[:at] + name[at] + name[at:], name[:at] + rng.choice(LETTERS) + name[at + 1 :],
        name[:at] + name[at + 1] + name[at] + name[at + 2 :],
    )[rng.randrange(4)]  # fmt: skip


async def main(folder: Path, count: int, samples: int) -> None:
    made = await asyncio.to_thread(titles, count)
    cpu = time.process_time()
    await asyncio.to_thread(fill, folder / "search.sqlite3", made)
    told: dict[str, Any] = {"build_cpu_s": time.process_time() - cpu}
    database = f"sqlite:///{folder}/marquee.db"
    await schema.ensure_head(database, folder)
    store = await Store.open(database, metrics=Metrics())
    search = Search(store, folder / "search.sqlite3", Supervisor(log=structlog.get_logger("bench")))
    rng = random.Random(5)
    asked = [rng.choice(made)[0] for _ in range(samples)]
    prefixes = [name[: rng.randrange(2, 12)] for name in asked]
    for prefix in prefixes[:50]:
        await search.suggest(prefix)
    async with lag_of_loop() as lags_ms:
        told |= _named("one", await _timed(search, prefixes, 1))
        told |= _named("eight", await _timed(search, prefixes, AT_ONCE))
        typos = asked[: max(200, samples // 5)]
        times, found = [], 0
        for name in typos:
            began = time.perf_counter()
            answer = await search.find(mistype(name, rng), limit=10)
            times.append(time.perf_counter() - began)
            found += any(title.name == name for title in answer.titles)
    told |= _named("typo", times)
    told |= {
        "recall": found / len(typos),
        "lag_p99_ms": percentile(lags_ms, 99),
        "lag_max_ms": max(lags_ms, default=0.0),
    }
    told["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    told["file_mb"] = (folder / "search.sqlite3").stat().st_size / 1e6
    await search.stop()
    await store.close()
    print(json.dumps(told), flush=True)


async def _timed(search: Search, queries: list[str], at_once: int) -> list[float]:
    times: list[float] = []

    async def ask(mine: list[str]) -> None:
        for query in mine:
            began = time.perf_counter()
            await search.suggest(query)
            times.append(time.perf_counter() - began)

    await asyncio.gather(*(ask(queries[number::at_once]) for number in range(at_once)))
    return times


def _named(name: str, times: list[float]) -> dict[str, float]:
    return {f"{name}_p50_ms": percentile(times, 50) * 1000, f"{name}_p99_ms": percentile(times, 99) * 1000}


if __name__ == "__main__":
    assert sqlite3.sqlite_version_info >= (3, 35)
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))

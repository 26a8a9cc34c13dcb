"""`make bench`: every measured aim beside its peer, in one run. Names of suites as arguments run only those."""

from __future__ import annotations

import asyncio
import importlib
import os
import platform
import sys

from benchmarks.rows import Row, as_table, save

SUITES = ("commands", "memory", "demo", "health", "store", "queue", "events", "library", "search", "idle")


async def main(names: list[str]) -> int:
    unknown = set(names) - set(SUITES)
    if unknown:
        print(f"no such suite: {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}", file=sys.stderr)
        return 2
    rows: list[Row] = []
    for name in names or SUITES:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        rows += await importlib.import_module(f"benchmarks.{name}").measure()
    save(rows)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}\n")
    print(as_table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))

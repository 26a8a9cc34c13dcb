"""Units of work a second through the store, beside the drivers by hand with the same invariants."""

from __future__ import annotations

import sys
import tempfile

from benchmarks.arms import Arm, compare
from benchmarks.rows import Row, beside
from tests.servers import start_postgres

SQLITE_UNITS = 20_000
POSTGRESQL_UNITS = 3_000
PYTHON = sys.executable


async def measure() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as folder:
        results = await compare(
            [
                Arm("ours", [PYTHON, "-m", "benchmarks.ours.store", f"sqlite:///{folder}/ours.db"], SQLITE_UNITS),
                Arm("raw", [PYTHON, "-m", "benchmarks.peers.store_sqlite", f"{folder}/raw.db"], SQLITE_UNITS),
            ]
        )
    rows = [beside("store.sqlite", results["ours"].rate, "units/s", "raw sqlite3, 64 a commit", results["raw"].rate)]
    server = start_postgres(is_durable=True)
    try:
        url = f"postgresql://{server.name}@127.0.0.1:{server.port}"
        databases = [f"{url}/postgres", f"{url}/template1"]  # two that a fresh cluster has
        results = await compare(
            [
                Arm("ours", [PYTHON, "-m", "benchmarks.ours.store", databases[0]], POSTGRESQL_UNITS),
                Arm("raw", [PYTHON, "-m", "benchmarks.peers.store_psycopg", databases[1]], POSTGRESQL_UNITS),
            ]
        )
    finally:
        server.stop()
    peer = "raw psycopg, 6 threads"
    return [*rows, beside("store.postgresql", results["ours"].rate, "units/s", peer, results["raw"].rate)]

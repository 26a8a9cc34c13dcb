"""Events: how many a second are published, each in its unit, and handled with an effect each; and how soon."""

from __future__ import annotations

import sys
import tempfile

from benchmarks.arms import Arm, Result, compare
from benchmarks.rows import Row, alone, median
from tests.servers import start_postgres

FAST = 10_000  # a round
PACED = 500  # a second
PACED_S = 4
POSTGRESQL_FAST = 3_000


async def measure() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as folder:
        server = start_postgres(is_durable=True)
        try:
            postgresql = f"postgresql://{server.name}@127.0.0.1:{server.port}"
            # One after the other: the steady load of one arm would be felt by the other.
            results = await compare([_arm("sqlite", f"sqlite:///{folder}/fast.db", 0, FAST)])
            results |= await compare([_arm("sqlite paced", f"sqlite:///{folder}/paced.db", PACED, PACED * PACED_S)])
            results |= await compare([_arm("postgresql", f"{postgresql}/postgres", 0, POSTGRESQL_FAST)])
            results |= await compare([_arm("postgresql paced", f"{postgresql}/template1", PACED, PACED * PACED_S)])
        finally:
            server.stop()
    return [
        alone("events.sqlite", results["sqlite"].rate, "events/s", at_least=5_000),
        alone("events.sqlite_delay_p50", _delay(results["sqlite paced"], "p50_ms"), "ms"),
        alone("events.sqlite_delay_p99", _delay(results["sqlite paced"], "p99_ms"), "ms", at_most=20),
        alone("events.postgresql", results["postgresql"].rate, "events/s"),
        alone("events.postgresql_delay_p50", _delay(results["postgresql paced"], "p50_ms"), "ms"),
        alone("events.postgresql_delay_p99", _delay(results["postgresql paced"], "p99_ms"), "ms"),
    ]


def _arm(name: str, database: str, per_second: int, count: int) -> Arm:
    return Arm(name, [sys.executable, "-m", "benchmarks.ours.events", database, str(per_second)], count)


def _delay(result: Result, name: str) -> float:
    return median(result.others[name])

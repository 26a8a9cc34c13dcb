"""The queue end to end, beside raw Redis Streams, raw SQLite, arq and taskiq: one process puts and handles."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.arms import Arm, Result, compare, peer_python
from benchmarks.rows import Row, alone, beside, median
from tests.servers import start_postgres, start_redis

SMALL = 1024
OURS = 20_000  # messages a round
POSTGRESQL = 10_000
PEERS = 2_000
LARGE = ((100 * 1000, 400), (10 * 1000 * 1000, 12))  # bytes, messages a round
PYTHON = sys.executable
BY_HAND = "raw redis-py Streams, 100 a round trip"


async def measure() -> list[Row]:
    arq = await peer_python("arq", "arq", "hiredis")
    taskiq = await peer_python("taskiq", "taskiq", "taskiq-redis", "hiredis")
    with _servers() as (folder, postgresql, redis):
        results = await compare(
            [
                _ours("sqlite", f"sqlite:///{folder}/ours.db", "", SMALL, OURS),
                Arm("raw sqlite", [PYTHON, "-m", "benchmarks.peers.queue_sqlite", f"{folder}/raw.db"], OURS),
                _ours("redis", f"sqlite:///{folder}/streams.db", f"{redis}/0", SMALL, OURS),
                Arm("streams", [PYTHON, "-m", "benchmarks.peers.queue_streams", f"{redis}/1"], OURS),
                _ours("postgresql", f"{postgresql}/postgres", "", SMALL, POSTGRESQL),
                _ours("redis and postgresql", f"{postgresql}/template1", f"{redis}/0", SMALL, POSTGRESQL),
                Arm("arq", [arq, "benchmarks/peers/queue_arq.py", f"{redis}/2"], PEERS),
                Arm("taskiq", [taskiq, "benchmarks/peers/queue_taskiq.py", f"{redis}/3"], PEERS),
            ]
        )
        large = await compare(
            [_ours(str(size), f"sqlite:///{folder}/{size}.db", "", size, count) for size, count in LARGE]
        )
    return [*_small(results), *(row for size, _ in LARGE for row in _large(size, large[str(size)]))]


@contextmanager
def _servers() -> Iterator[tuple[str, str, str]]:
    """A folder and the URLs of PostgreSQL and Redis, both as durable as in production."""
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as folder:
        postgres, redis = start_postgres(is_durable=True), start_redis(is_durable=True)
        try:
            yield (
                folder,
                f"postgresql://{postgres.name}@127.0.0.1:{postgres.port}",
                f"redis://:{redis.password}@127.0.0.1:{redis.port}",
            )
        finally:
            redis.stop()
            postgres.stop()


def _ours(name: str, database: str, redis: str, size_bytes: int, count: int) -> Arm:
    command = [PYTHON, "-m", "benchmarks.ours.queue", database, redis, str(size_bytes)]
    return Arm(name, command, count, warm_up=max(2, count // 10))


def _small(results: dict[str, Result]) -> list[Row]:
    rate = {name: result.rate for name, result in results.items()}
    faster = max("arq", "taskiq", key=lambda name: rate[name])
    return [
        alone("queue.sqlite", rate["sqlite"], "messages/s", at_least=25_000),
        alone("queue.sqlite_cpu", median(results["sqlite"].cpu_us), "us/message"),
        beside(
            "queue.sqlite_beside_raw", rate["sqlite"], "messages/s", "raw sqlite3, 100 a commit", rate["raw sqlite"]
        ),
        alone("queue.postgresql", rate["postgresql"], "messages/s"),
        beside("queue.redis", rate["redis"], "messages/s", BY_HAND, rate["streams"], at_least=0.7),
        beside("queue.redis_postgresql", rate["redis and postgresql"], "messages/s", BY_HAND, rate["streams"]),
        beside("queue.redis_beside_arq", rate["redis"], "messages/s", "arq", rate["arq"]),
        beside("queue.redis_beside_taskiq", rate["redis"], "messages/s", "taskiq", rate["taskiq"]),
        beside("queue.redis_beside_faster", rate["redis"], "messages/s", faster, rate[faster], at_least=5),
    ]


def _large(size_bytes: int, result: Result) -> list[Row]:
    name = f"queue.sqlite_{size_bytes // 1000}kb"
    return [
        alone(name, result.rate * size_bytes / 1e6, "MB/s"),
        alone(f"{name}_loop_lag_p99", median(result.others["lag_p99_ms"]), "ms"),
    ]

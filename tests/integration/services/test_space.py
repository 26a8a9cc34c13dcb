from __future__ import annotations

import random
from pathlib import Path

from sqlalchemy import text

from daemon.data.size import size_bytes
from daemon.data.store import Store
from daemon.kernel.health import Status
from daemon.kernel.metrics import Metrics
from daemon.services.space import check_space


async def test_sizes_are_measured(store: Store, metrics: Metrics, tmp_path: Path) -> None:
    before = await store.read(size_bytes)
    await store.write(lambda tx: tx.execute(text("CREATE TABLE large (body TEXT)")) and None)
    await store.write(lambda tx: tx.execute(text("INSERT INTO large VALUES (:body)"), {"body": _noise()}) and None)
    check = await check_space(store, tmp_path, metrics)
    assert check.status in (Status.PASS, Status.WARN)  # as this machine is
    size = metrics.registry.get_sample_value("marquee_database_size_bytes")
    free, total = (metrics.registry.get_sample_value(f"marquee_disk_{name}_bytes") for name in ("free", "size"))
    assert size is not None
    assert size >= before + 500_000
    assert free is not None
    assert total is not None
    assert 0 < free <= total
    assert check.observed == free


def _noise() -> str:
    """A megabyte that PostgreSQL cannot compress away."""
    return random.Random(1).randbytes(500_000).hex()

"""How much room there is: the size of the database, and what is left of the disk with the data folder."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from pathlib import Path

from daemon.core.errors import UpstreamError
from daemon.core.limits import DISK_FREE_BYTES_MIN
from daemon.data.size import size_bytes
from daemon.data.store import Store
from daemon.kernel.health import Check, Status
from daemon.kernel.metrics import Metrics


async def check_space(store: Store, folder: Path, metrics: Metrics) -> Check:
    """For the health registry: measures both, and warns while the disk has less than `DISK_FREE_BYTES_MIN` left."""
    with suppress(UpstreamError):  # the database has a check of its own
        metrics.database_size_bytes.set(await store.read(size_bytes))
    disk = await asyncio.to_thread(shutil.disk_usage, folder)
    metrics.disk_free_bytes.set(disk.free)
    metrics.disk_size_bytes.set(disk.total)
    if disk.free >= DISK_FREE_BYTES_MIN:
        return Check(Status.PASS, f"{disk.free / 2**30:,.1f} GiB free", disk.free, "bytes")
    text = f"the disk of {folder} has only {disk.free // 2**20:,} MiB left; make room before the database cannot grow"
    return Check(Status.WARN, text, disk.free, "bytes")

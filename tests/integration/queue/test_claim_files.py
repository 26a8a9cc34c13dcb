"""Claims in files: whose they are, and what happens when the folder does not take them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from daemon.core.limits import CLAIM_BYTES_MIN, CLAIM_KEPT_S
from daemon.data import schema
from daemon.data.store import Store
from daemon.kernel.metrics import Metrics
from daemon.services.queue import Body, FileClaims
from tests.integration.queue.station import ManualClock

DATA = bytes(CLAIM_BYTES_MIN + 1)
DIGEST = b"\x17" * 32


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    url = f"sqlite:///{tmp_path}/marquee.sqlite3"
    await schema.ensure_head(url, tmp_path)
    store = await Store.open(url, metrics=Metrics())
    yield store
    await store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "claims"


@pytest.fixture
def claims(folder: Path, store: Store, clock: ManualClock) -> FileClaims:
    return FileClaims(folder, store, clock)


async def test_they_are_for_us_alone(claims: FileClaims, folder: Path) -> None:
    await claims.put(DIGEST, DATA)
    paths = await asyncio.to_thread(lambda: [folder, *folder.rglob("*")])
    assert len(paths) == 4  # the folder, its lock, 17/, 17/1717...
    modes = [await asyncio.to_thread(lambda path=path: path.stat().st_mode) for path in paths]
    assert [mode for mode in modes if mode & 0o077] == []


async def test_a_folder_that_takes_nothing_says_so(claims: FileClaims, folder: Path) -> None:
    await asyncio.to_thread(folder.parent.mkdir)
    await asyncio.to_thread(folder.write_text, "not a folder")
    with pytest.raises(OSError, match="claims"):
        await claims.put(DIGEST, DATA)


async def test_putting_the_same_again_writes_nothing(claims: FileClaims, folder: Path, clock: ManualClock) -> None:
    await claims.put(DIGEST, DATA)
    clock.advance(CLAIM_KEPT_S + 1)
    before = await asyncio.to_thread(lambda: (folder / "17" / DIGEST.hex()).stat())
    await claims.put(DIGEST, DATA)
    after = await asyncio.to_thread(lambda: (folder / "17" / DIGEST.hex()).stat())
    assert after.st_ino == before.st_ino
    assert await claims.collect_garbage() == 0


async def test_what_a_crash_left_half_written_goes(claims: FileClaims, folder: Path, clock: ManualClock) -> None:
    await claims.put(DIGEST, DATA)
    part = folder / "17" / f"{DIGEST.hex()}.0badcafe.part"
    await asyncio.to_thread(part.write_bytes, b"half")
    at = clock.now().timestamp()
    await asyncio.to_thread(os.utime, part, (at, at))
    clock.advance(CLAIM_KEPT_S + 1)
    assert await claims.collect_garbage() == 2
    assert await asyncio.to_thread(lambda: list(folder.glob("??/*"))) == []


def test_a_small_body_needs_no_staging() -> None:
    assert Body.of(b"x").inline == b"x"
    with pytest.raises(ValueError, match="staged"):
        Body.of(DATA)

"""Fixtures that run a test on SQLite and on PostgreSQL alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from daemon.data import schema
from daemon.data.store import Store
from daemon.kernel.metrics import Metrics


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database: nothing of ours in it yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/marquee.sqlite3"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def metrics() -> Metrics:
    """Metrics of this test alone."""
    return Metrics()


@pytest_asyncio.fixture
async def store(database_url: str, tmp_path: Path, metrics: Metrics) -> AsyncIterator[Store]:
    """An open store at head."""
    await schema.ensure_head(database_url, tmp_path)
    opened = await Store.open(database_url, metrics=metrics)
    yield opened
    await opened.close()

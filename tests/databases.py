"""Fixtures that run a test on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio

from daemon.data import schema
from daemon.data.store import Store
from daemon.kernel.metrics import Metrics
from tests.servers import Server


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


@pytest.fixture(scope="session")
def sqlite_at_head(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file at head that nobody has open: made once, copied for each test."""
    folder = tmp_path_factory.mktemp("at-head")
    schema.upgrade(f"sqlite:///{folder}/head.sqlite3", folder)
    return folder / "head.sqlite3"


@pytest.fixture(scope="session")
def postgres_at_head(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database at head that nobody is connected to."""
    url = f"postgresql://{postgres_server.name}@127.0.0.1:{postgres_server.port}"
    with psycopg.connect(f"{url}/postgres", autocommit=True) as admin:
        admin.execute("CREATE DATABASE at_head")
    schema.upgrade(f"{url}/at_head", tmp_path_factory.mktemp("at-head"))
    return "at_head"


@pytest.fixture
def database_at_head(database_url: str, request: pytest.FixtureRequest) -> str:
    """`database_url`, at head and otherwise empty."""
    if database_url.startswith("sqlite"):
        file = Path(database_url.removeprefix("sqlite:///"))
        if not file.exists():  # another fixture of the test may have made it, and have it open
            shutil.copyfile(request.getfixturevalue("sqlite_at_head"), file)
        return database_url
    head = request.getfixturevalue("postgres_at_head")
    root, _, name = database_url.rpartition("/")
    with psycopg.connect(f"{root}/postgres", autocommit=True) as admin:
        admin.execute(f'DROP DATABASE "{name}"')
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE {head}')
    return database_url


@pytest_asyncio.fixture
async def store(database_at_head: str, metrics: Metrics) -> AsyncIterator[Store]:
    """An open store at head."""
    opened = await Store.open(database_at_head, metrics=metrics)
    yield opened
    await opened.close()

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol

import pytest
import pytest_asyncio
from sqlalchemy import text

from daemon.data.store import Store
from daemon.services.queue import ClaimStore, DatabaseTransport, FileClaims, QueueSpec, Transport
from tests.integration.queue.station import WORK, ManualClock, Station


class MakeStation(Protocol):
    """Another process on the same database."""

    def __call__(self, spec: QueueSpec = WORK, *, store: Store | None = None) -> Station: ...


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["database"])
def make_transport(request: pytest.FixtureRequest) -> Callable[[], Transport]:
    """The transports that the contract holds for; each station gets its own."""
    return {"database": DatabaseTransport}[request.param]


@pytest.fixture
def claims(store: Store, clock: ManualClock, tmp_path: Path) -> ClaimStore:
    return FileClaims(tmp_path / "claims", store, clock)


@pytest_asyncio.fixture
async def make_station(
    store: Store, clock: ManualClock, make_transport: Callable[[], Transport], claims: ClaimStore
) -> AsyncIterator[MakeStation]:
    await store.write(lambda tx: tx.execute(text("CREATE TABLE effects (n BIGINT NOT NULL)")) and None)
    made: list[Station] = []

    def make(spec: QueueSpec = WORK, *, store: Store = store) -> Station:
        made.append(Station(store, clock, make_transport(), claims, spec))
        return made[-1]

    yield make  # type: ignore[misc]
    for station in made:
        await station.stop(drain_s=0.0)


@pytest.fixture
def station(make_station: MakeStation) -> Station:
    return make_station()

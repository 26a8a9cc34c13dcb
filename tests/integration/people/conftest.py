from __future__ import annotations

import random
from collections.abc import AsyncIterator

import pytest_asyncio

from daemon.data.store import Store
from daemon.services.cache import Cache, MemoryBackend
from tests.integration.events.bus import Bus, process
from tests.integration.people.house import LIBRARIES, House


def new_cache(bus: Bus) -> Cache:
    return Cache(MemoryBackend(), supervisor=bus.supervisor, metrics=bus.metrics, rng=random.Random(1))


@pytest_asyncio.fixture
async def house(store: Store) -> AsyncIterator[House]:
    async with process(store) as bus:
        made = House(bus, new_cache(bus))
        for library in LIBRARIES:
            await made.note(*library)
        yield made

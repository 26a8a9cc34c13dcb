from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from daemon.data.store import Store
from tests.integration.events.bus import process
from tests.integration.leaving.stage import Stage
from tests.integration.people.conftest import new_cache
from tests.integration.people.house import House


@pytest_asyncio.fixture
async def stage(store: Store) -> AsyncIterator[Stage]:
    """Three people on an empty database."""
    async with process(store) as bus:
        house = House(bus, new_cache(bus))
        yield Stage(house, [await house.person(number) for number in (1, 2, 3)])

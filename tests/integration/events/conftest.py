from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from daemon.data.store import Store
from tests.integration.events.bus import Bus, process


@pytest_asyncio.fixture
async def bus(store: Store) -> AsyncIterator[Bus]:
    """A process that has not started to handle anything."""
    async with process(store) as made:
        yield made

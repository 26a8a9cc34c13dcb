"""For every test: servers on demand, and no blocking call on an event loop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx

pytest_plugins = ["tests.servers"]


@pytest.fixture(autouse=True)
def blockbuster() -> Iterator[BlockBuster]:
    """A call that blocks the event loop raises BlockingError. Imports may: each happens once."""
    with blockbuster_ctx() as detector:
        yield detector

"""For every test: servers on demand, and no blocking call on an event loop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import settings

from daemon.kernel import logs
from tests.blocking import allow

pytest_plugins = ["tests.servers", "tests.databases"]

settings.register_profile("house", deadline=None)  # how long an example takes says more of the machine than of us
settings.load_profile("house")


@pytest.fixture(autouse=True, scope="session")
def _logs() -> None:
    """Logs as in production: structlog's own default renders tracebacks by reading files, on the event loop."""
    logs.configure("console", "debug", [])


@pytest.fixture(autouse=True)
def blockbuster() -> Iterator[BlockBuster]:
    """A call that blocks the event loop raises BlockingError; importing and formatting tracebacks may."""
    with blockbuster_ctx() as detector:
        allow(detector)
        yield detector

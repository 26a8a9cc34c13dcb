"""For every test: servers on demand, and no blocking call on an event loop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx

from daemon.kernel import logs

pytest_plugins = ["tests.servers", "tests.databases"]

# Once a process and module, and only to say what went wrong: neither is worth a thread.
_MAY_BLOCK = {
    "<frozen importlib._bootstrap>": {"_find_and_load"},
    "linecache.py": {"checkcache", "updatecache"},
    "coverage/collector.py": {"lock_data", "unlock_data"},  # its own lock, held for an instant
}


@pytest.fixture(autouse=True, scope="session")
def _logs() -> None:
    """Logs as in production: structlog's own default renders tracebacks by reading files, on the event loop."""
    logs.configure("console", "debug", [])


@pytest.fixture(autouse=True)
def blockbuster() -> Iterator[BlockBuster]:
    """A call that blocks the event loop raises BlockingError; importing and formatting tracebacks may."""
    with blockbuster_ctx() as detector:
        for function in detector.functions.values():
            for file, names in _MAY_BLOCK.items():
                function.can_block_in(file, names)
        yield detector

"""What a statement costs does not grow with the queue. Counted in steps of SQLite's machine, not in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from daemon.data import schema
from daemon.data.engine import open_engine, parse_url
from daemon.data.queue import leases
from daemon.data.queue.leases import Held
from daemon.kernel.metrics import Metrics
from daemon.services.queue import Entry, QueueSpec
from daemon.services.queue.inbox import Inbox
from tests.integration.queue.station import ManualClock

LATER = 2**60


class Table:
    """A queue of `length` messages that are all due, and how many steps a statement on it takes."""

    def __init__(self, url: str) -> None:
        self.tx = open_engine(parse_url(url)).connect()
        self._driver: Any = self.tx.connection.driver_connection
        self._inbox = Inbox(ManualClock(), Metrics())
        self._inbox.declare(QueueSpec("work"))

    def grow(self, count: int) -> None:
        self._driver.execute("BEGIN IMMEDIATE")
        self._inbox.put(
            self.tx, "work", [Entry("topic", key=f"key {n % 3}" if n % 4 == 0 else None) for n in range(count)]
        )
        self._driver.execute("COMMIT")

    def count_steps(self, statement: Callable[[Connection], object]) -> int:
        steps = 0

        def count() -> None:
            nonlocal steps
            steps += 1

        self._driver.execute("BEGIN IMMEDIATE")
        self._driver.set_progress_handler(count, 1)
        try:
            statement(self.tx)
        finally:
            self._driver.set_progress_handler(None, 0)
            self._driver.execute("ROLLBACK")
        return steps


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    url = f"sqlite:///{tmp_path}/queue.sqlite3"
    schema.upgrade(url, tmp_path)
    table = Table(url)
    yield table
    table.tx.close()


def claim(tx: Connection, ids: list[int] | None) -> None:
    assert leases.claim(tx, "work", token=1, now=LATER, until=LATER + 1, count=3, ids=ids)


@pytest.mark.parametrize(
    "statement",
    [
        lambda tx: claim(tx, None),
        lambda tx: claim(tx, [2, 3, 4]),
        lambda tx: leases.look(tx, "work", LATER),
        lambda tx: leases.look(tx, "work", 0),
        lambda tx: leases.complete_many(tx, [Held(2, 0), Held(3, 0)]),
        lambda tx: leases.tell_next_of_key(tx, "work", "key 1"),
    ],
    ids=["sweep", "by id", "look, all due", "look, none due", "complete", "next of a key"],
)
def test_steps_do_not_grow_with_the_queue(table: Table, statement: Callable[[Connection], object]) -> None:
    table.grow(100)
    few = table.count_steps(statement)
    table.grow(3_000)
    assert few > 10
    assert table.count_steps(statement) <= few * 1.1

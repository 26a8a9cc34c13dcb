from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest_asyncio
from sqlalchemy import Connection

from daemon.core.ids import AppId, GuildId, InteractionId, MemberId
from daemon.data import schema
from daemon.data.store import Store
from daemon.kernel.metrics import Metrics
from daemon.services.intake import Arrival, Intake

FIRST = Arrival(
    interaction_id=InteractionId(1),
    member_id=MemberId(100),
    member_name="alice",
    guild_id=GuildId(7),
    guild_name="House",
    app_id=AppId(9),
    what="command play",
    at=datetime(2026, 11, 20, 12, tzinfo=UTC),
    audited=False,
)


@pytest_asyncio.fixture
async def sqlite_store(tmp_path: Path) -> AsyncIterator[Store]:
    url = f"sqlite:///{tmp_path}/marquee.sqlite3"
    await schema.ensure_head(url, tmp_path)
    store = await Store.open(url, metrics=Metrics())
    yield store
    await store.close()


def trace(executed: list[str], tx: Connection) -> None:
    driver = tx.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.set_trace_callback(executed.append)


async def test_a_known_member_costs_no_statement_and_two_with_audit(sqlite_store: Store) -> None:
    intake = Intake(sqlite_store)
    await intake.admit(FIRST)
    executed: list[str] = []
    # The database itself tells what it executes; there is one writing connection.
    await sqlite_store.write(partial(trace, executed))

    async def statements_of(n: int, **changes: Any) -> list[str]:
        executed.clear()
        await intake.admit(replace(FIRST, interaction_id=InteractionId(n), **changes))
        return [sql.split()[0] for sql in executed]

    assert await statements_of(2) == []
    assert await statements_of(3, audited=True) == ["BEGIN", "INSERT", "INSERT", "COMMIT"]
    assert await statements_of(4, guild_name=None) == []
    assert len(await statements_of(5, member_name="new name")) > 3
    assert await statements_of(6, member_name="new name") == []

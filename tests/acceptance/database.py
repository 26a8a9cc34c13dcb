"""The daemon's database, read beside it: what it must have stored, and what it must not."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

from tests.acceptance.stage import Stage


async def stored(stage: Stage, sql: str) -> list[tuple[Any, ...]]:
    """Rows of the daemon's database."""
    return await asyncio.to_thread(_read, stage, sql)


async def until_stored(stage: Stage, sql: str, wanted: list[tuple[Any, ...]]) -> None:
    """Wait until a query gives these rows."""

    async def is_there() -> bool:
        return await stored(stage, sql) == wanted

    await stage.wait_for(is_there, f"{wanted} of {sql}")


def _read(stage: Stage, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(stage.folder / "data" / "marquee.db", timeout=10)) as connection:
        return connection.execute(sql).fetchall()

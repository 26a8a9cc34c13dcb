"""Our store under the same transfers: 64 tasks, each unit a call of `Store.write`. Usage: DATABASE_URL"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, bindparam, func, select, update

from benchmarks.peers.rounds import serve
from benchmarks.peers.transfers import ACCOUNTS, CREATE, START, transfers
from daemon.data import schema
from daemon.data.hot import Hot, insert
from daemon.data.store import Store
from daemon.kernel.metrics import Metrics

TASKS = 64
_metadata = MetaData()
_accounts = Table("bench_accounts", _metadata, Column("id", BigInteger), Column("balance", BigInteger))
_transfers = Table(
    "bench_transfers",
    _metadata,
    Column("key", Text),
    *(Column(name, BigInteger) for name in ("debit", "credit", "amount")),
)
_insert = Hot(
    lambda dialect: (
        insert(dialect, _transfers)
        .values(**{name: bindparam(name) for name in ("key", "debit", "credit", "amount")})
        .on_conflict_do_nothing()
    )
)
_take = Hot(
    lambda _: (
        update(_accounts)
        .where(_accounts.c.id == bindparam("debit"), _accounts.c.balance >= bindparam("amount"))
        .values(balance=_accounts.c.balance - bindparam("amount"))
    )
)
_give = Hot(
    lambda _: (
        update(_accounts)
        .where(_accounts.c.id == bindparam("credit"))
        .values(balance=_accounts.c.balance + bindparam("amount"))
    )
)


def transfer(tx: Connection, row: dict[str, Any]) -> None:
    """The unit: locks in the order of the ids."""
    _insert.run(tx, row)
    for statement in (_take, _give) if row["debit"] < row["credit"] else (_give, _take):
        if statement.run(tx, row).rowcount != 1:
            raise ValueError("not enough")


def prepare(tx: Connection) -> None:
    for statement in CREATE:
        tx.exec_driver_sql(statement)
    tx.execute(_accounts.insert(), [{"id": number, "balance": START} for number in range(ACCOUNTS)])


def check(tx: Connection) -> None:
    total, least = tx.execute(select(func.sum(_accounts.c.balance), func.min(_accounts.c.balance))).one()
    assert total == ACCOUNTS * START
    assert least >= 0


async def main(url: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        await schema.ensure_head(url, Path(folder))
    store = await Store.open(url, metrics=Metrics())
    await store.write(prepare)
    seed = 0

    async def one_round(count: int) -> None:
        nonlocal seed
        seed += 1
        rows = transfers(count, seed)

        async def work() -> None:
            for row in rows:
                await store.write(lambda tx, row=row: transfer(tx, row))

        await asyncio.gather(*(work() for _ in range(TASKS)))
        await store.read(check)

    await serve(one_round)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

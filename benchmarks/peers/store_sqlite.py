"""The floor for the store on SQLite: sqlite3 by hand, 64 units a commit, each in a SAVEPOINT. Usage: FILE"""

from __future__ import annotations

import asyncio
import sqlite3
import sys

from benchmarks.peers.rounds import serve
from benchmarks.peers.transfers import ACCOUNTS, CREATE, START, transfers

GROUP = 64


def transfer(db: sqlite3.Connection, row: dict[str, int | str]) -> None:
    db.execute(
        "INSERT INTO bench_transfers (key, debit, credit, amount) VALUES (:key, :debit, :credit, :amount)"
        " ON CONFLICT DO NOTHING",
        row,
    )
    taken = db.execute(
        "UPDATE bench_accounts SET balance = balance - :amount WHERE id = :debit AND balance >= :amount", row
    )
    if taken.rowcount != 1:
        raise ValueError("not enough")
    db.execute("UPDATE bench_accounts SET balance = balance + :amount WHERE id = :credit", row)


def work(db: sqlite3.Connection, count: int, seed: int) -> None:
    open_units = 0
    for row in transfers(count, seed):
        if open_units == 0:
            db.execute("BEGIN IMMEDIATE")
        db.execute("SAVEPOINT unit")
        transfer(db, row)
        db.execute("RELEASE unit")
        open_units += 1
        if open_units == GROUP:
            db.execute("COMMIT")
            open_units = 0
    if open_units:
        db.execute("COMMIT")


async def main(file: str) -> None:
    db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    for statement in CREATE:
        db.execute(statement)
    db.executemany("INSERT INTO bench_accounts VALUES (?, ?)", [(number, START) for number in range(ACCOUNTS)])
    seed = 0

    async def one_round(count: int) -> None:
        nonlocal seed
        seed += 1
        await asyncio.to_thread(work, db, count, seed)
        total, least = db.execute("SELECT sum(balance), min(balance) FROM bench_accounts").fetchone()
        assert total == ACCOUNTS * START
        assert least >= 0

    await serve(one_round)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

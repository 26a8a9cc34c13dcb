"""The floor for the store on PostgreSQL: psycopg by hand, a transaction a unit, six threads. Usage: URL"""

from __future__ import annotations

import asyncio
import sys
import threading

import psycopg

from benchmarks.peers.rounds import serve
from benchmarks.peers.transfers import ACCOUNTS, CREATE, START, transfers

THREADS = 6


def transfer(db: psycopg.Connection, row: dict[str, int | str]) -> None:
    with db.transaction():
        db.execute(
            "INSERT INTO bench_transfers (key, debit, credit, amount)"
            " VALUES (%(key)s, %(debit)s, %(credit)s, %(amount)s) ON CONFLICT DO NOTHING",
            row,
        )
        down = (
            "UPDATE bench_accounts SET balance = balance - %(amount)s WHERE id = %(debit)s AND balance >= %(amount)s",
            row["debit"],
        )
        up = ("UPDATE bench_accounts SET balance = balance + %(amount)s WHERE id = %(credit)s", row["credit"])
        for statement, _ in sorted((down, up), key=lambda pair: pair[1]):  # locks in the order of the ids
            if db.execute(statement, row).rowcount != 1:
                raise ValueError("not enough")


def work(url: str, rows: list[dict[str, int | str]]) -> None:
    with psycopg.connect(url, autocommit=True) as db:
        for row in rows:
            transfer(db, row)


async def main(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as db:
        for statement in CREATE:
            db.execute(statement)
        with db.cursor() as cursor:
            accounts = [(number, START) for number in range(ACCOUNTS)]
            cursor.executemany("INSERT INTO bench_accounts VALUES (%s, %s)", accounts)
    seed = 0

    def run(count: int) -> None:
        nonlocal seed
        seed += 1
        rows = list(transfers(count, seed))
        threads = [threading.Thread(target=work, args=(url, rows[first::THREADS])) for first in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with psycopg.connect(url) as db:
            total, least = db.execute("SELECT sum(balance), min(balance) FROM bench_accounts").fetchone()
        assert total == ACCOUNTS * START
        assert least >= 0

    await serve(lambda count: asyncio.to_thread(run, count))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

"""The floor for the database transport: sqlite3 by hand, one writer thread, 100 messages a commit. Usage: FILE"""

from __future__ import annotations

import asyncio
import hashlib
import os
import queue
import sqlite3
import sys
import threading

from benchmarks.peers.rounds import serve

BATCH = 100
BODY = os.urandom(1024)

_SCHEMA = """
CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, due_at INTEGER NOT NULL, attempts INTEGER NOT NULL,
                       digest BLOB NOT NULL, body BLOB NOT NULL);
CREATE INDEX due ON messages (due_at, id);
"""
_CLAIM = """
UPDATE messages SET due_at = 9000000000, attempts = attempts + 1
WHERE id IN (SELECT id FROM messages WHERE due_at <= 1000 ORDER BY due_at, id LIMIT ?) RETURNING id, digest, body
"""


def produce(count: int, waiting: queue.SimpleQueue[list[tuple[bytes, bytes]] | None]) -> None:
    for begin in range(0, count, BATCH):
        size = min(BATCH, count - begin)
        waiting.put([(hashlib.sha256(BODY).digest(), BODY) for _ in range(size)])
    waiting.put(None)


def work(db: sqlite3.Connection, count: int) -> None:
    """Write what is produced, claim, check and delete: every step a transaction of 100."""
    waiting: queue.SimpleQueue[list[tuple[bytes, bytes]] | None] = queue.SimpleQueue()
    producer = threading.Thread(target=produce, args=(count, waiting))
    producer.start()
    done, is_open = 0, True
    while done < count:
        if is_open and (rows := waiting.get()) is not None:
            with db:
                db.execute("BEGIN IMMEDIATE")
                db.executemany("INSERT INTO messages (due_at, attempts, digest, body) VALUES (0, 0, ?, ?)", rows)
        else:
            is_open = False
        with db:
            db.execute("BEGIN IMMEDIATE")
            claimed = db.execute(_CLAIM, (BATCH,)).fetchall()
        for _, digest, body in claimed:
            assert hashlib.sha256(body).digest() == digest
        with db:
            db.execute("BEGIN IMMEDIATE")
            db.executemany("DELETE FROM messages WHERE id = ?", [(row[0],) for row in claimed])
        done += len(claimed)
    producer.join()


async def main(file: str) -> None:
    db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.executescript(_SCHEMA)
    await serve(lambda count: asyncio.to_thread(work, db, count))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

"""The unit of work that stores are measured by: a keyed, guarded transfer between two of 100 accounts.

30 % of the transfers touch one of four accounts. Invariants afterwards: the sum is what it was, nothing is negative,
each key stands once, and there are as many rows as successes were reported.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

ACCOUNTS = 100
START = 1_000_000

CREATE = (
    "CREATE TABLE bench_accounts (id BIGINT PRIMARY KEY, balance BIGINT NOT NULL CHECK (balance >= 0))",
    "CREATE TABLE bench_transfers (key TEXT PRIMARY KEY, debit BIGINT, credit BIGINT, amount BIGINT NOT NULL)",
)


def transfers(count: int, seed: int) -> Iterator[dict[str, int | str]]:
    """`count` transfers: key, debit, credit, amount."""
    rng = random.Random(seed)
    for number in range(count):
        debit, credit = rng.sample(range(4) if rng.random() < 0.3 else range(ACCOUNTS), 2)
        yield {"key": f"{seed}-{number}", "debit": debit, "credit": credit, "amount": rng.randint(1, 100)}

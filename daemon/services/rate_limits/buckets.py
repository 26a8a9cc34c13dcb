"""Token buckets: what they are, whoever counts their tokens."""

from __future__ import annotations

from typing import NamedTuple


class Rate(NamedTuple):
    """`burst` at once, then `per_s` a second."""

    burst: int
    per_s: float


class Bucket(NamedTuple):
    """Whose tokens, and how many there are. `scope` is a bounded word, `owner` tells the buckets of a scope apart."""

    scope: str
    owner: tuple[int | str, ...]
    rate: Rate


class Refusal(NamedTuple):
    """One of the buckets is empty, of several that whose next token comes last; nothing was taken from any."""

    wait_s: float
    scope: str

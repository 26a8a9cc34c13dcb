from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from daemon.kernel.retry import backoff


@given(st.integers(-1, 10_000), st.floats(0.001, 10), st.floats(0.001, 1000), st.integers(0, 2**32))
def test_a_wait_stays_within_its_bounds(attempt: int, first_s: float, max_s: float, seed: int) -> None:
    wait_s = backoff(attempt, first_s=first_s, max_s=max_s, rng=random.Random(seed))
    assert 0 <= wait_s <= max_s
    if attempt <= 0:
        assert wait_s <= first_s


def test_the_bound_doubles_until_the_maximum() -> None:
    def longest(attempt: int) -> float:
        return max(backoff(attempt, first_s=1, max_s=6, rng=random.Random(seed)) for seed in range(300))

    bounds = [longest(attempt) for attempt in range(5)]
    assert all(bound > 0.9 * expected for bound, expected in zip(bounds, (1, 2, 4, 6, 6), strict=True))
    assert bounds == sorted(bounds) or bounds[3] <= 6

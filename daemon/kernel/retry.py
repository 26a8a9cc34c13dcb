"""How long to wait before the next attempt."""

from __future__ import annotations

import random

_DOUBLINGS_MAX = 32  # beyond this every sensible maximum has been reached, and floats stay far from overflow


def backoff(attempt: int, *, first_s: float, max_s: float, rng: random.Random) -> float:
    """Seconds to wait before attempt number `attempt`, counted from 0: exponential with full jitter.

    Uniform between 0 and min(max_s, first_s * 2**attempt), so that many clients of one failed service do not come
    back at the same instant. With first_s=1 and max_s=300 the upper bounds are 1, 2, 4, ... 256, 300, 300.
    """
    bound = min(max_s, first_s * 2.0 ** min(max(0, attempt), _DOUBLINGS_MAX))
    return rng.uniform(0.0, bound)

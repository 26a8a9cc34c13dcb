"""The protocol of a peer that is measured round by round: a number of messages a line on stdin, a JSON line as answer.

Also used by programs in environments of their own, so nothing but the standard library is imported here.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable


async def serve(round_of: Callable[[int], Awaitable[dict[str, float] | None]]) -> None:
    """Answer each number on stdin with the wall and CPU seconds that `round_of(number)` took, until stdin ends.

    Figures of its own that the round returns are passed on.
    """
    while line := await asyncio.to_thread(sys.stdin.readline):
        wall, cpu = time.perf_counter(), time.process_time()
        figures = await round_of(int(line)) or {}
        told = {"seconds": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu, **figures}
        print(json.dumps(told), flush=True)

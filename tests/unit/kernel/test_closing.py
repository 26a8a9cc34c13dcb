from __future__ import annotations

import asyncio

import structlog
from structlog.testing import capture_logs

from daemon.kernel.closing import Close, Closing
from daemon.kernel.tasks import Supervisor


def noting(closed: list[str], name: str) -> Close:
    async def close() -> None:
        closed.append(name)

    return close


async def test_parts_close_in_the_opposite_order_whatever_one_does() -> None:
    closing = Closing(Supervisor(log=structlog.get_logger()), within_s=5)
    closed: list[str] = []

    async def crash() -> None:
        raise RuntimeError("broken")

    closing.add("store", noting(closed, "store"))
    closing.add("plex", crash)
    closing.add("discord", noting(closed, "discord"))
    with capture_logs() as logs:
        await closing.close()
    assert closed == ["discord", "store"]
    assert [line["task"] for line in logs if line["event"] == "task_crashed"] == ["close:plex"]
    await closing.close()
    assert closed == ["discord", "store"]


async def test_a_part_that_hangs_does_not_keep_the_next_from_closing() -> None:
    closing = Closing(Supervisor(log=structlog.get_logger()), within_s=0.01, least_s=0.01)
    closed: list[str] = []

    async def hang() -> None:
        await asyncio.Event().wait()

    async def hang_for_good() -> None:
        for _ in range(3):
            try:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                closed.append("refused")

    closing.add("store", noting(closed, "store"))
    closing.add("deaf", hang_for_good)
    closing.add("slow", hang)
    with capture_logs() as logs:
        await closing.close()
    assert closed == ["refused", "store"]
    assert "slow" in [line.get("part") for line in logs if line["event"] == "close_timed_out"]
    await asyncio.sleep(0.1)

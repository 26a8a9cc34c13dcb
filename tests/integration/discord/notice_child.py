"""A process that posts a notice, says so, and then waits to be killed before it could note that it did.

Arguments: folder of the database, HOST:PORT of Discord, its certificate, token, channel, Unix time.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from daemon.core.ids import ChannelId
from daemon.kernel import logs
from daemon.services.notify import Notice
from simulators.clock import SimClock
from tests.integration.discord.noticing import Interrupted, process
from tests.integration.discord.stage import DEMO, stage_at

KEY = "said by a process that died"


@dataclass
class FarLab:
    """What a stage asks of a simulator, for one in another process."""

    connect: str
    ca_file: Path
    tokens: dict[str, str]
    clock: SimClock
    nobody: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(user_id=1))

    def user(self, name: str) -> SimpleNamespace:
        return self.nobody


async def _hang() -> None:
    print("posted", flush=True)
    await asyncio.Event().wait()


async def main(folder: str, connect: str, ca_file: str, token: str, channel: str, now: str) -> None:
    lab: Any = FarLab(connect, Path(ca_file), {"marquee": token}, SimClock(float(now)))
    async with stage_at(lab, Path(folder), gateway=False) as stage:
        await stage.fleet.start()
        async with process(stage, sender=Interrupted(stage, _hang)) as dying:
            await dying.post(Notice(DEMO, KEY, KEY, ChannelId(int(channel))))
            await asyncio.Event().wait()


if __name__ == "__main__":
    logs.configure("console", "info", [])  # to stderr: stdout is for the one word
    asyncio.run(main(*sys.argv[1:]))

"""Child processes for tests: what another process, or one that is killed, does with a database.

`write`: writes guild ids without end and prints each once it is confirmed. `admit`: admits the interaction ids that
standard input names and prints those that were not duplicates.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from datetime import UTC, datetime
from functools import partial

from daemon.core.ids import AppId, GuildId, InteractionId, MemberId
from daemon.data import guilds
from daemon.data.store import Store
from daemon.kernel import logs
from daemon.kernel.metrics import Metrics
from daemon.services.intake import Arrival, Intake

AT = datetime(2026, 11, 20, tzinfo=UTC)


async def write(store: Store) -> None:
    numbers = itertools.count(1)

    async def writer() -> None:
        for n in numbers:
            await store.write(partial(guilds.ensure_guild, guild_id=GuildId(n), name=f"guild {n}", at=AT))
            print(n, flush=True)

    async with asyncio.TaskGroup() as group:
        for _ in range(32):
            group.create_task(writer())


async def admit(store: Store, ids: list[int]) -> None:
    intake = Intake(store)

    async def one(n: int) -> None:
        arrival = Arrival(
            InteractionId(n), MemberId(n % 5 + 1), "alice", GuildId(1), None, AppId(1), "command x", AT, True
        )
        admission = await intake.admit(arrival)
        print(n if not admission.is_duplicate else 0, admission.profile_id, n % 5 + 1, flush=True)

    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    async with asyncio.TaskGroup() as group:
        for n in ids:
            group.create_task(one(n))


async def main(what: str, url: str, ids: list[int]) -> None:
    logs.configure("json", "warning", [])  # to stderr: standard output is for what is confirmed
    store = await Store.open(url, metrics=Metrics())
    await (write(store) if what == "write" else admit(store, ids))
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], [int(n) for n in sys.argv[3:]]))

"""A trivial slash command through our pipeline beside the same command of a bare discord.py bot."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from benchmarks.process import cpu_seconds, running
from benchmarks.rows import Row, alone, beside, median, percentile
from benchmarks.stage import MODULES, Stage, daemon, offers, stage
from simulators.discord.user import User

ROUNDS = 5
COMMANDS = 400  # a round
SLOW_PLEX_S = 10.0
SLOW_COMMANDS = 12


@dataclass
class Measured:
    """Milliseconds to the first answer, and CPU milliseconds a command, one figure a round."""

    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


async def measure() -> list[Row]:
    ours, bare = Measured(), Measured()
    async with stage() as on, stage() as other:
        start = ("-m", "benchmarks.peers.bare_bot", str(other.discord.port), str(other.discord.ca_file))
        async with daemon(on, modules=MODULES) as marquee, running(*start, other.discord.tokens["marquee"]) as bot:
            for place in (on, other):
                await offers(place, "ping")
            for pid, place, into in ((marquee.pid, on, Measured()), (bot.pid, other, Measured())):
                await _round(pid, place.alice, into)  # warms connections and caches
            for _ in range(ROUNDS):
                await _round(marquee.pid, on.alice, ours)
                await _round(bot.pid, other.alice, bare)
    peer = "bare discord.py bot"
    return [
        beside("command.latency_p50", median(ours.p50), "ms", peer, median(bare.p50), at_most=1.5),
        beside("command.latency_p99", median(ours.p99), "ms", peer, median(bare.p99), at_most=1.5),
        beside("command.cpu", median(ours.cpu), "ms", peer, median(bare.cpu), at_most=1.5),
        await _while_plex_is_slow(),
    ]


async def _round(pid: int, user: User, into: Measured) -> None:
    taken: list[float] = []
    cpu = cpu_seconds(pid)
    for _ in range(COMMANDS):
        taken.append(await _first_answer_ms(user, "ping"))
    into.cpu.append((cpu_seconds(pid) - cpu) * 1000 / COMMANDS)
    into.p50.append(percentile(taken, 50))
    into.p99.append(percentile(taken, 99))


async def _first_answer_ms(user: User, command: str, **options: str) -> float:
    start = time.monotonic()
    shown = await user.slash(command, **options)
    return (shown.facts[0].at - start) * 1000


async def _while_plex_is_slow() -> Row:
    """The first answer to `/play` while Plex holds each of its own answers back for ten seconds."""
    async with stage() as on, daemon(on):
        await offers(on, "play")
        await _titles_are_known(on)
        on.plex.faults.add(".*", "latency", delay_s=SLOW_PLEX_S)
        names = [item.title for item in on.plex.world.items.values() if item.kind == "movie"][:SLOW_COMMANDS]
        users = [on.discord.user(name) for name in ("alice", "olivia")]
        taken: list[float] = []
        for number, name in enumerate(names):
            taken.append(await _first_answer_ms(users[number % 2], "play", title=name, player="Living Room TV"))
    return alone("command.first_answer_while_plex_is_slow_p99", percentile(taken, 99), "ms", at_most=1500)


async def _titles_are_known(on: Stage) -> None:
    async with asyncio.timeout(30):
        while not await on.alice.type_in("play", "title", "a"):
            await asyncio.sleep(0.05)

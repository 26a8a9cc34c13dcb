"""Rounds of killing: children live, die at random moments, and in the end one drains what they left."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from daemon.data.audit import audit_log
from daemon.data.engine import open_engine, parse_url
from daemon.data.events import events
from daemon.data.notices import notices
from daemon.data.queue.tables import dead_letters, queue_messages
from simulators.discord.sim import DiscordSim
from tests import nursery
from tests.crash.child import NOTICE_EVERY

_DRAIN_S = 120.0
_ALIVE_S = 40.0


@dataclass
class Ground:
    """Where the children live, and what they have been promised."""

    url: str
    folder: Path
    lab: DiscordSim
    seed: int
    redis_url: str = ""
    workers: int = 1
    confirmed: set[int] = field(default_factory=set)
    worked_in: list[int] = field(default_factory=list)  # numbers confirmed in each round
    findings: str = ""
    refused: int = 0  # units and bodies that were not taken
    _children: int = 0

    async def play(self, rounds: int) -> None:
        """Kill in each round, then drain."""
        rng = random.Random(self.seed)
        self.lab.limits.is_on = False
        for _ in range(rounds):
            self._break_discord(rng)
            before = len(self.confirmed)
            await asyncio.gather(*(self._live(rng.uniform(0.05, 0.7)) for _ in range(self.workers)))
            self.worked_in.append(len(self.confirmed) - before)
        self.lab.faults.clear()
        await self._drain()

    def _break_discord(self, rng: random.Random) -> None:
        """Answers get lost after the message has arrived, and before."""
        self.lab.faults.clear()
        for _ in range(3):
            how: dict[str, Any] = rng.choice(
                [
                    {"drop": True, "after_commit": True},
                    {"status": 503, "after_commit": True},
                    {"drop": True},
                    {"status": 502},
                ]
            )
            self.lab.faults.add("create_message", skip=rng.randrange(6), times=rng.randint(1, 2), **how)

    @asynccontextmanager
    async def load(self) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
        """One child that lives on; call what is given to wait for so many more confirmed numbers."""
        self.lab.limits.is_on = False
        child = await self._start("live")
        assert child.stdout is not None

        async def confirmed(count: int) -> None:
            wanted = len(self.confirmed) + count
            async with asyncio.timeout(_ALIVE_S):
                while len(self.confirmed) < wanted:
                    line = await child.stdout.readline()  # type: ignore[union-attr]
                    assert line, "the child has ended"
                    self.refused += line.strip() == b"refused"
                    self._note(line)

        try:
            yield confirmed
        finally:
            child.send_signal(signal.SIGKILL)
            for line in (await child.stdout.read()).splitlines():
                self._note(line)
            await child.wait()
        self.worked_in.append(len(self.confirmed))
        await self._drain()

    async def _live(self, for_s: float) -> None:
        """One child from its start until it is killed; the time runs from its first confirmed number."""
        child = await self._start("live")
        assert child.stdout is not None
        try:
            async with asyncio.timeout(_ALIVE_S):
                self._note(await child.stdout.readline())
            deadline = asyncio.get_running_loop().time() + for_s
            while (left := deadline - asyncio.get_running_loop().time()) > 0:
                try:
                    async with asyncio.timeout(left):
                        self._note(await child.stdout.readline())
                except TimeoutError:
                    break
        finally:
            child.send_signal(signal.SIGKILL)
        for line in (await child.stdout.read()).splitlines():
            self._note(line)  # what it had said before it died
        assert await child.wait() == -signal.SIGKILL

    async def _drain(self) -> None:
        child = await self._start("drain")
        assert child.stdout is not None
        async with asyncio.timeout(_DRAIN_S):
            said = (await child.stdout.read()).decode()
        assert "drained" in said, f"seed {self.seed}: it ended with {said!r}"
        self.findings = said
        await child.wait()

    def _note(self, line: bytes) -> None:
        if line.strip().isdigit():
            self.confirmed.add(int(line))

    async def _start(self, what: str) -> nursery.Child:
        self._children += 1
        first = self._children * 1_000_000
        host_of = {
            "MARQUEE_CONFIG": os.devnull,
            "MARQUEE_DATA_DIR": str(self.folder),
            "MARQUEE_DATABASE__URL": self.url,
            "MARQUEE_REDIS__URL": self.redis_url,
            "MARQUEE_DISCORD__BOTS__MARQUEE__TOKEN": self.lab.tokens["marquee"],
            "MARQUEE_DISCORD__CONNECT": self.lab.connect,
            "MARQUEE_DISCORD__CA_FILE": str(self.lab.ca_file),
        }
        others = {name: value for name, value in os.environ.items() if not name.startswith("MARQUEE_")}
        channel = self.lab.channel("general").channel_id
        log = await asyncio.to_thread((self.folder / "children.log").open, "ab")
        with log:
            return await nursery.spawn(
                "tests.crash.child", str(first), str(channel), what,
                environ={**others, **host_of}, stdout=nursery.PIPE, stderr=log,
            )  # fmt: skip

    def posted(self) -> Counter[str]:
        """Texts of the notices that stand in the channel."""
        found: Counter[str] = Counter()
        for post in self.lab.channel("general").posts.values():
            found.update(re.findall(r"lost \d+", str(post.data["components"])))
        return found

    def judge(self) -> None:
        """Everything that was confirmed happened once, and so did everything that was published without a word."""
        engine = open_engine(parse_url(self.url))
        try:
            with engine.connect() as tx:
                waiting = tx.execute(select(func.count()).select_from(queue_messages)).scalar()
                published = {int(str(row[0]).split(":")[1]) for row in tx.execute(select(events.c.event_id))}
                dead = tx.execute(select(dead_letters.c.reason, dead_letters.c.detail)).all()
                effects = Counter(row[0] for row in tx.execute(select(audit_log.c.target)))
                told = tx.execute(select(func.count()).where(notices.c.message_id.is_not(None))).scalar()
        finally:
            engine.dispose()
        assert all(count > 0 for count in self.worked_in), f"seed {self.seed}: a round did nothing: {self.worked_in}"
        assert dead == []
        assert waiting == 0
        assert self.confirmed <= published, "a confirmed event was lost"
        wanted = {f"{what} {number}" for number in published for what in ("count", "work")}
        assert effects == Counter(dict.fromkeys(wanted, 1)), _differs(effects, wanted)
        notes = {f"lost {number}" for number in published if number % NOTICE_EVERY == 0}
        assert notes
        assert self.posted() == Counter(dict.fromkeys(notes, 1))
        assert told == len(notes)
        assert "findings 0" in self.findings, self.findings


def _differs(effects: Counter[str], wanted: set[str]) -> str:
    twice = [what for what, count in effects.items() if count > 1]
    return f"missing {sorted(wanted - effects.keys())[:5]}, twice {sorted(twice)[:5]}"

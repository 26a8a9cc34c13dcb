"""A bad network before Plex and Discord, under members at work: once it is good again everything has been done once."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field

import aiohttp
import pytest
import pytest_asyncio

from simulators.discord.interactions import Interaction
from simulators.discord.user import Shown
from tests.acceptance.stage import LIVING_ROOM, Member, Stage, open_stage
from tests.proxy import FaultProxy

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOG = "bot-log"
COMMANDS = 4  # that a member gives while the network is bad
SETTLED_S = 61.0  # of the clock: events younger than this are not compared


@dataclass(frozen=True)
class Lines:
    """The two lines out of the daemon."""

    plex: FaultProxy
    discord: FaultProxy

    def heal(self) -> None:
        self.plex.heal()
        self.discord.heal()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lines_and_stage() -> AsyncIterator[tuple[Lines, Stage]]:
    """A daemon that reaches both simulators through proxies, tells trouble in a channel, and soon gives up waiting."""
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(open_stage(is_started=False))
        plex = FaultProxy("127.0.0.1", int(stage.plex.url.rpartition(":")[2]))
        lines = Lines(plex, FaultProxy("127.0.0.1", stage.lab.port))
        await stack.enter_async_context(lines.plex.running())
        await stack.enter_async_context(lines.discord.running())
        stage.settings |= {
            "MARQUEE_PLEX__SERVERS__ATTIC__URL": f"http://127.0.0.1:{lines.plex.port}",
            "MARQUEE_DISCORD__CONNECT": f"127.0.0.1:{lines.discord.port}",
            "MARQUEE_MODULES__OPS__CHANNEL": str(stage.lab.world.channel(LOG).channel_id),
            "MARQUEE_PLEX__CONNECT_TIMEOUT_S": "0.5",
            "MARQUEE_PLEX__REQUEST_TIMEOUT_S": "1",
            "MARQUEE_PLEX__CHECK_INTERVAL_S": "5",
        }
        await stage.start()
        yield lines, stage
        lines.heal()
        await stage.stop()  # while the proxies stand


@pytest.fixture
def stage(lines_and_stage: tuple[Lines, Stage]) -> Stage:
    lines_and_stage[1].clear()
    return lines_and_stage[1]


@pytest.fixture
def lines(lines_and_stage: tuple[Lines, Stage]) -> Lines:
    return lines_and_stage[0]


@dataclass
class Evening:
    """A member, the card of what they play, and what they asked for."""

    stage: Stage
    member: Member
    card: Shown
    asked: list[Interaction] = field(default_factory=list)
    orders_before: int = 0

    async def ask(self) -> None:
        """Commands one after the other; none waits for long, and an answer may be lost."""
        for _ in range(COMMANDS):
            level = 10 + len(self.asked)
            sent = self.member.user.send_slash(
                "volume", channel=self.member.channel, player=LIVING_ROOM, level=level
            )  # fmt: skip
            self.asked.append(sent)
            try:
                async with asyncio.timeout(0.3):
                    await sent.answered.wait()
            except TimeoutError:
                continue

    def orders(self) -> int:
        """How often the player was told a volume."""
        return sum(r.path == "/player/playback/setParameters" for r in self.stage.plex.requests)

    def answers_to(self, one: Interaction) -> int:
        """Messages that stand there for a command."""
        there = {shown.message_id for shown in self.member.sees()}
        return len(there & {one.original_id, *one.message_ids})


async def begin(stage: Stage) -> Evening:
    """Somebody plays something, and the card says so."""
    member = stage.controller()
    title = f"t:attic:{stage.named_once('movie')[0].key}"
    card = await member.slash("play", title=title, player=LIVING_ROOM)
    await card.until("▶ Playing")
    evening = Evening(stage, member, card)
    evening.orders_before = evening.orders()
    return evening


def delay(line: FaultProxy) -> None:
    line.delay_s = 0.15


def cut(line: FaultProxy) -> None:
    line.cut()


def reset(line: FaultProxy) -> None:
    line.reset()


def refuse(line: FaultProxy) -> None:
    line.is_refusing = True
    line.reset()


def swallow(line: FaultProxy) -> None:
    line.is_swallowing = True


Wound = Callable[[FaultProxy], None]


@pytest.mark.parametrize("wound", [delay, cut, reset])
async def test_both_lines_are_bad(stage: Stage, lines: Lines, wound: Wound) -> None:
    evening = await begin(stage)
    for _ in range(3):
        wound(lines.plex)
        wound(lines.discord)
        await evening.ask()
    stage.player(LIVING_ROOM).pause(stage.clock.now())
    await evening.ask()
    lines.heal()
    await all_is_well(evening)


@pytest.mark.parametrize("wound", [refuse, swallow])
async def test_plex_cannot_be_reached_for_a_time(stage: Stage, lines: Lines, wound: Wound) -> None:
    """Discord's line is cut at the same time, so that word of it needs more than one attempt."""
    evening = await begin(stage)
    lost, back = len(told(stage, "Plex server lost")), len(told(stage, "Plex server back"))
    wound(lines.plex)
    await evening.ask()
    await stage.wait_for(lambda: status_is(stage, "plex:attic", "warn"), "the loss of the server to be noticed")
    cut(lines.discord)
    await evening.ask()
    await is_told(stage, "Plex server lost", lost + 1)
    lines.heal()
    await is_told(stage, "Plex server back", back + 1)
    await all_is_well(evening)


async def test_discord_cannot_be_reached_for_a_time(stage: Stage, lines: Lines) -> None:
    """A server is lost and found meanwhile: both are told afterwards."""
    evening = await begin(stage)
    lost, back = len(told(stage, "Plex server lost")), len(told(stage, "Plex server back"))
    refuse(lines.discord)
    refuse(lines.plex)
    await evening.ask()
    await is_published(stage, "server_lost", lost + 1)
    lines.plex.heal()
    await is_published(stage, "server_back", back + 1)
    stage.player(LIVING_ROOM).pause(stage.clock.now())
    assert len(told(stage, "Plex server lost")) == lost
    lines.heal()
    await is_told(stage, "Plex server lost", lost + 1)
    await is_told(stage, "Plex server back", back + 1)
    await all_is_well(evening)


# ---------------------------------------------------------------- afterwards


async def all_is_well(evening: Evening) -> None:
    """Everything drains, the card tells the truth, each order was given once, and each event was handled once."""
    stage = evening.stage
    await stage.wait_for(lambda: is_healthy(stage), "every check to pass")
    await commands_are_taken(evening)
    await stage.wait_for(lambda: is_right(evening), "the card to tell the truth")
    assert evening.asked
    assert any(one.callback_type is not None for one in evening.asked)
    for one in evening.asked:
        assert sum(fact.kind.startswith("callback:") for fact in one.facts) <= 1, one
        assert evening.answers_to(one) <= 1, one
    assert evening.orders() - evening.orders_before <= len(evening.asked)
    assert sum("on **" in seen.text for seen in evening.member.sees() if not seen.is_private) == 1
    await the_ledger_closes(stage)


async def commands_are_taken(evening: Evening) -> None:
    """A command is carried out and answered again, at once."""

    async def is_answered() -> bool:
        level = 10 + len(evening.asked)
        sent = evening.member.user.send_slash(
            "volume", channel=evening.member.channel, player=LIVING_ROOM, level=level
        )  # fmt: skip
        evening.asked.append(sent)
        try:
            async with asyncio.timeout(3):
                await sent.answered.wait()
        except TimeoutError:
            return False
        return evening.stage.player(LIVING_ROOM).volume == level

    await evening.stage.wait_for(is_answered, "a command to be carried out")


def is_right(evening: Evening) -> bool:
    """Whether the card shows what the player does; the clock goes on meanwhile."""
    evening.stage.clock.jump(16)
    player = evening.stage.player(LIVING_ROOM)
    word = {"playing": "▶ Playing", "paused": "⏸ Paused"}[player.state]
    return word in evening.card.text and f"volume {player.volume} %" in evening.card.text


async def is_healthy(stage: Stage) -> bool:
    return set((await stage.checks()).values()) == {"pass"}


async def status_is(stage: Stage, check: str, status: str) -> bool:
    return (await stage.checks())[check] == status


def told(stage: Stage, words: str) -> list[str]:
    """What stands in the channel for trouble and contains `words`."""
    return [shown.text for shown in stage.lab.user("olivia").sees(LOG) if words in shown.text]


async def is_published(stage: Stage, event_type: str, times: int) -> None:
    async def is_there() -> bool:
        return (await asyncio.to_thread(count, stage))[event_type] == times

    await stage.wait_for(is_there, f"{times} events {event_type}")


async def is_told(stage: Stage, words: str, times: int) -> None:
    """Wait for word in the channel; what waits for another attempt need not wait for a real minute."""

    async def is_there() -> bool:
        stage.clock.jump(1)
        return len(told(stage, words)) == times

    await stage.wait_for(is_there, f"{times} times {words!r}")


async def the_ledger_closes(stage: Stage) -> None:
    """By the daemon's own watcher, and by a count of ours in its database."""

    async def is_empty() -> bool:
        return (await asyncio.to_thread(count, stage))["waiting"] == 0

    await stage.wait_for(is_empty, "the queue to be empty")
    stage.clock.jump(SETTLED_S)
    runs = await watcher_runs(stage)

    async def has_looked() -> bool:
        stage.clock.jump(16)
        return await watcher_runs(stage) >= runs + 2

    await stage.wait_for(has_looked, "the watcher to look again")
    assert await status_is(stage, "events", "pass")
    found = await asyncio.to_thread(count, stage)
    assert found["dead"] == 0
    assert found["wanted"] == found["handled"], found
    assert found["unhandled"] == 0
    for words, event_type in (("Plex server lost", "server_lost"), ("Plex server back", "server_back")):
        assert len(told(stage, words)) == found[event_type], found


async def watcher_runs(stage: Stage) -> float:
    assert stage.daemon is not None
    async with aiohttp.ClientSession() as http, http.get(f"{stage.daemon.url}/metrics") as answer:
        (runs,) = re.findall(r"^marquee_watcher_runs_total(?:{.*})? (\S+)$", await answer.text(), re.MULTILINE)
    return float(runs)


_DUE = "FROM events e JOIN event_subscriptions s ON s.event_type = e.type AND e.seq > s.since_seq"
_COUNTS = {
    "waiting": "SELECT count(*) FROM queue_messages",
    "dead": "SELECT count(*) FROM dead_letters",
    "wanted": f"SELECT count(*) {_DUE}",
    "handled": "SELECT count(*) FROM event_marks",
    "unhandled": f"SELECT count(*) {_DUE} LEFT JOIN event_marks m ON m.event_seq = e.seq"
    " AND m.subscription = s.subscription AND m.digest = e.digest WHERE m.event_seq IS NULL",
    "server_lost": "SELECT count(*) FROM events WHERE type = 'server_lost'",
    "server_back": "SELECT count(*) FROM events WHERE type = 'server_back'",
}


def count(stage: Stage) -> dict[str, int]:
    """What the stage's database holds."""
    with closing(sqlite3.connect(f"file:{stage.folder}/data/marquee.db?mode=ro", uri=True)) as database:
        return {name: database.execute(query).fetchone()[0] for name, query in _COUNTS.items()}

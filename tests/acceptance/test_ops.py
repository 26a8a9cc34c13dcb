"""Owners are told what goes wrong, once, and can look at it and mend it from chat; nobody else can."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from daemon.data.store import Store
from daemon.kernel.clock import SystemClock
from daemon.kernel.metrics import Metrics
from daemon.services.dead_letters import DeadLetters
from daemon.services.queue import Entry
from daemon.services.queue.inbox import Inbox
from daemon.services.schedule.runs import JOBS
from tests import nursery
from tests.acceptance.stage import Member, Stage, answered, open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOG = "bot-log"
LOST, BACK = "### Plex server lost", "### Plex server back"
TRACE = "feedfacefeedfacefeedfacefeedface"
ALL = "^/(?!__sim)"
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage() -> AsyncIterator[Stage]:
    """A daemon that belongs to olivia, tells trouble in a channel, and soon gives up waiting for Plex."""
    async with open_stage(is_started=False) as stage:
        stage.settings |= {
            "MARQUEE_OWNERS": str(stage.lab.user("olivia").user_id),
            "MARQUEE_MODULES__OPS__CHANNEL": str(stage.lab.world.channel(LOG).channel_id),
            "MARQUEE_MODULES__OPS__DIED_EVERY_MIN": "1440",
            "MARQUEE_PLEX__CONNECT_TIMEOUT_S": "0.5",
            "MARQUEE_PLEX__REQUEST_TIMEOUT_S": "1",
            "MARQUEE_PLEX__CHECK_INTERVAL_S": "5",
        }
        await stage.start()
        yield stage


@pytest.fixture
def olivia(stage: Stage) -> Member:
    """The owner, in a channel of her own for each test."""
    world, guild = stage.lab.world, stage.lab.guild
    channel = world.add_channel(guild, f"office-{len(guild.channel_ids)}")
    return Member(stage.lab.user("olivia"), channel.channel_id)


def told(stage: Stage, words: str) -> list[str]:
    """What stands in the channel for trouble and contains `words`."""
    return [shown.text for shown in stage.lab.user("olivia").sees(LOG) if words in shown.text]


class Database:
    """The daemon's database, as another process on the same machine sees it."""

    def __init__(self, stage: Stage, store: Store) -> None:
        self._stage = stage
        self._store = store
        self._inbox = Inbox(SystemClock(), Metrics())
        self._inbox.declare(JOBS)

    async def give_up(self, *bodies: bytes) -> None:
        """Have the daemon give up runs that name no slot, as it would give up anything it cannot read."""
        before = await self.count()
        entries = [
            Entry("retention", body, due_at=LONG_AGO, source="a test", trace_id=f"{number}{TRACE}"[:32])
            for number, body in enumerate(bodies)
        ]
        await self._store.write(lambda tx: self._inbox.put(tx, JOBS.name, entries))
        await self.until(before + len(bodies))

    async def count(self) -> int:
        return (await DeadLetters(self._store, SystemClock()).page())[1]

    async def until(self, count: int) -> None:
        async def are_there() -> bool:
            return await self.count() == count

        await self._stage.wait_for(are_there, f"{count} dead letters")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(shared_stage: Stage) -> AsyncIterator[Database]:
    store = await Store.open(f"sqlite:///{shared_stage.folder}/data/marquee.db", metrics=Metrics())
    yield Database(shared_stage, store)
    await store.close()


async def marquee(stage: Stage, *arguments: str) -> tuple[int, str]:
    """A command beside the running daemon: its exit code and what it wrote."""
    environ = stage.environment() | {"COLUMNS": "200"}
    process = await nursery.spawn("daemon", *arguments, environ=environ, stdout=nursery.PIPE, stderr=nursery.STDOUT)
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def until_plex_is_back(stage: Stage) -> None:
    """Word of a server that another test broke has come, too."""

    async def is_back() -> bool:
        return (await stage.checks())["plex:attic"] == "pass" and len(told(stage, LOST)) == len(told(stage, BACK))

    await stage.wait_for(is_back, "Plex to be back")


async def test_a_plex_server_that_is_lost_and_back_is_told_once_each(stage: Stage) -> None:
    await until_plex_is_back(stage)
    before = len(told(stage, LOST))
    fault = stage.plex.faults.add(ALL, "drop")
    await stage.wait_for(lambda: len(told(stage, LOST)) > before, "word of the lost server")
    assert "Plex server **attic** is unreachable, since <t:" in told(stage, LOST)[-1]
    stage.clock.jump(60)
    assert fault.hits
    stage.plex.faults.clear()
    await until_plex_is_back(stage)
    assert "Plex server **attic** answers again. It was away for" in told(stage, BACK)[-1]
    assert len(told(stage, LOST)) == before + 1


async def test_dead_letters_are_told_listed_replayed_and_dropped(
    stage: Stage, database: Database, olivia: Member
) -> None:
    shown = await olivia.slash("ops dead-letters")
    await shown.until("nothing was given up")
    assert shown.is_private
    assert shown.buttons == {}

    await database.give_up(b"nonsense", b"more nonsense")
    await stage.wait_for(lambda: told(stage, "Work was given up"), "word of the dead letters")
    (notice,) = told(stage, "Work was given up")
    assert "Queue **jobs**: retention rejected after 1 attempt" in notice

    shown = await olivia.slash("ops dead-letters")
    await shown.until("### Dead letters (2)")
    assert shown.is_private
    newest, oldest = shown.options["Show one"]
    await shown.choose("Show one", newest)
    await shown.until("the message names no slot")
    assert "Body" in shown.text
    assert "more nonsense" in shown.text
    assert len(shown.messages) == 1  # the list itself became the letter
    await shown.click("Replay")
    await shown.until(f"Replayed dead letter {newest.split()[0]}.")
    await database.until(2)  # it died again, under another number

    await shown.click("Drop all")
    await shown.until("Drop all 2 dead letters for good?")
    await shown.click("No, keep")
    await shown.until("### Dead letters (2)")
    await shown.choose("Show one", oldest)
    await shown.until("Dead letter")
    await shown.click("Drop")
    await shown.until(f"Drop dead letter {oldest.split()[0]} for good?")
    await shown.click("Yes, drop")
    await shown.until(f"Dropped dead letter {oldest.split()[0]}.")
    await shown.until("### Dead letters (1)")
    await shown.click("Drop all")
    await shown.until("Drop all 1 dead letters for good?")
    await shown.click("Yes, drop")
    await shown.until("### Dead letters (0)")
    assert await database.count() == 0
    assert len(told(stage, "Work was given up")) == 1


async def test_the_story_of_a_dead_letter_is_told(stage: Stage, database: Database, olivia: Member) -> None:
    await database.give_up(b"gibberish")
    shown = await olivia.slash("ops trace", id=f"0{TRACE}"[:8])
    await shown.until("dead letter")
    assert shown.is_private
    assert "put into queue jobs" in shown.text
    code, out = await marquee(stage, "trace", f"0{TRACE}"[:32])
    assert code == 0
    assert "rejected after 1 attempts: the message names no slot" in out
    code, out = await marquee(stage, "dead-letters", "drop", "--all", "--yes")
    assert (code, out) == (0, "Dropped 1.\n")
    shown = await olivia.slash("ops trace", id="12345678")
    await shown.until("Nothing is known of 12345678.")
    shown = await olivia.slash("ops trace", id="all")
    await shown.until("A trace id has 32 hexadecimal digits")


async def test_schedules_are_shown_and_run_by_hand(stage: Stage, olivia: Member) -> None:
    shown = await olivia.slash("ops schedules")
    await shown.until("**retention** · `17 * * * *`")
    assert shown.is_private
    await shown.choose("Run one now", "retention")
    await shown.until("will run within seconds")
    trace_id = shown.text.split("/ops trace id:")[1][:8]

    async def is_done() -> bool:
        story = await olivia.slash("ops trace", id=trace_id)
        await answered(story)
        return "run of retention done" in story.text

    await stage.wait_for(is_done, "the run to be done")
    again = await olivia.slash("ops schedules")
    await again.until("done <t:")


async def test_health_is_told_in_words(stage: Stage, olivia: Member) -> None:
    shown = await olivia.slash("ops health")
    await shown.until("Ready")
    assert shown.is_private
    assert "database" in shown.text
    stage.plex.faults.add(ALL, 503)

    async def is_told() -> bool:
        shown = await olivia.slash("ops health")
        await answered(shown)
        return "plex:attic" in shown.text and "is busy or starting" in shown.text

    await stage.wait_for(is_told, "the health command to tell of Plex")
    stage.plex.faults.clear()


@pytest.mark.parametrize(
    ("command", "options"),
    [("ops dead-letters", {}), ("ops health", {}), ("ops schedules", {}), ("ops trace", {"id": TRACE})],
)
async def test_nobody_else_may(stage: Stage, command: str, options: dict[str, str]) -> None:
    for member in (stage.guest(), stage.controller()):
        shown = await member.slash(command, **options)
        await shown.until("Only the owners of this bot may do that.")
        assert shown.is_private


async def test_a_button_that_is_seen_by_others_works_for_owners_only(
    stage: Stage, database: Database, olivia: Member
) -> None:
    """Answers are private; should Discord ever show one to others, each press is still checked."""
    await database.give_up(b"mumble")
    shown = await olivia.slash("ops dead-letters")
    await shown.until("### Dead letters (1)")
    drop_all = next(
        part["custom_id"]
        for message in shown.messages
        for row in message["components"][0]["components"]
        for part in row.get("components", ())
        if part.get("label") == "Drop all"
    )
    guest = stage.guest()
    card = await guest.slash("now")
    await answered(card)
    refused = await guest.user.press_forged(card.message_id, drop_all)
    await refused.until("Only the owners of this bot may do that.")
    assert await database.count() == 1
    assert (await marquee(stage, "dead-letters", "drop", "--all", "--yes"))[0] == 0

"""The daemon is stopped, killed and started again: what was begun ends well, and cards go on."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
import pytest_asyncio

from simulators.discord import permissions as perms
from simulators.discord.user import Shown
from tests.acceptance.stage import LIVING_ROOM, PROJECT, ROKU, SHIELD, TABLET, Member, Stage, answered, open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

COMMANDS_READ, COMMANDS_WRITTEN = "list_application_commands", "bulk_set_application_commands"


async def play(stage: Stage, member: Member, number: int = 0, player: str = LIVING_ROOM) -> Shown:
    title = f"t:attic:{stage.named_once('movie')[number].key}"
    return await member.slash("play", title=title, player=player, **{"from": "start"})


async def kill(stage: Stage) -> None:
    """As a power cut: no part of the daemon gets to do anything."""
    assert stage.daemon is not None
    stage.daemon.process.kill()
    assert await stage.daemon.process.wait() == -signal.SIGKILL


def requests(stage: Stage, op: str) -> int:
    return sum(r.op == op for r in stage.lab.requests)


async def has_logged(stage: Stage, event: str) -> bool:
    assert stage.daemon is not None
    return any(line["event"] == event for line in await stage.daemon.logs())


# ---------------------------------------------------------------- killed, and started again ten minutes later


@dataclass(frozen=True)
class Night:
    """Cards that were open when the daemon was killed; meanwhile things happened to all but the first."""

    stage: Stage
    alice: Member
    going_on: Shown
    ended: Shown
    deleted: str  # its message id
    hidden: Member
    menu: Shown
    reads: int
    writes: int


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def night() -> AsyncIterator[Night]:
    """One crash that several tests look at."""
    async with open_stage() as stage:
        alice, carol, dave, erin = (stage.controller() for _ in range(4))
        cards = [
            await play(stage, alice, 0, LIVING_ROOM),
            await play(stage, carol, 1, ROKU),
            await play(stage, dave, 2, SHIELD),
            await play(stage, erin, 3, TABLET),
        ]
        for card in cards:
            await card.until("▶ Playing", 20)
        menu = await stage.controller().slash("queue add", title="the", player=LIVING_ROOM)
        await menu.until("Several titles fit")
        night = Night(
            stage, alice, cards[0], cards[1], str(cards[2].message_id), erin, menu,
            requests(stage, COMMANDS_READ), requests(stage, COMMANDS_WRITTEN),
        )  # fmt: skip
        await kill(stage)
        stage.player(ROKU).stop(stage.clock.now())
        stage.lab.user("olivia").delete(cards[2].message_id)
        app = next(iter(stage.lab.world.apps.values()))
        stage.lab.world.set_overwrite(stage.lab.channel(erin.channel), app.person.user_id, 0, perms.VIEW_CHANNEL)
        stage.clock.jump(600)
        await stage.start()
        yield night


def _minute(text: str) -> int:
    """The minute at which a card shows its title to be; -1 while it shows none."""
    found = re.search(r"(?<![\d:])(?:(\d+):)?(\d+):\d\d / ", text)
    return -1 if found is None else int(found[1] or 0) * 60 + int(found[2])


async def test_a_card_goes_on_after_a_crash(night: Night) -> None:
    card = night.going_on
    await card.until(lambda there: _minute(there.text) >= 10, 20)
    await card.click("Volume -")
    await card.until("volume 90 %")
    night.stage.player(LIVING_ROOM).pause(night.stage.clock.now())
    await card.until("⏸ Paused")
    night.stage.player(LIVING_ROOM).resume(night.stage.clock.now())
    await card.until("▶ Playing")
    public = [seen for seen in night.alice.sees() if not seen.is_private]
    assert [seen.message_id for seen in public] == [card.message_id]
    assert "Poster of" in card.text


async def test_a_title_that_ended_meanwhile_is_said_to_have_ended(night: Night) -> None:
    async def is_over() -> bool:
        night.stage.clock.jump(6)
        return "⏹ Ended" in night.ended.text

    await night.stage.wait_for(is_over, "the card to end", 20)
    assert night.ended.buttons == {}


async def test_a_card_deleted_meanwhile_is_given_up_quietly(night: Night) -> None:
    stage = night.stage

    def tries() -> int:
        return sum(night.deleted in r.path for r in stage.lab.requests if r.status == 404)

    await stage.wait_for(lambda: tries() == 1, "the daemon to notice", 20)
    stage.player(SHIELD).pause(stage.clock.now())
    await answered(await night.alice.slash("players"))
    stage.player(SHIELD).resume(stage.clock.now())
    await answered(await night.alice.slash("players"))
    assert tries() == 1
    assert stage.daemon is not None
    loud = [line for line in await stage.daemon.logs() if line["level"] in ("error", "critical")]
    assert loud == []


async def test_a_channel_hidden_meanwhile_is_warned_of(night: Night) -> None:
    async def warns() -> bool:
        night.stage.clock.jump(6)
        return (await night.stage.checks()).get("module:playback:cards") == "warn"

    await night.stage.wait_for(warns, "the health page to say so", 20)
    assert night.stage.daemon is not None
    checks = (await night.stage.daemon.health())["checks"]
    assert str(night.hidden.channel) in checks["module:playback:cards"][0]["output"]


async def test_a_menu_from_before_still_works(night: Night) -> None:
    ((placeholder, choices),) = night.menu.options.items()
    await night.menu.choose(placeholder, choices[0])
    await night.menu.until(f"to the queue of {LIVING_ROOM}.", 20)
    assert night.menu.options == {}


async def test_commands_in_step_are_read_and_not_written(night: Night) -> None:
    assert requests(night.stage, COMMANDS_WRITTEN) == night.writes
    assert requests(night.stage, COMMANDS_READ) == night.reads + 1


# ---------------------------------------------------------------- stopped in the middle of a command


@pytest_asyncio.fixture(loop_scope="module")
async def running(stage: Stage) -> AsyncIterator[Stage]:
    """A stage whose daemon runs at the beginning of the test."""
    if stage.daemon is None or stage.daemon.process.returncode is not None:
        await stage.start()
    yield stage


async def begin_stop(stage: Stage) -> None:
    """SIGTERM; returns when the daemon has noticed and takes no more orders."""
    assert stage.daemon is not None
    stage.daemon.process.send_signal(signal.SIGTERM)
    await stage.wait_for(lambda: has_logged(stage, "stopping"), "the daemon to stop", 10)


async def wait_end(stage: Stage) -> int:
    assert stage.daemon is not None
    async with asyncio.timeout(20):
        return await stage.daemon.process.wait()


async def wait_good_end(stage: Stage) -> None:
    stage.exit_codes.append(await wait_end(stage))
    assert stage.exit_codes[-1] == 0


async def test_a_slow_command_is_finished_and_others_are_refused(running: Stage) -> None:
    stage = running
    alice, carol = stage.controller(), stage.controller()
    hold = stage.plex.faults.add("^/library/metadata/", "hold", times=1)
    slow = await play(stage, alice)
    assert slow.is_loading
    await begin_stop(stage)
    assert stage.daemon is not None
    async with aiohttp.ClientSession() as http, http.get(f"{stage.daemon.url}/health/ready") as answer:
        assert answer.status == 503
    refused = await carol.slash("pause", player=LIVING_ROOM)
    assert "Marquee is restarting" in refused.text
    assert refused.is_private
    hold.release()
    await slow.until(lambda there: bool(there.messages) and not there.is_loading, 20)
    assert stage.named_once("movie")[0].title in slow.text
    await wait_good_end(stage)
    await stage.start()
    await slow.until("▶ Playing", 20)
    await slow.click("Pause")
    await slow.until("⏸ Paused")


async def test_a_command_that_never_ends_is_interrupted_with_a_sentence(running: Stage) -> None:
    stage = running
    alice = stage.controller()
    hold = stage.plex.faults.add("^/library/metadata/|/player/playback/pause", "hold")
    slow = await play(stage, alice)
    pausing = await alice.slash("pause", player=LIVING_ROOM)
    assert slow.is_loading
    assert pausing.is_loading
    assert hold.hits == 2
    await begin_stop(stage)
    await wait_good_end(stage)
    for shown in (slow, pausing):
        assert "Marquee is restarting and could not wait for this" in shown.text
        assert shown.is_private
    assert len(alice.sees()) == 2


async def test_a_second_signal_ends_it_at_once_and_harms_nothing(running: Stage) -> None:
    stage = running
    alice = stage.controller()
    hold = stage.plex.faults.add("^/library/metadata/", "hold")
    slow = await play(stage, alice)
    assert slow.is_loading
    await begin_stop(stage)
    assert stage.daemon is not None
    stage.daemon.process.send_signal(signal.SIGTERM)
    assert await wait_end(stage) == 128 + signal.SIGTERM
    assert slow.is_loading
    stage.plex.faults.remove(hold)
    await stage.start()
    card = await play(stage, alice)
    await card.until("▶ Playing", 20)


async def test_a_second_daemon_on_the_same_data_is_refused(running: Stage) -> None:
    stage = running
    assert stage.daemon is not None
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "daemon", "run",
        cwd=PROJECT, env=stage.environment(), stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    assert process.returncode == 78
    (line,) = err.decode().splitlines()
    assert f"is in use by the process with id {stage.daemon.process.pid}" in line
    assert out == b""
    stage.watch(LIVING_ROOM)
    shown = await stage.controller().slash("pause", player=LIVING_ROOM)
    await shown.until(f"Paused {LIVING_ROOM}.")

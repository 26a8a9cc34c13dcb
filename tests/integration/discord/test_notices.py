"""Notices reach Discord once, whatever is lost, crashes or stands in the way."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from daemon.core.ids import ChannelId, ModuleId
from daemon.core.limits import NONCE_WINDOW_S, NOTICE_PATIENCE_S
from daemon.data.store import Store
from daemon.services.notify import Notice, Speakers, encode
from integrations.discord.notices import DiscordNotices, component_ids, ids_in
from simulators.discord import permissions as perms
from simulators.discord.posts import write
from simulators.discord.sim import DiscordSim
from tests import nursery
from tests.integration.discord import notice_child
from tests.integration.discord.noticing import Interrupted, Process, direct, process
from tests.integration.discord.stage import DEMO, Stage, running, stage_at

BEYOND_S = NONCE_WINDOW_S * 10
PROJECT = Path(__file__).parents[3]


@pytest_asyncio.fixture
async def one(stage: Stage) -> AsyncIterator[Process]:
    """One process that does everything."""
    async with process(stage) as made:
        yield made


def said(stage: Stage, channel: str | int = "general") -> list[str]:
    return [shown.text for shown in stage.lab.user("olivia").sees(channel)]


def asked(stage: Stage, op: str) -> int:
    return len(stage.ops(op))


# ---------------------------------------------------------------- what is posted


async def test_a_notice_is_posted_once_for_its_key(stage: Stage, one: Process) -> None:
    notice = Notice(
        DEMO, "lost:attic:1", "It does not answer.", stage.general, title="Plex server attic", accent=0xE5A00D,
        url="https://example.org/health", url_label="Health", source="plex", trace_id="a" * 32,
    )  # fmt: skip
    nonce = await one.post(notice)
    assert nonce is not None
    row = await one.posted(nonce)
    assert said(stage) == ["### Plex server attic\nIt does not answer.\n(Health: https://example.org/health)"]
    (message,) = stage.lab.user("olivia").messages()
    assert (row.message_id, row.app_id, row.channel_id) == (int(message["id"]), stage.app_id, stage.general)
    assert (row.source, row.trace_id) == ("plex", "a" * 32)
    assert ids_in(message) == component_ids(nonce)
    assert await one.post(notice) is None
    assert await one.post(Notice(DEMO, "lost:attic:1", "Said otherwise.", stage.general)) is None
    await one.posted(await one.say("another"))
    assert len(said(stage)) == 2
    assert one.count("posted") == 2
    assert one.metrics.registry.get_sample_value("marquee_event_to_discord_seconds_count") == 2
    assert stage.ops("create_message")[0].body["allowed_mentions"]["parse"] == []


async def test_what_is_too_long_is_cut_and_what_is_no_link_left_out(stage: Stage, one: Process) -> None:
    await one.posted(
        await one.say("x" * 9_000, "long", title="t" * 900, url="https://" + "u" * 600, url_label="l" * 99)
    )
    await one.posted(await one.say("y", "script", url="javascript:alert(1)"))
    long, short = said(stage)
    assert len(long) == 4_000
    assert long.endswith("x…")
    assert short == "y"


async def test_notices_of_a_channel_keep_their_order(stage: Stage, one: Process) -> None:
    stage.lab.faults.add("create_message", status=503)
    nonces = [await one.say(f"line {number}") for number in range(4)]
    await one.retried()
    for nonce in nonces:
        await one.posted(nonce)
    assert said(stage) == [f"line {number}" for number in range(4)]


async def test_what_is_no_notice_is_put_aside(stage: Stage, one: Process) -> None:
    await one.queue.send("notify", "demo", b'{"module":"demo"}')
    reason, detail = await one.dead()
    assert reason == "rejected"
    assert "no notice" in detail


async def test_only_what_is_wanted_can_be_asked_for(stage: Stage) -> None:
    for wrong in ({}, {"channel_id": ChannelId(1), "member_id": direct(stage, "bob")}):
        with pytest.raises(ValueError, match="to a channel or to a member"):
            Notice(DEMO, "key", "text", **wrong)
    with pytest.raises(ValueError, match="a key and a text"):
        Notice(DEMO, "", "text", stage.general)


# ---------------------------------------------------------------- answers that were lost


@pytest.mark.parametrize("fault", [{"drop": True}, {"status": 503}, {"status": 500}], ids=["cut", "503", "500"])
@pytest.mark.parametrize("arrives", [True, False])
async def test_a_lost_answer_is_asked_for_again(
    stage: Stage, one: Process, fault: dict[str, Any], arrives: bool
) -> None:
    stage.lab.faults.add("create_message", times=2, after_commit=arrives, **fault)
    await one.posted(await one.say("once"))
    assert said(stage) == ["once"]
    assert asked(stage, "list_messages") == 0
    assert one.count("posted") == 1


async def outage(one: Process, *, arrives: bool) -> str:
    """Discord goes away while a notice is posted, and stays away for longer than it remembers a nonce."""
    faults = one.stage.lab.faults
    faults.add("create_message", times=2, drop=True, after_commit=arrives)
    faults.add("*", times=None, drop=True)
    nonce = await one.say("once")
    await one.retried()
    assert (await one.row(nonce)).tried_at is not None
    one.stage.lab.clock.jump(BEYOND_S)
    return nonce


async def test_after_a_long_outage_the_channel_is_read_first(stage: Stage, one: Process) -> None:
    nonce = await outage(one, arrives=True)
    stage.lab.faults.clear()
    row = await one.posted(nonce)
    assert said(stage) == ["once"]
    assert row.message_id == int(stage.lab.user("olivia").messages()[0]["id"])
    assert asked(stage, "list_messages") >= 1
    assert (one.count("found"), one.count("posted")) == (1, 0)


async def test_what_never_arrived_is_posted_after_a_long_outage(stage: Stage, one: Process) -> None:
    nonce = await outage(one, arrives=False)
    stage.lab.user("bob").say("general", "is anybody there?")
    stage.lab.faults.clear()
    await one.posted(nonce)
    assert said(stage) == ["is anybody there?", "once"]
    assert asked(stage, "list_messages") >= 1


async def test_it_is_found_behind_hundreds_of_messages(stage: Stage, one: Process) -> None:
    nonce = await outage(one, arrives=True)
    app = stage.lab.world.apps[stage.app_id]
    channel = stage.lab.channel("general")
    for number in range(230):
        author = app.person if number % 2 else stage.lab.user("bob").person
        write(stage.lab.world, channel, author, {"content": f"chatter {number}"})
    stage.lab.faults.clear()
    await one.posted(nonce)
    assert said(stage).count("once") == 1
    pages = [seen for seen in stage.ops("list_messages") if seen.status == 200]
    assert len(pages) == 3


async def test_reading_ends_at_the_time_of_the_first_try(stage: Stage, one: Process) -> None:
    for number in range(120):
        stage.lab.user("bob").say("general", f"chatter {number}")
    stage.lab.clock.jump(3600)
    nonce = await outage(one, arrives=False)
    stage.lab.faults.clear()
    await one.posted(nonce)
    assert sum(seen.status == 200 for seen in stage.ops("list_messages")) == 1
    assert said(stage).count("once") == 1


async def test_what_cannot_be_told_is_an_owner_s_to_decide(stage: Stage, one: Process) -> None:
    await outage(one, arrives=True)
    stage.lab.world.set_overwrite(stage.lab.channel("general"), stage.app_id, 0, perms.READ_MESSAGE_HISTORY)
    stage.lab.faults.clear()
    reason, detail = await one.dead()
    assert reason == "rejected"
    assert "cannot be told" in detail
    assert "message history" in detail
    assert said(stage) == ["once"]


# ---------------------------------------------------------------- crashes


async def test_a_crash_between_post_and_commit_within_the_window(stage: Stage) -> None:
    posted = asyncio.Event()

    async def hangs() -> None:
        posted.set()
        await asyncio.Event().wait()

    async with process(stage, sender=Interrupted(stage, hangs)) as dying:
        nonce = await dying.say("once")
        await posted.wait()
        await dying.crash()
        assert (await dying.row(nonce)).message_id is None
        async with process(stage) as living:
            stage.lab.clock.jump(35)  # its lease has run out
            await living.posted(nonce)
    assert said(stage) == ["once"]
    assert asked(stage, "list_messages") == 0


async def test_a_crash_between_post_and_commit_and_a_late_restart(stage: Stage) -> None:
    async def fails() -> None:
        raise RuntimeError("as good as a crash")

    async with process(stage, sender=Interrupted(stage, fails)) as dying:
        nonce = await dying.say("once")
        await dying.tried(nonce)
        await stage.until(lambda: said(stage) == ["once"])
    stage.lab.clock.jump(BEYOND_S)
    async with process(stage) as living:
        await living.posted(nonce)
        assert living.count("found") == 1
    assert said(stage) == ["once"]


@pytest.mark.parametrize("late", [False, True])
async def test_a_process_killed_between_post_and_commit(stage: Stage, tmp_path: Path, late: bool) -> None:
    lab = stage.lab
    arguments = (tmp_path, lab.connect, lab.ca_file, lab.tokens["marquee"], stage.general, lab.clock.now())
    child = await nursery.spawn(notice_child.__name__, *map(str, arguments), stdout=nursery.PIPE)
    assert child.stdout is not None
    async with asyncio.timeout(60):
        assert await child.stdout.readline() == b"posted\n"
    child.kill()
    await child.communicate()
    assert child.returncode == -signal.SIGKILL
    assert said(stage) == [notice_child.KEY]
    lab.clock.jump(BEYOND_S if late else 35)
    async with process(stage) as living:
        await living.posted(Notice(DEMO, notice_child.KEY, "-", stage.general).nonce)
        assert living.count("found" if late else "posted") == 1
    assert said(stage) == [notice_child.KEY]


class Halting:
    """A clock whose process is stopped for minutes just before somebody looks at it for the `at`-th time."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.at = 0

    def now(self) -> datetime:
        self.at -= 1
        if self.at == 0:
            self.stage.lab.clock.jump(BEYOND_S)
        return self.stage.clock.now()

    async def sleep(self, seconds: float) -> None:
        await self.stage.clock.sleep(seconds)


async def test_who_stood_still_before_a_post_looks_first(stage: Stage) -> None:
    clock = Halting(stage)

    class Halted(DiscordNotices):
        def speakers(self, module: ModuleId) -> Speakers:
            clock.at = 2  # the try is noted at the first look, and about to begin at the second
            return super().speakers(module)

    sender = Halted(stage.fleet.bots_for, 1, stage.fleet.messages)
    async with process(stage, clock=clock, sender=sender) as halted:
        nonce = await halted.say("once")
        await halted.tried(nonce)
        await halted.retried()
        assert said(stage) == []
    async with process(stage) as one:
        await one.posted(nonce)
    assert said(stage) == ["once"]
    assert asked(stage, "list_messages") == 1


# ---------------------------------------------------------------- Discord says no, or not now


async def test_a_rate_limit_is_waited_for(stage: Stage, one: Process) -> None:
    stage.lab.faults.add("create_message", status=429, retry_after_s=0.05)
    stage.lab.faults.add("create_message", status=429, retry_after_s=3600.0)
    nonce = await one.say("once")
    await one.retried()
    await one.posted(nonce)
    assert said(stage) == ["once"]
    assert asked(stage, "list_messages") == 0


async def test_hours_of_refusals_cost_no_reading(stage: Stage, one: Process) -> None:
    fault = stage.lab.faults.add("create_message", times=None, status=429, retry_after_s=3600.0)
    nonce = await one.say("once")
    for times in range(1, 4):
        await one.retried(times)
        stage.lab.clock.jump(BEYOND_S)
    fault.times = 0
    await one.posted(nonce)
    assert said(stage) == ["once"]
    assert asked(stage, "list_messages") == 0


async def test_a_deleted_channel_is_given_up(stage: Stage, one: Process) -> None:
    stage.lab.world.delete_channel(stage.lab.channel("movie-night"))
    gone = stage.lab.world.new_id()
    await one.say("to nobody", channel_id=ChannelId(gone))
    reason, detail = await one.dead()
    assert (reason, detail.splitlines()[0]) == ("rejected", "the channel does not exist any more")
    assert one.count("dropped") == 1
    await one.posted(await one.say("to everybody"))


async def test_a_hidden_channel_is_given_up_and_can_be_replayed(stage: Stage, one: Process) -> None:
    channel = stage.lab.channel("general")
    stage.lab.world.set_overwrite(channel, stage.app_id, 0, perms.SEND_MESSAGES)
    nonce = await one.say("once")
    reason, detail = await one.dead()
    assert (reason, detail.splitlines()[0]) == ("rejected", "the bot may not write there")
    assert (await one.row(nonce)).tried_at is None
    stage.lab.world.set_overwrite(channel, stage.app_id, 0, 0)
    body = encode(Notice(DEMO, "once", "once", stage.general))
    await one.queue.send("notify", "demo", body)
    await one.posted(nonce)
    assert said(stage) == ["once"]


async def test_a_message_that_discord_does_not_take_is_given_up(stage: Stage, one: Process) -> None:
    stage.lab.faults.add("create_message", status=400, code=50035)
    await one.say("once")
    reason, detail = await one.dead()
    assert reason == "rejected"
    assert "50035" in detail


async def test_a_day_is_enough(stage: Stage, one: Process) -> None:
    stage.lab.faults.add("create_message", times=None, status=429, retry_after_s=3600.0)
    await one.say("once")
    await one.retried()
    stage.lab.clock.jump(NOTICE_PATIENCE_S)
    reason, detail = await one.dead()
    assert reason == "rejected"
    assert "for too long" in detail


async def test_a_refused_token_drops_nothing(stage: Stage, one: Process) -> None:
    stage.lab.faults.add("create_message", status=401)
    nonce = await one.say("once")
    await one.retried()
    await one.posted(nonce)
    assert one.count("dropped") == 0


# ---------------------------------------------------------------- direct messages


async def test_a_member_is_told_directly(stage: Stage, one: Process) -> None:
    olivia = stage.lab.user("olivia")
    row = await one.posted(await one.say("for you", member_id=direct(stage, "olivia")))
    channel = int(olivia.dm("Marquee")["id"])
    assert row.channel_id == channel
    assert said(stage, channel) == ["for you"]
    assert said(stage) == []


async def test_a_direct_message_is_found_as_any_other(stage: Stage, one: Process) -> None:
    stage.lab.faults.add("create_dm", drop=True)
    stage.lab.faults.add("create_message", times=2, drop=True, after_commit=True)
    nonce = await one.say("for you", member_id=direct(stage, "olivia"))
    await one.tried(nonce)
    await one.retried(2)
    stage.lab.clock.jump(BEYOND_S)
    row = await one.posted(nonce)
    assert said(stage, row.channel_id or 0) == ["for you"]


async def test_who_takes_no_direct_messages_is_left_alone(stage: Stage, one: Process) -> None:
    stage.lab.user("bob").person.takes_dms = False
    await one.say("for you", member_id=direct(stage, "bob"))
    reason, _ = await one.dead()
    assert reason == "rejected"
    assert asked(stage, "create_message") == 1


# ---------------------------------------------------------------- several bots, several processes


async def test_the_module_s_own_bot_speaks_where_it_can(lab: DiscordSim, tmp_path: Path) -> None:
    second = lab.world.add_app("Second")
    lab.world.join(lab.guild, second.person)
    async with running(lab, tmp_path, modules={"second": ("demo",)}) as stage, process(stage) as one:
        row = await one.posted(await one.say("by its own"))
        assert row.app_id == second.app_id
        row = await one.posted(await one.post(Notice(ModuleId("other"), "k", "by the other", stage.general)) or "")
        assert row.app_id == stage.app_id
        lab.world.leave(lab.guild, second.person)
        row = await one.posted(await one.say("by whoever may"))
        assert row.app_id == stage.app_id
        refused = sum(seen.status == 403 for seen in stage.ops("create_message"))
        await one.posted(await one.say("and again"))
        assert sum(seen.status == 403 for seen in stage.ops("create_message")) == refused == 1
    assert len(said(stage)) == 4


async def test_a_bot_that_may_yet_come_is_waited_for(lab: DiscordSim, tmp_path: Path) -> None:
    second = lab.world.add_app("Second")
    lab.world.set_overwrite(lab.channel("general"), second.app_id, 0, perms.VIEW_CHANNEL)
    first = lab.faults.add("get_my_user", times=None, status=403)
    async with stage_at(lab, tmp_path, gateway=False, modules={"second": ("demo",)}) as stage, process(stage) as one:
        nonce = await one.say("once")
        await one.retried()
        await stage.fleet.start()
        first.times = 0
        await one.posted(nonce)
    assert said(stage) == ["once"]


async def test_two_processes_share_the_work(lab: DiscordSim, stage: Stage, store: Store) -> None:
    lab.limits.is_on = False
    channels = [ChannelId(lab.channel(name).channel_id) for name in ("general", "movie-night", "bot-log")]
    async with process(stage, store=store, delivers=False) as web, process(stage, store=store) as left:
        wanted = [Notice(DEMO, f"n{n}", f"notice {n}", channels[n % 3]) for n in range(30)]
        for notice in wanted[:10]:
            await web.post(notice)
        async with process(stage, store=store) as right:
            for notice in wanted:
                await (left if notice.channel_id == channels[0] else right).post(notice)
            for notice in wanted:
                await web.posted(notice.nonce)
            assert left.count("posted") + right.count("posted") == len(wanted)
    for number, name in enumerate(("general", "movie-night", "bot-log")):
        assert said(stage, name) == [notice.text for notice in wanted[number::3]]


@pytest.mark.parametrize("late", [False, True])
async def test_a_lease_that_runs_out_during_a_post_makes_no_second_message(
    stage: Stage, store: Store, late: bool
) -> None:
    arrived, released = asyncio.Event(), asyncio.Event()

    async def waits() -> None:
        arrived.set()
        await released.wait()

    async with process(stage, store=store, sender=Interrupted(stage, waits)) as slow:
        nonce = await slow.say("once")
        await arrived.wait()
        await slow.stand_still()
        async with process(stage, store=store) as other:
            stage.lab.clock.jump(BEYOND_S if late else 35)
            await other.posted(nonce)
        released.set()
    assert said(stage) == ["once"]


async def test_a_notice_that_was_cleaned_away_is_posted_all_the_same(stage: Stage, one: Process) -> None:
    await one.queue.send("notify", "demo", encode(Notice(DEMO, "old", "from a dead letter", stage.general)))
    await stage.until(lambda: one.count("posted") == 1)
    assert said(stage) == ["from a dead letter"]
    await one.posted(Notice(DEMO, "old", "x", stage.general).nonce)


def test_two_ids_tell_a_notice_from_any_other() -> None:
    nonces = [Notice(DEMO, f"key {number}", "text", ChannelId(1)).nonce for number in range(2_000)]
    assert {len(nonce) for nonce in nonces} == {25}
    ids = [component_ids(nonce) for nonce in nonces]
    assert len(set(ids)) == len(set(nonces)) == len(nonces)
    assert all(0 < first < 2**31 and 0 < second < 2**31 and first != second for first, second in ids)

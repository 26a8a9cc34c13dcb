"""What becomes of a run: done, failed, tried again, given up, asked for by hand; and the loop that drives it all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

import pytest
import pytest_asyncio
from sqlalchemy import Connection

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.ids import GuildId
from daemon.data import guilds
from daemon.data import schedules as rows
from daemon.data.store import Store
from daemon.kernel.trace import current_trace_id
from daemon.services.schedule import Missed, Schedule
from tests.integration.schedule.stand import START, SetClock, Stand, open_stand, until

DAILY = Schedule("daily", cron="30 4 * * *")


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest_asyncio.fixture
async def stand(store: Store, clock: SetClock) -> AsyncIterator[Stand]:
    async with open_stand(store, clock) as opened:
        yield opened


async def settle(stand: Stand, *outcomes: str, name: str = "daily") -> None:
    async def is_so() -> bool:
        return await stand.outcomes(name) == list(outcomes)

    await until(is_so, f"outcomes {outcomes}")


async def test_a_run_and_its_effect_are_committed_together(stand: Stand, clock: SetClock) -> None:
    traces = []

    async def job():  # type: ignore[no-untyped-def]
        traces.append(current_trace_id())

        def effect(tx: Connection) -> None:
            guilds.set_setting(tx, GuildId(1), "x.ran", f"{clock.now():%H:%M}", clock.now())

        return effect

    await stand.schedules.add(DAILY, job)
    await stand.schedules.tick()
    clock.set("04:30:02")
    await stand.schedules.tick()
    await settle(stand, "done")
    assert await stand.store.read(lambda tx: guilds.setting(tx, GuildId(1), "x.ran")) == "04:30"
    (run,) = await stand.schedules.history("daily", 10)
    assert run.trace_id == traces[0]
    assert (f"{run.slot_at:%H:%M:%S}", run.started_at, run.ended_at) == ("04:30:00", clock.now(), clock.now())
    known = await stand.known("daily")
    assert known.last == run
    sample = stand.metrics.registry.get_sample_value
    assert sample("marquee_schedule_runs_total", {"schedule": "daily", "outcome": "done"}) == 1
    assert sample("marquee_schedule_last_run_timestamp_seconds", {"schedule": "daily"}) == clock.now().timestamp()
    assert (await stand.queue.depths())["jobs"].ready == 0


async def is_put_off(stand: Stand) -> bool:
    return (await stand.queue.depths())["jobs"].delayed == 1


@pytest.mark.parametrize("is_in_effect", [False, True])
async def test_a_run_that_fails_is_tried_again_and_then_given_up(
    stand: Stand, clock: SetClock, is_in_effect: bool
) -> None:
    attempts = []

    def fail(tx: object = None) -> None:
        attempts.append(1)
        raise UpstreamError("The shop", UpstreamKind.TIMED_OUT, "after 5 s")

    async def job():  # type: ignore[no-untyped-def]
        if is_in_effect:
            return fail
        return fail()

    await stand.schedules.add(DAILY, job)
    await stand.schedules.tick()
    clock.set("04:30")
    await stand.schedules.tick()
    await until(lambda: len(attempts) == 1, "the first attempt")
    if not is_in_effect:
        await settle(stand, "failed")
        (run,) = await stand.schedules.history("daily", 10)
        assert run.detail == "The shop: did not answer in time (after 5 s)"
    for number in range(2, 7):
        await until(partial(is_put_off, stand), "the next attempt to be put off")
        clock.move(minutes=6)
        await until(lambda wanted=number: len(attempts) == wanted, f"attempt {number}")  # type: ignore[misc]
    await settle(stand, "dead")
    assert len(attempts) == 6
    failed = stand.metrics.registry.get_sample_value(
        "marquee_schedule_runs_total", {"schedule": "daily", "outcome": "failed"}
    )
    assert failed == (0 if is_in_effect else 6)


async def test_two_runs_of_one_schedule_never_overlap(stand: Stand, clock: SetClock) -> None:
    running, most = 0, 0

    async def job() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await stand.store.read(lambda tx: None)
        running -= 1
        await stand.job()

    await stand.schedules.add(Schedule("often", every_s=60, missed=Missed.ALL), job)
    await stand.schedules.tick()
    clock.move(minutes=20)
    await stand.schedules.tick()
    await until(lambda: len(stand.ran) == 20, "twenty runs")
    assert most == 1


async def test_by_hand(stand: Stand, clock: SetClock) -> None:
    await stand.schedules.add(DAILY, stand.job)
    await stand.schedules.tick()
    first = await stand.schedules.run_now("daily", "profile 7")
    second = await stand.schedules.run_now("daily", "profile 7")
    await settle(stand, "done", "done")
    assert stand.ran == ["01:30", "01:30"]
    runs = await stand.schedules.history("daily", 10)
    assert {run.trace_id for run in runs} == {first, second}
    with pytest.raises(KeyError):
        await stand.schedules.run_now("weekly", "profile 7")
    clock.set("04:30")
    await stand.schedules.tick()
    await settle(stand, "done", "done", "done")


async def test_a_daemon_that_ends_in_the_middle_of_a_run_does_it_again(store: Store, clock: SetClock) -> None:
    async with open_stand(store, clock) as first:

        async def never() -> None:
            first.ran.append("begun")
            await clock.sleep(1e9)

        await first.schedules.add(DAILY, never)
        await first.schedules.tick()
        clock.set("04:30")
        await first.schedules.tick()
        await until(lambda: first.ran == ["begun"], "the run to begin")
        assert await first.outcomes("daily") == ["running"]
        await first.queue.stop(0.0)
    async with open_stand(store, clock) as second:
        await second.schedules.add(DAILY, second.job)
        await second.schedules.tick()
        await settle(second, "done")
        assert second.ran == ["04:30"]


async def test_the_loop_follows_jumps_of_its_clock(stand: Stand, clock: SetClock) -> None:
    await stand.schedules.start()
    await stand.schedules.add(DAILY, stand.job)

    async def is_known() -> bool:
        clock.move(seconds=1)  # at the latest after a nap
        return bool(await stand.schedules.listing())

    await until(is_known, "the schedule to be known")
    clock.set("04:30")
    await settle(stand, "done")
    clock.set("2026-11-21 04:30")
    await settle(stand, "done", "done")
    await stand.schedules.stop()
    clock.set("2026-11-22 04:30")
    assert stand.supervisor.count("schedules") == 0
    assert await stand.outcomes("daily") == ["done", "done"]


async def test_the_loop_outlives_a_database_that_is_away(stand: Stand, clock: SetClock) -> None:
    """A store that is closed refuses like one that is gone."""
    await stand.schedules.add(DAILY, stand.job)
    await stand.schedules.tick()
    clock.set("04:30")
    await stand.store.close()
    with pytest.raises(UpstreamError):
        await stand.schedules.tick()


async def test_whoever_lost_the_lease_undoes_no_outcome(stand: Stand, clock: SetClock) -> None:
    """A worker that was held up begins, or fails, after another has done the run."""
    await stand.schedules.add(DAILY, stand.job)
    await stand.schedules.tick()
    clock.set("04:30")
    await stand.schedules.tick()
    await settle(stand, "done")
    (run,) = await stand.schedules.history("daily", 1)
    clock.move(minutes=1)
    begun = await stand.store.write(lambda tx: rows.begin_run(tx, "daily", run.slot_at, clock.now()))
    await stand.store.write(lambda tx: rows.fail_run(tx, "daily", run.slot_at, clock.now(), "too late"))
    assert not begun
    assert await stand.schedules.history("daily", 1) == [run]
    forgotten = run.slot_at - timedelta(days=1)
    assert await stand.store.write(lambda tx: rows.begin_run(tx, "daily", forgotten, clock.now()))


async def test_a_run_that_was_done_meanwhile_is_not_done_again(stand: Stand, clock: SetClock) -> None:
    await stand.schedules.add(DAILY, stand.job)
    await stand.schedules.tick()
    slot = START.replace(hour=4)
    await stand.store.write(lambda tx: rows.add_run(tx, "daily", slot, clock.now(), "f" * 32))
    await stand.store.write(lambda tx: rows.finish_run(tx, "daily", slot, clock.now()))
    await stand.queue.send("jobs", "daily", slot.isoformat().encode(), key="daily")
    await until(lambda: is_empty(stand), "the message to be settled")
    assert stand.ran == []
    await settle(stand, "done")


async def is_empty(stand: Stand) -> bool:
    depth = (await stand.queue.depths())["jobs"]
    return depth.ready + depth.delayed + depth.leased == 0

"""Each slot is dealt with once: across processes, restarts, jumps of the clock and failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from daemon.core.limits import SCHEDULE_MISSED_MAX, SCHEDULE_NAP_S, SCHEDULE_RUNS_KEPT
from daemon.data import schedules as rows
from daemon.data.store import Store
from daemon.kernel.metrics import Metrics
from daemon.services.schedule import Missed, Schedule
from tests.integration.schedule.stand import SetClock, Stand, open_stand, until


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest_asyncio.fixture
async def idle(store: Store, clock: SetClock) -> AsyncIterator[Stand]:
    """A process whose queue nobody works on: what is asked for stays there."""
    async with open_stand(store, clock, works=False) as stand:
        yield stand


def hourly(missed: Missed = Missed.ONCE, name: str = "hourly") -> Schedule:
    return Schedule(name, cron="0 * * * *", missed=missed)


async def test_a_new_schedule_has_missed_nothing(idle: Stand, clock: SetClock) -> None:
    await idle.schedules.add(hourly(Missed.ALL), idle.job)
    assert await idle.schedules.tick() == SCHEDULE_NAP_S
    assert await idle.slots("hourly") == []
    known = await idle.known("hourly")
    assert f"{known.next_at:%H:%M}" == "02:00"
    assert (known.declared.plan, known.declared.timezone, known.declared.missed) == ("0 * * * *", "UTC", "all")
    assert known.last is None


async def test_a_slot_is_asked_for_once_and_when_it_is_due(idle: Stand, clock: SetClock) -> None:
    await idle.schedules.add(hourly(), idle.job)
    await idle.schedules.tick()
    clock.set("01:59:57")
    assert await idle.schedules.tick() == 3.0
    assert await idle.slots("hourly") == []
    clock.set("02:00")
    for _ in range(3):
        await idle.schedules.tick()
    assert await idle.slots("hourly") == ["20 02:00"]
    assert (await idle.queue.depths())["jobs"].ready == 1
    assert f"{(await idle.known('hourly')).next_at:%H:%M}" == "03:00"


@pytest.mark.parametrize(
    ("missed", "on_time", "late"),
    [
        (Missed.SKIP, ["20 06:00"], []),
        (Missed.ONCE, ["20 06:00"], ["20 06:00"]),
        (Missed.ALL, [f"20 {hour:02}:00" for hour in range(2, 7)], [f"20 {hour:02}:00" for hour in range(2, 7)]),
    ],
)
@pytest.mark.parametrize("is_restart", [False, True])
async def test_missed_slots_follow_the_policy(
    store: Store, clock: SetClock, missed: Missed, on_time: list[str], late: list[str], is_restart: bool
) -> None:
    """By a jump of the clock, or because nobody was there."""
    for name, end, expected in (("first", "2026-11-20 06:02", on_time), ("second", "2026-11-21 06:30", None)):
        async with open_stand(store, clock, works=False) as stand:
            await stand.schedules.add(hourly(missed, name), stand.job)
            await stand.schedules.tick()
            if not is_restart:
                clock.set(end)
                await stand.schedules.tick()
        if is_restart:
            clock.set(end)
            async with open_stand(store, clock, works=False) as stand:
                await stand.schedules.add(hourly(missed, name), stand.job)
                await stand.schedules.tick()
        found = await stand.slots(name)
        if expected is not None:
            assert found == expected
        else:
            assert [slot.replace("21", "20") for slot in found][-len(late) or len(found) :] == late


async def test_of_very_many_missed_slots_only_the_newest_are_run(idle: Stand, clock: SetClock) -> None:
    await idle.schedules.add(Schedule("often", every_s=1, missed=Missed.ALL), idle.job)
    await idle.schedules.tick()
    clock.move(days=30)
    await idle.schedules.tick()
    assert len(await idle.slots("often")) == SCHEDULE_MISSED_MAX
    assert (await idle.queue.depths())["jobs"].ready == SCHEDULE_MISSED_MAX


async def test_runs_do_not_pile_up_while_nobody_works(idle: Stand, clock: SetClock) -> None:
    await idle.schedules.add(hourly(Missed.ONCE, "once"), idle.job)
    await idle.schedules.add(hourly(Missed.SKIP, "skip"), idle.job)
    await idle.schedules.add(hourly(Missed.ALL, "all"), idle.job)
    for hour in range(2, 6):
        await idle.schedules.tick()
        clock.set(f"{hour:02}:00")
        await idle.schedules.tick()
    assert await idle.slots("once") == ["20 02:00"]
    assert await idle.slots("skip") == ["20 02:00"]
    assert await idle.slots("all") == [f"20 {hour:02}:00" for hour in range(2, 6)]


@pytest_asyncio.fixture
async def other_store(store: Store, database_url: str) -> AsyncIterator[Store]:
    """What another process would open."""
    opened = await Store.open(database_url, metrics=Metrics())
    yield opened
    await opened.close()


async def test_two_processes_run_a_slot_once(store: Store, other_store: Store, clock: SetClock) -> None:
    async with open_stand(store, clock) as one, open_stand(other_store, clock) as two:
        for stand in (one, two):
            await stand.schedules.add(hourly(Missed.ALL), stand.job)
            await stand.schedules.tick()
        for hour in range(2, 12):
            clock.set(f"{hour:02}:00")
            await asyncio.gather(one.schedules.tick(), two.schedules.tick())
        assert await one.slots("hourly") == [f"20 {hour:02}:00" for hour in range(2, 12)]

        async def are_done() -> bool:
            clock.move(seconds=1)  # what was interrupted or failed is due again after a while
            return await two.outcomes("hourly") == ["done"] * 10

        await until(are_done, "ten outcomes")
        labels = {"schedule": "hourly", "outcome": "done"}
        counted = [s.metrics.registry.get_sample_value("marquee_schedule_runs_total", labels) or 0 for s in (one, two)]
        assert sum(counted) == 10


async def test_a_clock_that_is_set_back_repeats_no_slot_and_loses_none(idle: Stand, clock: SetClock) -> None:
    await idle.schedules.add(hourly(Missed.ALL), idle.job)
    await idle.schedules.tick()
    clock.set("04:10")
    await idle.schedules.tick()
    assert await idle.slots("hourly") == ["20 02:00", "20 03:00", "20 04:00"]
    clock.set("02:30")
    await idle.schedules.tick()
    assert f"{(await idle.known('hourly')).next_at:%H:%M}" == "03:00"
    for time in ("03:00", "04:00", "05:00"):
        clock.set(time)
        await idle.schedules.tick()
    assert await idle.slots("hourly") == ["20 02:00", "20 03:00", "20 04:00", "20 05:00"]
    assert (await idle.queue.depths())["jobs"].ready == 4


async def test_another_plan_has_missed_nothing(store: Store, clock: SetClock) -> None:
    async with open_stand(store, clock, works=False) as stand:
        await stand.schedules.add(hourly(Missed.ALL), stand.job)
        await stand.schedules.tick()
    clock.set("09:30")
    changed = Schedule("hourly", cron="*/10 * * * *", timezone="Europe/Berlin", missed=Missed.ALL)
    async with open_stand(store, clock, works=False) as stand:
        await stand.schedules.add(changed, stand.job)
        await stand.schedules.tick()
        assert await stand.slots("hourly") == []
        known = await stand.known("hourly")
        assert (known.declared.plan, known.declared.timezone) == ("*/10 * * * *", "Europe/Berlin")
        assert f"{known.next_at:%H:%M}" == "09:40"


async def test_what_is_removed_asks_for_nothing_and_can_come_back(idle: Stand, clock: SetClock) -> None:
    remove = await idle.schedules.add(hourly(Missed.ALL), idle.job)
    with pytest.raises(ValueError, match="there is a schedule hourly already"):
        await idle.schedules.add(hourly(), idle.job)
    await idle.schedules.tick()
    remove()
    remove()
    clock.set("03:30")
    await idle.schedules.tick()
    assert await idle.slots("hourly") == []
    await idle.schedules.add(hourly(Missed.ALL), idle.job)
    await idle.schedules.tick()
    assert await idle.slots("hourly") == ["20 02:00", "20 03:00"]


async def test_what_is_no_schedule_leaves_nothing_behind(idle: Stand) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="no time zone 'Europe/Bonn'"):
            await idle.schedules.add(Schedule("x", cron="0 4 * * *", timezone="Europe/Bonn"), idle.job)
    await idle.schedules.tick()
    assert await idle.schedules.listing() == []


async def test_old_runs_and_schedules_of_nobody_are_forgotten(store: Store, clock: SetClock) -> None:
    async with open_stand(store, clock, works=False) as stand:
        await stand.schedules.add(hourly(Missed.ALL, "gone"), stand.job)
        await stand.schedules.add(Schedule("often", every_s=60, missed=Missed.ALL), stand.job)
        await stand.schedules.tick()
        for _ in range(5):
            clock.move(minutes=90)
            await stand.schedules.tick()
        assert len(await stand.slots("often")) == SCHEDULE_RUNS_KEPT
    clock.move(days=91)
    async with open_stand(store, clock, works=False) as stand:
        await stand.schedules.add(Schedule("often", every_s=60), stand.job)
        await stand.schedules.tick()
        assert [known.declared.name for known in await stand.schedules.listing()] == ["often"]
        assert await stand.slots("gone") == []


async def test_a_running_daemon_says_that_it_knows_its_schedules(idle: Stand, clock: SetClock) -> None:
    await idle.schedules.add(Schedule("yearly", cron="0 0 1 1 *"), idle.job)
    await idle.schedules.tick()
    clock.move(hours=5)
    await idle.schedules.tick()
    assert (await idle.known("yearly")).seen_at == clock.now()


async def test_a_crash_before_the_commit_changes_nothing(idle: Stand, clock: SetClock) -> None:
    """A unit that fails at its end leaves the slot where it was; the next look deals with it."""
    await idle.schedules.add(hourly(), idle.job)
    await idle.schedules.tick()
    clock.set("02:00")

    def fail(tx: object) -> None:
        raise RuntimeError("the process died here")

    with pytest.raises(RuntimeError, match="died here"):
        await idle.store.write(
            lambda tx: (rows.move(tx, "hourly", slot_at=clock.now(), next_at=None, now=clock.now()), fail(tx))
        )
    await idle.schedules.tick()
    assert await idle.slots("hourly") == ["20 02:00"]

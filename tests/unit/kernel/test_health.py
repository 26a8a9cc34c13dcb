from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from daemon.kernel.clock import SystemClock
from daemon.kernel.health import Check, Health, Status, keep_beating
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor

GOOD = Check(Status.PASS)
BAD = Check(Status.FAIL, "no answer")


class ManualClock(SystemClock):
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 16, 20, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(log=structlog.get_logger(), backoff_first_s=0.0, backoff_max_s=0.0)
    yield supervisor
    await supervisor.drain(0.1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def health(supervisor: Supervisor, clock: ManualClock) -> Health:
    return Health(supervisor, clock)


def test_ready_needs_every_required_check(health: Health) -> None:
    assert health.ready() == (True, ())
    health.require("database")
    assert health.ready() == (False, ("database: not up yet",))
    health.set("database", BAD)
    assert health.ready() == (False, ("database: no answer",))
    health.set("database", Check(Status.WARN, "slow"))
    assert health.ready() == (True, ())


def test_what_is_not_required_only_warns(health: Health) -> None:
    health.set("database", GOOD)
    health.require("database")
    assert health.report().status is Status.PASS
    health.set("plex:attic", BAD)
    report = health.report()
    assert report.status is Status.WARN
    assert report.is_ready
    health.set("database", BAD)
    assert health.report().status is Status.FAIL


def test_draining_is_never_ready(health: Health) -> None:
    health.start_draining()
    is_ready, (reason,) = health.ready()
    assert not is_ready
    assert "draining" in reason
    assert health.report().status is Status.WARN


def test_the_version_rises_only_when_something_changes(health: Health) -> None:
    health.set("a", GOOD)
    version = health.version
    health.set("a", Check(Status.PASS))
    assert health.version == version
    health.set("a", BAD)
    assert health.version > version


def test_the_time_of_a_check_is_when_its_status_changed(health: Health, clock: ManualClock) -> None:
    began = clock.at
    health.set("a", Check(Status.PASS, observed=1.0))
    clock.at += timedelta(minutes=1)
    health.set("a", Check(Status.PASS, observed=2.0))
    assert health.report().changed_at == {"a": began}
    health.set("a", BAD)
    assert health.report().changed_at == {"a": clock.at}


def test_what_belongs_to_an_owner_goes_with_it(health: Health) -> None:
    health.set("a", BAD, owner="module:one")
    health.require("a", owner="module:one")
    health.set("b", GOOD)
    assert health.count("module:one") == 1
    health.remove(owner="module:one")
    assert list(health.report().checks) == ["b"]
    assert health.ready() == (True, ())
    health.remove("b")
    assert health.report().checks == {}


async def test_a_probe_is_measured_in_the_background_again_and_again(health: Health, supervisor: Supervisor) -> None:
    answers = iter([GOOD, BAD])
    asked = asyncio.Event()

    async def probe() -> Check:
        try:
            return next(answers)
        except StopIteration:
            asked.set()
            return BAD

    health.register("plex:attic", probe, 0.0, owner="plex")
    await asyncio.wait_for(asked.wait(), 5)
    assert health.report().checks == {"plex:attic": BAD}
    await supervisor.cancel("plex")
    assert supervisor.count("plex") == 0


async def test_a_probe_that_crashes_fails_and_is_asked_again(health: Health) -> None:
    asked = 0
    again = asyncio.Event()

    async def probe() -> Check:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise RuntimeError("broken")
        again.set()
        await asyncio.Event().wait()
        return GOOD

    health.register("a", probe, 0.0)
    await asyncio.wait_for(again.wait(), 5)
    assert health.report().checks == {"a": Check(Status.FAIL, "RuntimeError: broken")}


def test_a_loop_that_stopped_beating_is_not_alive(supervisor: Supervisor, clock: ManualClock) -> None:
    now_s = 50.0
    health = Health(supervisor, clock, monotonic=lambda: now_s)
    now_s += 15
    assert health.is_alive()
    now_s += 0.1
    assert not health.is_alive()
    health.heartbeat()
    assert health.is_alive()


async def test_beating_measures_the_loop(health: Health, supervisor: Supervisor) -> None:
    metrics = Metrics()
    supervisor.start("heartbeat", lambda: keep_beating(health, metrics, every_s=0.001))
    async with asyncio.timeout(5):
        while not metrics.registry.get_sample_value("marquee_loop_lag_seconds_count"):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    assert health.is_alive()


async def test_whoever_waits_for_a_state_is_woken_by_the_change(health: Health) -> None:
    waiting = asyncio.create_task(health.wait_until(lambda report: report.is_ready and "database" in report.checks))
    health.require("database")
    await asyncio.sleep(0)
    assert not waiting.done()
    health.set("database", GOOD)
    report = await asyncio.wait_for(waiting, 5)
    assert report.checks == {"database": GOOD}
    assert (await health.wait_until(lambda report: report.is_ready)).checks == report.checks


def test_started_once_is_started_for_good(health: Health) -> None:
    health.require("database")
    assert not health.report().has_started
    health.note_started()
    health.set("database", BAD)
    health.start_draining()
    assert health.report().has_started

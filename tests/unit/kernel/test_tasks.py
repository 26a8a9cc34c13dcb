from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor, TaskKind


def make_supervisor(**options: Any) -> Supervisor:
    options = {"backoff_first_s": 0.0, "backoff_max_s": 0.0} | options
    return Supervisor(log=structlog.get_logger(), rng=random.Random(1), **options)


async def wait_for(is_true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not is_true():  # noqa: ASYNC110  the supervisor announces nothing that could be waited for
            await asyncio.sleep(0)


def counting(times: list[int], then: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        times.append(len(times))
        await then()

    return run


async def crash() -> None:
    raise RuntimeError("broken")


async def forever() -> None:
    await asyncio.Event().wait()


async def test_running_tasks_are_counted_by_kind() -> None:
    metrics = Metrics()
    supervisor = make_supervisor(metrics=metrics)

    def count(kind: str) -> float | None:
        return metrics.registry.get_sample_value("marquee_tasks", {"kind": kind})

    assert (count("eternal"), count("one-shot")) == (0, 0)
    supervisor.start("poll", forever)
    one = supervisor.spawn("once", forever())
    assert (count("eternal"), count("one-shot")) == (1, 1)
    one.cancel()
    await supervisor.drain(0.0)
    assert (count("eternal"), count("one-shot")) == (0, 0)


async def test_a_crashing_task_is_restarted_and_counted() -> None:
    metrics = Metrics()
    supervisor = make_supervisor(metrics=metrics)
    runs: list[int] = []
    supervisor.start("poll", counting(runs, crash), owner="plex")
    await wait_for(lambda: len(runs) >= 3)
    (state,) = supervisor.states()
    assert state.name == "poll"
    assert state.owner == "plex"
    assert state.kind is TaskKind.ETERNAL
    assert state.restarts >= 2
    assert state.last_error == "RuntimeError: broken"
    assert metrics.registry.get_sample_value("marquee_tasks_restarted_total", {"task": "poll"}) == state.restarts
    await supervisor.drain(1)


async def test_an_unexpected_return_is_a_reason_to_restart() -> None:
    supervisor = make_supervisor()
    runs: list[int] = []

    async def nothing() -> None:
        await asyncio.sleep(0)

    supervisor.start("poll", counting(runs, nothing))
    await wait_for(lambda: len(runs) >= 3)
    await supervisor.drain(1)


async def test_one_crash_never_stops_another() -> None:
    supervisor = make_supervisor()
    ticks: list[int] = []

    async def tick() -> None:
        while True:
            ticks.append(1)
            await asyncio.sleep(0)

    supervisor.start("good", tick)
    supervisor.start("bad", crash)
    supervisor.spawn("worse", crash())
    before = len(ticks)
    await wait_for(lambda: len(ticks) > before + 20)
    assert supervisor.count("app") == 2
    await supervisor.drain(1)
    assert supervisor.count("app") == 0


async def test_without_restart_the_crash_stays_listed() -> None:
    supervisor = make_supervisor()
    supervisor.start("once", crash, restart=False)
    await wait_for(lambda: not supervisor.states()[0].is_running)
    assert supervisor.states()[0].last_error == "RuntimeError: broken"
    supervisor.start("once", forever, restart=False)
    assert len(supervisor.states()) == 1
    await supervisor.drain(1)


async def test_a_name_of_an_owner_runs_once() -> None:
    supervisor = make_supervisor()
    supervisor.start("poll", forever)
    with pytest.raises(ValueError, match="already running"):
        supervisor.start("poll", forever)
    supervisor.start("poll", forever, owner="other")
    await supervisor.drain(1)


async def test_the_waits_between_restarts_grow() -> None:
    supervisor = make_supervisor(backoff_first_s=0.001, backoff_max_s=0.004)
    runs: list[int] = []
    with capture_logs() as logs:
        supervisor.start("poll", counting(runs, crash))
        await wait_for(lambda: len(runs) >= 6)
        await supervisor.drain(1)
    waits = [line["wait_s"] for line in logs if line["event"] == "task_restarts"]
    assert len(waits) >= 5
    assert all(0 <= wait <= 0.004 for wait in waits)


async def test_a_one_shot_gives_its_result_and_its_exception() -> None:
    supervisor = make_supervisor()

    async def seven() -> int:
        return 7

    assert await supervisor.spawn("seven", seven()) == 7
    with capture_logs() as logs:
        task = supervisor.spawn("bad", crash())
        with pytest.raises(RuntimeError, match="broken"):
            await task
        await asyncio.sleep(0)
    assert [line["event"] for line in logs] == ["task_crashed"]
    assert logs[0]["exc_info"]
    assert supervisor.states() == ()


async def test_a_foreseen_error_is_logged_without_traceback() -> None:
    supervisor = make_supervisor()

    async def down() -> None:
        raise UpstreamError("Plex server attic", UpstreamKind.UNREACHABLE)

    with capture_logs() as logs:
        task = supervisor.spawn("down", down())
        await asyncio.wait([task])
        await asyncio.sleep(0)
    assert logs[0]["error"] == "UpstreamError: Plex server attic: is unreachable"
    assert logs[0]["exc_info"] is None


async def test_cancel_ends_the_tasks_of_one_owner_only() -> None:
    supervisor = make_supervisor()
    supervisor.start("a", forever, owner="module:one")
    supervisor.spawn("b", forever(), owner="module:one")
    supervisor.start("c", forever, owner="module:two")
    await supervisor.cancel("module:one")
    assert supervisor.count("module:one") == 0
    assert [state.owner for state in supervisor.states()] == ["module:two"]
    await supervisor.drain(0.01)


async def test_a_task_may_cancel_its_own_owner() -> None:
    supervisor = make_supervisor()
    other = supervisor.spawn("other", forever(), owner="me")

    async def stop() -> str:
        await supervisor.cancel("me")
        return "alive"

    assert await supervisor.spawn("stop", stop(), owner="me") == "alive"
    assert other.cancelled()


async def test_drain_lets_one_shots_finish_and_ends_the_rest() -> None:
    supervisor = make_supervisor()
    done: list[str] = []

    async def second() -> None:
        await asyncio.sleep(0.01)
        done.append("second")

    async def first() -> None:
        await asyncio.sleep(0.01)
        done.append("first")
        supervisor.spawn("second", second())

    supervisor.start("eternal", forever)
    supervisor.spawn("first", first())
    assert await supervisor.drain(5)
    assert done == ["first", "second"]
    assert supervisor.count("app") == 0


async def test_drain_gives_up_after_its_time() -> None:
    supervisor = make_supervisor()
    stuck = supervisor.spawn("stuck", forever())
    assert not await supervisor.drain(0.01)
    assert stuck.cancelled()


async def test_an_eternal_task_inherits_no_context() -> None:
    trace: ContextVar[str] = ContextVar("trace", default="none")
    supervisor = make_supervisor()
    seen: list[str] = []

    async def look() -> None:
        seen.append(trace.get())
        await forever()

    trace.set("of the caller")
    supervisor.start("look", look)
    await wait_for(lambda: bool(seen))
    assert seen == ["none"]
    await supervisor.drain(1)

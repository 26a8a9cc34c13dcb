from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
import structlog

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.kernel.breaker import Breaker, BreakerOpen, BreakerState
from daemon.kernel.health import Check, Health, Status
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor


class SetClock:
    """Noon, and it stays noon."""

    def now(self) -> datetime:
        return datetime(2026, 1, 1, 12, tzinfo=UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()


class Service:
    """Answers, or fails as it is told; counts how often it was really asked."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.calls = 0
        self.now_s = 100.0

    async def __call__(self) -> str:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return "fine"

    def monotonic(self) -> float:
        return self.now_s


DOWN = UpstreamError("Plex", UpstreamKind.UNREACHABLE)
NOT_FOUND = UpstreamError("Plex", UpstreamKind.NOT_FOUND)


@pytest.fixture
def service() -> Service:
    return Service()


async def fail(breaker: Breaker, service: Service, times: int) -> None:
    service.error = DOWN
    for _ in range(times):
        with pytest.raises(UpstreamError):
            await breaker.call(service)


async def test_it_opens_after_failures_in_a_row_and_stops_asking(service: Service) -> None:
    breaker = Breaker("plex:attic", failures_max=3, open_s=30, monotonic=service.monotonic)
    await fail(breaker, service, 2)
    service.error = None
    assert await breaker.call(service) == "fine"
    await fail(breaker, service, 3)
    assert breaker.state is BreakerState.OPEN
    asked = service.calls
    service.now_s += 10
    with pytest.raises(BreakerOpen) as refused:
        await breaker.call(service)
    assert service.calls == asked
    assert refused.value.retry_in_s == 20


async def test_a_trial_closes_or_opens_it_again(service: Service) -> None:
    breaker = Breaker("plex:attic", failures_max=1, open_s=30, monotonic=service.monotonic)
    await fail(breaker, service, 1)
    service.now_s += 30
    await fail(breaker, service, 1)
    with pytest.raises(BreakerOpen):
        await breaker.call(service)
    service.now_s += 30
    service.error = None
    assert await breaker.call(service) == "fine"
    assert breaker.state is BreakerState.CLOSED


async def test_only_one_trial_at_a_time(service: Service) -> None:
    breaker = Breaker("plex:attic", failures_max=1, open_s=30, monotonic=service.monotonic)
    await fail(breaker, service, 1)
    service.now_s += 30
    gate = asyncio.Event()

    async def slow() -> str:
        await gate.wait()
        return "fine"

    async with asyncio.TaskGroup() as group:
        trial = group.create_task(breaker.call(slow))
        await asyncio.sleep(0)
        with pytest.raises(BreakerOpen):
            await breaker.call(service)
        gate.set()
    assert trial.result() == "fine"
    assert breaker.state is BreakerState.CLOSED


async def test_a_cancelled_trial_leaves_the_next_one_free(service: Service) -> None:
    breaker = Breaker("plex:attic", failures_max=1, open_s=30, monotonic=service.monotonic)
    await fail(breaker, service, 1)
    service.now_s += 30
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await breaker.call(asyncio.Event().wait)
    service.error = None
    assert await breaker.call(service) == "fine"


async def test_an_error_that_does_not_count_is_an_answer(service: Service) -> None:
    breaker = Breaker(
        "plex:attic",
        failures_max=2,
        monotonic=service.monotonic,
        counts=lambda error: isinstance(error, UpstreamError) and error.kind is not UpstreamKind.NOT_FOUND,
    )
    await fail(breaker, service, 1)
    service.error = NOT_FOUND
    for _ in range(5):
        with pytest.raises(UpstreamError):
            await breaker.call(service)
    await fail(breaker, service, 1)
    assert breaker.state is BreakerState.CLOSED


async def test_a_foreign_exception_says_nothing(service: Service) -> None:
    breaker = Breaker("plex:attic", failures_max=2, monotonic=service.monotonic)
    await fail(breaker, service, 1)
    service.error = KeyError("ours")
    with pytest.raises(KeyError):
        await breaker.call(service)
    await fail(breaker, service, 1)
    assert breaker.state is BreakerState.OPEN


async def test_the_metric_follows(service: Service) -> None:
    metrics = Metrics()
    breaker = Breaker("plex:attic", failures_max=1, monotonic=service.monotonic, metrics=metrics)

    def shown() -> float | None:
        return metrics.registry.get_sample_value("marquee_breaker_state", {"name": "plex:attic"})

    assert shown() == 0
    await fail(breaker, service, 1)
    assert shown() == 2


async def test_opening_is_counted_once(service: Service) -> None:
    metrics = Metrics()
    breaker = Breaker("redis", failures_max=2, open_s=30, monotonic=service.monotonic, metrics=metrics)
    await fail(breaker, service, 2)
    breaker.note_failure()  # of a call that was under way
    assert metrics.registry.get_sample_value("marquee_breaker_opened_total", {"name": "redis"}) == 1
    service.now_s += 30
    await fail(breaker, service, 1)
    assert metrics.registry.get_sample_value("marquee_breaker_opened_total", {"name": "redis"}) == 2


async def test_health_says_when_it_is_tried_again(service: Service) -> None:
    clock = SetClock()
    health = Health(Supervisor(log=structlog.get_logger("test")), clock)

    def shown() -> Check:
        return health.report().checks["breaker:redis"]

    breaker = Breaker("redis", failures_max=2, open_s=30, monotonic=service.monotonic, health=health)
    assert shown() == Check(Status.PASS, "closed")
    await fail(breaker, service, 2)
    assert shown() == Check(
        Status.WARN,
        "open after 2 failures in a row; the next call after 2026-01-01 12:00:30 UTC is let through",
    )
    service.now_s += 30
    with breaker.admitted():
        assert shown().output.startswith("half open")
        breaker.note_answer()
    assert shown() == Check(Status.PASS, "closed")


async def test_a_call_that_is_made_in_any_case_counts_as_well(service: Service) -> None:
    breaker = Breaker("discord:marquee", failures_max=2, open_s=30, monotonic=service.monotonic)
    breaker.note_failure()
    breaker.note_failure()
    with pytest.raises(BreakerOpen), breaker.admitted():
        pass
    breaker.note_answer()
    with breaker.admitted():
        assert breaker.state is BreakerState.CLOSED

import asyncio

import pytest

from simulators.clock import DEFAULT_START, SimClock


class Ticks:
    """A monotonic clock that a test moves by hand."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_time_runs_at_its_speed_from_a_fixed_evening() -> None:
    ticks = Ticks()
    clock = SimClock(speed=60, monotonic=ticks)
    assert clock.now() == DEFAULT_START
    ticks.at += 2
    assert clock.now() == DEFAULT_START + 120


def test_a_change_of_speed_keeps_the_present_and_moves_the_version() -> None:
    ticks = Ticks()
    clock = SimClock(1000.0, monotonic=ticks)
    ticks.at += 5
    clock.set_speed(0)
    ticks.at += 50
    assert clock.now() == 1005
    assert clock.version == 2
    clock.jump(3600)
    assert clock.now() == 4605
    assert clock.version == 3


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_time_neither_runs_backwards_nor_leaves_the_numbers(seconds: float) -> None:
    clock = SimClock()
    with pytest.raises(ValueError, match="cannot jump"):
        clock.jump(seconds)
    with pytest.raises(ValueError, match="cannot run"):
        clock.set_speed(seconds)


async def test_a_sleeper_wakes_after_a_jump_even_when_time_stands_still() -> None:
    clock = SimClock(speed=0)
    order: list[str] = []

    async def sleeper() -> None:
        await clock.sleep(600)
        order.append("woke")

    async with asyncio.TaskGroup() as group:
        group.create_task(sleeper())
        await asyncio.sleep(0)
        clock.jump(599)
        await asyncio.sleep(0.01)
        order.append("not yet")
        clock.jump(1)
    assert order == ["not yet", "woke"]


async def test_a_follower_is_held_until_the_version_changes() -> None:
    clock = SimClock(500.0, speed=0)
    assert await clock.follow() == {"now": 500.0, "speed": 0, "version": 1}
    async with asyncio.TaskGroup() as group:
        held = group.create_task(clock.follow(1))
        await asyncio.sleep(0.01)
        assert not held.done()
        clock.set_speed(10)
    assert held.result()["version"] == 2
    assert (await clock.follow(2, hold_s=0.01))["version"] == 2

import asyncio

import pytest

from simulators.plex.faults import Faults


@pytest.fixture
def faults() -> Faults:
    return Faults(7)


def test_it_strikes_matching_requests_as_often_as_told(faults: Faults) -> None:
    fault = faults.add("/status/sessions", 503, times=2, after=1)
    struck = [faults.strike("GET", "/status/sessions", "server") for _ in range(5)]
    assert struck == [None, fault, fault, None, None]
    assert fault.hits == 2
    assert faults.strike("GET", "/clients", "server") is None


def test_method_and_place_narrow_it(faults: Faults) -> None:
    faults.add(".*", "drop", where="player", method="GET")
    faults.add(".*", "empty", where="p1")
    assert faults.strike("POST", "/x", "server") is None
    struck = faults.strike("GET", "/x", "player:p1")
    assert struck is not None
    assert struck.kind == "drop"
    by_id = faults.strike("POST", "/x", "player:p1")
    assert by_id is not None
    assert by_id.kind == "empty"


def test_chance_is_seeded() -> None:
    def draws() -> list[bool]:
        faults = Faults(3)
        faults.add(".*", 500, probability=0.5)
        return [faults.strike("GET", "/", "server") is not None for _ in range(40)]

    assert draws() == draws()
    assert 5 < sum(draws()) < 35


@pytest.mark.parametrize("what", ["explode", 999, 200])
def test_unknown_faults_are_refused(faults: Faults, what: int | str) -> None:
    with pytest.raises(ValueError, match="no fault"):
        faults.add("/", what)


async def test_a_held_request_waits_for_its_release_and_can_be_waited_for(faults: Faults) -> None:
    fault = faults.add("/", "hold", times=1)
    order: list[str] = []

    async def request() -> None:
        struck = faults.strike("GET", "/", "server")
        assert struck is fault
        await struck.held()
        order.append("answered")

    async with asyncio.TaskGroup() as group:
        group.create_task(request())
        await fault.wait_hit()
        assert faults.get(fault.id) is fault
        order.append("released")
        fault.release()
    assert order == ["released", "answered"]
    faults.clear()
    assert faults.shown() == []

"""Of several processes one keeps a panel up to date."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from daemon.core.ids import AppId, ChannelId, GuildId, ModuleId, PanelId
from daemon.core.limits import PANEL_LEASE_S, PANEL_RENEW_S
from daemon.data.store import Store
from daemon.services.panels import Panel, Panels, Tended

PLAYBACK, CARD = ModuleId("playback"), "card"


class SetClock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


async def new_panel(panels: Panels, module: ModuleId = PLAYBACK, kind: str = CARD) -> PanelId:
    place = {"app_id": AppId(2), "guild_id": GuildId(3), "channel_id": ChannelId(4)}
    return (await panels.add(module=module, kind=kind, **place)).panel_id


async def tend(panels: Panels) -> Tended:
    return await panels.tend(PLAYBACK, CARD)


def ids(panels: tuple[Panel, ...]) -> list[PanelId]:
    return [panel.panel_id for panel in panels]


async def test_who_makes_a_panel_owns_it(store: Store, clock: SetClock) -> None:
    bots = Panels(store, clock, process="bots", has_gateway=True)
    worker = Panels(store, clock, process="worker", has_gateway=False)
    panel_id = await new_panel(bots)
    await new_panel(bots, kind="menu")
    await new_panel(bots, module=ModuleId("other"))
    assert await tend(bots) == Tended(frozenset({panel_id}), ())
    assert await tend(worker) == Tended(frozenset(), ())


async def test_a_lease_lasts_as_long_as_it_is_renewed(store: Store, clock: SetClock) -> None:
    bots = Panels(store, clock, process="bots", has_gateway=True)
    worker = Panels(store, clock, process="worker", has_gateway=False)
    panel_id = await new_panel(bots)
    for _ in range(10):
        await clock.sleep(PANEL_RENEW_S + 1)
        assert (await tend(bots)).mine == {panel_id}
        assert (await tend(worker)).mine == frozenset()
    await clock.sleep(PANEL_LEASE_S)
    taken = await tend(worker)
    assert (taken.mine, ids(taken.taken)) == ({panel_id}, [panel_id])
    assert await tend(worker) == Tended(frozenset({panel_id}), ())
    assert (await tend(Panels(store, clock, process="late", has_gateway=False))).mine == frozenset()


async def test_the_process_with_the_gateway_waits_for_nothing(store: Store, clock: SetClock) -> None:
    first = await new_panel(Panels(store, clock, process="before", has_gateway=True))
    worker = Panels(store, clock, process="worker", has_gateway=False)
    second = await new_panel(worker)
    bots = Panels(store, clock, process="bots", has_gateway=True)
    taken = await tend(bots)
    assert (taken.mine, ids(taken.taken)) == ({first, second}, [first, second])
    assert (await tend(worker)).mine == frozenset()


async def test_a_good_bye_is_as_good_as_a_lease_that_ran_out(store: Store, clock: SetClock) -> None:
    bots = Panels(store, clock, process="bots", has_gateway=True)
    panel_id, other = await new_panel(bots), await new_panel(bots, module=ModuleId("other"))
    ended = await new_panel(bots)
    await bots.end(ended)
    await bots.release(PLAYBACK)
    worker = Panels(store, clock, process="worker", has_gateway=False)
    assert ids((await tend(worker)).taken) == [panel_id]
    assert (await worker.tend(ModuleId("other"), CARD)).mine == frozenset()
    kept = await worker.get(other)
    assert kept is not None
    assert kept.owner == "bots"


async def test_of_many_workers_one_gets_each_panel(store: Store, clock: SetClock) -> None:
    dead = Panels(store, clock, process="dead", has_gateway=True)
    panels = {await new_panel(dead) for _ in range(20)}
    await clock.sleep(PANEL_LEASE_S)
    workers = [Panels(store, clock, process=f"worker-{n}", has_gateway=False) for n in range(6)]
    shares = await asyncio.gather(*(tend(worker) for worker in workers))
    taken = [panel_id for share in shares for panel_id in ids(share.taken)]
    assert len(taken) == len(panels)
    assert set(taken) == panels
    again = await asyncio.gather(*(tend(worker) for worker in workers))
    assert [share.mine for share in again] == [share.mine for share in shares]

"""What buttons stand for: found where it was put by, by whom it is for, once or as often as asked, and not for ever."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from daemon.core.errors import OutOfDate
from daemon.core.ids import AppId, ChannelId, GuildId, ModuleId, PanelId, ProfileId
from daemon.data.store import Store
from daemon.services.kept import Kept
from daemon.services.panels import Panels, Place
from simulators.clock import SimClock
from tests.simtime import SimTime

HERE = Place(AppId(1), GuildId(2), ChannelId(3))
ANA, BEN = ProfileId(1), ProfileId(2)
MODULE = ModuleId("test")


@dataclass(frozen=True)
class Wish:
    text: str

    def to_state(self) -> dict[str, Any]:
        return {"text": self.text}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Wish:
        return cls(state["text"])


def kept_of(store: Store, clock: SimClock, kind: str = "wish") -> Kept[Wish]:
    panels = Panels(store, SimTime(clock), process="p", has_gateway=True)
    return Kept(panels, SimTime(clock), MODULE, kind, Wish.from_state, timedelta(hours=1))


async def test_a_value_is_looked_at_as_often_as_asked(store: Store) -> None:
    kept = kept_of(store, SimClock())
    number = await kept.keep(Wish("a film"), HERE)
    assert [await kept.look(number, HERE) for _ in range(2)] == [Wish("a film"), Wish("a film")]


async def test_a_value_is_taken_once_by_whoever_is_first(store: Store) -> None:
    kept = kept_of(store, SimClock())
    number = await kept.keep(Wish("a film"), HERE)
    got = await asyncio.gather(*(kept.take(number, HERE, who) for who in (ANA, BEN)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in got) == ["OutOfDate", "Wish"]
    with pytest.raises(OutOfDate):
        await kept.look(number, HERE)


async def test_what_is_for_one_is_not_taken_by_another(store: Store) -> None:
    kept = kept_of(store, SimClock())
    number = await kept.keep(Wish("a film"), HERE, ANA)
    with pytest.raises(OutOfDate):
        await kept.take(number, HERE, BEN)
    assert await kept.take(number, HERE, ANA) == Wish("a film")


@pytest.mark.parametrize(
    "elsewhere", [Place(AppId(9), GuildId(2), ChannelId(3)), Place(AppId(1), None, ChannelId(3)),
                  Place(AppId(1), GuildId(2), ChannelId(4))],
)  # fmt: skip
async def test_it_is_found_only_where_its_message_stands(store: Store, elsewhere: Place) -> None:
    kept = kept_of(store, SimClock())
    number = await kept.keep(Wish("a film"), HERE)
    with pytest.raises(OutOfDate):
        await kept.look(number, elsewhere)


async def test_values_of_another_kind_and_numbers_of_nothing_are_out_of_date(store: Store) -> None:
    clock = SimClock()
    number = await kept_of(store, clock, "other").keep(Wish("a film"), HERE)
    for unknown in (number, PanelId(0), PanelId(number + 999)):
        with pytest.raises(OutOfDate):
            await kept_of(store, clock).look(unknown, HERE)


async def test_old_values_are_given_up_and_younger_ones_stay(store: Store) -> None:
    clock = SimClock()
    kept = kept_of(store, clock)
    old = await kept.keep(Wish("old"), HERE)
    clock.jump(3601)
    young = await kept.keep(Wish("young"), HERE)
    with pytest.raises(OutOfDate):
        await kept.look(old, HERE)
    await kept.sweep()
    open_now = await Panels(store, SimTime(clock), process="p", has_gateway=True).open_panels(MODULE)
    assert [panel.panel_id for panel in open_now] == [young]

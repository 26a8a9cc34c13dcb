"""Orders that wait for a member to choose between several titles or players."""

from __future__ import annotations

from datetime import timedelta

from daemon.core.clock import Clock
from daemon.core.errors import OutOfDate
from daemon.core.ids import PanelId, ProfileId
from daemon.services.panels import Panel, Panels

from .card import MODULE, Place
from .orders import Asker, Order

KIND = "pick"
KEPT = timedelta(hours=1)


class Picks:
    """Kept in the database, so that a menu works after a restart; each is used once, by the member who got it."""

    def __init__(self, panels: Panels, clock: Clock) -> None:
        self._panels = panels
        self._clock = clock

    async def keep(self, order: Order, profile: ProfileId, place: Place) -> PanelId:
        """Put an order by; the id stands on the menu."""
        panel = await self._panels.add(
            module=MODULE,
            kind=KIND,
            app_id=place.app_id,
            guild_id=place.guild_id,
            channel_id=place.channel_id,
            state={"profile": int(profile), "order": order.to_state()},
        )
        return panel.panel_id

    async def take(self, panel_id: PanelId, asker: Asker, place: Place) -> Order:
        """The order behind a menu, once; OutOfDate when it is used up, too old, another member's or elsewhere."""
        panel = await self._open(panel_id, place)
        if panel.state["profile"] != asker.profile_id or not await self._panels.end(panel_id):
            raise OutOfDate
        return Order.from_state(panel.state["order"])

    async def look(self, panel_id: PanelId, place: Place) -> Order:
        """The order behind a list with pages, as often as somebody turns one; OutOfDate when given up or elsewhere."""
        return Order.from_state((await self._open(panel_id, place)).state["order"])

    async def _open(self, panel_id: PanelId, place: Place) -> Panel:
        panel = await self._panels.get(panel_id)
        if panel is None or panel.kind != KIND or panel.ended_at is not None or Place.of(panel) != place:
            raise OutOfDate
        return panel

    async def sweep(self) -> None:
        """Give up menus that nobody used."""
        oldest = self._clock.now() - KEPT
        for panel in await self._panels.open_panels(MODULE):
            if panel.kind == KIND and panel.created_at < oldest:
                await self._panels.end(panel.panel_id)

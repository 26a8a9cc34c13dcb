"""Orders that wait for a member to choose between several titles or players."""

from __future__ import annotations

from datetime import timedelta

from daemon.core.clock import Clock
from daemon.core.errors import UserError
from daemon.core.ids import PanelId, ProfileId
from daemon.services.panels import Panels

from .cards import MODULE, Place
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

    async def take(self, panel_id: PanelId, asker: Asker) -> Order:
        """The order behind a menu, once; UserError when it is used up, too old, or another member's."""
        panel = await self._panels.get(panel_id)
        is_mine = panel is not None and panel.kind == KIND and panel.state["profile"] == asker.profile_id
        if panel is None or not is_mine or not await self._panels.end(panel_id):
            raise UserError("This menu is out of date; please give the command again.", "menu_used")
        return Order.from_state(panel.state["order"])

    async def look(self, panel_id: PanelId) -> Order:
        """The order behind a list with pages, as often as somebody turns one; UserError when it was given up."""
        panel = await self._panels.get(panel_id)
        if panel is None or panel.kind != KIND or panel.ended_at is not None:
            raise UserError("This list is out of date; please give the command again.", "menu_used")
        return Order.from_state(panel.state["order"])

    async def sweep(self) -> None:
        """Give up menus that nobody used."""
        oldest = self._clock.now() - KEPT
        for panel in await self._panels.open_panels(MODULE):
            if panel.kind == KIND and panel.created_at < oldest:
                await self._panels.end(panel.panel_id)

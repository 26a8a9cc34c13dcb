"""Searches behind lists with pages: too long for the ids of buttons, so they are kept in the database."""

from __future__ import annotations

from datetime import timedelta

from daemon.core.clock import Clock
from daemon.core.errors import OutOfDate
from daemon.core.ids import AppId, ChannelId, GuildId, ModuleId, PanelId
from daemon.services.panels import Panels

from .asking import Searched

MODULE = ModuleId("library")
KIND = "search"
KEPT = timedelta(days=30)
SWEEP_S = 3600.0


class Queries:
    """Each list carries the number of its search; turning its pages asks the search anew."""

    def __init__(self, panels: Panels, clock: Clock) -> None:
        self._panels = panels
        self._clock = clock

    async def keep(self, searched: Searched, app_id: AppId, guild_id: GuildId | None, channel_id: ChannelId) -> PanelId:
        """Put a search by; the id stands on the buttons."""
        panel = await self._panels.add(
            module=MODULE, kind=KIND, app_id=app_id, guild_id=guild_id, channel_id=channel_id,
            state=searched.to_state(),
        )  # fmt: skip
        return panel.panel_id

    async def look(self, panel_id: PanelId, guild_id: GuildId | None) -> Searched:
        """The search behind a list; OutOfDate when it was given up, or is another guild's."""
        panel = await self._panels.get(panel_id)
        if panel is None or panel.kind != KIND or panel.module != MODULE or panel.guild_id != guild_id:
            raise OutOfDate
        if panel.ended_at is not None:
            raise OutOfDate
        return Searched.from_state(panel.state)

    async def sweep(self) -> None:
        """Give up searches that are too old to be turned to."""
        oldest = self._clock.now() - KEPT
        for panel in await self._panels.open_panels(MODULE):
            if panel.kind == KIND and panel.created_at < oldest:
                await self._panels.end(panel.panel_id)

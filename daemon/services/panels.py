"""Panels: posted cards that must go on working after a restart."""

from __future__ import annotations

from functools import partial
from typing import Any

from daemon.core.clock import Clock
from daemon.core.ids import AppId, ChannelId, GuildId, MessageId, ModuleId, PanelId
from daemon.data import panels
from daemon.data.panels import Panel
from daemon.data.store import Store

__all__ = ["Panel", "Panels"]


class Panels:
    """Where a module's cards are and what they show. An ended panel stays readable and is not changed again."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def add(
        self,
        *,
        module: ModuleId,
        kind: str,
        app_id: AppId,
        guild_id: GuildId | None,
        channel_id: ChannelId,
        message_id: MessageId | None = None,
        state: dict[str, Any] | None = None,
    ) -> Panel:
        """A new panel with its id. Made before it is posted (its buttons carry the id), `message_id` comes later."""
        add = partial(
            panels.add,
            module=module,
            kind=kind,
            app_id=app_id,
            guild_id=guild_id,
            channel_id=channel_id,
            message_id=message_id,
            state=state or {},
            at=self._clock.now(),
        )
        return await self._store.write(add)

    async def get(self, panel_id: PanelId) -> Panel | None:
        """The panel, ended or not; None when there never was one of that id."""
        return await self._store.read(lambda tx: panels.get(tx, panel_id))

    async def open_panels(self, module: ModuleId) -> tuple[Panel, ...]:
        """The module's panels that have not ended, oldest first."""
        return await self._store.read(lambda tx: panels.open_of(tx, module))

    async def update_state(self, panel_id: PanelId, state: dict[str, Any]) -> bool:
        """Replace the module's own part; False when the panel has ended or never was."""
        return await self._change(panel_id, state=state)

    async def set_message(self, panel_id: PanelId, channel_id: ChannelId, message_id: MessageId) -> bool:
        """Say where the panel was posted; False when it has ended or never was."""
        return await self._change(panel_id, channel_id=channel_id, message_id=message_id)

    async def end(self, panel_id: PanelId) -> bool:
        """Give the panel up; False when it had ended already."""
        return await self._change(panel_id, ended_at=self._clock.now())

    async def _change(self, panel_id: PanelId, **values: Any) -> bool:
        now = self._clock.now()
        return await self._store.write(lambda tx: panels.change(tx, panel_id, now, **values))

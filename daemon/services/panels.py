"""Panels: posted cards that must go on working after a restart, each kept up to date by one process at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from daemon.core.clock import Clock
from daemon.core.ids import AppId, ChannelId, GuildId, MessageId, ModuleId, PanelId
from daemon.core.limits import PANEL_LEASE_S, PANEL_RENEW_S
from daemon.data import panels
from daemon.data.panels import Panel
from daemon.data.store import Store

__all__ = ["Panel", "Panels", "Place", "Tended"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a card is posted, and by which bot."""

    app_id: AppId
    guild_id: GuildId | None
    channel_id: ChannelId

    @classmethod
    def of(cls, panel: Panel) -> Place:
        """Where a panel stands; its buttons work nowhere else."""
        return cls(panel.app_id, panel.guild_id, panel.channel_id)


@dataclass(frozen=True, slots=True)
class Tended:
    """`mine` are the open panels that are this process's now, `taken` those that were another's until just now."""

    mine: frozenset[PanelId]
    taken: tuple[Panel, ...]  # oldest first


class Panels:
    """Where a module's cards are and what they show. An ended panel stays readable and is not changed again.

    An open panel has an owner: the one process that keeps it up to date. The process with the gateway is where presses
    arrive, and there is only one, so it owns every panel: at its start it takes them all, without waiting for anything.
    Workers stand in for it while it is away, that is once its lease has run out or it has said good-bye.
    """

    def __init__(self, store: Store, clock: Clock, *, process: str, has_gateway: bool) -> None:
        self._store = store
        self._clock = clock
        self._process = process
        self._has_gateway = has_gateway

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
            owner=self._process,
            owned_until=self._lease_end(),
        )
        return await self._store.write(add)

    async def get(self, panel_id: PanelId) -> Panel | None:
        """The panel, ended or not; None when there never was one of that id."""
        return await self._store.read(lambda tx: panels.get(tx, panel_id))

    async def open_panels(self, module: ModuleId) -> tuple[Panel, ...]:
        """The module's panels that have not ended, oldest first."""
        return await self._store.read(lambda tx: panels.open_of(tx, module))

    async def tend(self, module: ModuleId, kind: str) -> Tended:
        """Keep this process's panels its own for another while, and take over those whose owner is gone.

        To be asked every few seconds; costs one read while there is nothing to renew.
        """
        now = self._clock.now()
        known = [panel for panel in await self.open_panels(module) if panel.kind == kind]
        mine = frozenset(panel.panel_id for panel in known if panel.owner == self._process)
        if not any(self._is_to_take(panel, now) for panel in known):
            return Tended(mine, ())
        take = partial(
            panels.take,
            panel_ids=[panel.panel_id for panel in known],
            owner=self._process,
            at=now,
            until=self._lease_end(),
            everything=self._has_gateway,
        )
        taken = await self._store.write(take)
        fresh = tuple(panel for panel in taken if panel.panel_id not in mine)
        return Tended(frozenset(panel.panel_id for panel in taken), fresh)

    async def release(self, module: ModuleId) -> None:
        """Say good-bye: another process may tend the module's panels from now on."""
        await self._store.write(lambda tx: panels.release(tx, module, self._process))

    async def update_state(self, panel_id: PanelId, state: dict[str, Any]) -> bool:
        """Replace the module's own part; False when the panel has ended or never was."""
        return await self._change(panel_id, state=state)

    async def set_message(self, panel_id: PanelId, channel_id: ChannelId, message_id: MessageId) -> bool:
        """Say where the panel was posted; False when it has ended or never was."""
        return await self._change(panel_id, channel_id=channel_id, message_id=message_id)

    async def end(self, panel_id: PanelId) -> bool:
        """Give the panel up; False when it had ended already."""
        return await self._change(panel_id, ended_at=self._clock.now())

    def _is_to_take(self, panel: Panel, now: datetime) -> bool:
        if panel.owned_until is None:
            return True
        left_s = (panel.owned_until - now).total_seconds()
        if panel.owner == self._process:
            return left_s < PANEL_LEASE_S - PANEL_RENEW_S
        return self._has_gateway or left_s <= 0

    def _lease_end(self) -> datetime:
        return self._clock.now() + timedelta(seconds=PANEL_LEASE_S)

    async def _change(self, panel_id: PanelId, **values: Any) -> bool:
        now = self._clock.now()
        return await self._store.write(lambda tx: panels.change(tx, panel_id, now, **values))

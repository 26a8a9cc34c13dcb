"""Maintenance announced in a guild: one card at a time, which says when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any

from daemon.core.clock import Clock
from daemon.core.errors import UserError
from daemon.core.ids import MessageId, ModuleId, PanelId
from daemon.services.panels import Panel, Panels, Place

MODULE = ModuleId("manage")
KIND = "maintenance"
RETRY_S = 30.0  # between two attempts to change a card while Discord does not answer


@dataclass(frozen=True, slots=True)
class Notice:
    """What is said, when and by whom it was; `over_at` is when it ended."""

    text: str
    by: str
    at: datetime
    over_at: datetime | None = None

    def to_state(self) -> dict[str, Any]:
        """As JSON."""
        over = None if self.over_at is None else self.over_at.isoformat()
        return {"text": self.text, "by": self.by, "at": self.at.isoformat(), "over_at": over}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Notice:
        """From JSON."""
        over = state["over_at"]
        at = datetime.fromisoformat(state["at"])
        return cls(state["text"], state["by"], at, None if over is None else datetime.fromisoformat(over))


Post = Callable[[PanelId, Place, Notice], Awaitable[MessageId | None]]
"""Posts a card; None when Discord did not take it."""


class Changed(Enum):
    """What became of an edit of a card."""

    OK = auto()
    GONE = auto()  # somebody deleted it, or the bot may not write there any more
    LATER = auto()  # Discord does not answer


Change = Callable[[Panel, Notice], Awaitable[Changed]]
"""Edits a card."""


class Maintenance:
    """The open cards. `post` and `change` talk to Discord."""

    def __init__(self, panels: Panels, clock: Clock, post: Post, change: Change) -> None:
        self._panels = panels
        self._clock = clock
        self._post = post
        self._change = change
        self._lock = asyncio.Lock()

    async def announce(self, place: Place, text: str, by: str) -> tuple[PanelId, bool]:
        """Say it in the channel, or change what the guild's card says; True when it is a new card.

        UserError `not_in_a_guild`, `cannot_post`.
        """
        if place.guild_id is None:
            raise UserError("Maintenance is announced in a server's channel, so ask for it there.", "not_in_a_guild")
        async with self._lock:
            for panel in await self._open():
                if panel.guild_id == place.guild_id and Notice.from_state(panel.state).over_at is None:
                    notice = Notice(text, by, self._clock.now())
                    if await self._change(panel, notice) is Changed.GONE:
                        await self._panels.end(panel.panel_id)
                        continue
                    await self._panels.update_state(panel.panel_id, notice.to_state())
                    return panel.panel_id, False
            return await self._new(place, Notice(text, by, self._clock.now())), True

    async def _new(self, place: Place, notice: Notice) -> PanelId:
        panel = await self._panels.add(
            module=MODULE,
            kind=KIND,
            app_id=place.app_id,
            guild_id=place.guild_id,
            channel_id=place.channel_id,
            state=notice.to_state(),
        )
        message_id = await self._post(panel.panel_id, place, notice)
        if message_id is None:
            await self._panels.end(panel.panel_id)
            raise UserError("I could not post in this channel; nothing was announced.", "cannot_post")
        await self._panels.set_message(panel.panel_id, place.channel_id, message_id)
        return panel.panel_id

    async def end(self, panel_id: PanelId) -> bool:
        """Say that it is over; False when it was over already. The card follows, now or when Discord answers."""
        async with self._lock:
            panel = await self._panels.get(panel_id)
            if panel is None or panel.kind != KIND or panel.ended_at is not None:
                return False
            notice = Notice.from_state(panel.state)
            if notice.over_at is not None:
                return False
            over = Notice(notice.text, notice.by, notice.at, self._clock.now())
            if not await self._panels.update_state(panel_id, over.to_state()):
                return False
            await self._finish(panel, over)
            return True

    async def retry(self) -> None:
        """Finish the cards whose end Discord has not taken yet."""
        for panel in await self._open():
            notice = Notice.from_state(panel.state)
            if notice.over_at is not None:
                await self._finish(panel, notice)

    async def _finish(self, panel: Panel, notice: Notice) -> None:
        if await self._change(panel, notice) is not Changed.LATER:
            await self._panels.end(panel.panel_id)

    async def _open(self) -> list[Panel]:
        return [panel for panel in await self._panels.open_panels(MODULE) if panel.kind == KIND]

"""Answers about maintenance, and the cards that everybody sees."""

from __future__ import annotations

from typing import Any

import discord

from daemon.core.clock import Clock
from daemon.core.errors import UserError
from daemon.core.ids import MessageId, PanelId
from daemon.core.text import clamp, plain
from daemon.services.panels import Panel, Panels, Place
from integrations.discord.components import ComponentSet
from integrations.discord.messages import Edited, Messages
from integrations.discord.places import place_of
from integrations.discord.replies import reply, update
from integrations.plex import Plex

from .maintenance import Changed, Maintenance, Notice
from .views_lists import said_view
from .views_maintenance import TEXT_CHARS_MAX, announced_view, notice_view

AnyInteraction = discord.Interaction[Any]


class MaintenanceAnswers:
    """Posts and edits the cards as the bot itself, since they outlive every answer."""

    def __init__(self, items: ComponentSet, messages: Messages, panels: Panels, plex: Plex, clock: Clock) -> None:
        self._items = items
        self._messages = messages
        self._panels = panels
        self._plex = plex
        self.maintenance = Maintenance(panels, clock, self._post, self._change)

    async def announce(self, interaction: AnyInteraction, message: str) -> None:
        """Say it in this channel; how many are watching only the owner learns."""
        words = clamp(plain(message), TEXT_CHARS_MAX)
        if not words:
            raise UserError("Write what everybody shall read.", "no_text")
        panel_id, is_new = await self.maintenance.announce(place_of(interaction), words, interaction.user.display_name)
        now = await self._plex.now_playing()
        silent = [str(server) for server in now.silent_servers]
        view = announced_view(self._items, panel_id, len(now.playbacks), silent, is_new=is_new)
        await reply(interaction, view=view)

    async def end(self, interaction: AnyInteraction, panel_id: PanelId) -> None:
        """Say that it is over, on the card and to whoever pressed."""
        is_ended = await self.maintenance.end(panel_id)
        panel = await self._panels.get(panel_id)
        if panel is not None and interaction.message is not None and panel.message_id == interaction.message.id:
            await update(interaction, view=notice_view(self._items, panel_id, Notice.from_state(panel.state)))
        else:
            words = "Maintenance is over; the card says so." if is_ended else "It was over already."
            await update(interaction, view=said_view(words, is_good=is_ended))

    async def _post(self, panel_id: PanelId, place: Place, notice: Notice) -> MessageId | None:
        view = notice_view(self._items, panel_id, notice)
        posted = await self._messages.post(place.app_id, place.channel_id, nonce=f"maintenance-{panel_id}", view=view)
        return posted.message_id

    async def _change(self, panel: Panel, notice: Notice) -> Changed:
        if panel.message_id is None:
            return Changed.GONE
        view = notice_view(self._items, panel.panel_id, notice)
        edited = await self._messages.edit(panel.app_id, panel.channel_id, panel.message_id, view=view)
        return {Edited.OK: Changed.OK, Edited.LATER: Changed.LATER}.get(edited, Changed.GONE)

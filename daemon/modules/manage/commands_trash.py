"""Answers about the trash of a library: shown first, asked once, emptied once."""

from __future__ import annotations

from typing import Any

import discord

from daemon.core.ids import PanelId
from daemon.services.kept import Kept
from integrations.discord.calls import call_of
from integrations.discord.components import ComponentSet
from integrations.discord.places import place_of
from integrations.discord.replies import update
from integrations.discord.ui.paginator import page_of

from .desk import Desk
from .stocktaking import PAGE
from .trash import Contents, Listed, TrashCan
from .views_lists import emptied_view, said_view, trash_view

AnyInteraction = discord.Interaction[Any]

_CHANGED = "The trash has changed since it was listed; this is what it holds now. Nothing was removed."
_REFUSED = "Nothing was removed."


class TrashAnswers:
    """A button stands for what its list showed; only that is ever emptied."""

    def __init__(self, items: ComponentSet, desk: Desk, can: TrashCan, lists: Kept[Listed]) -> None:
        self._items = items
        self._desk = desk
        self._can = can
        self._lists = lists

    async def show(self, interaction: AnyInteraction, library: str) -> None:
        """What is in the trash, and the question."""
        await self._show(interaction, await self._can.look(await self._desk.library(library)), 1)

    async def turn(self, interaction: AnyInteraction, panel_id: PanelId, number: int) -> None:
        """Another page, of what is in it now: the buttons below stand for that."""
        listed = await self._lists.look(panel_id, place_of(interaction))
        contents = await self._can.look(listed.library)
        await self._show(interaction, contents, number, panel_id if contents.listed == listed else None)

    async def empty(self, interaction: AnyInteraction, panel_id: PanelId) -> None:
        """It was meant."""
        place, profile_id = place_of(interaction), call_of(interaction).profile_id
        listed = await self._lists.look(panel_id, place)

        async def take() -> None:
            await self._lists.take(panel_id, place, profile_id)

        outcome = await self._can.empty(listed, take)
        if isinstance(outcome, Contents):
            note = _REFUSED if outcome.refusal else _CHANGED
            await self._show(interaction, outcome, 1, note=note)
        else:
            await update(interaction, view=emptied_view(listed.library, outcome))

    async def keep(self, interaction: AnyInteraction) -> None:
        """It was not meant."""
        await update(interaction, view=said_view("Nothing was removed."))

    async def _show(
        self,
        interaction: AnyInteraction,
        contents: Contents,
        number: int,
        panel_id: PanelId | None = None,
        note: str = "",
    ) -> None:
        if panel_id is None:
            panel_id = await self._lists.keep(contents.listed, place_of(interaction))
        page = page_of(contents.items, number, PAGE)
        await update(interaction, view=trash_view(self._items, panel_id, contents, page, note))

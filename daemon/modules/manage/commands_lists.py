"""Lists for owners: what is not matched, double, never played; who does not watch; what is going on."""

from __future__ import annotations

from typing import Any

import discord

from daemon.core.errors import OutOfDate
from daemon.core.ids import ServerId
from daemon.core.text import clamp
from integrations.discord.components import ComponentSet
from integrations.discord.replies import update
from integrations.discord.ui.layout import safe
from integrations.discord.ui.paginator import page_of

from .asking import Chosen
from .desk import Desk
from .doings import Doings
from .inactive import INACTIVE_DAYS, Inactivity
from .stocktaking import PAGE, STALE_DAYS, Stocktaking
from .views_lists import DOINGS_PAGE, doing_view, doubles_view, inactive_view, stale_view, unmatched_view

AnyInteraction = discord.Interaction[Any]

GUESTS_PAGE = 6


class ListAnswers:
    """A command reads anew; the pages of long readings are turned as they were read."""

    def __init__(
        self, items: ComponentSet, desk: Desk, stocktaking: Stocktaking, doings: Doings, inactivity: Inactivity
    ) -> None:
        self._items = items
        self._desk = desk
        self._stocktaking = stocktaking
        self._doings = doings
        self._inactivity = inactivity

    async def unmatched(self, interaction: AnyInteraction, library: Chosen, number: int = 1) -> None:
        """A page of titles that no agent knows."""
        page = await self._stocktaking.unmatched(library.ref, number)
        await update(interaction, view=unmatched_view(self._items, library, page))

    async def duplicates(self, interaction: AnyInteraction, library: Chosen, number: int = 1) -> None:
        """A page of what is there more than once."""
        doubles = await self._stocktaking.doubles(library.ref, is_fresh=interaction.message is None)
        await update(interaction, view=doubles_view(self._items, library, doubles, page_of(doubles, number, PAGE)))

    async def stale(self, interaction: AnyInteraction, library: Chosen, days: int | None, number: int = 1) -> None:
        """A page of what nobody has played for long."""
        days = STALE_DAYS if days is None else days
        is_fresh = interaction.message is None
        stale, plays = await self._stocktaking.stale(library.ref, days, is_fresh=is_fresh)
        page = page_of(stale.titles, number, PAGE)
        named = await self._stocktaking.named(library.ref, list(page.items), plays)
        await update(interaction, view=stale_view(self._items, library, days, stale, page, named))

    async def inactive(self, interaction: AnyInteraction, days: int | None, number: int = 1) -> None:
        """A page of accounts that have access and do not use it."""
        days = INACTIVE_DAYS if days is None else days
        guests = await self._inactivity.inactive(days, is_fresh=interaction.message is None)
        page = page_of(guests.guests, number, GUESTS_PAGE)
        await update(interaction, view=inactive_view(self._items, days, guests, page))

    async def activities(
        self, interaction: AnyInteraction, library: Chosen | None, number: int = 1, note: str = ""
    ) -> None:
        """A page of what the servers do now."""
        doing = await self._doings.now(None if library is None else library.ref)
        page = page_of(doing.activities, number, DOINGS_PAGE)
        await update(interaction, view=doing_view(self._items, library, doing, page, note))

    async def cancel(self, interaction: AnyInteraction, server: ServerId, uuid: str) -> None:
        """End something that goes on, and show what does still."""
        activity, is_ended = await self._doings.cancel(server, uuid)
        if activity is None or not is_ended:
            note = "That had ended already."
        else:
            note = f"Cancelled: **{safe(clamp(activity.title, 100))}**."
        await self.activities(interaction, None, note=note)

    async def library(self, ids: tuple[str, ...]) -> Chosen:
        """The library that a button of a list names; OutOfDate for anything odd."""
        if len(ids) < 2:
            raise OutOfDate
        return await self._desk.library(f"l:{ids[0]}:{ids[1]}")

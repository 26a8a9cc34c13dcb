"""The buttons and menus of the library's lists. They work for as long as their message stands."""

from __future__ import annotations

from typing import Any

import discord

from daemon.core.errors import OutOfDate
from daemon.core.ids import ServerId
from daemon.core.visibility import LibraryRef
from daemon.services.kept import Kept
from integrations.discord.components import ComponentSet, component
from integrations.discord.places import home_of, panel_id_of, place_of
from integrations.discord.ui.paginator import page_number
from integrations.plex import Plex

from .asking import Searched
from .commands_answers import NONE, Answers
from .desk import Desk

AnyInteraction = discord.Interaction[Any]
Ids = tuple[str, ...]


class LibraryComponents(ComponentSet):
    """What is shown is looked up anew for whoever presses: they may see less than who asked first."""

    def __init__(self, desk: Desk, queries: Kept[Searched], plex: Plex) -> None:
        self._queries = queries
        self.answers = Answers(self, desk, queries, plex)

    @component("search")
    async def turn_search(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of what was found."""
        panel_id = panel_id_of(ids)
        searched = await self._queries.look(panel_id, place_of(interaction))
        await self.answers.search(interaction, searched, page_number(ids), panel_id)

    @component("info")
    async def open_title(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """One of the titles that were found."""
        await self._queries.look(panel_id_of(ids), place_of(interaction))
        if not values:
            raise OutOfDate
        await self.answers.info(interaction, values[0])

    @component("recent")
    async def turn_recent(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of what is new."""
        if len(ids) != 5 or ids[0] != home_of(interaction):
            raise OutOfDate
        library = _library_of(ids)
        days = int(ids[3]) if ids[3].isascii() and ids[3].isdigit() and len(ids[3]) < 6 else 0
        await self.answers.recent(interaction, library, days or None, page_number(ids))

    @component("stats")
    async def look_again(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """How far a reading is by now."""
        if len(ids) != 3 or ids[0] != home_of(interaction):
            raise OutOfDate
        await self.answers.stats(interaction, _library_of(ids))


def _library_of(ids: Ids) -> LibraryRef | None:
    return None if NONE in ids[1:3] else LibraryRef(ServerId(ids[1]), ids[2])

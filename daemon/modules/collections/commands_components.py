"""The buttons and menus of collections. They work for as long as their message stands."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import discord

from daemon.core.access import Access
from daemon.core.errors import OutOfDate
from daemon.core.ids import ServerId
from daemon.core.library import CollectionRef
from daemon.core.media import TitleRef
from daemon.core.visibility import LibraryRef
from daemon.services.audit import Audit
from daemon.services.kept import Kept
from integrations.discord.components import ComponentSet, component, modal
from integrations.discord.places import home_of, panel_id_of
from integrations.discord.ui.paginator import page_number

from .asking import Doomed, Draft
from .commands_answers import NONE, Answers
from .commands_changes import Changes
from .desk import Desk

AnyInteraction = discord.Interaction[Any]
Ids = tuple[str, ...]

change = partial(component, access=Access.OWNER, audited=True, exclusive=True)
"""Marks what changes something: on record, one press on a message at a time."""


class CollectionComponents(ComponentSet):
    """Lists are looked up anew for whoever presses; what changes something is for owners, at every press."""

    def __init__(self, desk: Desk, drafts: Kept[Draft], questions: Kept[Doomed], audit: Audit) -> None:
        self.answers = Answers(self, desk)
        self.changes = Changes(self, desk, drafts, questions, audit)

    @component("list")
    async def turn_list(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of the collections."""
        _check_home(interaction, ids, 4)
        library = None if NONE in ids[1:3] else LibraryRef(ServerId(ids[1]), ids[2])
        await self.answers.turn_list(interaction, library, page_number(ids))

    @component("open")
    async def open_one(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """One of the collections of a list."""
        _check_home(interaction, ids, 3)
        if not values or CollectionRef.parse(values[0]) is None:
            raise OutOfDate
        await self.answers.show(interaction, values[0], 1)

    @component("show")
    async def turn_show(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of one collection."""
        _check_home(interaction, ids, 4)
        await self.answers.turn_show(interaction, CollectionRef(ServerId(ids[1]), ids[2]), page_number(ids))

    @component("name", access=Access.OWNER)
    async def ask_first(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """The first title is to be named."""
        await self.changes.ask_first(interaction, panel_id_of(ids))

    @modal("first", access=Access.OWNER, audited=True)
    async def named_first(self, interaction: AnyInteraction, ids: Ids, fields: Mapping[str, str]) -> None:
        """The first title was named."""
        await self.changes.named_first(interaction, panel_id_of(ids), fields.get("title", ""))

    @change("first")
    async def chosen_first(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """The first title was chosen."""
        title = TitleRef.parse(values[0]) if values else None
        if title is None:
            raise OutOfDate
        await self.changes.begin(interaction, panel_id_of(ids), title)

    @change("delete")
    async def delete(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """The deletion was confirmed."""
        await self.changes.delete(interaction, panel_id_of(ids))

    @component("keep", access=Access.OWNER)
    async def keep(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """It was not meant."""
        await self.changes.keep(interaction, panel_id_of(ids))


def _check_home(interaction: AnyInteraction, ids: Ids, count: int) -> None:
    if len(ids) != count or ids[0] != home_of(interaction):
        raise OutOfDate

"""Answering with collections; from a button, the message itself becomes the answer."""

from __future__ import annotations

from typing import Any

import discord

from daemon.core.library import CollectionRef
from daemon.core.visibility import LibraryRef
from integrations.discord.calls import call_of
from integrations.discord.components import ComponentSet
from integrations.discord.places import guild_of, home_of
from integrations.discord.replies import reply, update
from integrations.discord.ui.paginator import page_of

from .asking import Shelf, Viewer
from .desk import Desk
from .views import PAGE, list_view, show_view

AnyInteraction = discord.Interaction[Any]

NONE = "-"
"""In ids of components: no library; no server and no library is called so."""


def viewer_of(interaction: AnyInteraction) -> Viewer:
    """Who looks, and from where."""
    return Viewer(call_of(interaction).member_id, guild_of(interaction))


class Answers:
    """Lists for everyone, looked up for whoever asks or presses."""

    def __init__(self, items: ComponentSet, desk: Desk) -> None:
        self._items = items
        self._desk = desk

    async def list(self, interaction: AnyInteraction, library: Shelf | None, number: int) -> None:
        """Page `number` of the collections."""
        found = await self._desk.listing(library.ref if library is not None else None, viewer_of(interaction))
        server, key = (library.ref.server, library.ref.key) if library is not None else (NONE, NONE)
        page = page_of(found, number, PAGE)
        name = library.name if library is not None else None
        view = list_view(self._items, page, len(found), name, (home_of(interaction), server, key))
        await (update if interaction.message is not None else reply)(interaction, view=view)

    async def show(self, interaction: AnyInteraction, text: str, number: int, *, is_turned: bool = False) -> None:
        """Page `number` of one collection; `is_turned`: in place of the page that stands there."""
        opened = await self._desk.open(text, viewer_of(interaction))
        page, ref = page_of(opened.titles, number, PAGE), opened.collection.ref
        view = show_view(self._items, opened, page, (home_of(interaction), ref.server, ref.key))
        await (update if is_turned else reply)(interaction, view=view)

    async def turn_list(self, interaction: AnyInteraction, library: LibraryRef | None, number: int) -> None:
        """Another page of the collections."""
        shelf = None if library is None else await self._desk.library(str(library), viewer_of(interaction))
        await self.list(interaction, shelf, number)

    async def turn_show(self, interaction: AnyInteraction, ref: CollectionRef, number: int) -> None:
        """Another page of one collection."""
        await self.show(interaction, str(ref), number, is_turned=True)

"""Answering with lists and cards of the library; from a button, the message itself becomes the answer."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import discord

from daemon.core.errors import UpstreamError
from daemon.core.ids import PanelId
from daemon.core.visibility import LibraryRef
from daemon.services.kept import Kept
from daemon.services.library.shelves import Facts
from integrations.discord.calls import call_of
from integrations.discord.components import ComponentSet
from integrations.discord.places import guild_of, home_of, place_of
from integrations.discord.replies import reply, update
from integrations.discord.ui.paginator import page_of
from integrations.plex import Plex

from .asking import Searched, Viewer, Wish
from .desk import FOUND_MAX, Desk
from .views import PAGE, POSTER, have_view, info_view, recent_view, search_view, stats_view, storage_view

AnyInteraction = discord.Interaction[Any]

NONE = "-"
"""In ids of components: no library; no server and no library is called so."""


def viewer_of(interaction: AnyInteraction) -> Viewer:
    """Who looks, and from where."""
    call = call_of(interaction)
    return Viewer(call.member_id, guild_of(interaction), call.profile_id)


class Answers:
    """What each command and each press answers with."""

    def __init__(self, items: ComponentSet, desk: Desk, queries: Kept[Searched], plex: Plex) -> None:
        self._items = items
        self._desk = desk
        self._queries = queries
        self._plex = plex

    async def search(
        self, interaction: AnyInteraction, searched: Searched, number: int, panel_id: PanelId | None = None
    ) -> None:
        """Page `number` of what is found; the search is put by for the buttons when it is new."""
        found = await self._desk.search(searched, viewer_of(interaction))
        if panel_id is None:
            panel_id = await self._queries.keep(searched, place_of(interaction))
        page = page_of(found.titles, number, PAGE)
        count = len(found.titles)
        total = f"the {count} best of them" if count >= FOUND_MAX else f"{count} title{'s' * (count != 1)}"
        view = search_view(self._items, searched, page, total, panel_id, is_complete=found.is_complete)
        await update(interaction, view=view)

    async def info(self, interaction: AnyInteraction, text: str) -> None:
        """One title, or a list of those that were meant."""
        found = await self._desk.title(text, viewer_of(interaction))
        if isinstance(found, Searched):
            await self.search(interaction, found, 1)
        else:
            await self.show(interaction, found)

    async def show(self, interaction: AnyInteraction, facts: Facts, note: str = "") -> None:
        """The card of one title; what its server does not tell now is left out."""
        title = facts.shown.title
        try:
            poster = await self._plex.poster(title)
        except UpstreamError:
            poster = None
        about = (await self._plex.about([title.ref])).get(title.ref)
        view = info_view(facts, about.summary if about else None, has_poster=poster is not None, note=note)
        files = [discord.File(BytesIO(poster), filename=POSTER)] if poster is not None else []
        await reply(interaction, view=view, files=files)

    async def recent(
        self, interaction: AnyInteraction, library: LibraryRef | None, days: int | None, number: int
    ) -> None:
        """Page `number` of what is new."""
        found = await self._desk.recent(library, days, viewer_of(interaction))
        heading = "New in the library" if days is None else f"New in the last {days} day{'s' * (days != 1)}"
        ids = (home_of(interaction), *_to_ids(library), days or 0)
        await update(interaction, view=recent_view(self._items, page_of(found, number, PAGE), heading, ids))

    async def draw(self, interaction: AnyInteraction, wish: Wish) -> None:
        """A title by chance."""
        drawn = await self._desk.draw(wish, viewer_of(interaction))
        whose = "the account of the server's owner" if drawn.account is None else f"your account {drawn.account}"
        await self.show(interaction, drawn.facts, f"Not seen on {whose}." if wish.unwatched else "")

    async def stats(self, interaction: AnyInteraction, library: LibraryRef | None) -> None:
        """What the libraries amount to."""
        viewer = viewer_of(interaction)
        readings = await self._desk.readings(library, viewer)
        ids = (home_of(interaction), *_to_ids(library))
        await update(interaction, view=stats_view(self._items, await self._desk.sums(library, viewer), readings, ids))

    async def storage(self, interaction: AnyInteraction, library: LibraryRef | None) -> None:
        """What files take up."""
        await reply(interaction, view=storage_view(await self._desk.storage(library, viewer_of(interaction))))

    async def have(self, interaction: AnyInteraction, text: str) -> None:
        """Whether a title is there."""
        await reply(interaction, view=have_view(await self._desk.have(text, viewer_of(interaction))))


def _to_ids(library: LibraryRef | None) -> tuple[str, str]:
    return (library.server, library.key) if library is not None else (NONE, NONE)

"""What owners do to collections, and what they are told of it."""

from __future__ import annotations

from typing import Any

import discord

from daemon.core.errors import UserError
from daemon.core.ids import PanelId
from daemon.core.media import TitleRef
from daemon.core.text import titles_line
from daemon.services.audit import Audit
from daemon.services.kept import Kept
from integrations.discord.calls import call_of
from integrations.discord.components import ComponentSet, Field
from integrations.discord.places import place_of
from integrations.discord.replies import open_modal, reply, update
from integrations.plex import CollectionState

from .asking import Doomed, Draft
from .commands_answers import viewer_of
from .desk import Desk
from .views import bold, doomed_view, draft_view, told_view

AnyInteraction = discord.Interaction[Any]


class Changes:
    """Carries out and answers. What destroys asks once."""

    def __init__(
        self, items: ComponentSet, desk: Desk, drafts: Kept[Draft], questions: Kept[Doomed], audit: Audit
    ) -> None:
        self._items = items
        self._desk = desk
        self._drafts = drafts
        self._questions = questions
        self._audit = audit

    async def create(self, interaction: AnyInteraction, library: str, name: str, filter_text: str | None) -> None:
        """With a filter: at once. Without: ask for a first title, for Plex keeps no empty collections."""
        shelf = await self._desk.library(library, viewer_of(interaction))
        if shelf is None:
            raise UserError("Which library? Choose one from the list while you type.", "unknown_library")
        if filter_text is not None and filter_text.strip():
            state = await self._desk.collections.create_smart(shelf.ref, name, filter_text)
            await self._record(interaction, "created", state, {"filter": filter_text})
            lines = (
                f"{bold(state.name)} of {bold(shelf.name)} has {titles_line(state.count)} now.",
                "-# It is smart: whatever fits the filter is in it, and nothing else.",
            )
            await reply(interaction, view=told_view("Collection made", *lines))
            return
        draft = Draft(shelf, await self._desk.collections.check_name(shelf.ref, name))
        panel_id = await self._drafts.keep(draft, place_of(interaction))
        await reply(interaction, view=draft_view(self._items, draft, panel_id, ()))

    async def ask_first(self, interaction: AnyInteraction, panel_id: PanelId) -> None:
        """Open the form for the name of the first title."""
        draft = await self._drafts.look(panel_id, place_of(interaction))
        field = Field("title", "Its first title", placeholder=f"A title of {draft.library.name}")
        await open_modal(interaction, self._items.form("first", (panel_id,), title=draft.name, fields=[field]))

    async def named_first(self, interaction: AnyInteraction, panel_id: PanelId, text: str) -> None:
        """The first title was named: make the collection, or show which titles may be meant."""
        draft = await self._drafts.look(panel_id, place_of(interaction))
        found = await self._desk.titles(text, viewer_of(interaction), draft.library.ref)
        if len(found) > 1:
            await update(interaction, view=draft_view(self._items, draft, panel_id, found))
            return
        await self.begin(interaction, panel_id, found[0].ref)

    async def begin(self, interaction: AnyInteraction, panel_id: PanelId, title: TitleRef) -> None:
        """The first title is known."""
        draft = await self._drafts.look(panel_id, place_of(interaction))
        state = await self._desk.collections.create(draft.library.ref, draft.name, title)
        await self._drafts.take(panel_id, place_of(interaction), call_of(interaction).profile_id)
        await self._record(interaction, "created", state, {"title": str(title)})
        line = f"{bold(state.name)} of {bold(draft.library.name)} has {titles_line(state.count)}."
        view = told_view("Collection made", line, "-# /collection add puts more into it.")
        await update(interaction, view=view)

    async def add(self, interaction: AnyInteraction, collection: str, title: str) -> None:
        """Put a title into a collection."""
        viewer = viewer_of(interaction)
        known = await self._desk.collection(collection, viewer)
        ref = await self._desk.title(title, viewer, known.library)
        state, item = await self._desk.collections.add(known.ref, ref)
        await self._record(interaction, "added to", state, {"title": str(ref)})
        line = f"{bold(str(item))} is in {bold(state.name)} now, with {titles_line(state.count)} in all."
        await reply(interaction, view=told_view("Added", line))

    async def remove(self, interaction: AnyInteraction, collection: str, title: str) -> None:
        """Take a title out of a collection."""
        viewer = viewer_of(interaction)
        known = await self._desk.collection(collection, viewer)
        ref = await self._desk.title(title, viewer, known.library)
        state, item = await self._desk.collections.remove(known.ref, ref)
        await self._record(interaction, "removed from", state, {"title": str(ref)})
        line = f"{bold(str(item))} is no longer in {bold(state.name)}; {titles_line(state.count)} left."
        view = told_view("Removed", line, "-# The title itself stays in its library.")
        await reply(interaction, view=view)

    async def ask_delete(self, interaction: AnyInteraction, collection: str) -> None:
        """Show what a deletion does, and ask."""
        known = await self._desk.collection(collection, viewer_of(interaction))
        state = await self._desk.collections.read(known.ref)
        doomed = Doomed(known.ref, state.name, state.library_name, state.count)
        panel_id = await self._questions.keep(doomed, place_of(interaction))
        await reply(interaction, view=doomed_view(self._items, doomed, panel_id))

    async def delete(self, interaction: AnyInteraction, panel_id: PanelId) -> None:
        """It was confirmed. The question stays open while the server does not answer."""
        place, call = place_of(interaction), call_of(interaction)
        doomed = await self._questions.look(panel_id, place)
        try:
            await self._desk.collections.delete(doomed.ref)
        except UserError as error:
            if error.code != "collection_gone":
                raise
            await self._questions.take(panel_id, place, call.profile_id)
            line = f"{bold(doomed.name)} is gone: somebody else was quicker, or an answer of its server was lost."
            await update(interaction, view=told_view("Already gone", line, is_done=False))
            return
        await self._questions.take(panel_id, place, call.profile_id)
        detail = {"collection": str(doomed.ref), "titles": doomed.count}
        await self._audit.record(call.profile_id, "collection deleted", doomed.name, detail, call.trace_id)
        line = f"{bold(doomed.name)} is gone; its {titles_line(doomed.count)} stay in {bold(doomed.library_name)}."
        await update(interaction, view=told_view("Collection deleted", line))

    async def keep(self, interaction: AnyInteraction, panel_id: PanelId) -> None:
        """It was not meant."""
        doomed = await self._questions.take(panel_id, place_of(interaction), call_of(interaction).profile_id)
        line = f"{bold(doomed.name)} stays as it is."
        await update(interaction, view=told_view("Nothing was changed", line, is_done=False))

    async def _record(
        self, interaction: AnyInteraction, what: str, state: CollectionState, detail: dict[str, Any]
    ) -> None:
        call = call_of(interaction)
        known = {"collection": str(state.ref), **detail}
        await self._audit.record(call.profile_id, f"collection {what}", state.name, known, call.trace_id)

"""What owners do to single titles, and what they are told of it. What is hard to take back asks once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import discord

from daemon.core.errors import OutOfDate, UserError
from daemon.core.ids import PanelId
from daemon.core.media import TitleRef
from daemon.services.audit import Audit
from daemon.services.kept import Kept
from integrations.discord.calls import call_of
from integrations.discord.components import ComponentSet
from integrations.discord.places import place_of
from integrations.discord.replies import reply, update
from integrations.plex.editing_fields import Change, Field, Mode

from .titles_asking import CANDIDATES_MAX, MatchOffer, MergeQuestion, Named, SplitQuestion
from .titles_desk import TitleDesk
from .views_titles import (
    edited_view,
    match_view,
    matched_view,
    merge_view,
    offer_view,
    split_view,
    told_view,
    undone_view,
)

AnyInteraction = discord.Interaction[Any]

_NOTHING = "Nothing was changed"


@dataclass(frozen=True, slots=True)
class TitleQuestions:
    """What is kept behind the buttons."""

    offers: Kept[MatchOffer]
    splits: Kept[SplitQuestion]
    merges: Kept[MergeQuestion]
    edits: Kept[Change]

    async def sweep(self) -> None:
        """Give up what nobody can answer any more."""
        await self.offers.sweep()
        await self.splits.sweep()
        await self.merges.sweep()
        await self.edits.sweep()


class TitleAnswers:
    """A question is used up when it was acted upon: while the server does not answer it stays open."""

    def __init__(self, items: ComponentSet, desk: TitleDesk, questions: TitleQuestions, audit: Audit) -> None:
        self._items = items
        self._desk = desk
        self._kept = questions
        self._audit = audit

    # What it is

    async def offer(self, interaction: AnyInteraction, text: str) -> None:
        """Show what a title could be."""
        title = await self._desk.title(text)
        found = tuple(await self._desk.editing.candidates(title))[:CANDIDATES_MAX]
        offer = MatchOffer(Named.of(title), title.guid, tuple(sorted(title.locked)), found)
        panel_id = await self._kept.offers.keep(offer, place_of(interaction)) if found else PanelId(0)
        await reply(interaction, view=offer_view(self._items, offer, panel_id))

    async def choose(self, interaction: AnyInteraction, panel_id: PanelId, value: str) -> None:
        """One was chosen: show what that will change."""
        offer = await self._kept.offers.look(panel_id, place_of(interaction))
        place = _place(offer, value)
        title = await self._desk.editing.read(offer.title.ref)
        if offer.candidates[place].guid == title.guid:
            raise UserError(f"{title} is matched to that already.", "nothing_changes")
        await update(interaction, view=match_view(self._items, offer, place, title, panel_id))

    async def match(self, interaction: AnyInteraction, panel_id: PanelId, value: str) -> None:
        """It was confirmed."""
        offer = await self._kept.offers.look(panel_id, place_of(interaction))
        wanted = offer.candidates[_place(offer, value)]
        before = await self._desk.editing.read(offer.title.ref)
        after = await self._desk.editing.match(offer.title.ref, wanted)
        await self._use_up(interaction, self._kept.offers, panel_id)
        await self._record(interaction, "title matched", offer.title.ref, before=before.guid, after=wanted.guid)
        await update(interaction, view=matched_view(before, after, wanted))

    async def keep_match(self, interaction: AnyInteraction, panel_id: PanelId) -> None:
        """It was not meant: the candidates once more."""
        offer = await self._kept.offers.look(panel_id, place_of(interaction))
        await update(interaction, view=offer_view(self._items, offer, panel_id))

    # What belongs together

    async def ask_split(self, interaction: AnyInteraction, text: str) -> None:
        """Show what would become titles of their own, and ask."""
        title = await self._desk.title(text)
        self._desk.editing.check_split(title)
        question = SplitQuestion(Named.of(title))
        panel_id = await self._kept.splits.keep(question, place_of(interaction))
        await reply(interaction, view=split_view(self._items, question, panel_id))

    async def split(self, interaction: AnyInteraction, panel_id: PanelId) -> None:
        """It was confirmed."""
        shown = (await self._kept.splits.look(panel_id, place_of(interaction))).title
        await self._desk.unchanged(shown)
        count = await self._desk.editing.split(shown.ref)
        await self._use_up(interaction, self._kept.splits, panel_id)
        await self._record(interaction, "title split", shown.ref, name=shown.name, titles=count)
        parts = f"There are {count} titles of that name now." if count > 1 else "Plex takes it apart now."
        await update(interaction, view=told_view(f"Split: {shown.name}", parts))

    async def keep_split(self, interaction: AnyInteraction, panel_id: PanelId) -> None:
        """It was not meant."""
        await self._use_up(interaction, self._kept.splits, panel_id)
        await update(interaction, view=told_view(_NOTHING, "The title stays as it is.", is_done=False))

    async def ask_merge(self, interaction: AnyInteraction, text: str, into_text: str) -> None:
        """Show both titles, and ask."""
        title, into = await self._desk.title(text), await self._desk.title(into_text)
        self._desk.editing.check_merge(title, into)
        question = MergeQuestion(Named.of(title), Named.of(into))
        panel_id = await self._kept.merges.keep(question, place_of(interaction))
        await reply(interaction, view=merge_view(self._items, question, panel_id))

    async def merge(self, interaction: AnyInteraction, panel_id: PanelId) -> None:
        """It was confirmed."""
        question = await self._kept.merges.look(panel_id, place_of(interaction))
        await self._desk.unchanged(question.title)
        await self._desk.unchanged(question.into)
        after = await self._desk.editing.merge(question.title.ref, question.into.ref)
        await self._use_up(interaction, self._kept.merges, panel_id)
        await self._record(
            interaction, "titles merged", question.into.ref, merged=str(question.title.ref), name=question.title.name
        )
        line = f"{question.title.name} is a part of {after} now, which has {len(after.versions)} versions."
        await update(interaction, view=told_view("Merged", line))

    async def keep_merge(self, interaction: AnyInteraction, panel_id: PanelId) -> None:
        """It was not meant."""
        await self._use_up(interaction, self._kept.merges, panel_id)
        await update(interaction, view=told_view(_NOTHING, "Both titles stay as they are.", is_done=False))

    # What is written on it

    async def edit(self, interaction: AnyInteraction, text: str, field: Field, mode: Mode, value: str) -> None:
        """Change a field, show before and after, and offer to take it back."""
        title = await self._desk.title(text)
        change = await self._desk.editing.edit(title.ref, field, mode, value)
        panel_id = await self._kept.edits.keep(change, place_of(interaction))
        await self._record(
            interaction, "title edited", title.ref, field=field.value, before=list(change.before),
            after=list(change.after),
        )  # fmt: skip
        await reply(interaction, view=edited_view(self._items, str(title), change, panel_id))

    async def undo(self, interaction: AnyInteraction, panel_id: PanelId) -> None:
        """Take an edit back, once."""
        change = await self._kept.edits.look(panel_id, place_of(interaction))
        now = await self._desk.editing.undo(change)
        await self._use_up(interaction, self._kept.edits, panel_id)
        await self._record(
            interaction, "title edit undone", change.ref, field=change.field.value, before=list(now.before),
            after=list(now.after),
        )  # fmt: skip
        await update(interaction, view=undone_view(change, now))

    async def _use_up(self, interaction: AnyInteraction, kept: Kept[Any], panel_id: PanelId) -> None:
        await kept.take(panel_id, place_of(interaction), call_of(interaction).profile_id)

    async def _record(self, interaction: AnyInteraction, what: str, ref: TitleRef, **detail: Any) -> None:
        call = call_of(interaction)
        await self._audit.record(call.profile_id, what, str(ref), detail, call.trace_id)


def _place(offer: MatchOffer, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 4 and int(value) < len(offer.candidates)):
        raise OutOfDate
    return int(value)

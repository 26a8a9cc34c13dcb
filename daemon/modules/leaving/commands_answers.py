"""Answering commands and presses about rounds; from a button, the message itself becomes the answer."""

from __future__ import annotations

from typing import Any

import discord

from daemon.core.errors import UserError
from daemon.core.ids import PanelId
from daemon.core.leaving import RoundState, Rule
from daemon.core.text import titles_line
from daemon.services.kept import Kept
from daemon.services.leaving import Whole
from integrations.discord.calls import call_of
from integrations.discord.components import ComponentSet
from integrations.discord.messages import Edited
from integrations.discord.places import guild_of, place_of
from integrations.discord.replies import reply, update
from integrations.discord.ui.layout import safe

from .asking import Draft, Viewer
from .commands_cards import Cards
from .deleting import Deleting
from .desk import Desk
from .views import begun_view, confirm_view, decision_view, draft_view, list_view, round_view, said_view

AnyInteraction = discord.Interaction[Any]


def viewer_of(interaction: AnyInteraction) -> Viewer:
    """Who looks, and from where."""
    return Viewer(call_of(interaction).member_id, guild_of(interaction))


class Answers:
    """What each command and each press answers with."""

    def __init__(self, items: ComponentSet, desk: Desk, drafts: Kept[Draft], cards: Cards, deleting: Deleting) -> None:
        self._items = items
        self._desk = desk
        self._drafts = drafts
        self._cards = cards
        self._deleting = deleting

    # Announcing

    async def announce(self, interaction: AnyInteraction, library: str, rule: Rule) -> None:
        """Show the owner what the rule lists, and ask."""
        draft = await self._desk.draft(library, rule, viewer_of(interaction))
        profile_id = call_of(interaction).profile_id
        panel_id = await self._drafts.keep(draft, place_of(interaction), profile_id)
        await reply(interaction, view=draft_view(self._items, draft, panel_id, 1))

    async def draft(self, interaction: AnyInteraction, panel_id: PanelId, number: int) -> None:
        """Another page of it."""
        draft = await self._drafts.look(panel_id, place_of(interaction))
        await update(interaction, view=draft_view(self._items, draft, panel_id, number))

    async def post(self, interaction: AnyInteraction, panel_id: PanelId) -> None:
        """Begin the round and post its card in the channel."""
        place, profile_id = place_of(interaction), call_of(interaction).profile_id
        draft = await self._drafts.take(panel_id, place, profile_id)
        announced = await self._desk.announce(draft, place, profile_id)
        whole = await self._desk.round(str(announced.round_id), viewer_of(interaction))
        outcome = await self._cards.post(whole)
        if outcome in (Edited.GONE, Edited.FORBIDDEN):
            raise UserError("I may not post in this channel; nothing was announced.", "no_channel")
        said = f"**{titles_line(announced.count)}** of {safe(draft.library_name)} announced."
        if announced.left_out:
            said += f" {titles_line(announced.left_out)} left out, which another round lists."
        if outcome is Edited.LATER:
            said += " Discord is slow: the card comes as soon as it can."
        await update(interaction, view=said_view(said))

    async def drop(self, interaction: AnyInteraction, panel_id: PanelId) -> None:
        """It was not meant."""
        await self._drafts.take(panel_id, place_of(interaction), call_of(interaction).profile_id)
        await update(interaction, view=said_view("Nothing was announced."))

    # Looking and keeping

    async def list(self, interaction: AnyInteraction, number: int) -> None:
        """Rounds that are not done."""
        found = await self._desk.running(viewer_of(interaction))
        await update(interaction, view=list_view(self._items, found, number))

    async def open(self, interaction: AnyInteraction, round_id: str) -> None:
        """A round from the list."""
        whole = await self._desk.seen_round(round_id, viewer_of(interaction))
        await update(interaction, view=round_view(self._items, whole, 1))

    async def round(self, interaction: AnyInteraction, round_id: str, number: int) -> None:
        """A page of a round."""
        whole = await self._whole(interaction, round_id)
        await update(interaction, view=round_view(self._items, whole, number))
        await self._note_shown(interaction, whole)

    async def keep(self, interaction: AnyInteraction, title_id: int, number: int) -> None:
        """Somebody wants a title to stay."""
        whole = await self._desk.keep(title_id, call_of(interaction).profile_id, viewer_of(interaction))
        await update(interaction, view=round_view(self._items, whole, number))
        if not await self._note_shown(interaction, whole):
            self._cards.wake()

    # Deciding

    async def close(self, interaction: AnyInteraction, number: str) -> None:
        """End the time for keeping, and ask what to delete."""
        whole = await self._whole(interaction, number)
        was_open = whole.round.state is RoundState.OPEN
        if was_open:
            whole = await self._desk.close(whole)
            self._cards.wake()
        note = "The round is closed now; nobody can keep anything any more." if was_open else ""
        await reply(interaction, view=decision_view(self._items, whole, 1, note))

    async def decide(self, interaction: AnyInteraction, round_id: str, number: int) -> None:
        """What nobody kept; from the card of the round, in an answer of its own."""
        whole = await self._whole(interaction, round_id)
        view = decision_view(self._items, whole, number)
        await (reply if self._is_card(interaction, whole) else update)(interaction, view=view)

    async def ask(self, interaction: AnyInteraction, round_id: str) -> None:
        """Ask once more before anything is deleted."""
        whole = await self._whole(interaction, round_id)
        if whole.round.state is not RoundState.CLOSED or not whole.unwanted:
            raise UserError("That round is not to be decided about any more.", "decided")
        await self._desk.check_deletion(whole)
        await update(interaction, view=confirm_view(self._items, whole))

    async def leave(self, interaction: AnyInteraction, round_id: str) -> None:
        """Nothing is to be deleted."""
        whole = await self._desk.leave(await self._whole(interaction, round_id))
        self._cards.wake()
        await update(interaction, view=said_view(f"Nothing of {safe(whole.round.library_name)} is deleted."))

    async def delete(self, interaction: AnyInteraction, round_id: str, count: int, size_bytes: int) -> None:
        """It was confirmed."""
        whole = await self._whole(interaction, round_id)
        whole = await self._desk.delete(whole, count, size_bytes, call_of(interaction).profile_id)
        self._deleting.wake()
        self._cards.wake()
        await update(interaction, view=begun_view(whole))

    async def _whole(self, interaction: AnyInteraction, round_id: str) -> Whole:
        return await self._desk.round(round_id, viewer_of(interaction))

    async def _note_shown(self, interaction: AnyInteraction, whole: Whole) -> bool:
        """Whether the message that was pressed is the round's card, which then is up to date."""
        is_card = self._is_card(interaction, whole)
        if is_card:
            await self._desk.note_shown(whole)
        return is_card

    def _is_card(self, interaction: AnyInteraction, whole: Whole) -> bool:
        return interaction.message is not None and interaction.message.id == whole.round.message_id

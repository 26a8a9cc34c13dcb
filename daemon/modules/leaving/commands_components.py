"""The buttons and menus of rounds. They work for as long as their message stands."""

from __future__ import annotations

from typing import Any

import discord

from daemon.core.access import Access
from daemon.core.errors import OutOfDate
from daemon.services.kept import Kept
from daemon.services.leaving import Leaving
from integrations.discord.components import ComponentSet, component
from integrations.discord.messages import Messages
from integrations.discord.places import panel_id_of
from integrations.discord.ui.paginator import page_number

from .asking import Draft
from .commands_answers import Answers
from .commands_cards import Cards
from .deleting import Deleting
from .desk import Desk
from .telling import Telling

AnyInteraction = discord.Interaction[Any]
Ids = tuple[str, ...]


class LeavingComponents(ComponentSet):
    """Who may is judged at every press; what is shown is read anew."""

    def __init__(
        self,
        desk: Desk,
        drafts: Kept[Draft],
        leaving: Leaving,
        messages: Messages,
        telling: Telling,
        deleting: Deleting,
    ) -> None:
        self.cards = Cards(self, leaving, messages, telling)
        self.answers = Answers(self, desk, drafts, self.cards, deleting)

    @component("draft", access=Access.OWNER)
    async def turn_draft(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of what would be announced."""
        await self.answers.draft(interaction, panel_id_of(ids), page_number(ids))

    @component("post", access=Access.OWNER, audited=True, exclusive=True)
    async def post(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Announce it."""
        await self.answers.post(interaction, panel_id_of(ids))

    @component("drop", access=Access.OWNER, exclusive=True)
    async def drop(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Do not."""
        await self.answers.drop(interaction, panel_id_of(ids))

    @component("list")
    async def turn_list(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of rounds."""
        await self.answers.list(interaction, page_number(ids))

    @component("open")
    async def open_round(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """One of them."""
        await self.answers.open(interaction, _first(values))

    @component("round")
    async def turn_round(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of a round."""
        await self.answers.round(interaction, _first(ids), page_number(ids))

    # Not audited: it is the member's own affair, and what is in the audit log can never be made nobody's.
    @component("keep", exclusive=True)
    async def keep(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """A title shall stay."""
        await self.answers.keep(interaction, _number(_first(ids)), page_number(ids))

    @component("decide", access=Access.OWNER)
    async def decide(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """What nobody kept."""
        await self.answers.decide(interaction, _first(ids), page_number(ids))

    @component("ask", access=Access.OWNER)
    async def ask(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Delete it? Asked once more."""
        await self.answers.ask(interaction, _first(ids))

    @component("back", access=Access.OWNER)
    async def back(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """No: back to the list."""
        await self.answers.decide(interaction, _first(ids), 1)

    @component("leave", access=Access.OWNER, audited=True, exclusive=True)
    async def leave(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Delete nothing of it."""
        await self.answers.leave(interaction, _first(ids))

    @component("delete", access=Access.OWNER, audited=True, exclusive=True)
    async def delete(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Yes, delete it."""
        if len(ids) != 3:
            raise OutOfDate
        await self.answers.delete(interaction, ids[0], _number(ids[1]), _number(ids[2]))


def _first(ids: Ids) -> str:
    if not ids:
        raise OutOfDate
    return ids[0]


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise OutOfDate
    return int(text)

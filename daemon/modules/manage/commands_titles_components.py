"""The buttons and menus of the cards about single titles. Whoever presses must be an owner, each time."""

from __future__ import annotations

from typing import Any

import discord

from daemon.core.access import Access
from daemon.core.errors import OutOfDate
from daemon.services.audit import Audit
from integrations.discord.components import ComponentSet, component
from integrations.discord.places import panel_id_of

from .commands_components import change
from .commands_titles import TitleAnswers, TitleQuestions
from .titles_desk import TitleDesk

AnyInteraction = discord.Interaction[Any]
Ids = tuple[str, ...]


class TitleComponents(ComponentSet):
    """What happens when an owner presses or chooses."""

    def __init__(self, desk: TitleDesk, questions: TitleQuestions, audit: Audit) -> None:
        self.desk = desk
        self.answers = TitleAnswers(self, desk, questions, audit)

    @component("match", access=Access.OWNER)
    async def choose(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """A candidate was chosen."""
        if not values:
            raise OutOfDate
        await self.answers.choose(interaction, panel_id_of(ids), values[0])

    @change("rematch")
    async def match(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """A match was confirmed."""
        if len(ids) != 2:
            raise OutOfDate
        await self.answers.match(interaction, panel_id_of(ids), ids[1])

    @component("match-keep", access=Access.OWNER)
    async def keep_match(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """A match was not meant."""
        await self.answers.keep_match(interaction, panel_id_of(ids))

    @change("split")
    async def split(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """A split was confirmed."""
        await self.answers.split(interaction, panel_id_of(ids))

    @component("split-keep", access=Access.OWNER)
    async def keep_split(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """A split was not meant."""
        await self.answers.keep_split(interaction, panel_id_of(ids))

    @change("merge")
    async def merge(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """A merge was confirmed."""
        await self.answers.merge(interaction, panel_id_of(ids))

    @component("merge-keep", access=Access.OWNER)
    async def keep_merge(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """A merge was not meant."""
        await self.answers.keep_merge(interaction, panel_id_of(ids))

    @change("undo")
    async def undo(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """An edit is to be taken back."""
        await self.answers.undo(interaction, panel_id_of(ids))

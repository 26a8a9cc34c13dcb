"""The buttons and menus of the operations module; whoever presses must be an owner, each time."""

from __future__ import annotations

from functools import partial
from typing import Any

import discord

from daemon.core.access import Access
from daemon.services.dead_letters import DeadLetters
from daemon.services.schedule import Schedules
from daemon.services.stories import Stories
from integrations.discord.components import ComponentSet, component
from integrations.discord.places import chosen
from integrations.discord.ui.paginator import page_number

from .commands_desk import Desk, to_number
from .views import ALL

AnyInteraction = discord.Interaction[Any]
Ids = tuple[str, ...]

look = partial(component, access=Access.OWNER)
change = partial(component, access=Access.OWNER, audited=True, exclusive=True)
"""Marks what changes something: on record, one press on a message at a time."""


class OpsComponents(ComponentSet):
    """What happens when an owner presses or chooses."""

    def __init__(self, letters: DeadLetters, schedules: Schedules, stories: Stories) -> None:
        self.desk = Desk(self, letters, schedules, stories)

    @look("letters")
    async def turn_letters(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of dead letters, or back to them."""
        await self.desk.show_letters(interaction, page_number(ids))

    @look("letter")
    async def show_letter(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """One was chosen."""
        await self.desk.show_letter(interaction, to_number(chosen(values)))

    @look("ask-replay")
    async def ask_replay(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Replaying many is asked for."""
        await self.desk.ask(interaction, "replay", _target(ids))

    @look("ask-drop")
    async def ask_drop(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Dropping is asked for."""
        await self.desk.ask(interaction, "drop", _target(ids))

    @change("replay")
    async def replay(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Replay."""
        await self.desk.replay(interaction, _target(ids))

    @change("drop")
    async def drop(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Dropping was confirmed."""
        await self.desk.drop(interaction, _target(ids))

    @look("schedules")
    async def turn_schedules(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of schedules."""
        await self.desk.show_schedules(interaction, page_number(ids))

    @change("run")
    async def run(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """A schedule was chosen to run now."""
        await self.desk.run(interaction, chosen(values))

    @look("story")
    async def turn_story(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of a story."""
        await self.desk.show_story(interaction, chosen(ids[:1]), page_number(ids))


def _target(ids: Ids) -> str:
    target = chosen(ids)
    return target if target == ALL else str(to_number(target))

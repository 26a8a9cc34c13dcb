"""The buttons of the cards for owners. Whoever presses must be an owner, each time."""

from __future__ import annotations

from functools import partial
from typing import Any

import discord

from daemon.core.access import Access
from daemon.services.kept import Kept
from integrations.discord.components import ComponentSet, component
from integrations.discord.places import panel_id_of

from .asking import Job
from .commands_answers import WorkAnswers
from .desk import Desk
from .works import Works

AnyInteraction = discord.Interaction[Any]
Ids = tuple[str, ...]

look = partial(component, access=Access.OWNER)
change = partial(component, access=Access.OWNER, audited=True, exclusive=True)
"""Marks what changes something: on record, one press on a message at a time."""


class ManageComponents(ComponentSet):
    """What happens when an owner presses or chooses."""

    def __init__(self, desk: Desk, works: Works, jobs: Kept[Job]) -> None:
        self.works = WorkAnswers(self, desk, works, jobs)

    @look("work", exclusive=True)
    async def look_again(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """How far a job is now."""
        await self.works.look(interaction, panel_id_of(ids))

"""The buttons of the cards for owners. Whoever presses must be an owner, each time."""

from __future__ import annotations

from functools import partial
from typing import Any

import discord

from daemon.core.access import Access
from daemon.core.clock import Clock
from daemon.core.errors import OutOfDate
from daemon.core.ids import ServerId
from daemon.services.kept import Kept
from daemon.services.panels import Panels
from integrations.discord.components import ComponentSet, component
from integrations.discord.messages import Messages
from integrations.discord.places import panel_id_of
from integrations.discord.ui.paginator import page_number
from integrations.plex import Plex

from .asking import Job
from .commands_answers import WorkAnswers
from .commands_lists import ListAnswers
from .commands_maintenance import MaintenanceAnswers
from .commands_trash import TrashAnswers
from .desk import Desk
from .doings import Doings
from .inactive import Inactivity
from .stocktaking import Stocktaking
from .trash import Listed, TrashCan
from .views_lists import NONE
from .works import Works

AnyInteraction = discord.Interaction[Any]
Ids = tuple[str, ...]

look = partial(component, access=Access.OWNER)
change = partial(component, access=Access.OWNER, audited=True, exclusive=True)
"""Marks what changes something: on record, one press on a message at a time."""

_DAYS_CHARS_MAX = 5


class ManageComponents(ComponentSet):
    """What happens when an owner presses or chooses."""

    def __init__(
        self,
        desk: Desk,
        works: Works,
        jobs: Kept[Job],
        can: TrashCan,
        trash_lists: Kept[Listed],
        stocktaking: Stocktaking,
        doings: Doings,
        inactivity: Inactivity,
        messages: Messages,
        panels: Panels,
        plex: Plex,
        clock: Clock,
    ) -> None:
        self.works = WorkAnswers(self, desk, works, jobs)
        self.trash = TrashAnswers(self, desk, can, trash_lists)
        self.lists = ListAnswers(self, desk, stocktaking, doings, inactivity)
        self.notices = MaintenanceAnswers(self, messages, panels, plex, clock)

    @look("work", exclusive=True)
    async def look_again(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """How far a job is now."""
        await self.works.look(interaction, panel_id_of(ids))

    @look("trash")
    async def turn_trash(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of a trash."""
        await self.trash.turn(interaction, panel_id_of(ids), page_number(ids))

    @change("empty")
    async def empty(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Emptying was confirmed."""
        await self.trash.empty(interaction, panel_id_of(ids))

    @look("keep")
    async def keep(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """It was not meant."""
        await self.trash.keep(interaction)

    @look("unmatched")
    async def turn_unmatched(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of unmatched titles."""
        await self.lists.unmatched(interaction, await self.lists.library(ids), page_number(ids))

    @look("duplicates")
    async def turn_duplicates(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of doubles."""
        await self.lists.duplicates(interaction, await self.lists.library(ids), page_number(ids))

    @look("stale")
    async def turn_stale(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of what nobody plays."""
        await self.lists.stale(interaction, await self.lists.library(ids), _days(ids[2:]), page_number(ids))

    @look("inactive")
    async def turn_inactive(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of idle accounts."""
        await self.lists.inactive(interaction, _days(ids), page_number(ids))

    @look("activities")
    async def turn_activities(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of what goes on."""
        library = None if NONE in ids[:2] else await self.lists.library(ids)
        await self.lists.activities(interaction, library, page_number(ids))

    @look("doing")
    async def look_at_activities(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """What goes on now."""
        await self.turn_activities(interaction, ids, values)

    @change("cancel")
    async def cancel(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Something is to end."""
        if len(ids) != 2:
            raise OutOfDate
        await self.lists.cancel(interaction, ServerId(ids[0]), ids[1])

    @change("over")
    async def end_maintenance(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Maintenance is over."""
        await self.notices.end(interaction, panel_id_of(ids))


def _days(ids: Ids) -> int:
    if not ids or not (ids[0].isascii() and ids[0].isdigit() and len(ids[0]) <= _DAYS_CHARS_MAX):
        raise OutOfDate
    return int(ids[0])

"""Answers to owners; from a button, the message itself becomes the answer."""

from __future__ import annotations

from typing import Any

import discord

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.ids import PanelId
from daemon.services.kept import Kept
from integrations.discord.components import ComponentSet
from integrations.discord.places import place_of
from integrations.discord.replies import reply, update

from .asking import Job, Verb
from .desk import Desk
from .views import work_view
from .works import Progress, Works

AnyInteraction = discord.Interaction[Any]


class WorkAnswers:
    """Scans, refreshes and analyses: begun, and followed on the card that says so."""

    def __init__(self, items: ComponentSet, desk: Desk, works: Works, jobs: Kept[Job]) -> None:
        self._items = items
        self._desk = desk
        self._works = works
        self._jobs = jobs

    async def begin(self, interaction: AnyInteraction, verb: Verb, library: str) -> None:
        """Have a server begin, and show how far it is from now on."""
        begun = await self._works.begin(verb, await self._desk.library(library))
        panel_id = await self._jobs.keep(begun.job, place_of(interaction))
        view = work_view(self._items, panel_id, begun.job, begun.progress, was_running=begun.was_running)
        await reply(interaction, view=view)
        self._follow(interaction, panel_id, begun.job, begun.progress)

    async def look(self, interaction: AnyInteraction, panel_id: PanelId) -> None:
        """How far it is now, and from now on."""
        job = await self._jobs.look(panel_id, place_of(interaction))
        progress = await self._works.look(job)
        await update(interaction, view=work_view(self._items, panel_id, job, progress))
        self._follow(interaction, panel_id, job, progress)

    def _follow(self, interaction: AnyInteraction, panel_id: PanelId, job: Job, progress: Progress) -> None:
        async def show(now: Progress) -> bool:
            try:
                return await update(interaction, view=work_view(self._items, panel_id, job, now)) is not None
            except discord.DiscordException as error:
                raise UpstreamError("Discord", UpstreamKind.BROKEN, type(error).__name__) from error

        self._works.follow(panel_id, job, progress, show)

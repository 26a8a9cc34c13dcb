"""Answers of the operations module, to commands and presses alike."""

from __future__ import annotations

from typing import Any

import discord

from daemon.core.errors import OutOfDate, UserError
from daemon.core.ids import ProfileId
from daemon.services.dead_letters import DeadLetters
from daemon.services.schedule import Schedules
from daemon.services.stories import Stories
from integrations.discord.calls import call_of
from integrations.discord.components import ComponentSet
from integrations.discord.replies import update
from integrations.discord.ui.layout import safe
from integrations.discord.ui.paginator import Page, page_of

from .views import (
    ALL,
    HAPPENINGS_PAGE,
    LETTERS_PAGE,
    SCHEDULES_PAGE,
    confirm_view,
    letter_view,
    letters_view,
    schedules_view,
    story_view,
    with_gaps,
)

AnyInteraction = discord.Interaction[Any]


class Desk:
    """Looks things up, carries out what is asked, and answers; `items` makes the buttons and menus."""

    def __init__(self, items: ComponentSet, letters: DeadLetters, schedules: Schedules, stories: Stories) -> None:
        self._items = items
        self._letters = letters
        self._schedules = schedules
        self._stories = stories

    async def show_letters(self, interaction: AnyInteraction, number: int, note: str = "") -> None:
        """Page `number` of the dead letters, the nearest there is."""
        offset = (max(1, number) - 1) * LETTERS_PAGE
        found, total = await self._letters.page(offset=offset, limit=LETTERS_PAGE)
        pages = max(1, -(-total // LETTERS_PAGE))
        if number > pages:
            number, offset = pages, (pages - 1) * LETTERS_PAGE
            found, total = await self._letters.page(offset=offset, limit=LETTERS_PAGE)
        await update(
            interaction, view=letters_view(self._items, Page(found, max(1, number), pages, offset), total, note)
        )

    async def show_letter(self, interaction: AnyInteraction, letter_id: int) -> None:
        """One dead letter."""
        letter = await self._letters.get(letter_id)
        if letter is None:
            raise UserError("Somebody has replayed or dropped it meanwhile.", "no_letter")
        await update(interaction, view=letter_view(self._items, letter, await self._letters.preview(letter_id)))

    async def ask(self, interaction: AnyInteraction, verb: str, target: str) -> None:
        """Whether it is meant."""
        _, total = await self._letters.page(limit=1)
        await update(interaction, view=confirm_view(self._items, verb, target, total))

    async def replay(self, interaction: AnyInteraction, target: str) -> None:
        """Replay one dead letter or all."""
        actor = _actor(interaction)
        if target == ALL:
            count = await self._letters.replay_all(actor=actor)
        else:
            count = await self._letters.replay([to_number(target)], actor)
        await self.show_letters(interaction, 1, _done(count, "Replayed", target))

    async def drop(self, interaction: AnyInteraction, target: str) -> None:
        """Drop one dead letter or all."""
        actor = _actor(interaction)
        if target == ALL:
            count = await self._letters.drop_all(actor=actor)
        else:
            count = await self._letters.drop([to_number(target)], actor)
        await self.show_letters(interaction, 1, _done(count, "Dropped", target))

    async def show_schedules(self, interaction: AnyInteraction, number: int, note: str = "") -> None:
        """Page `number` of the schedules."""
        page = page_of(await self._schedules.listing(), number, SCHEDULES_PAGE)
        await update(interaction, view=schedules_view(self._items, page, note))

    async def run(self, interaction: AnyInteraction, name: str) -> None:
        """Have a schedule run now."""
        try:
            trace_id = await self._schedules.run_now(name, "an owner in Discord")
        except KeyError:
            raise UserError("That schedule is not known any more.", "no_schedule") from None
        note = f"**{safe(name)}** will run within seconds; `/ops trace id:{trace_id[:8]}` tells what became of it."
        await self.show_schedules(interaction, 1, note)

    async def show_story(self, interaction: AnyInteraction, prefix: str, number: int) -> None:
        """Page `number` of the story of a trace id."""
        trace_id, happenings = await self._stories.tell(prefix)
        page = page_of(list(with_gaps(happenings)), number, HAPPENINGS_PAGE)
        await update(interaction, view=story_view(self._items, trace_id, page))


def to_number(text: str) -> int:
    """The number that a button carries; OutOfDate for anything odd."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise OutOfDate
    return int(text)


def _done(count: int, verb: str, target: str) -> str:
    if target == ALL:
        return f"{verb} {count:,}."
    return f"{verb} dead letter {target}." if count else f"Dead letter {target} is gone already."


def _actor(interaction: AnyInteraction) -> ProfileId | None:
    return call_of(interaction).profile_id or None

"""The card of each round: posted once, brought up to date whenever the round has changed, by whichever process can."""

from __future__ import annotations

import asyncio

import structlog

from daemon.core.limits import LEAVING_STALE_DAYS, LEAVING_TICK_S
from daemon.services.leaving import Leaving, Whole
from integrations.discord.components import ComponentSet
from integrations.discord.messages import Edited, Messages

from .telling import Telling
from .views import round_view

log = structlog.get_logger(__name__)


class Cards:
    """`follow` is what closes rounds whose time is over, too: the next thing to be done is to show it."""

    def __init__(
        self,
        items: ComponentSet,
        leaving: Leaving,
        messages: Messages,
        telling: Telling,
    ) -> None:
        self._items = items
        self._leaving = leaving
        self._messages = messages
        self._telling = telling
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """A round has changed."""
        self._wake.set()

    async def follow(self) -> None:
        """For ever: end what is over, show what has changed."""
        while True:
            self._wake.clear()
            await self.look()
            try:
                async with asyncio.timeout(LEAVING_TICK_S):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def look(self) -> None:
        """Once."""
        await self._leaving.close_due(self._telling.closed)
        await self._leaving.leave_stale(LEAVING_STALE_DAYS)
        for whole in await self._leaving.unshown():
            if whole.round.posted_at is None:
                await self.post(whole)
            else:
                await self._edit(whole)

    async def post(self, whole: Whole) -> Edited:
        """Post a round's card. Posting the same round twice within minutes gives one message."""
        of = whole.round
        posted = await self._messages.post(
            of.app_id, of.channel_id, nonce=f"leaving:{of.round_id}", view=round_view(self._items, whole, 1)
        )
        if posted.outcome is Edited.OK:
            await self._leaving.note_posted(of, posted.message_id)
        elif posted.outcome is not Edited.LATER and not await self._leaving.drop(of.round_id):
            await self._leaving.note_posted(of, None)  # it has begun: only its card is missing
        return posted.outcome

    async def _edit(self, whole: Whole) -> None:
        of = whole.round
        if of.message_id is None:
            return
        view = round_view(self._items, whole, 1)
        match await self._messages.edit(of.app_id, of.channel_id, of.message_id, view=view):
            case Edited.OK:
                await self._leaving.note_shown(of)
            case Edited.GONE | Edited.FORBIDDEN:
                await self._leaving.note_lost(of.round_id)
                log.info("leaving_card_lost", round_id=of.round_id)
            case Edited.LATER:
                return

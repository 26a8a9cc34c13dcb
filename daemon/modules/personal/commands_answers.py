"""Answering commands and presses; from a menu or a question of ours, that message itself becomes the answer."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import discord

from daemon.core.media import TitleRef
from daemon.services.kept import Kept
from integrations.discord.calls import call_of
from integrations.discord.components import ComponentSet
from integrations.discord.places import guild_of, home_of, place_of
from integrations.discord.replies import reply, update
from integrations.discord.ui.paginator import page_of

from .desk import Desk
from .orders import Ask, Asker, Done, Order, Outcome, Started, Undo, Verb
from .playlists_desk import PlaylistsDesk
from .views import (
    DECK_PAGE,
    PAGE,
    ask_view,
    contents_view,
    deck_view,
    done_view,
    pick_view,
    playlists_view,
    poster_name,
    started_view,
)

AnyInteraction = discord.Interaction[Any]

_OF_PLAYLISTS = frozenset({Verb.CREATE, Verb.ADD, Verb.REMOVE, Verb.DELETE, Verb.PLAY})


def asker_of(interaction: AnyInteraction) -> Asker:
    """Who gave this command or pressed this button."""
    call = call_of(interaction)
    return Asker(call.member_id, guild_of(interaction), call.profile_id)


class Answers:
    """What each command and each press answers with; `items` makes buttons and menus."""

    def __init__(
        self, items: ComponentSet, desk: Desk, playlists: PlaylistsDesk, orders: Kept[Order], undos: Kept[Undo]
    ) -> None:
        self._items = items
        self._desk = desk
        self._playlists = playlists
        self._orders = orders
        self._undos = undos

    async def carry_out(self, interaction: AnyInteraction, order: Order, *, is_new: bool = False) -> None:
        """Carry an order out and answer; with a message of its own when the pressed one is to stay (`is_new`)."""
        desk = self._playlists if order.verb in _OF_PLAYLISTS else self._desk
        outcome = await desk.carry_out(order.bounded(), asker_of(interaction))
        await self._say(interaction, await self._view(interaction, outcome), is_new=is_new)

    async def undo(self, interaction: AnyInteraction, undo: Undo) -> None:
        """Take back what was done."""
        done = await self._desk.undo(undo, asker_of(interaction))
        await self._say(interaction, done_view(self._items, done, None))

    async def leave(self, interaction: AnyInteraction) -> None:
        """It was not meant."""
        await self._say(interaction, done_view(self._items, Done("Nothing was changed.", is_good=False), None))

    async def deck(self, interaction: AnyInteraction, number: int) -> None:
        """Page `number` of what whoever asks would go on with."""
        deck = await self._desk.deck(asker_of(interaction))
        page = page_of(deck.titles, number, DECK_PAGE)
        posters = await self._desk.posters(list(page.items))
        has_posters = [poster is not None for poster in posters]
        view = deck_view(self._items, home_of(interaction), deck.account, page, has_posters, deck.notes)
        files = [
            discord.File(BytesIO(poster), filename=poster_name(place))
            for place, poster in enumerate(posters)
            if poster is not None
        ]
        if interaction.message is not None:
            await update(interaction, view=view, files=files)
        else:
            await reply(interaction, view=view, files=files)

    async def playlists(self, interaction: AnyInteraction, number: int) -> None:
        """Page `number` of somebody's playlists."""
        found = await self._playlists.listed(asker_of(interaction))
        await self._say(interaction, playlists_view(self._items, home_of(interaction), page_of(found, number, PAGE)))

    async def contents(self, interaction: AnyInteraction, text: str, number: int, *, is_new: bool = False) -> None:
        """Page `number` of a playlist."""
        contents = await self._playlists.contents(text, asker_of(interaction))
        page = page_of(contents.entries, number, PAGE)
        await self._say(interaction, contents_view(self._items, home_of(interaction), contents, page), is_new=is_new)

    async def turn_contents(self, interaction: AnyInteraction, ref: TitleRef, number: int) -> None:
        """Another page of a playlist that is shown."""
        await self.contents(interaction, str(ref), number)

    async def _view(self, interaction: AnyInteraction, outcome: Outcome) -> discord.ui.LayoutView:
        place, profile = place_of(interaction), call_of(interaction).profile_id
        match outcome:
            case Done():
                undo = None if outcome.undo is None else await self._undos.keep(outcome.undo, place, profile)
                return done_view(self._items, outcome, undo)
            case Started():
                return started_view(outcome)
            case Ask():
                return ask_view(self._items, outcome, await self._orders.keep(outcome.order, place, profile))
            case _:
                return pick_view(self._items, outcome, await self._orders.keep(outcome.order, place, profile))

    async def _say(self, interaction: AnyInteraction, view: discord.ui.LayoutView, *, is_new: bool = False) -> None:
        if interaction.message is not None and not is_new:
            await update(interaction, view=view)
        else:
            await reply(interaction, view=view, private=True)

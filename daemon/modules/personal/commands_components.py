"""The buttons and menus of one's own things. They work for as long as their message stands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import discord

from daemon.core.access import Access
from daemon.core.errors import OutOfDate
from daemon.core.ids import RatingKey, ServerId
from daemon.core.media import TitleRef
from daemon.services.kept import Kept
from integrations.discord.calls import call_of
from integrations.discord.components import ComponentSet, component
from integrations.discord.places import check_home, chosen, panel_id_of, place_of
from integrations.discord.ui.paginator import page_number

from .commands_answers import Answers
from .desk import Desk
from .orders import PLAYING, Order, Undo, Verb
from .playlists_desk import PlaylistsDesk

AnyInteraction = discord.Interaction[Any]
Ids = tuple[str, ...]


class PersonalComponents(ComponentSet):
    """Everything is about whoever presses, whatever a button says; who may play is asked anew each time."""

    def __init__(self, desk: Desk, playlists: PlaylistsDesk, orders: Kept[Order], undos: Kept[Undo]) -> None:
        self._orders = orders
        self._undos = undos
        self.answers = Answers(self, desk, playlists, orders, undos)

    @component("deck")
    async def turn_deck(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of what to go on with."""
        check_home(interaction, ids)
        await self.answers.deck(interaction, page_number(ids))

    @component("resume", access=Access.CONTROLLER, audited=True, exclusive=True)
    async def resume(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """One of them is to be played."""
        check_home(interaction, ids)
        await self.answers.carry_out(interaction, Order(Verb.RESUME, title=chosen(values)), is_new=True)

    @component("title", audited=True, exclusive=True)
    async def pick_title(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """A title or an entry was chosen from several."""
        order = await self._order(interaction, ids)
        if order.verb in PLAYING:
            raise OutOfDate
        await self.answers.carry_out(interaction, replace(order, title=chosen(values)))

    @component("player", access=Access.CONTROLLER, audited=True, exclusive=True)
    async def pick_player(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """A player was chosen from several."""
        order = await self._order(interaction, ids)
        await self.answers.carry_out(interaction, replace(order, player=chosen(values)))

    @component("yes", audited=True, exclusive=True)
    async def yes(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """It was meant."""
        order = await self._order(interaction, ids)
        await self.answers.carry_out(interaction, replace(order, is_sure=True))

    @component("no", exclusive=True)
    async def no(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """It was not meant."""
        await self._order(interaction, ids)
        await self.answers.leave(interaction)

    @component("undo", audited=True, exclusive=True)
    async def undo(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """What was done is to be taken back."""
        undo = await self._undos.take(panel_id_of(ids), place_of(interaction), call_of(interaction).profile_id)
        await self.answers.undo(interaction, undo)

    @component("lists")
    async def turn_lists(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of playlists."""
        check_home(interaction, ids)
        await self.answers.playlists(interaction, page_number(ids))

    @component("open")
    async def open_playlist(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """One of the playlists."""
        check_home(interaction, ids)
        await self.answers.contents(interaction, chosen(values), 1, is_new=True)

    @component("entries")
    async def turn_entries(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of a playlist."""
        check_home(interaction, ids)
        if len(ids) != 4:
            raise OutOfDate
        ref = TitleRef(ServerId(ids[1]), RatingKey(ids[2]))
        await self.answers.turn_contents(interaction, ref, page_number(ids))

    async def _order(self, interaction: AnyInteraction, ids: Ids) -> Order:
        return await self._orders.take(panel_id_of(ids), place_of(interaction), call_of(interaction).profile_id)

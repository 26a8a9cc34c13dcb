"""The buttons and menus of playback. They work for as long as their message stands."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import discord

from daemon.core.access import Access
from daemon.core.clock import Clock
from daemon.core.errors import OutOfDate
from daemon.core.ids import MessageId
from daemon.services.kept import Kept
from integrations.discord.calls import call_of
from integrations.discord.components import ComponentSet, component
from integrations.discord.places import check_home, chosen, panel_id_of, place_of
from integrations.discord.replies import update
from integrations.discord.ui.paginator import page_number

from .cards import Cards
from .commands_outcomes import Outcomes, asker_of
from .desk import Desk
from .orders import EVERYBODYS, Order, Verb
from .sight import Sight
from .views import card_view

AnyInteraction = discord.Interaction[Any]
Ids = tuple[str, ...]

SKIP_S = 30

control = partial(component, access=Access.CONTROLLER, audited=True, exclusive=True)
"""Marks what gives orders to a player: for controllers, on record, one press on a message at a time."""


class PlaybackComponents(ComponentSet):
    """What happens when somebody presses or chooses; who may is asked anew each time."""

    def __init__(
        self, sight: Sight, desk: Desk, cards: Cards, picks: Kept[Order], clock: Clock, volume_step: int
    ) -> None:
        self._desk = desk
        self._cards = cards
        self._picks = picks
        self._volume_step = volume_step
        self.outcomes = Outcomes(self, sight, desk, cards, picks, clock)

    @control("pause")
    async def pause(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Pause."""
        await self._press(interaction, ids, Verb.PAUSE)

    @control("resume")
    async def resume(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Resume."""
        await self._press(interaction, ids, Verb.RESUME)

    @control("back")
    async def back(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Back by 30 seconds."""
        await self._press(interaction, ids, Verb.SEEK, f"-{SKIP_S}")

    @control("forward")
    async def forward(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Forward by 30 seconds."""
        await self._press(interaction, ids, Verb.SEEK, f"+{SKIP_S}")

    @control("previous")
    async def previous(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """To the previous title of the play queue."""
        await self._press(interaction, ids, Verb.PREVIOUS)

    @control("next")
    async def next(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """To the next title of the play queue."""
        await self._press(interaction, ids, Verb.NEXT)

    @control("stop")
    async def stop(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Stop; the card ends."""
        await self._press(interaction, ids, Verb.STOP)

    @control("quieter")
    async def quieter(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Volume down by the configured step."""
        await self._press(interaction, ids, Verb.VOLUME, f"-{self._volume_step}")

    @control("louder")
    async def louder(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Volume up by the configured step."""
        await self._press(interaction, ids, Verb.VOLUME, f"+{self._volume_step}")

    @control("audio")
    async def audio(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another audio track."""
        await self._press(interaction, ids, Verb.AUDIO, chosen(values))

    @control("subtitles")
    async def subtitles(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Other subtitles, or none."""
        await self._press(interaction, ids, Verb.SUBTITLES, chosen(values))

    @control("pick-title")
    async def pick_title(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """A title was chosen from several."""
        order = await self._picked(interaction, ids)
        await self.outcomes.carry_out(interaction, replace(order, title=chosen(values)))

    @control("pick-player")
    async def pick_player(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """A player was chosen from several."""
        order = await self._picked(interaction, ids)
        await self.outcomes.carry_out(interaction, replace(order, player=chosen(values)))

    @component("open-player", exclusive=True)
    async def open_player(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """A player was chosen for something that everybody may see."""
        order = await self._picked(interaction, ids)
        if order.verb not in EVERYBODYS:
            raise OutOfDate
        await self.outcomes.carry_out(interaction, replace(order, player=chosen(values)))

    @component("now")
    async def turn_now(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of what plays."""
        check_home(interaction, ids)
        await self.outcomes.show_now(interaction, page_number(ids))

    @component("open", private=False)
    async def open_card(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """A card for one of the players in the list of what plays."""
        check_home(interaction, ids)
        await self.outcomes.open_card(interaction, chosen(values))

    @component("players")
    async def turn_players(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of the players."""
        check_home(interaction, ids)
        await self.outcomes.show_players(interaction, page_number(ids))

    @component("queue")
    async def turn_queue(self, interaction: AnyInteraction, ids: Ids, values: Ids) -> None:
        """Another page of a play queue."""
        await self.outcomes.turn_queue(interaction, panel_id_of(ids), page_number(ids))

    async def _picked(self, interaction: AnyInteraction, ids: Ids) -> Order:
        return await self._picks.take(panel_id_of(ids), place_of(interaction), call_of(interaction).profile_id)

    async def _press(self, interaction: AnyInteraction, ids: Ids, verb: Verb, value: str | None = None) -> None:
        panel_id = panel_id_of(ids)
        message_id = MessageId(interaction.message.id) if interaction.message else MessageId(0)
        player = await self._cards.player_of(panel_id, place_of(interaction), message_id)
        await self._desk.carry_out(Order(verb, player=str(player), value=value), asker_of(interaction))
        face = await self._cards.obeyed(panel_id, verb, value)
        await update(interaction, view=card_view(self, panel_id, face))

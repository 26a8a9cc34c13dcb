"""Telling a member what became of an order, and posting the cards that go with it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import discord

from daemon.core.clock import Clock
from daemon.core.ids import ChannelId, MessageId, PanelId
from daemon.core.media import Player, PlayerRef, Title
from daemon.core.players import player_choices, player_name
from daemon.core.titles import title_name
from daemon.services.kept import Kept
from daemon.services.panels import Panel
from integrations.discord.calls import call_of
from integrations.discord.components import ComponentSet
from integrations.discord.messages import Edited, Messages
from integrations.discord.places import guild_of, home_of, place_of
from integrations.discord.replies import reply, update
from integrations.discord.ui.paginator import page_of

from .card import Poster, Shown
from .cards import Cards
from .desk import Desk
from .faces import Face
from .orders import EVERYBODYS, Asker, Done, Listing, Order, PickPlayer, PickTitle, Started, Verb
from .sight import Sight
from .titles import title_choices
from .views import (
    NOW_PAGE,
    PLAYERS_PAGE,
    QUEUE_PAGE,
    card_view,
    menu_view,
    note_view,
    now_view,
    players_view,
    queue_view,
)

AnyInteraction = discord.Interaction[Any]

_HIDDEN = (
    "I may not see this channel, so the card above will stand still after a while; "
    "give me the permission View Channel here and ask again."
)
_SHOWN = {Edited.OK: Shown.OK, Edited.GONE: Shown.GONE, Edited.FORBIDDEN: Shown.FORBIDDEN, Edited.LATER: Shown.LATER}


def asker_of(interaction: AnyInteraction) -> Asker:
    """Who gave this command or pressed this button."""
    call = call_of(interaction)
    return Asker(call.member_id, guild_of(interaction), call.profile_id or None)


class Outcomes:
    """Answers for commands and menus alike; `items` makes the buttons and menus."""

    def __init__(
        self, items: ComponentSet, sight: Sight, desk: Desk, cards: Cards, picks: Kept[Order], clock: Clock
    ) -> None:
        self._items = items
        self._sight = sight
        self._desk = desk
        self._cards = cards
        self._picks = picks
        self._clock = clock

    async def carry_out(self, interaction: AnyInteraction, order: Order) -> None:
        """Carry an order out and answer; from a menu, the menu itself becomes the answer."""
        outcome = await self._desk.carry_out(order, asker_of(interaction))
        match outcome:
            case Done():
                await self._say(interaction, note_view(outcome.sentence))
            case Started():
                await self._show_started(interaction, outcome)
            case Listing():
                await self._say(interaction, await self._listing(interaction, outcome, 1))
            case PickTitle() | PickPlayer():
                await self._ask(interaction, outcome)

    async def show_now(self, interaction: AnyInteraction, number: int) -> None:
        """What plays: the card itself when it is one thing only, else page `number` of a list."""
        now = await self._sight.now_playing(asker_of(interaction))
        if now.is_blind:
            raise next(iter(now.failures.values()))
        if interaction.message is None and len(now.playbacks) == 1 and not now.failures:
            await self.post_card(interaction, now.playbacks[0].player)
            return
        when = self._clock.now()
        lines = [(playback, playback.position_at(when)) for playback in now.playbacks]
        page = page_of(lines, number, NOW_PAGE)
        await self._say(interaction, now_view(self._items, home_of(interaction), now, page))

    async def show_players(self, interaction: AnyInteraction, number: int) -> None:
        """Page `number` of all players."""
        roster = await self._sight.roster(asker_of(interaction))
        if roster.is_blind:
            raise next(iter(roster.failures.values()))
        page = page_of(roster.players, number, PLAYERS_PAGE)
        await self._say(interaction, players_view(self._items, home_of(interaction), page, tuple(roster.failures)))

    async def turn_queue(self, interaction: AnyInteraction, pick: PanelId, number: int) -> None:
        """Another page of a play queue that is shown."""
        order = await self._picks.look(pick, place_of(interaction))
        outcome = await self._desk.carry_out(order, asker_of(interaction))
        if isinstance(outcome, Listing):
            await update(interaction, view=await self._listing(interaction, outcome, number, pick))

    async def open_card(self, interaction: AnyInteraction, text: str) -> None:
        """Post the card of the player that was chosen from the list of what plays."""
        ref = PlayerRef.parse(text)
        playback = await self._sight.playback(ref, asker_of(interaction)) if ref is not None else None
        if playback is None:
            await reply(interaction, "Nothing plays there any more.", private=True)
            return
        await self.post_card(interaction, playback.player)

    async def post_card(self, interaction: AnyInteraction, player: Player, title: Title | None = None) -> None:
        """Post a public card that follows the player; `title` is what it was just told to play."""

        async def post(panel_id: PanelId, face: Face, poster: Poster) -> tuple[ChannelId, MessageId] | None:
            view = card_view(self._items, panel_id, face)
            message = await reply(interaction, view=view, files=files_of(face, poster), private=False)
            return None if message is None else (ChannelId(message.channel.id), MessageId(message.id))

        await self._cards.open(place_of(interaction), player, asker_of(interaction), post, title=title)
        if not interaction.app_permissions.view_channel:
            await reply(interaction, _HIDDEN, private=True)

    async def _show_started(self, interaction: AnyInteraction, started: Started) -> None:
        if interaction.message is not None:
            what = f"{title_name(started.title)} starts on {player_name(started.player)}."
            await update(interaction, view=note_view(what))
        await self.post_card(interaction, started.player, started.title)

    async def _ask(self, interaction: AnyInteraction, outcome: PickTitle | PickPlayer) -> None:
        if isinstance(outcome, PickTitle):
            question = "Several titles fit. Which one?"
            if not outcome.is_complete:
                question += "\n-# Not every server answered, so there may be more."
            lines = title_choices(outcome.titles)
        else:
            question, lines = "On which player?", player_choices(outcome.players)
        profile = call_of(interaction).profile_id
        pick = await self._picks.keep(outcome.order, place_of(interaction), profile)
        kind = "title" if isinstance(outcome, PickTitle) else "player"
        action = f"open-{kind}" if outcome.order.verb in EVERYBODYS else f"pick-{kind}"
        await self._say(interaction, menu_view(self._items, action, pick, question, lines), private=True)

    async def _listing(
        self, interaction: AnyInteraction, listing: Listing, number: int, pick: PanelId | None = None
    ) -> discord.ui.LayoutView:
        name = player_name(listing.player)
        if listing.queue is None or not listing.queue.items:
            return note_view(f"The queue of {name} is empty.")
        page = page_of(listing.queue.items, number, QUEUE_PAGE)
        if page.pages > 1 and pick is None:
            order = Order(Verb.QUEUE_SHOW, player=str(listing.player.ref))
            pick = await self._picks.keep(order, place_of(interaction), call_of(interaction).profile_id)
        return queue_view(self._items, listing.queue, listing.player, page, pick)

    async def _say(
        self, interaction: AnyInteraction, view: discord.ui.LayoutView, *, private: bool | None = None
    ) -> None:
        if interaction.message is not None:
            await update(interaction, view=view)
        else:
            await reply(interaction, view=view, private=private)


class Wall:
    """Edits the messages of cards."""

    def __init__(self, items: ComponentSet, messages: Messages) -> None:
        self._items = items
        self._messages = messages

    async def show(self, panel: Panel, face: Face, news: tuple[Poster] | None) -> Shown:
        """Show `face` on the card's message; see `cards.Show`."""
        if panel.message_id is None:
            return Shown.GONE
        edited = await self._messages.edit(
            panel.app_id,
            panel.channel_id,
            panel.message_id,
            view=card_view(self._items, panel.panel_id, face),
            files=None if news is None else files_of(face, news[0]),
        )
        return _SHOWN[edited]


def files_of(face: Face, poster: Poster) -> list[discord.File]:
    """The attachment that the card refers to, if it has one."""
    if face.picture is None or not poster:
        return []
    return [discord.File(BytesIO(poster), filename=face.picture, description=f"Poster of {face.name}"[:1000])]

"""Cards that follow their players: what they show, when they are looked at again, and when they are given up.

Of several processes one follows a card: see `services.panels`.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog

from daemon.core.clock import Clock
from daemon.core.errors import OutOfDate, UpstreamError, UserError
from daemon.core.ids import ChannelId, MemberId, MessageId, PanelId, PlayerId, ServerId
from daemon.core.media import Player, PlayerRef, PlayState, Title
from daemon.core.players import player_name
from daemon.kernel.health import Check, Status
from daemon.kernel.trace import current_trace_id, traced
from daemon.services.panels import Panel, Panels, Place
from integrations.plex import Plex

from .card import KIND, MODULE, Card, Pace, Post, Poster, Show, Shown, held
from .faces import Face, Phase, foreseen
from .orders import Asker, Verb
from .sight import Sight

log = structlog.get_logger(__name__)

CARDS_MAX = 200  # open at once; the oldest is ended for a new one
STARTING_S = 60.0  # a player that shows nothing this long after it was told to play has not obeyed
_MISSING_LOOKS = 2  # between two titles of a queue a player shows nothing for a moment
TICK_S = 5.0  # how exactly intervals are kept, and how soon a card is sure that its player has stopped
_TICK_SLACK_S = 1.0
_ENDED = "This card has ended; /now shows what is playing."


class Cards:
    """The open cards that are this process's to follow."""

    def __init__(self, plex: Plex, sight: Sight, panels: Panels, clock: Clock, pace: Pace) -> None:
        self._plex = plex
        self._sight = sight
        self._panels = panels
        self._clock = clock
        self._pace = pace
        self._cards: dict[PanelId, Card] = {}
        self._due: asyncio.Queue[Card] = asyncio.Queue()  # each open card at most once
        self._forbidden: set[ChannelId] = set()
        self._tending = asyncio.Lock()

    async def open(self, place: Place, player: Player, asker: Asker, post: Post, *, title: Title | None = None) -> None:
        """Post a card of `player` with `post` and follow it. `title` is what it was just told to play.

        Without a title the player must play something now, else UserError.
        """
        now = self._clock.now()
        playback = None if title else await self._sight.playback(player.ref, asker)
        problem = None if title else await self._problem(player)
        if title is not None:
            face = Face.starting(title, player_name(player))
        elif playback is not None:
            face = Face.live(playback, now, problem)
        else:
            raise UserError(f"Nothing plays on {player_name(player)} any more.", "nothing_plays")
        poster = await self._poster(title or (playback.title if playback else None))
        face = face.with_poster(poster)
        panel = await self._panels.add(
            module=MODULE,
            kind=KIND,
            app_id=place.app_id,
            guild_id=place.guild_id,
            channel_id=place.channel_id,
            state=_state(player.ref, asker, problem, face),
        )
        card = Card(panel, player.ref, asker, face, True, problem, playback, looked_at=now, edited_at=now)
        await self._post(card, poster, post)

    async def _post(self, card: Card, poster: Poster, post: Post) -> None:
        panel_id = card.panel.panel_id
        older = self._older_than(card)
        self._cards[panel_id] = card  # at once: somebody may press a button before we hear that it is posted
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self._end, card)
            with held([card, *older]):  # and no edit of cards that are about to be replaced
                posted = await post(panel_id, card.face, poster)
            if posted is None:
                return
            undo.pop_all()
        channel_id, message_id = posted
        card.panel = replace(card.panel, channel_id=channel_id, message_id=message_id)
        self._replace(older)
        await self._panels.set_message(panel_id, channel_id, message_id)
        self._enqueue(card)

    async def tend(self) -> None:
        """Take up the cards whose process has gone, and let go of those that another has taken.

        At the start that are all that were open when the daemon went down. Older ones of one player are replaced.
        """
        async with self._tending:
            before = set(self._cards)
            tended = await self._panels.tend(MODULE, KIND)
            for panel_id in before - tended.mine:
                self._cards.pop(panel_id, None)
            for panel in tended.taken:
                await self._take_up(panel)

    async def _take_up(self, panel: Panel) -> None:
        player = PlayerRef.parse(str(panel.state.get("player")))
        if player is None or panel.message_id is None:
            await self._panels.end(panel.panel_id)
            return
        asker = Asker(MemberId(panel.state.get("member", 0)), panel.guild_id)
        card = Card(panel, player, asker, Face.from_state(panel.state), False, panel.state.get("problem"))
        self._replace(self._older_than(card))
        self._cards[panel.panel_id] = card
        self._enqueue(card)

    def note_change(self, server: ServerId, player_id: PlayerId | None) -> None:
        """A server says that something changed on a player, or on any of its players."""
        now = self._clock.now()
        for card in self._cards.values():
            if card.player.server != server or player_id not in (None, card.player.player_id):
                continue
            if not self._is_old(card, now) or self._seconds_since(card.edited_at, now) >= self._pace.slow_s:
                self._enqueue(card)

    async def refresh_due(self) -> None:
        """Queue the cards that have not been looked at for their interval, and those that may have ended.

        To be called every `TICK_S`.
        """
        try:
            await self.tend()
        except UpstreamError as error:  # the database is away: whose the cards are is settled when it is back
            log.info("cards_not_tended", error=str(error))
        now = self._clock.now()
        for card in self._cards.values():
            interval_s = self._pace.slow_s if self._is_old(card, now) else self._pace.fast_s
            if card.missing or self._seconds_since(card.looked_at, now) >= interval_s - _TICK_SLACK_S:
                self._enqueue(card)

    async def work(self, show: Show) -> None:
        """Look at queued cards and edit them where they changed; several of these run beside each other for ever."""
        while True:
            card = await self._due.get()
            card.is_queued = False
            if card.panel.panel_id not in self._cards:
                continue
            card.is_busy = True
            try:
                with traced(card.trace_id):
                    card.trace_id = ""
                    await self._refresh(card, show)
            finally:
                card.is_busy = False
                if card.is_again:
                    card.is_again = False
                    self._enqueue(card)

    async def player_of(self, panel_id: PanelId, place: Place, message_id: MessageId) -> PlayerRef:
        """The player of the open card on that message; UserError when the card has ended or stands elsewhere."""
        if panel_id not in self._cards:
            await self.tend()  # a worker may have stood in for us until just now
        card = self._open_card(panel_id)
        if Place.of(card.panel) != place or card.panel.message_id not in (None, message_id):
            raise OutOfDate
        return card.player

    async def obeyed(self, panel_id: PanelId, verb: Verb, value: str | None) -> Face:
        """What the card shows now that its player was given an order; the caller shows it."""
        card = self._open_card(panel_id)
        now = self._clock.now()
        if verb is Verb.STOP:
            self._press(card, card.face.ended(), now)
            await self._end(card)
            return card.face
        playback = card.playback or await self._sight.playback(card.player, card.asker)
        if playback is not None:
            card.playback = foreseen(playback, verb, value, now)
            face = replace(
                Face.live(card.playback, now, card.problem), poster=card.face.poster, picture=card.face.picture
            )
            self._press(card, face, now)
        return card.face

    async def check(self) -> Check:
        """For the health page: how many cards are followed, and channels that the bot may not see."""
        count = len(self._cards)
        if self._forbidden:
            channels = ", ".join(str(channel) for channel in sorted(self._forbidden))
            return Check(Status.WARN, f"The bot may not see these channels, cards there stand still: {channels}", count)
        return Check(Status.PASS, f"{count} cards are followed", count)

    def _open_card(self, panel_id: PanelId) -> Card:
        card = self._cards.get(panel_id)
        if card is None:
            raise UserError(_ENDED, "card_ended")
        return card

    def _press(self, card: Card, face: Face, now: datetime) -> None:
        card.stamp += 1
        card.face, card.is_shown, card.edited_at = face, True, now

    def _older_than(self, card: Card) -> list[Card]:
        following = [other for other in self._cards.values() if not other.is_replaced]
        place = (card.player, card.panel.channel_id)
        older = [other for other in following if (other.player, other.panel.channel_id) == place]
        return older or (following[:1] if len(following) >= CARDS_MAX else [])

    def _replace(self, older: list[Card]) -> None:
        for other in older:
            other.is_replaced = True
            self._enqueue(other)

    def _enqueue(self, card: Card) -> None:
        card.trace_id = card.trace_id or current_trace_id()
        if card.is_busy:
            card.is_again = True
        elif not card.is_queued:
            card.is_queued = True
            self._due.put_nowait(card)

    async def _refresh(self, card: Card, show: Show) -> None:
        if card.is_held:
            return
        stamp = card.stamp
        face = card.face.replaced() if card.is_replaced else await self._look(card)
        if card.stamp != stamp or card.is_held or card.panel.panel_id not in self._cards:
            return
        if face is not None and face.poster == card.face.poster:
            face = replace(face, picture=card.face.picture)
        if face is not None and not (card.is_shown and face == card.face):
            await self._show(card, face, show)

    async def _look(self, card: Card) -> Face | None:
        now = self._clock.now()
        card.looked_at = now
        try:
            playback = await self._sight.playback(card.player, card.asker)
        except UpstreamError as error:
            return card.face.with_notice(f"{error.service} {error.kind}.") if card.is_shown else None
        except UserError:  # the player or its server is gone
            playback = None
        if playback is not None and playback.state is not PlayState.STOPPED:
            card.playback, card.missing = playback, 0
            return Face.live(playback, now, card.problem)
        card.missing += 1
        if card.face.phase is Phase.STARTING and (now - card.panel.created_at).total_seconds() < STARTING_S:
            return None
        return card.face.ended() if card.missing >= _MISSING_LOOKS else None

    async def _show(self, card: Card, face: Face, show: Show) -> None:
        news: tuple[Poster] | None = None
        if face.poster != card.face.poster:
            news = (await self._poster(card.playback.title if card.playback else None),)
            face = face.with_poster(news[0])
        shown = await show(card.panel, face, news)
        match shown:
            case Shown.OK:
                self._forbidden.discard(card.panel.channel_id)
                if face.to_state() != card.face.to_state():
                    state = _state(card.player, card.asker, card.problem, face)
                    await self._panels.update_state(card.panel.panel_id, state)
                card.face, card.is_shown, card.edited_at = face, True, self._clock.now()
            case Shown.FORBIDDEN:
                log.warning("card_channel_hidden", channel_id=card.panel.channel_id, panel_id=card.panel.panel_id)
                self._forbidden.add(card.panel.channel_id)
            case Shown.GONE:
                log.info("card_deleted", panel_id=card.panel.panel_id)
            case Shown.LATER:
                return
        if shown is not Shown.OK or face.phase in (Phase.ENDED, Phase.REPLACED):
            await self._end(card)

    async def _problem(self, player: Player) -> str | None:
        # What plays is told by the server's sessions, and those do not say who takes commands.
        return next((known.problem for known in await self._plex.players() if known.ref == player.ref), player.problem)

    async def _poster(self, title: Title | None) -> Poster:
        if title is None:
            return None
        try:
            return await self._plex.poster(title)
        except UpstreamError as error:
            log.info("poster_missing", title=str(title.ref), error=str(error))
            return None

    async def _end(self, card: Card) -> None:
        self._cards.pop(card.panel.panel_id, None)
        await self._panels.end(card.panel.panel_id)

    def _is_old(self, card: Card, now: datetime) -> bool:
        return (now - card.panel.created_at).total_seconds() >= self._pace.slow_after_s

    @staticmethod
    def _seconds_since(when: datetime | None, now: datetime) -> float:
        return (now - when).total_seconds() if when else float("inf")


def _state(player: PlayerRef, asker: Asker, problem: str | None, face: Face) -> dict[str, Any]:
    """What of a card outlives the process, as JSON."""
    return {"player": str(player), "member": asker.member_id, "problem": problem, **face.to_state()}

"""Marking, rating and going on: what the commands do, on the account of whoever asks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from daemon.core.errors import OutOfDate, UpstreamError, UserError
from daemon.core.limits import SELECT_OPTIONS_MAX
from daemon.core.media import Player, Title, TitleKind, TitleRef
from daemon.core.titles import title_name
from integrations.plex import Personal, PlayerChoice, Plex

from .lines import account_line, episodes_line, rating_words
from .orders import Asker, Done, Order, Outcome, PickPlayer, PickTitle, Started, Undo, Verb
from .titles import ANY, WATCHABLE, Titles

_POSTER_WIDTH = 160


@dataclass(frozen=True, slots=True)
class Deck:
    """What an account would go on with, as far as it may be seen here; `notes`: what is missing, and why."""

    account: str
    titles: tuple[Title, ...]
    notes: tuple[str, ...]


class Desk:
    """UserError for whoever asks, UpstreamError for Plex."""

    def __init__(self, plex: Plex, personal: Personal, titles: Titles, players: PlayerChoice) -> None:
        self._plex = plex
        self._personal = personal
        self._titles = titles
        self._players = players

    async def carry_out(self, order: Order, asker: Asker) -> Outcome:
        """Do it, or say between what the person has to choose first."""
        kinds = ANY if order.verb is Verb.RATE else WATCHABLE
        found = await self._titles.named(order.title, asker.member_id, asker.guild_id, kinds)
        if isinstance(found, tuple):
            return PickTitle(order, found[:SELECT_OPTIONS_MAX])
        order = replace(order, title=str(found.ref))
        match order.verb:
            case Verb.WATCHED | Verb.UNWATCHED:
                return await self._mark(order.verb, found, asker)
            case Verb.RATE:
                return await self._rate(found, order.stars or 0, asker)
            case _:
                return await self._resume(order, found, asker)

    async def deck(self, asker: Asker) -> Deck:
        """What they would go on with, the latest first."""
        account = await self._personal.account(asker.profile_id)
        found = await self._personal.on_deck(asker.profile_id)
        seen = await self._titles.seen([title.ref for title in found.titles], asker.member_id, asker.guild_id)
        notes = [
            failure.text if isinstance(failure, UserError) else f"{failure.service} {failure.kind}."
            for failure in found.failures
        ]
        titles = [replace(title, library=seen[title.ref].library) for title in found.titles if title.ref in seen]
        return Deck(account.name, tuple(titles), tuple(dict.fromkeys(notes)))

    async def posters(self, titles: list[Title]) -> list[bytes | None]:
        """The poster of each, where there is one to be had."""
        return list(await asyncio.gather(*(self._poster(title) for title in titles)))

    async def undo(self, undo: Undo, asker: Asker) -> Done:
        """Take back what was done. OutOfDate when it was done on another account than is theirs now."""
        account = await self._personal.account(asker.profile_id)
        ref = TitleRef.parse(undo.title)
        if account.account_id != undo.account_id or ref is None:
            raise OutOfDate
        if undo.verb is Verb.RATE:
            await self._personal.rate(asker.profile_id, ref, undo.rating)
            return Done(f"Taken back: {undo.name} is {rating_words(undo.rating)}.")
        is_seen = undo.verb is Verb.UNWATCHED
        await self._personal.turn_back(asker.profile_id, ref.server, undo.keys, dict(undo.offsets_ms), is_seen=is_seen)
        return Done(f"Taken back: {undo.name} is as it was before.")

    async def player(self, order: Order, asker: Asker) -> Player | PickPlayer:
        """The player that is meant."""
        sees = await self._titles.sees(asker.member_id, asker.guild_id)
        found = await self._players.choose(order.player, asker.member_id, asker.profile_id, sees)
        return PickPlayer(order, tuple(found)) if isinstance(found, list) else found

    async def remember(self, player: Player, asker: Asker) -> None:
        """They use this player now."""
        await self._players.remember(player.ref, asker.member_id, asker.profile_id)

    async def _poster(self, title: Title) -> bytes | None:
        try:
            return await self._plex.poster(title, width=_POSTER_WIDTH)
        except UpstreamError:
            return None

    async def _mark(self, verb: Verb, title: Title, asker: Asker) -> Done:
        account = await self._personal.account(asker.profile_id)
        is_seen = verb is Verb.WATCHED
        turned = await self._personal.mark(asker.profile_id, title, is_seen=is_seen)
        name, word = title_name(title), "watched" if is_seen else "not watched"
        if not turned.changed and not turned.offsets_ms:
            return Done(f"{name} is marked as {word} already.", is_good=False)
        details = []
        if title.kind in (TitleKind.SHOW, TitleKind.SEASON):
            details.append(episodes_line(turned.changed, turned.total - turned.changed))
        details.append(account_line(account.name))
        if turned.keys is None:
            details.append("There is no Undo: it would take too many steps back.")
            return Done(f"{name} is marked as {word}.", tuple(details))
        offsets_ms = tuple(sorted(turned.offsets_ms.items()))
        undo = Undo(verb, account.account_id, str(title.ref), name, turned.keys, offsets_ms)
        return Done(f"{name} is marked as {word}.", tuple(details), undo)

    async def _rate(self, title: Title, stars: int, asker: Asker) -> Done:
        account = await self._personal.account(asker.profile_id)
        rating = float(stars) if stars else None
        before = await self._personal.rate(asker.profile_id, title.ref, rating)
        name = title_name(title)
        if before == rating:
            return Done(f"{name} is {rating_words(rating)} already.", is_good=False)
        details = (f"It was {rating_words(before)} before.", account_line(account.name))
        undo = Undo(Verb.RATE, account.account_id, str(title.ref), name, rating=before)
        return Done(f"{name} is {rating_words(rating)}.", details, undo)

    async def _resume(self, order: Order, title: Title, asker: Asker) -> Started | PickPlayer:
        """Go on where their own account has left it."""
        offset_ms = await self._personal.left_at(asker.profile_id, title.ref)
        player = await self.player(order, asker)
        if isinstance(player, PickPlayer):
            return player
        await self.remember(player, asker)
        started = await self._plex.play(player.ref, title.ref, resume=True, shuffle=False, offset_ms=offset_ms)
        return Started(started, player, offset_ms)

"""Carrying out orders: finds the title and the player that a member means, and asks Plex."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from daemon.core.clock import Clock
from daemon.core.errors import UserError
from daemon.core.limits import AUTOCOMPLETE_CHOICES_MAX, QUERY_CHARS_MAX, SELECT_OPTIONS_MAX
from daemon.core.media import Player, PlayerRef, QueueItem, Stream, StreamKind, Title, TitleKind, TitleRef
from daemon.core.players import player_name
from daemon.core.text import clamp, duration, fold, parse_position, plain
from daemon.core.titles import title_name
from integrations.plex import PlayerChoice, Plex

from .finding import Finding
from .glances import Glances
from .orders import Asker, Done, Listing, Order, Outcome, PickPlayer, PickTitle, Started, Verb
from .sight import Sight, is_hidden
from .titles import clear_winner
from .tracks import find_track, track_choices, track_label

QUEUE_ITEM = "q:"
"""What autocomplete sends for an entry of a play queue: `q:<item id>`; a bare number is its place."""

_SAID_CHARS_MAX = 80  # of what a member typed, when a sentence repeats it
_PARTED = frozenset({TitleKind.SHOW, TitleKind.SEASON, TitleKind.ARTIST, TitleKind.ALBUM})
_SEEK_EXAMPLES = "write it as 1:02:03, 90, +30, -30 or 50%"


class Desk:
    """The one who takes orders. Every method raises UserError for the member and UpstreamError for Plex."""

    def __init__(
        self, plex: Plex, sight: Sight, finding: Finding, players: PlayerChoice, glances: Glances, clock: Clock
    ) -> None:
        self._plex = plex
        self._sight = sight
        self._finding = finding
        self._players = players
        self._glances = glances
        self._clock = clock

    async def carry_out(self, order: Order, asker: Asker) -> Outcome:
        """Do it, or say between which titles or players the member has to choose first."""
        title = None
        if order.verb in (Verb.PLAY, Verb.QUEUE_ADD):
            found = await self._title(order, asker)
            if isinstance(found, PickTitle):
                return found
            title, order = found, replace(order, title=str(found.ref))
        player = await self._player(order, asker)
        if isinstance(player, PickPlayer):
            return player
        if order.verb is Verb.QUEUE_SHOW:
            queue = await self._plex.queue(player.ref)
            return Listing(await self._sight.queue(queue, asker), player)
        await self._players.remember(player.ref, asker.member_id, asker.profile_id)
        try:
            if title is not None:
                return await self._with_title(order, player, title, asker)
            return Done(await self._control(order, player, asker), player)
        finally:  # it may have obeyed even if it failed to say so
            await self._glances.forget(player.ref)

    async def suggest_players(self, text: str, asker: Asker) -> list[tuple[str, str]]:
        """(label, reference) of controllable players for `text`, the member's last one first; from memory."""
        return await self._players.suggest(text, asker.member_id, asker.profile_id, await self._sight.of(asker))

    async def suggest_tracks(
        self, text: str, player: str | None, kind: StreamKind, asker: Asker
    ) -> list[tuple[str, str]]:
        """(label, value) of the tracks of what plays, those containing `text`; none while the player is not clear."""
        ref = await self._glanced_player(player, asker)
        if ref is None:
            return []
        playback = await self._glances.playback(ref)
        if playback is None:
            return []
        (playback,) = await self._sight.playbacks([playback], asker)
        lines = track_choices(playback.audio + playback.subtitles, kind, text)
        return [(label, value) for label, value, _ in lines]

    async def suggest_queue(self, text: str, player: str | None, asker: Asker) -> list[tuple[str, str]]:
        """(label, value) of the entries of the play queue, those containing `text`."""
        ref = await self._glanced_player(player, asker)
        queue = None if ref is None else await self._sight.queue(await self._glances.queue(ref), asker)
        lines = [
            (f"{place}. {clamp(title_name(item.title), 90)}", f"{QUEUE_ITEM}{item.item_id}")
            for place, item in enumerate(queue.items if queue else (), start=1)
        ]
        return [line for line in lines if fold(text) in fold(line[0])][:AUTOCOMPLETE_CHOICES_MAX]

    async def _glanced_player(self, text: str | None, asker: Asker) -> PlayerRef | None:
        return await self._players.glanced(text, asker.member_id, asker.profile_id, await self._sight.of(asker))

    async def _title(self, order: Order, asker: Asker) -> Title | PickTitle:
        text = clamp(plain((order.title or "")[: 4 * QUERY_CHARS_MAX]), QUERY_CHARS_MAX)
        if not text:
            raise UserError("Say what to play: type a few letters of its name.", "no_title")
        if (ref := TitleRef.parse(text)) is not None:
            return await self._sight.title(ref, asker)
        found = await self._finding.find(text, asker, SELECT_OPTIONS_MAX)
        if (winner := clear_winner(text, found.titles)) is not None:
            return winner
        if found.titles:
            return PickTitle(order, found.titles, found.is_complete)
        hint = "" if found.is_complete else " Not every server answered, so it may be worth another try."
        if not found.is_ready:
            hint = " The libraries are still being read, so it may be worth another try."
        raise UserError(f"I found nothing called “{clamp(text, _SAID_CHARS_MAX)}”.{hint}", "unknown_title")

    async def _player(self, order: Order, asker: Asker) -> Player | PickPlayer:
        sees = await self._sight.of(asker)
        found = await self._players.choose(order.player, asker.member_id, asker.profile_id, sees)
        return PickPlayer(order, tuple(found)) if isinstance(found, list) else found

    async def _with_title(self, order: Order, player: Player, title: Title, asker: Asker) -> Done | Started:
        is_whole = await self._sight.is_whole(title, asker)
        if title.kind in _PARTED and not is_whole:
            raise UserError(
                f"Not all of {title_name(title)} may be played for you; choose a part of it.", "partly_hidden"
            )
        if order.verb is Verb.QUEUE_ADD:
            await self._plex.queue_add(player.ref, title.ref)
            return Done(f"Added {title_name(title)} to the queue of {player_name(player)}.", player)
        started = await self._plex.play(
            player.ref, title.ref, resume=not order.from_start, shuffle=order.shuffle, goes_on=is_whole
        )
        return Started(await self._sight.shown(started, asker), player)

    async def _control(self, order: Order, player: Player, asker: Asker) -> str:
        name = player_name(player)
        match order.verb:
            case Verb.PAUSE:
                await self._plex.pause(player.ref)
                return f"Paused {name}."
            case Verb.RESUME:
                await self._plex.resume(player.ref)
                return f"Resumed {name}."
            case Verb.STOP:
                await self._plex.stop_playback(player.ref)
                return f"Stopped {name}."
            case Verb.NEXT:
                await self._plex.next(player.ref)
                return f"{name} goes on to the next title."
            case Verb.PREVIOUS:
                await self._plex.previous(player.ref)
                return f"{name} goes back to the previous title."
            case Verb.SEEK:
                return await self._seek(player, order.value or "", asker)
            case Verb.VOLUME:
                return await self._set_volume(player, order.value or "")
            case Verb.AUDIO:
                return await self._set_audio(player, order.value or "", asker)
            case Verb.SUBTITLES:
                return await self._set_subtitles(player, order.value or "", asker)
            case _:
                return await self._change_queue(order, player, asker)

    async def _seek(self, player: Player, text: str, asker: Asker) -> str:
        name = player_name(player)
        playback = await self._plex.playback(player.ref)
        if playback is None:
            raise UserError(f"Nothing plays on {name}, so there is nothing to seek in.", "nothing_plays")
        title, end_ms = await self._sight.shown(playback.title, asker), playback.duration_ms
        position = parse_position(text, playback.position_at(self._clock.now()), end_ms)
        if position is None:
            said = clamp(plain(text), _SAID_CHARS_MAX)
            raise UserError(f"I cannot read “{said}” as a position; {_SEEK_EXAMPLES}.", "bad_position")
        is_relative = text.strip()[:1] in ("+", "-")
        if end_ms and position > end_ms and not is_relative:
            if is_hidden(title):
                raise UserError("What plays there is not that long; choose a position before its end.", "beyond_end")
            what = title_name(title)
            raise UserError(f"{what} is only {duration(end_ms)} long; choose a position before that.", "beyond_end")
        bounded = max(0, min(position, end_ms)) if end_ms else max(0, position)
        await self._plex.seek(player.ref, bounded)
        if position < 0:
            return f"{name} is back at the beginning; there is nothing before it."
        if bounded < position:
            return f"{name} is at the end, {duration(bounded)}; there is nothing after it."
        total = f" of {duration(end_ms)}" if end_ms and not is_hidden(title) else ""
        return f"{name} is at {duration(bounded)}{total}."

    async def _set_volume(self, player: Player, text: str) -> str:
        level = int(text)
        if text[:1] in ("+", "-"):
            playback = await self._plex.playback(player.ref)
            if playback is None or playback.volume is None:
                name = player_name(player)
                raise UserError(f"{name} does not say how loud it is; use /volume with a level.", "no_volume")
            level = max(0, min(100, playback.volume + level))
        if not 0 <= level <= 100:
            raise UserError("The volume is a number from 0 to 100.", "bad_volume")
        await self._plex.set_volume(player.ref, level)
        return f"The volume of {player_name(player)} is {level} %."

    async def _set_audio(self, player: Player, text: str, asker: Asker) -> str:
        stream = await self._track(player, text, StreamKind.AUDIO, asker)
        if stream is None:
            raise UserError("The sound cannot be switched off; use /volume 0.", "no_track")
        await self._plex.set_audio(player.ref, stream.stream_id)
        return f"The audio of {player_name(player)} is {track_label(stream)}."

    async def _set_subtitles(self, player: Player, text: str, asker: Asker) -> str:
        stream = await self._track(player, text, StreamKind.SUBTITLE, asker)
        await self._plex.set_subtitles(player.ref, stream.stream_id if stream else None)
        what = track_label(stream) if stream else "off"
        return f"The subtitles of {player_name(player)} are {what}."

    async def _track(self, player: Player, text: str, kind: StreamKind, asker: Asker) -> Stream | None:
        playback = await self._sight.playback(player.ref, asker)
        if playback is None:
            name = player_name(player)
            raise UserError(f"Nothing plays on {name}, so there are no tracks to choose from.", "nothing_plays")
        return find_track(text[:QUERY_CHARS_MAX], playback.audio + playback.subtitles, kind)

    async def _change_queue(self, order: Order, player: Player, asker: Asker) -> str:
        name = player_name(player)
        if order.verb is Verb.QUEUE_CLEAR:
            await self._plex.queue_clear(player.ref)
            return f"The queue of {name} is empty now."
        if order.verb is Verb.QUEUE_SHUFFLE:
            await self._plex.queue_shuffle(player.ref)
            return f"The queue of {name} is shuffled."
        queue = await self._sight.queue(await self._plex.queue(player.ref), asker)
        item = find_item(order.value or "", queue.items if queue else ())
        await self._plex.queue_remove(player.ref, item.item_id)
        return f"Removed {title_name(item.title)} from the queue of {name}."


def find_item(text: str, items: Sequence[QueueItem]) -> QueueItem:
    """The entry that `text` means: `q:<item id>`, its place counted from 1, its name, or the only one containing it."""
    if not items:
        raise UserError("The queue is empty.", "no_item")
    text = plain(text[:QUERY_CHARS_MAX])
    if text.startswith(QUEUE_ITEM):
        found = [item for item in items if f"{QUEUE_ITEM}{item.item_id}" == text]
        if not found:
            raise UserError("That entry is not in the queue any more.", "no_item")
        return found[0]
    if text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= len(items):
        return items[int(text) - 1]
    wanted = fold(text)
    named = [item for item in items if wanted and wanted == fold(str(item.title))]
    containing = [item for item in items if wanted and wanted in fold(str(item.title))]
    if named or len(containing) == 1:
        return (named or containing)[0]
    said = clamp(text, _SAID_CHARS_MAX)
    if containing:
        raise UserError(f"Several entries fit “{said}”; give the number that /queue show has.", "no_item")
    raise UserError(f"No entry of the queue is “{said}”; /queue show lists them.", "no_item")

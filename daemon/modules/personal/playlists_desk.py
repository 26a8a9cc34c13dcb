"""Playlists: what the commands do, on the account of whoever asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from daemon.core.errors import UpstreamError, UserError
from daemon.core.limits import CHOICE_CHARS_MAX, NAME_CHARS_MAX, SELECT_OPTIONS_MAX
from daemon.core.media import Title, TitleKind, TitleRef
from daemon.core.query import folded
from daemon.core.text import clamp, plain
from daemon.core.titles import title_name
from integrations.plex import Playlists
from integrations.plex.playlists import PLAYED_MAX, Entry, Playlist, check_fits, check_plain

from .desk import Desk
from .lines import playlist_line
from .orders import Ask, Asker, Done, Order, Outcome, PickEntry, PickPlayer, PickTitle, Started, Verb
from .titles import ANY, Titles

ENTRY = "e:"
"""What autocomplete sends for an entry of a playlist: `e:<entry id>`."""

_SAID_CHARS_MAX = 80


@dataclass(frozen=True, slots=True)
class Contents:
    """A playlist with its entries and their places, from 1; `hidden` more may not be seen here."""

    playlist: Playlist
    entries: tuple[tuple[int, Entry], ...]
    hidden: int


class PlaylistsDesk:
    """UserError codes: those of `Playlists` and `Titles`, and `no_name`, `playlist_exists`, `no_entry`."""

    def __init__(self, playlists: Playlists, titles: Titles, desk: Desk) -> None:
        self._playlists = playlists
        self._titles = titles
        self._desk = desk

    # While somebody types

    async def suggest(self, text: str, asker: Asker) -> list[tuple[str, str]]:
        """(label, reference) of their own playlists whose names contain what was typed."""
        wanted = folded(text)
        found = [one for one in await self._playlists.glance(asker.profile_id) if wanted in folded(one.name)]
        return [(_label(one), str(one.ref)) for one in found if len(str(one.ref)) <= CHOICE_CHARS_MAX]

    async def suggest_entries(self, text: str, playlist: str | None, asker: Asker) -> list[tuple[str, str]]:
        """(label, value) of what is in the playlist that was chosen."""
        found = await self._find(playlist, asker, await self._playlists.glance(asker.profile_id))
        contents = await self._contents(found, asker)
        wanted = folded(text)
        return [
            (clamp(f"{place}. {title_name(entry.title)}", CHOICE_CHARS_MAX), f"{ENTRY}{entry.entry_id}")
            for place, entry in contents.entries
            if wanted in folded(f"{place} {title_name(entry.title)}")
        ]

    # Commands

    async def listed(self, asker: Asker) -> tuple[Playlist, ...]:
        """All of theirs, by name."""
        return await self._playlists.listed(asker.profile_id)

    async def contents(self, text: str, asker: Asker) -> Contents:
        """One of theirs and what is in it, as far as it may be seen here."""
        return await self._contents(await self._find(text, asker), asker)

    async def carry_out(self, order: Order, asker: Asker) -> Outcome:
        """Do it, or say what the person has to choose or to confirm first."""
        if order.verb is Verb.CREATE:
            return await self._create(order, asker)
        playlist = await self._find(order.playlist, asker)
        order = replace(order, playlist=str(playlist.ref))
        match order.verb:
            case Verb.ADD:
                return await self._add(order, playlist, asker)
            case Verb.REMOVE:
                return await self._remove(order, playlist, asker)
            case Verb.DELETE:
                return await self._delete(order, playlist, asker)
            case _:
                return await self._play(order, playlist, asker)

    async def _create(self, order: Order, asker: Asker) -> Done | PickTitle:
        name = clamp(plain(order.name or ""), NAME_CHARS_MAX)
        if not name:
            raise UserError("Give the playlist a name.", "no_name")
        if any(one.name.casefold() == name.casefold() for one in await self._playlists.listed(asker.profile_id)):
            raise UserError(
                f"You have a playlist called “{name}” already; /playlist add puts titles in.", "playlist_exists"
            )
        title = await self._title(order, asker)
        if isinstance(title, PickTitle):
            return title
        ref = await self._playlists.create(asker.profile_id, name, title)
        return Done(f"{name} is there now, with {title_name(title)}.", await self._line(ref, asker))

    async def _add(self, order: Order, playlist: Playlist, asker: Asker) -> Done | Ask | PickTitle:
        check_plain(playlist)
        title = await self._title(order, asker)
        if isinstance(title, PickTitle):
            return title
        check_fits(playlist, title)
        order = replace(order, title=str(title.ref))
        if not order.is_sure and (there := await self._is_there(playlist, title, asker)):
            question = f"{title_name(title)} is in {playlist.name} already. Add it once more?"
            return Ask(order, question, (there,), "Add it once more")
        await self._playlists.add(asker.profile_id, playlist, title)
        return Done(f"{title_name(title)} is in {playlist.name} now.", await self._line(playlist.ref, asker))

    async def _is_there(self, playlist: Playlist, title: Title, asker: Asker) -> str:
        """Where the title, or what is part of it, stands in the playlist; "" when nowhere."""
        entries = await self._playlists.entries(asker.profile_id, playlist.ref)
        key = title.ref.rating_key
        places = [
            place
            for place, entry in enumerate(entries, start=1)
            if entry.title.ref.rating_key == key or key in entry.parents
        ]
        if not places:
            return ""
        if title.kind in (TitleKind.MOVIE, TitleKind.EPISODE, TitleKind.TRACK):
            return f"At place {', '.join(map(str, places[:5]))}{' and more' * (len(places) > 5)}."
        return f"{len(places):,} of its {'tracks are' if playlist.is_music else 'episodes are'} in it."

    async def _remove(self, order: Order, playlist: Playlist, asker: Asker) -> Done | PickEntry:
        check_plain(playlist)
        contents = await self._contents(playlist, asker)
        found = _entries(order.title or "", contents.entries)
        if len(found) > 1:
            return PickEntry(order, tuple(found[:SELECT_OPTIONS_MAX]))
        if not found:
            raise UserError(f"That is not in {playlist.name}; /playlist show lists what is.", "no_entry")
        place, entry = found[0]
        await self._playlists.remove(asker.profile_id, playlist, entry.entry_id)
        details = (f"It was at place {place}.", *await self._line(playlist.ref, asker))
        return Done(f"Took {title_name(entry.title)} out of {playlist.name}.", details)

    async def _delete(self, order: Order, playlist: Playlist, asker: Asker) -> Done | Ask:
        if not order.is_sure:
            details = (playlist_line(playlist), "The titles themselves stay in the library. This cannot be undone.")
            return Ask(order, f"Delete the playlist {playlist.name}?", details, "Yes, delete it", is_grave=True)
        await self._playlists.delete(asker.profile_id, playlist)
        return Done(f"The playlist {playlist.name} is deleted.")

    async def _play(self, order: Order, playlist: Playlist, asker: Asker) -> Started | PickPlayer:
        contents = await self._contents(playlist, asker)
        titles = [entry.title for _, entry in contents.entries]
        if not titles:
            raise UserError(f"There is nothing in {playlist.name} that could be played here.", "nothing_to_play")
        player = await self._desk.player(order, asker)
        if isinstance(player, PickPlayer):
            return player
        await self._desk.remember(player, asker)
        started = await self._playlists.play(player.ref, titles)
        return Started(started, player, playlist=playlist.name, left_out=max(0, playlist.count - PLAYED_MAX))

    async def _line(self, ref: TitleRef, asker: Asker) -> tuple[str, ...]:
        """What the playlist is now. The change was made: that this cannot be told is no failure of it."""
        try:
            return (playlist_line(await self._playlists.of(asker.profile_id, ref)),)
        except (UserError, UpstreamError):
            return ()

    async def _title(self, order: Order, asker: Asker) -> Title | PickTitle:
        found = await self._titles.named(order.title, asker.member_id, asker.guild_id, ANY)
        return PickTitle(order, found[:SELECT_OPTIONS_MAX]) if isinstance(found, tuple) else found

    async def _contents(self, playlist: Playlist, asker: Asker) -> Contents:
        entries = await self._playlists.entries(asker.profile_id, playlist.ref)
        seen = await self._titles.seen([entry.title.ref for entry in entries], asker.member_id, asker.guild_id)
        shown = tuple((place, entry) for place, entry in enumerate(entries, start=1) if entry.title.ref in seen)
        return Contents(playlist, shown, len(entries) - len(shown))

    async def _find(self, text: str | None, asker: Asker, known: Sequence[Playlist] | None = None) -> Playlist:
        """The playlist of theirs that was chosen or named; what belongs to somebody else is not there."""
        mine = await self._playlists.listed(asker.profile_id) if known is None else known
        said = clamp(plain(text or ""), _SAID_CHARS_MAX)
        if (ref := TitleRef.parse(said)) is not None:
            found = [one for one in mine if one.ref == ref]
            if not found:
                raise UserError("That playlist is not there any more; /playlist list shows yours.", "no_playlist")
            return found[0]
        wanted = folded(said)
        for fits in (str.__eq__, str.startswith, str.__contains__):
            found = [one for one in mine if wanted and fits(folded(one.name), wanted)]
            if len(found) == 1:
                return found[0]
            if found:
                raise UserError(
                    f"Several of your playlists fit “{said}”; choose one from the list while you type.", "no_playlist"
                )
        raise UserError(f"You have no playlist called “{said}”; /playlist list shows yours.", "no_playlist")


def _entries(text: str, entries: Sequence[tuple[int, Entry]]) -> list[tuple[int, Entry]]:
    """What `text` means of a playlist: an entry, a title, a place, a name, or what names contain."""
    said = plain(text)
    if said.startswith(ENTRY):
        return [each for each in entries if f"{ENTRY}{each[1].entry_id}" == said]
    if (ref := TitleRef.parse(said)) is not None:
        return [each for each in entries if each[1].title.ref == ref or ref.rating_key in each[1].parents]
    wanted = folded(said)
    named = [each for each in entries if wanted in (folded(each[1].title.name), folded(title_name(each[1].title)))]
    if named or not wanted:
        return named
    if said.isascii() and said.isdigit() and (at := [each for each in entries if str(each[0]) == said]):
        return at
    return [each for each in entries if wanted in folded(title_name(each[1].title))]


def _label(playlist: Playlist) -> str:
    tail = f" · {playlist.count} title{'s' * (playlist.count != 1)}"
    return clamp(playlist.name, CHOICE_CHARS_MAX - len(tail)) + tail

"""Playlists of the linked people: each sees, changes and plays their own, on their own Plex account."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

import integrations.plex.adapter_playlists as adapter_playlists
from daemon.core.errors import UpstreamError, UpstreamKind, UserError
from daemon.core.ids import ProfileId, RatingKey, ServerId
from daemon.core.media import PlayerRef, Title, TitleKind, TitleRef
from daemon.core.text import plain
from integrations.plex.bounded import Recent
from integrations.plex.parse import media_type, to_title
from integrations.plex.personal_access import PersonalAccess
from integrations.plex.plex import Plex
from integrations.plex.shapes import ItemShape, Loose, container, entries, flag, number, text

T = TypeVar("T")

PLAYLISTS_MAX: Final = 500  # of one person on one server
ENTRIES_MAX: Final = 2_000  # of one playlist that are read
PLAYED_MAX: Final = 500  # titles of a playlist that are played: their keys stand in one address
_PAGE = 250
_GLANCE_S = 15.0  # how long what somebody typed at before is offered without asking again
_GLANCES_MAX = 500
_GONE = "That playlist is not there any more."


@dataclass(frozen=True, slots=True)
class Playlist:
    """One playlist. `is_music` when it holds tracks; a smart one fills itself by a filter of its owner's."""

    ref: TitleRef
    name: str
    is_music: bool
    is_smart: bool
    count: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: `entry_id` tells it from another of the same title. `parents`: keys of its season and show."""

    entry_id: int
    title: Title
    parents: tuple[str, ...] = ()


class _PlaylistShape(ItemShape):
    smart: Loose = None


class _EntryShape(ItemShape):
    playlistItemID: Loose = None
    parentRatingKey: Loose = None
    grandparentRatingKey: Loose = None


class Playlists:
    """UserError as for `PersonalAccess`, and `no_playlist`, `smart_playlist`, `other_media`, `title_elsewhere`."""

    def __init__(self, plex: Plex, access: PersonalAccess) -> None:
        self._plex = plex
        self._access = access
        self._glances: Recent[ProfileId, tuple[Playlist, ...]] = Recent(_GLANCES_MAX, _GLANCE_S)

    async def listed(self, profile_id: ProfileId) -> tuple[Playlist, ...]:
        """Theirs, by name, of all servers that let them in and answer; what stands in the way when none does."""
        await self._access.link(profile_id)
        servers = self._access.servers()
        answers = await asyncio.gather(*(self._of_server(profile_id, server) for server in servers))
        failures = [answer for answer in answers if isinstance(answer, UserError | UpstreamError)]
        if failures and len(failures) == len(answers):
            raise min(failures, key=lambda failure: isinstance(failure, UpstreamError))
        found = [one for answer in answers if isinstance(answer, list) for one in answer]
        ordered = tuple(sorted(found, key=lambda one: (one.name.casefold(), str(one.ref))))
        self._glances.put(profile_id, ordered)
        return ordered

    async def glance(self, profile_id: ProfileId) -> tuple[Playlist, ...]:
        """As `listed`, some seconds old at most: for somebody who types."""
        known = self._glances.get(profile_id)
        return await self.listed(profile_id) if known is None else known

    async def of(self, profile_id: ProfileId, ref: TitleRef) -> Playlist:
        """One of theirs as it is now."""
        path = f"/playlists/{ref.rating_key}"
        try:
            answer = await self._access.read(profile_id, ref.server, path, decode=container)
        except UpstreamError as error:
            raise _gone(error) from None
        found = [_playlist(ref.server, shape) for shape in entries(answer.Metadata, _PlaylistShape)]
        if not found or found[0] is None:
            raise UserError(_GONE, "no_playlist")
        return found[0]

    async def entries(self, profile_id: ProfileId, ref: TitleRef) -> tuple[Entry, ...]:
        """What is in it, in its order; of more than `ENTRIES_MAX` the first."""
        found: dict[int, Entry] = {}
        for start in range(0, ENTRIES_MAX, _PAGE):
            try:
                total, page = await self._access.read(
                    profile_id, ref.server, f"/playlists/{ref.rating_key}/items", decode=_entry_page,
                    start=start, size=_PAGE,
                )  # fmt: skip
            except UpstreamError as error:
                raise _gone(error) from None
            for shape in page:
                entry = _entry(ref.server, shape)
                if entry is not None:
                    found[entry.entry_id] = entry
            if not page or start + len(page) >= total:
                break
        return tuple(found.values())

    async def create(self, profile_id: ProfileId, name: str, title: Title) -> TitleRef:
        """A new one on the title's server, with the title or all that plays below it."""
        kind = "audio" if media_type(title) == "music" else "video"
        work = partial(adapter_playlists.create, name=name, key=int(title.ref.rating_key), kind=kind)
        key = await self._change(profile_id, title.ref.server, work)
        return TitleRef(title.ref.server, RatingKey(str(key)))

    async def add(self, profile_id: ProfileId, playlist: Playlist, title: Title) -> None:
        """Put a title, or all that plays below it, at the end."""
        check_fits(playlist, title)
        work = partial(adapter_playlists.add, playlist=int(playlist.ref.rating_key), key=int(title.ref.rating_key))
        await self._change(profile_id, playlist.ref.server, work)

    async def remove(self, profile_id: ProfileId, playlist: Playlist, entry_id: int) -> None:
        """Take one entry out."""
        check_plain(playlist)
        work = partial(adapter_playlists.remove, playlist=int(playlist.ref.rating_key), entry=entry_id)
        await self._change(profile_id, playlist.ref.server, work, gone="That entry is not in the playlist any more.")

    async def delete(self, profile_id: ProfileId, playlist: Playlist) -> None:
        """Throw it away; the titles stay."""
        work = partial(adapter_playlists.delete, playlist=int(playlist.ref.rating_key))
        await self._change(profile_id, playlist.ref.server, work)

    async def play(self, player: PlayerRef, titles: Sequence[Title]) -> Title:
        """Play titles of one server one after the other, at most `PLAYED_MAX`; what starts.

        A player sees only what belongs to the account it is signed in with, which is seldom that of whoever owns the
        playlist: so it gets the titles and not the playlist itself.
        """
        if not titles:
            raise UserError("There is nothing in it that could be played.", "nothing_to_play")
        server = self._plex.server(titles[0].ref.server)
        if player.server != server.name:
            await self._plex.server(player.server).players.find(player.player_id)
        keys = [title.ref.rating_key for title in titles[:PLAYED_MAX]]
        kind = media_type(titles[0])
        return await server.remote.play_all(player.player_id, keys, kind, server.adapter(), server.address())

    async def _of_server(self, profile_id: ProfileId, server: ServerId) -> list[Playlist] | UserError | UpstreamError:
        try:
            answer = await self._access.read(
                profile_id, server, "/playlists", decode=container, start=0, size=PLAYLISTS_MAX
            )
        except (UserError, UpstreamError) as error:
            return error
        found = (_playlist(server, shape) for shape in entries(answer.Metadata, _PlaylistShape))
        return [one for one in found if one is not None][:PLAYLISTS_MAX]

    async def _change(
        self, profile_id: ProfileId, server: ServerId, work: Callable[[Any], T], *, gone: str = _GONE
    ) -> T:
        try:
            return await self._access.act(profile_id, server, work)
        except UpstreamError as error:
            raise _gone(error, gone) from None
        finally:
            self._glances.drop(profile_id)


def check_plain(playlist: Playlist) -> None:
    """UserError `smart_playlist` when nobody can change it by hand."""
    if playlist.is_smart:
        raise UserError(
            f"{playlist.name} is a smart playlist: a filter fills it, so Plex lets nobody put titles in or take them "
            "out; the filter can be changed in a Plex app.",
            "smart_playlist",
        )


def check_fits(playlist: Playlist, title: Title) -> None:
    """UserError `smart_playlist`, `title_elsewhere` or `other_media` when the title cannot be put in."""
    check_plain(playlist)
    if title.ref.server != playlist.ref.server:
        raise UserError(
            f"{title} is on the server {title.ref.server} and {playlist.name} on {playlist.ref.server}; a playlist of "
            "Plex holds titles of its own server only.",
            "title_elsewhere",
        )
    if (media_type(title) == "music") != playlist.is_music:
        holds, other = ("music", "films and shows") if playlist.is_music else ("films and shows", "music")
        raise UserError(f"{playlist.name} holds {holds}; Plex does not mix that with {other}.", "other_media")


def _playlist(server: ServerId, shape: _PlaylistShape) -> Playlist | None:
    """None for playlists of photos."""
    key, kind = text(shape.ratingKey), text(shape.playlistType)
    if key is None or not key.isdigit() or kind not in ("video", "audio"):
        return None
    name = plain(text(shape.title) or "") or "Untitled playlist"
    length_ms = number(shape.duration) or 0
    return Playlist(
        TitleRef(server, RatingKey(key)),
        name,
        kind == "audio",
        flag(shape.smart),
        number(shape.leafCount) or 0,
        length_ms,
    )


def _entry(server: ServerId, shape: _EntryShape) -> Entry | None:
    entry_id, title = number(shape.playlistItemID) or number(shape.ratingKey), to_title(server, shape)
    if entry_id is None or title is None or title.kind is TitleKind.PLAYLIST:
        return None
    parents = (text(shape.parentRatingKey), text(shape.grandparentRatingKey))
    return Entry(entry_id, title, tuple(parent for parent in parents if parent))


def _entry_page(body: bytes) -> tuple[int, list[_EntryShape]]:
    """(total, entries) of a page."""
    answer = container(body)
    found = entries(answer.Metadata, _EntryShape)
    total = number(answer.totalSize)
    return (len(found) if total is None else total), found


def _gone(error: UpstreamError, sentence: str = _GONE) -> UserError | UpstreamError:
    return UserError(sentence, "no_playlist") if error.kind is UpstreamKind.NOT_FOUND else error

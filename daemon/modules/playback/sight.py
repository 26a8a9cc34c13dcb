"""What playback shows to whom: of all that plays, only what the one who asks may see of the libraries.

A server of which somebody sees nothing is left out, with its players. Of a playback in a library they do not see, or of
a title that is kept from their account, they are told that something plays there and no more. What is in no library of
the mirror (live television, photos, trailers, a title that was added a moment ago) is seen where its library is told
and seen whole, and else by those who see all of its server.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from daemon.core.errors import UserError
from daemon.core.ids import RatingKey, ServerId
from daemon.core.media import (
    Failures,
    NowPlaying,
    Playback,
    Player,
    PlayerRef,
    PlayQueue,
    Roster,
    Title,
    TitleKind,
    TitleRef,
)
from daemon.core.visibility import Visibility
from daemon.services.library import Shelves
from daemon.services.visibility import VisibilityService
from integrations.plex import Plex, seen_roster

from .orders import Asker

HIDDEN = "Something not shown here"
_NO_KEY = RatingKey("")


def hidden_title(server: ServerId) -> Title:
    """Stands where a title stands that is not shown."""
    return Title(TitleRef(server, _NO_KEY), TitleKind.CLIP, HIDDEN)


def is_hidden(title: Title) -> bool:
    """Whether it only stands for a title that is not shown."""
    return title.ref.rating_key == _NO_KEY


class Sight:
    """Asks Plex and leaves out what the asker may not see. UpstreamError also when the database does not answer."""

    def __init__(self, plex: Plex, shelves: Shelves, visibility: VisibilityService) -> None:
        self._plex = plex
        self._shelves = shelves
        self._visibility = visibility

    async def of(self, asker: Asker) -> Visibility:
        """What they may see."""
        return await self._visibility.of(asker.member_id, asker.guild_id)

    async def title(self, ref: TitleRef, asker: Asker) -> Title:
        """A title as its server has it now. UserError as for one that is not there when they may not see it."""
        self.check_server(ref.server, await self.of(asker))
        title = await self._plex.title(ref)
        if not await self.seen([title], asker):
            raise UserError("That title is no longer on the server.", "title_gone")
        return title

    async def shown(self, title: Title, asker: Asker) -> Title:
        """The title, or what stands for it."""
        return title if await self.seen([title], asker) else hidden_title(title.ref.server)

    async def seen(self, titles: Iterable[Title], asker: Asker) -> list[Title]:
        """Those of the titles that they may see, in their order."""
        titles = list(titles)
        seen = await self._shelves.seen(await self.of(asker), titles)
        return [title for title in titles if title.ref in seen]

    async def is_whole(self, title: Title, asker: Asker) -> bool:
        """Whether they see all that plays with a title: its parts, and what an episode goes on with."""
        return not await self._shelves.hides_around(await self.of(asker), title.ref)

    async def roster(self, asker: Asker, *, is_fresh: bool = False) -> Roster:
        """The players of the servers that they see."""
        return await seen_roster(self._plex, await self.of(asker), is_fresh=is_fresh)

    async def now_playing(self, asker: Asker) -> NowPlaying:
        """What plays on the servers that they see, titles that they do not see replaced."""
        sees = await self.of(asker)
        now = await self._plex.now_playing()
        if sees.libraries is None:
            return now
        playbacks = [one for one in now.playbacks if sees.sees_of(one.player.ref.server)]
        failures = _of_seen(now.failures, sees)
        ages_s = {server: age_s for server, age_s in now.ages_s.items() if server in failures}
        is_blind = self._all_failed(failures, sees) and not ages_s
        return NowPlaying(tuple(await self.playbacks(playbacks, asker)), failures, is_blind, ages_s)

    async def playback(self, player: PlayerRef, asker: Asker) -> Playback | None:
        """What plays there; None also for a player that they do not see."""
        if not (await self.of(asker)).sees_of(player.server):
            return None
        playback = await self._plex.playback(player)
        return None if playback is None else (await self.playbacks([playback], asker))[0]

    async def playbacks(self, playbacks: Sequence[Playback], asker: Asker) -> list[Playback]:
        """The same, with nothing to be learnt of titles that they may not see."""
        seen = {title.ref for title in await self.seen([playback.title for playback in playbacks], asker)}
        return [one if one.title.ref in seen else _hidden(one) for one in playbacks]

    async def queue(self, queue: PlayQueue | None, asker: Asker) -> PlayQueue | None:
        """The same, each entry in its place, titles that they may not see replaced."""
        if queue is None:
            return None
        seen = {title.ref for title in await self.seen([item.title for item in queue.items], asker)}
        items = (
            item if item.title.ref in seen else replace(item, title=hidden_title(item.title.ref.server))
            for item in queue.items
        )
        return replace(queue, items=tuple(items))

    def players(self, players: Iterable[Player], sees: Visibility) -> tuple[Player, ...]:
        """Those on servers that are seen."""
        return tuple(player for player in players if sees.sees_of(player.ref.server))

    def servers(self, sees: Visibility) -> list[ServerId]:
        """The servers of which something is seen."""
        return [state.server for state in self._plex.server_states() if sees.sees_of(state.server)]

    def check_server(self, server: ServerId, sees: Visibility) -> None:
        """Raise what is raised for a server that there is not, when nothing of it is seen."""
        if not sees.sees_of(server):
            raise UserError(f"There is no Plex server named {server} any more.", "server_unknown")

    def _all_failed(self, failures: Failures, sees: Visibility) -> bool:
        return bool(failures) and len(failures) == len(self.servers(sees))


def _of_seen(failures: Failures, sees: Visibility) -> Failures:
    return {server: error for server, error in failures.items() if sees.sees_of(server)}


def _hidden(playback: Playback) -> Playback:
    """Who watches, how long it is and which tracks it has could tell what it is."""
    return replace(
        playback,
        title=hidden_title(playback.title.ref.server),
        position_ms=0,
        duration_ms=0,
        account=None,
        is_transcoding=False,
        audio=(),
        subtitles=(),
    )

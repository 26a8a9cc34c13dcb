"""What plays on a player and what comes next, as it was a moment ago: for lists that appear while somebody types."""

from __future__ import annotations

from daemon.core.errors import UserError
from daemon.core.events import ServerBack
from daemon.core.media import Playback, PlayerRef, PlayQueue
from daemon.services.cache import Cache, Missing
from integrations.plex import Plex

_FRESH_S = 3.0  # a few keystrokes
_STALE_S = 300.0  # tracks rarely change while something plays
_PATIENCE_S = 1.0  # well within the time after which a list is worth nothing
_PLAYERS_MAX = 200


class Glances:
    """Plex is asked once for all who type; while it is slow or away, what it told last has to do."""

    def __init__(self, plex: Plex, cache: Cache) -> None:
        self._plex = plex
        self._cache = cache
        self._playbacks = cache.region(
            "playback.playbacks",
            Playback,
            ttl_s=_FRESH_S,
            stale_s=_STALE_S,
            patience_s=_PATIENCE_S,
            negative_ttl_s=_FRESH_S,
            items_max=_PLAYERS_MAX,
        )
        self._queues = cache.region(
            "playback.queues",
            PlayQueue,
            ttl_s=_FRESH_S,
            stale_s=_STALE_S,
            patience_s=_PATIENCE_S,
            negative_ttl_s=_FRESH_S,
            items_max=_PLAYERS_MAX,
        )

    async def playback(self, player: PlayerRef) -> Playback | None:
        """What plays there, with its streams; None when nothing does. UpstreamError when nobody knows."""

        async def load() -> Playback:
            try:
                playback = await self._plex.playback(player)
            except UserError as error:
                raise Missing(error.code) from error
            if playback is None:
                raise Missing("nothing_playing")
            return playback

        try:
            return await self._playbacks.get(str(player), load, _tags(player))
        except Missing:
            return None

    async def queue(self, player: PlayerRef) -> PlayQueue | None:
        """What it plays from; None when from no queue. UpstreamError when nobody knows."""

        async def load() -> PlayQueue:
            try:
                queue = await self._plex.queue(player)
            except UserError as error:
                raise Missing(error.code) from error
            if queue is None:
                raise Missing("no_queue")
            return queue

        try:
            return await self._queues.get(str(player), load, _tags(player))
        except Missing:
            return None

    async def forget(self, player: PlayerRef) -> None:
        """The player was told something: what was seen of it is no longer true."""
        await self._cache.invalidate(f"player:{player}")

    async def forget_server(self, event: ServerBack) -> None:
        """Much may have happened on a server while it was away."""
        await self._cache.invalidate(f"server:{event.server}")


def _tags(player: PlayerRef) -> tuple[str, str]:
    return f"player:{player}", f"server:{player.server}"

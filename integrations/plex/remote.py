"""Remote control of one server's players: what people press."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote_plus

from yarl import URL

from daemon.core.errors import UpstreamError, UserError
from daemon.core.ids import PlayerId, RatingKey, ServerId
from daemon.core.media import Title, TitleKind, TitleRef
from integrations.plex.adapter import Adapter
from integrations.plex.adapter_values import QueueMade
from integrations.plex.control import Control
from integrations.plex.parse import is_continuous, media_type
from integrations.plex.playbacks import PlayerMemory
from integrations.plex.players import Known, Players
from integrations.plex.sessions import Sessions
from integrations.plex.titles import Detail, Titles

_LIBRARY = "com.plexapp.plugins.library"


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a player fetches from: the configured URL, and the identifier by which it may know a better one."""

    url: URL
    machine_id: str

    def params(self) -> dict[str, str | int]:
        """As parameters of a play command."""
        return {
            "machineIdentifier": self.machine_id,
            "protocol": self.url.scheme,
            "address": self.url.host or "",
            "port": self.url.port or (443 if self.url.scheme == "https" else 80),
        }


class Remote:
    """Plays titles and sends commands. UserError when the player is the reason, UpstreamError when the server is."""

    def __init__(
        self,
        server: ServerId,
        players: Players,
        control: Control,
        titles: Titles,
        sessions: Sessions,
        memory: PlayerMemory,
    ) -> None:
        self._server = server
        self._players = players
        self._control = control
        self._titles = titles
        self._sessions = sessions
        self._memory = memory

    async def play(
        self,
        player_id: PlayerId,
        ref: TitleRef,
        adapter: Adapter,
        address: ServerAddress,
        *,
        resume: bool,
        shuffle: bool,
        offset_ms: int | None = None,
        goes_on: bool = True,
    ) -> Title:
        """Make a play queue of the title and have the player play it; returns the title that really starts.

        A show or season starts with its next unwatched episode and goes on from there, unless shuffled; an album,
        artist or playlist with its first track. `offset_ms` is where somebody has left it whose account is another.
        """
        known = await self._players.find(player_id)
        detail = await self._titles.detail(ref)
        start = detail
        if detail.title.kind in (TitleKind.SHOW, TitleKind.SEASON) and not shuffle:
            start = await self._titles.detail((await self._titles.next_unwatched(detail)).ref)
        queue = await adapter.create_queue(
            _queue_params(address.machine_id, detail, start, is_shuffled=shuffle, goes_on=goes_on)
        )
        if queue.rating_key is None or queue.key is None:
            raise UserError(f"There is nothing to play in {detail.title}.", "nothing_to_play")
        started = start.title
        if queue.rating_key != started.ref.rating_key:
            started = (await self._titles.detail(TitleRef(self._server, RatingKey(queue.rating_key)))).title
        left_ms = started.view_offset_ms if offset_ms is None else offset_ms
        await self._start(known, queue, detail.media_type, adapter, address, left_ms if resume else 0)
        return started

    async def play_all(
        self, player_id: PlayerId, keys: Sequence[RatingKey], kind: str, adapter: Adapter, address: ServerAddress
    ) -> Title:
        """Make a play queue of these titles, films and episodes or tracks, and have the player begin with the first.

        `kind` is "video" or "music".
        """
        known = await self._players.find(player_id)
        path = quote_plus(f"/library/metadata/{','.join(keys)}")
        params: dict[str, str | int] = {
            "type": "audio" if kind == "music" else "video", "uri": f"library:///directory/{path}", "shuffle": 0,
            "repeat": 0, "continuous": 0, "includeChapters": 1, "includeRelated": 1, "own": 1,
        }  # fmt: skip
        queue = await adapter.create_queue(params)
        if queue.rating_key is None or queue.key is None:
            raise UserError("None of these titles can be played.", "nothing_to_play")
        started = (await self._titles.detail(TitleRef(self._server, RatingKey(queue.rating_key)))).title
        await self._start(known, queue, kind, adapter, address, 0)
        return started

    async def _start(
        self, known: Known, queue: QueueMade, kind: str, adapter: Adapter, address: ServerAddress, offset_ms: int
    ) -> None:
        params: dict[str, str | int] = {
            "providerIdentifier": _LIBRARY,
            **address.params(),
            "offset": offset_ms,
            "key": queue.key or "",
            "type": kind,
            "containerKey": f"/playQueues/{queue.queue_id}?window=100&own=1",
        }
        token = await adapter.delegation_token()
        if token:
            params["token"] = token
        await self._control.send(known.target, "playback/playMedia", params)
        player_id = known.player.ref.player_id
        self._memory.queues.put(player_id, queue.queue_id)
        self._memory.media_types.put(player_id, kind)
        self._changed()

    async def send(self, player_id: PlayerId, command: str, params: Mapping[str, str | int] | None = None) -> None:
        """Send `playback/<command>` with the media type of what plays there."""
        known = await self._players.find(player_id)
        given = {**(params or {}), "type": await self._media_type(player_id)}
        await self._control.send(known.target, f"playback/{command}", given)
        self._changed()

    async def _media_type(self, player_id: PlayerId) -> str:
        """Players act on one media type: what plays now, as far as it can be known quickly, else video."""
        known = self._memory.media_types.get(player_id)
        if known is not None:
            return known
        try:
            session = await self._sessions.of(player_id)
        except UpstreamError:
            session = None
        return media_type(session.title) if session is not None else "video"

    def _changed(self) -> None:
        self._sessions.forget()
        self._players.forget()


def _queue_params(
    machine_id: str, detail: Detail, start: Detail, *, is_shuffled: bool, goes_on: bool
) -> dict[str, str | int]:
    """What the queue holds: an episode and all after it, or everything below the title, begun where `start` says."""
    kind = detail.title.kind
    source = start if kind is TitleKind.SHOW else detail
    params: dict[str, str | int] = {
        "type": "audio" if detail.media_type == "music" else "video",
        "uri": f"server://{machine_id}/{_LIBRARY}{source.key}",
        "shuffle": int(is_shuffled),
        "repeat": 0,
        "continuous": int(goes_on and is_continuous(source.title.kind) and not is_shuffled),
        "includeChapters": 1,
        "includeRelated": 1,
        "own": 1,
    }
    if kind is TitleKind.PLAYLIST:
        params["playlistID"] = detail.title.ref.rating_key
    if source is not start:
        params["key"] = start.key
    return params

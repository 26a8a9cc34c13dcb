"""What one player plays: the server's session and the player's own word, put together."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from daemon.core.clock import Clock
from daemon.core.errors import UpstreamError, UserError
from daemon.core.ids import PlayerId, RatingKey, ServerId
from daemon.core.media import Playback, PlayState, Stream, Title, TitleRef
from integrations.plex.adapter_values import TimelineState
from integrations.plex.bounded import Recent
from integrations.plex.config import PlexTimeouts
from integrations.plex.connection import Connection
from integrations.plex.control import Control
from integrations.plex.http import within
from integrations.plex.parse import NO_KEY, Streams, media_type, to_state
from integrations.plex.players import Known, Players
from integrations.plex.sessions import Sessions
from integrations.plex.titles import Titles

_PLAYERS_MAX = 500


class PlayerMemory:
    """What is worth knowing of a player between commands: the queue it plays from and the media type it plays."""

    def __init__(self) -> None:
        self.queues: Recent[PlayerId, int] = Recent(_PLAYERS_MAX, 24 * 3600.0)
        self.media_types: Recent[PlayerId, str] = Recent(_PLAYERS_MAX, 24 * 3600.0)


class Playbacks:
    """Reads playbacks of one server's players.

    The session says who plays what; the player itself knows better where it is (it reports to the server every 10 s
    only) and alone knows its volume. Without a session the player's word is enough.
    """

    def __init__(
        self,
        server: ServerId,
        connection: Connection,
        sessions: Sessions,
        players: Players,
        control: Control,
        titles: Titles,
        memory: PlayerMemory,
        clock: Clock,
        timeouts: PlexTimeouts,
    ) -> None:
        self._server = server
        self._connection = connection
        self._sessions = sessions
        self._players = players
        self._control = control
        self._titles = titles
        self._memory = memory
        self._clock = clock
        self._timeouts = timeouts

    async def of(self, player_id: PlayerId) -> Playback | None:
        """What the player plays, None when nothing. Raises UpstreamError when neither it nor the server tells."""
        (session, failure), timelines = await asyncio.gather(self._session(player_id), self.timelines(player_id))
        active = next((line for line in timelines if to_state(line.state) is not PlayState.STOPPED), None)
        if active is not None:
            self._learn(player_id, active)
        if session is None and active is not None:
            known = self._players.peek(player_id)
            session = await self._from_timeline(known, active) if known is not None else None
        if session is None:
            if failure is not None and active is None:
                raise failure
            return None
        self._memory.media_types.put(player_id, media_type(session.title))
        return await self._with_streams(self._merge(session, active), active)

    async def timelines(self, player_id: PlayerId) -> tuple[TimelineState, ...]:
        """What the player says of itself about titles of this server; empty when it does not tell in time."""
        known = self._players.peek(player_id)
        if known is None:
            try:
                await self._players.listed()
            except UpstreamError:
                return ()
            known = self._players.peek(player_id)
        if known is None or known.player.problem is not None:
            return ()
        told = await within(self._timeouts.player_s, self._control.timelines(known.target))
        return tuple(line for line in told or () if line.machine_id in (None, "", self._connection.machine_id))

    async def _session(self, player_id: PlayerId) -> tuple[Playback | None, UpstreamError | None]:
        try:
            return await self._sessions.of(player_id), None
        except UpstreamError as error:
            return None, error

    async def _from_timeline(self, known: Known, line: TimelineState) -> Playback | None:
        if line.rating_key is None or not line.rating_key.isdigit():
            return None
        try:
            title = (await self._titles.known_detail(TitleRef(self._server, RatingKey(line.rating_key)))).title
        except (UserError, UpstreamError):
            return None
        state = to_state(line.state)
        return Playback(
            player=replace(known.player, state=state),
            title=title,
            state=state,
            position_ms=line.position_ms or 0,
            duration_ms=line.duration_ms or title.duration_ms or 0,
            seen_at=self._clock.now(),
        )

    def _merge(self, session: Playback, line: TimelineState | None) -> Playback:
        if line is None:
            return session
        if line.volume is not None:
            session = replace(session, volume=max(0, min(100, line.volume)))
        if line.rating_key != session.title.ref.rating_key or line.position_ms is None:
            return session
        state = to_state(line.state)
        return replace(
            session,
            player=replace(session.player, state=state),
            state=state,
            position_ms=max(0, line.position_ms),
            duration_ms=session.duration_ms or line.duration_ms or 0,
            seen_at=self._clock.now(),
        )

    async def _with_streams(self, playback: Playback, line: TimelineState | None) -> Playback:
        """With all streams to choose from; a session that is transcoded names only those in use."""
        in_use = (playback.audio, playback.subtitles)
        offered = await self._offered(playback.title, {stream.stream_id for kind in in_use for stream in kind})
        if offered is None:
            return playback
        audio_id = _selected(in_use[0], offered[0]) if line is None or not line.audio_id else line.audio_id
        if line is not None and line.subtitle_id is not None:
            subtitle_id: int | None = line.subtitle_id
        else:
            subtitle_id = _selected(in_use[1], offered[1] if playback.session_key is None else ())
        audio, subtitles = _with_selected(offered[0], audio_id), _with_selected(offered[1], subtitle_id)
        return replace(playback, audio=audio, subtitles=subtitles)

    async def _offered(self, title: Title, in_use: set[int]) -> Streams | None:
        """Streams of the file that plays: the one that has most of the streams in use, else the default one."""
        if title.ref.rating_key == NO_KEY:
            return None
        try:
            parts = (await self._titles.known_detail(title.ref)).parts
        except (UserError, UpstreamError):
            return None
        return max(parts, key=lambda part: len(in_use & {s.stream_id for kind in part for s in kind}), default=None)

    def _learn(self, player_id: PlayerId, line: TimelineState) -> None:
        self._memory.media_types.put(player_id, line.media_type)
        if line.queue_id is not None:
            self._memory.queues.put(player_id, line.queue_id)


def _selected(*kinds: tuple[Stream, ...]) -> int | None:
    return next((stream.stream_id for streams in kinds for stream in streams if stream.is_selected), None)


def _with_selected(streams: tuple[Stream, ...], stream_id: int | None) -> tuple[Stream, ...]:
    return tuple(replace(stream, is_selected=stream.stream_id == stream_id) for stream in streams)

"""All Plex servers behind one door: what modules ask and what they have done."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any, TypeVar

from daemon.core.clock import Clock
from daemon.core.errors import UpstreamError, UserError
from daemon.core.ids import PlayerId, RatingKey, ServerId
from daemon.core.media import (
    NowPlaying,
    Playback,
    Player,
    PlayerRef,
    PlayQueue,
    Roster,
    Stream,
    Title,
    TitleRef,
)
from daemon.kernel.health import Health
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.cache import Cache
from daemon.services.servers import Servers
from integrations.plex.adapter import AdapterThreads
from integrations.plex.config import PlexServerConfig, PlexTimeouts
from integrations.plex.connection import ServerState
from integrations.plex.http import new_session, within
from integrations.plex.mirror import About, MirrorReader
from integrations.plex.posters import posters_region
from integrations.plex.server import Server, Surroundings
from integrations.plex.together import ask_all, attempt
from integrations.plex.told import Told

T = TypeVar("T")
Listener = Callable[[ServerId, PlayerId | None], None]
LibraryListener = Callable[[ServerId, int | None], None]

_WARM_S = 5.0


class Plex:
    """Every server of the configuration. A server that is down never delays what concerns the others.

    Methods that concern one server raise UpstreamError when it fails and UserError when the caller can help it
    (`player_gone`, `player_uncontrollable`, `player_refused`, `title_gone`, `nothing_to_play`, `nothing_playing`,
    `no_queue`, `not_in_queue`, `server_unknown`); methods over all servers leave out those that fail.
    """

    def __init__(
        self,
        servers: Mapping[ServerId, PlexServerConfig],
        registry: Servers,
        client_identifier: str,
        supervisor: Supervisor,
        health: Health,
        metrics: Metrics,
        clock: Clock,
        cache: Cache,
        timeouts: PlexTimeouts | None = None,
        *,
        rng: random.Random | None = None,
    ) -> None:
        self._configs = servers
        self._registry = registry
        self._client_identifier = client_identifier
        self._supervisor = supervisor
        self._health = health
        self._metrics = metrics
        self._clock = clock
        self._timeouts = timeouts or PlexTimeouts()
        self._rng = rng or random.Random()
        self._servers: dict[ServerId, Server] = {}
        self._shared: Surroundings | None = None
        self._listeners: list[Listener] = []
        self._library_listeners: list[LibraryListener] = []
        self._told = Told(cache)
        self._posters = posters_region(cache)

    async def start(self) -> None:
        """Begin to look after the servers, in the background; returns at once."""
        shared = self._shared = Surroundings(
            self._client_identifier,
            new_session(),
            AdapterThreads(),
            self._registry,
            self._supervisor,
            self._health,
            self._metrics,
            self._clock,
            self._timeouts,
            self._rng,
            self._posters,
        )
        for name, config in self._configs.items():
            self._servers[name] = Server(name, config, shared, self._tell, self._tell_library)
        for server in self._servers.values():
            server.start()
        self._told.region.warm(list(self._servers), self._first_told)

    async def stop(self) -> None:
        """End every task and connection."""
        await self._supervisor.cancel("plex")
        self._health.remove(owner="plex")
        for server in self._servers.values():
            await server.close()
        if self._shared is not None:
            self._shared.threads.close()
            await self._shared.session.close()
        self._servers, self._shared = {}, None

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(server, player)` whenever something played, paused, moved on or stopped.

        Player None: anything on that server may have changed. Call the result to listen no more. Notices can be
        missed, so look from time to time as well.
        """
        return _add(self._listeners, listener)

    def on_library(self, listener: LibraryListener) -> Callable[[], None]:
        """Call `listener(server, rating key)` whenever a title was added, changed or deleted.

        None: anything may have changed, because notices were missed. Call the result to listen no more.
        """
        return _add(self._library_listeners, listener)

    def mirrors(self) -> tuple[MirrorReader, ...]:
        """Who reads the libraries of each server, whole, for the mirror; once started."""
        return tuple(server.mirror for server in self._servers.values())

    def server_states(self) -> tuple[ServerState, ...]:
        """What is known of each server, in the order of the configuration."""
        return tuple(server.connection.state for server in self._servers.values())

    def machine_id(self, server: ServerId) -> str:
        """Who the server is. UpstreamError while it was never reached."""
        return self.server(server).machine_id()

    # Titles

    async def title(self, ref: TitleRef) -> Title:
        """A title as its server has it now."""
        return (await self.server(ref.server).titles.detail(ref)).title

    async def children(self, ref: TitleRef) -> tuple[Title, ...]:
        """What is one level below a title: seasons, episodes, albums, tracks, in their order."""
        return await self.server(ref.server).titles.children(ref)

    async def next_unwatched(self, ref: TitleRef) -> Title:
        """The episode with which a show or season goes on for the account of the server's token."""
        titles = self.server(ref.server).titles
        return await titles.next_unwatched(await titles.detail(ref))

    async def poster(self, title: Title, *, width: int = 300) -> bytes | None:
        """The title's poster as JPEG or PNG, at most 2 MB; None when there is none to be had."""
        server = self._servers.get(title.ref.server)
        return await server.posters.fetch(title, width) if server is not None else None

    async def about(self, refs: Collection[TitleRef]) -> dict[TitleRef, About]:
        """What only the server knows of these titles, of those whose servers answer; a hundred a server at most."""
        by_server: dict[ServerId, list[int]] = {}
        for ref in refs:
            by_server.setdefault(ref.server, []).append(int(ref.rating_key))
        found: dict[TitleRef, About] = {}
        for name, keys in by_server.items():
            answer = await attempt(self.server(name).mirror.about(keys))
            if not isinstance(answer, UpstreamError):
                found |= {TitleRef(name, RatingKey(str(key))): about for key, about in answer.items()}
        return found

    # Players

    async def players(self) -> tuple[Player, ...]:
        """Players of all servers that answer, controllable ones first; a few seconds old at most.

        A player known to several servers is listed for each.
        """
        return (await self.roster()).players

    async def roster(self, *, is_fresh: bool = False) -> Roster:
        """As `players`, or read now (`is_fresh`), with how the servers failed whose players are therefore missing."""
        answers = await self._ask_all(lambda server: server.players.listed(is_fresh=is_fresh))
        players = [player for answer in answers.values() if not isinstance(answer, UpstreamError) for player in answer]
        ordered = tuple(sorted(players, key=lambda player: player.problem is not None))
        failures = {name: answer for name, answer in answers.items() if isinstance(answer, UpstreamError)}
        return Roster(ordered, failures, bool(failures) and len(failures) == len(answers))

    async def playback(self, ref: PlayerRef) -> Playback | None:
        """What a player plays, with position, volume and all streams; None when nothing.

        A player that plays from another server than the one it is named for is found there.
        """
        playback = await self.server(ref.server).playbacks.of(ref.player_id)
        if playback is not None:
            return playback
        for server in self._servers.values():
            if server.name != ref.server and server.connection.state.is_up:
                elsewhere = await attempt(server.sessions.of(ref.player_id))
                if isinstance(elsewhere, Playback):
                    return await server.playbacks.of(ref.player_id)
        return None

    async def now_playing(self) -> NowPlaying:
        """What plays everywhere, as the servers tell it or told it within ten minutes, and which servers did not."""
        return await self._told.complete(await self._ask_all(lambda server: server.sessions.read()))

    async def streams(self, player: PlayerRef) -> tuple[Stream, ...]:
        """Audio, then subtitle streams of what plays; UserError `nothing_playing`."""
        playback = await self.playback(player)
        if playback is None:
            raise UserError("Nothing is playing there.", "nothing_playing")
        return playback.audio + playback.subtitles

    # Commands: each is sent to the player, whatever is believed of its state

    async def play(
        self,
        player: PlayerRef,
        title: TitleRef,
        *,
        resume: bool,
        shuffle: bool,
        offset_ms: int | None = None,
        goes_on: bool = True,
    ) -> Title:
        """Play a title and return what really starts: for a show or season its next unwatched episode.

        It is resumed at `offset_ms`, or where the account of the server's token has left it. `goes_on`: after an
        episode or a track, those behind it.
        """
        server = self.server(title.server)
        if player.server != title.server:
            await self.server(player.server).players.find(player.player_id)
        return await server.remote.play(
            player.player_id, title, server.adapter(), server.address(),
            resume=resume, shuffle=shuffle, offset_ms=offset_ms, goes_on=goes_on,
        )  # fmt: skip

    async def pause(self, player: PlayerRef) -> None:
        """Pause."""
        await self._send(player, "pause")

    async def resume(self, player: PlayerRef) -> None:
        """Go on playing."""
        await self._send(player, "play")

    async def stop_playback(self, player: PlayerRef) -> None:
        """Stop."""
        await self._send(player, "stop")

    async def next(self, player: PlayerRef) -> None:
        """The next title of the queue."""
        await self._send(player, "skipNext")

    async def previous(self, player: PlayerRef) -> None:
        """The previous title of the queue, or the beginning of this one."""
        await self._send(player, "skipPrevious")

    async def seek(self, player: PlayerRef, position_ms: int) -> None:
        """Go to a position."""
        await self._send(player, "seekTo", {"offset": max(0, position_ms)})

    async def set_volume(self, player: PlayerRef, percent: int) -> None:
        """Set the volume, 0 to 100."""
        await self._send(player, "setParameters", {"volume": max(0, min(100, percent))})

    async def set_audio(self, player: PlayerRef, stream_id: int) -> None:
        """Choose an audio stream."""
        await self._send(player, "setStreams", {"audioStreamID": stream_id})

    async def set_subtitles(self, player: PlayerRef, stream_id: int | None) -> None:
        """Choose subtitles; None turns them off."""
        await self._send(player, "setStreams", {"subtitleStreamID": stream_id or 0})

    # Queues

    async def queue(self, player: PlayerRef) -> PlayQueue | None:
        """What a player plays from; None when from no queue."""
        return await self.server(player.server).queues.of(player.player_id)

    async def queue_add(self, player: PlayerRef, title: TitleRef) -> None:
        """Put a title into the player's queue."""
        server = self.server(player.server)
        if title.server != player.server:
            raise UserError("That title is on another server than what plays there.", "title_elsewhere")
        await server.queues.add(player.player_id, title, server.adapter(), server.machine_id())

    async def queue_remove(self, player: PlayerRef, item_id: int) -> None:
        """Take one entry out of the player's queue."""
        server = self.server(player.server)
        await server.queues.remove(player.player_id, item_id, server.adapter())

    async def queue_clear(self, player: PlayerRef) -> None:
        """Empty the player's queue; what plays goes on."""
        server = self.server(player.server)
        await server.queues.clear(player.player_id, server.adapter())

    async def queue_shuffle(self, player: PlayerRef) -> None:
        """Mix what comes next on the player."""
        server = self.server(player.server)
        await server.queues.shuffle(player.player_id, server.adapter())

    async def _first_told(self, name: str) -> tuple[Playback, ...]:
        """So that there is something to fall back on should the server go away before anybody has asked."""
        server = self.server(ServerId(name))
        await within(_WARM_S, server.connection.wait_up())
        return await server.sessions.read()

    async def _send(self, player: PlayerRef, command: str, params: Mapping[str, str | int] | None = None) -> None:
        await self.server(player.server).remote.send(player.player_id, command, params)

    async def _ask_all(self, ask: Callable[[Server], Coroutine[Any, Any, T]]) -> Mapping[ServerId, T | UpstreamError]:
        return await ask_all(self._supervisor, {name: ask(server) for name, server in self._servers.items()})

    def server(self, name: ServerId) -> Server:
        """One server, for the parts of the integration that stand beside this class. UserError `server_unknown`."""
        server = self._servers.get(name)
        if server is None:
            raise UserError(f"There is no Plex server named {name} any more.", "server_unknown")
        return server

    def _tell(self, server: ServerId, player: PlayerId | None) -> None:
        for listener in tuple(self._listeners):
            listener(server, player)

    def _tell_library(self, server: ServerId, rating_key: int | None) -> None:
        for listener in tuple(self._library_listeners):
            listener(server, rating_key)


def _add(listeners: list[T], listener: T) -> Callable[[], None]:
    listeners.append(listener)

    def forget() -> None:
        if listener in listeners:
            listeners.remove(listener)

    return forget

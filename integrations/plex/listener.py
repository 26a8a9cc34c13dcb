"""The server's websocket: who plays what, and which libraries changed. Comes back for ever."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
import structlog

from daemon.core.ids import PlayerId
from daemon.core.media import PlayState
from daemon.kernel.retry import backoff
from daemon.kernel.trace import traced
from integrations.plex.config import PlexTimeouts
from integrations.plex.connection import Connection
from integrations.plex.http import ServerHttp
from integrations.plex.parse import to_state
from integrations.plex.shapes import PlayingShape, TimelineShape, entries, message, number, text

_log = structlog.get_logger(__name__)

_PATH = "/:/websockets/notifications"
_MESSAGE_BYTES_MAX = 1024 * 1024
_TITLE_DONE, _TITLE_DELETED = 5, 9


@dataclass(frozen=True, slots=True)
class PlayNotice:
    """A player did something. `queue_id` is the play queue it plays from, where told."""

    player_id: PlayerId
    state: PlayState
    queue_id: int | None


class Listener:
    """Reads every entry of every message. `on_gap` is called after each (re)connection: notices may be missing.

    `on_library` is given the rating key of a title that was added, changed or deleted; None when the notice names none.
    """

    def __init__(
        self,
        http: ServerHttp,
        connection: Connection,
        timeouts: PlexTimeouts,
        rng: random.Random,
        *,
        on_play: Callable[[PlayNotice], None],
        on_library: Callable[[int | None], None],
        on_gap: Callable[[], None],
    ) -> None:
        self._http = http
        self._connection = connection
        self._timeouts = timeouts
        self._rng = rng
        self._on_play = on_play
        self._on_library = on_library
        self._on_gap = on_gap
        self._last_problem = ""

    async def run(self) -> None:
        """For ever: connect once the server is up, listen until the connection ends, come back after a back-off."""
        attempt = 0
        while True:
            await self._connection.wait_up()
            has_listened = await self._listen()
            attempt = 0 if has_listened else attempt + 1
            if has_listened:
                self._connection.look_now()  # a dropped socket is the first sign of a server going away
            wait_s = backoff(
                attempt, first_s=self._timeouts.retry_first_s, max_s=self._timeouts.retry_max_s, rng=self._rng
            )
            await asyncio.sleep(wait_s)

    async def _listen(self) -> bool:
        """Whether a connection came about; returns when it has ended."""
        headers = {name: value for name, value in self._http.headers.items() if name != "Accept"}
        timeout = aiohttp.ClientWSTimeout(ws_receive=None, ws_close=self._timeouts.connect_s)
        has_listened = False
        try:
            async with asyncio.timeout(self._timeouts.request_s) as patience:
                async with self._http.session.ws_connect(
                    self._http.url(_PATH),
                    headers=headers,
                    heartbeat=self._timeouts.ping_s,
                    timeout=timeout,
                    max_msg_size=_MESSAGE_BYTES_MAX,
                ) as socket:
                    patience.reschedule(None)  # listening may take for ever, connecting may not
                    has_listened = True
                    self._note_problem("")
                    with traced(""):
                        self._on_gap()
                    async for received in socket:
                        if received.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                            self.read(received.data)
        except (OSError, aiohttp.ClientError, ValueError) as error:  # TimeoutError is an OSError
            status = f" {error.status}" if isinstance(error, aiohttp.WSServerHandshakeError) else ""
            self._note_problem(f"{type(error).__name__}{status}")
        return has_listened

    def read(self, body: str | bytes) -> None:
        """Act on one message, on each entry for a trace of its own; what cannot be read is passed over."""
        notice = message(body)
        if notice is None:
            return
        for playing in entries(notice.PlaySessionStateNotification, PlayingShape):
            player_id, state = PlayerId(text(playing.clientIdentifier) or ""), to_state(playing.state)
            with traced(""):
                _log.debug("plex_notice", server=self._http.server, player_id=player_id, state=state.value)
                self._on_play(PlayNotice(player_id, state, number(playing.playQueueID)))
        for change in entries(notice.TimelineEntry, TimelineShape):
            if number(change.state) in (_TITLE_DONE, _TITLE_DELETED):
                with traced(""):
                    self._on_library(number(change.itemID))

    def _note_problem(self, problem: str) -> None:
        """Log a new kind of trouble once, and that it is over."""
        if problem != self._last_problem:
            _log.info("plex_notices", server=self._http.server, problem=problem or None)
            self._last_problem = problem

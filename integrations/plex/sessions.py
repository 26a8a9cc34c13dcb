"""What plays on a server: `/status/sessions`, read with patience for every oddity of its entries."""

from __future__ import annotations

import asyncio
import time

from daemon.core.clock import Clock
from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.ids import PlayerId
from daemon.core.media import Playback, PlayState
from integrations.plex.connection import Connection
from integrations.plex.http import ServerHttp
from integrations.plex.parse import to_playback
from integrations.plex.shapes import SessionShape, container, entries

_FRESH_S = 1.0  # many cards are brought up to date at the same moment: they share one reading
_NOT_OWNER = "the token is not the server owner's: what plays there cannot be read"


class Sessions:
    """The reader of one server's sessions. Live television, pre-rolls and sessions without a user are included."""

    def __init__(self, http: ServerHttp, connection: Connection, clock: Clock) -> None:
        self._http = http
        self._connection = connection
        self._clock = clock
        self._read: tuple[Playback, ...] = ()
        self._read_s = float("-inf")
        self._reading = asyncio.Lock()

    async def read(self, *, is_fresh: bool = False) -> tuple[Playback, ...]:
        """Everything that plays or pauses, in the server's order; at most a second old, or read now (`is_fresh`).

        A token of somebody else than the owner gets 401, since Plex 1.41.7 403: an UpstreamError FORBIDDEN.
        """
        async with self._reading:
            if not is_fresh and time.monotonic() - self._read_s <= _FRESH_S:
                return self._read
            return await self._read_now()

    async def _read_now(self) -> tuple[Playback, ...]:
        try:
            answer = await self._http.fetch("/status/sessions", decode=container)
        except UpstreamError as error:
            if error.kind in (UpstreamKind.UNAUTHORIZED, UpstreamKind.FORBIDDEN) and await self._is_accepted():
                self._connection.note_limitation(f"Plex server {self._http.server}: {_NOT_OWNER}")
                raise UpstreamError(self._http.service, UpstreamKind.FORBIDDEN, _NOT_OWNER) from None
            raise
        self._connection.note_limitation(None)
        seen_at = self._clock.now()
        read = (to_playback(self._http.server, shape, seen_at) for shape in entries(answer.Metadata, SessionShape))
        self._read = tuple(playback for playback in read if playback is not None)
        self._read_s = time.monotonic()
        return self._read

    async def _is_accepted(self) -> bool:
        """Whether the server takes the token at all: if not, it is not a matter of whose it is."""
        connection = self._connection
        return connection.state.is_up and (connection.limitation is not None or await connection.check())

    async def of(self, player_id: PlayerId, *, is_fresh: bool = False) -> Playback | None:
        """What a player plays. Of several sessions (one may be left over) the one that moves, else the latest."""
        mine = [
            playback for playback in await self.read(is_fresh=is_fresh) if playback.player.ref.player_id == player_id
        ]
        return max(mine, key=_liveliness, default=None)

    def forget(self) -> None:
        """A command was sent: what was read is no longer true."""
        self._read_s = float("-inf")


def _liveliness(playback: Playback) -> tuple[bool, int]:
    key = playback.session_key or ""
    return playback.state is PlayState.PLAYING, int(key) if key.isdigit() else 0

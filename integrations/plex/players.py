"""The players of one server, and how each can be controlled: found out once, remembered, found out again when wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from daemon.core.clock import Clock
from daemon.core.errors import UpstreamError, UserError
from daemon.core.ids import PlayerId, ServerId
from daemon.core.media import Playback, Player, PlayerRef, PlayState
from daemon.kernel.tasks import Supervisor
from daemon.services.servers import Capability, Route
from integrations.plex.adapter_values import Target
from integrations.plex.config import PlexTimeouts
from integrations.plex.control import Control
from integrations.plex.http import ServerHttp
from integrations.plex.sessions import Sessions
from integrations.plex.shapes import ClientShape, container, entries, number, text
from integrations.plex.together import attempt

T = TypeVar("T")

PLAYERS_MAX = 200  # of one server; more are not listed
_ID_CHARS_MAX = 200
_EXPLORE_S = 1.5  # how long a list of players waits for those never met before: Discord gives 3 s in all
_DESKTOP = frozenset({"Plex for Windows", "Plex for Mac", "Plex for Linux", "Plex Desktop"})


@dataclass(frozen=True, slots=True)
class Known:
    """A player, how commands reach it, and whether it announced itself to the server."""

    player: Player
    target: Target
    is_announced: bool
    can_play: bool  # announced the playback capability


class Players:
    """Players that announced themselves (`/clients`) or play something (`/status/sessions`)."""

    def __init__(
        self,
        server: ServerId,
        http: ServerHttp,
        sessions: Sessions,
        control: Control,
        supervisor: Supervisor,
        clock: Clock,
        timeouts: PlexTimeouts,
    ) -> None:
        self._server = server
        self._http = http
        self._sessions = sessions
        self._control = control
        self._supervisor = supervisor
        self._clock = clock
        self._timeouts = timeouts
        self._known: dict[PlayerId, Known] = {}
        self._listed_s = float("-inf")
        self._listing = asyncio.Lock()
        self._explorations: dict[PlayerId, asyncio.Task[None]] = {}

    async def listed(self, *, is_fresh: bool = False) -> tuple[Player, ...]:
        """Every player, controllable ones first, then by name; each that cannot be controlled says why.

        A few seconds old at most, unless `is_fresh`. Players never met before are asked, all at once and for a
        moment; one that has not answered by then is taken to be controllable until its answer, or a command, shows
        otherwise. Raises UpstreamError when the server tells neither its clients nor its sessions.
        """
        async with self._listing:
            if is_fresh or time.monotonic() - self._listed_s > self._timeouts.players_fresh_s:
                self._known = await self._discover(is_fresh=is_fresh)
                self._listed_s = time.monotonic()
        players = (known.player for known in self._known.values())
        return tuple(sorted(players, key=lambda one: (one.problem is not None, one.name.casefold(), one.ref.player_id)))

    async def find(self, player_id: PlayerId) -> Known:
        """A player that can be controlled. UserError `player_gone` or `player_uncontrollable` when not."""
        if player_id not in self._known or time.monotonic() - self._listed_s > self._timeouts.players_fresh_s:
            await self.listed()
        known = self._known.get(player_id)
        if known is None:
            raise UserError("That player is not there any more; switch it on and try again.", "player_gone")
        if known.player.problem is not None:
            raise UserError(known.player.problem, "player_uncontrollable")
        return known

    def peek(self, player_id: PlayerId) -> Known | None:
        """A player as last listed, without asking anybody."""
        return self._known.get(player_id)

    def forget(self) -> None:
        """Something happened to the players: list them anew next time."""
        self._listed_s = float("-inf")

    async def _discover(self, *, is_fresh: bool) -> dict[PlayerId, Known]:
        reading = self._sessions.read(is_fresh=is_fresh)
        clients, sessions = await asyncio.gather(attempt(self._clients()), attempt(reading))
        if isinstance(clients, UpstreamError):
            if isinstance(sessions, UpstreamError):
                raise clients
            clients = []
        if isinstance(sessions, UpstreamError):
            sessions = ()
        found = self._merge(clients, sessions)
        problems = await asyncio.gather(*(self._problem(known) for known in found.values()))
        return {
            player_id: replace(known, player=replace(known.player, problem=problem))
            for (player_id, known), problem in zip(found.items(), problems, strict=True)
        }

    async def _clients(self) -> list[ClientShape]:
        return entries((await self._http.fetch("/clients", decode=container)).Server, ClientShape)

    def _merge(self, clients: Iterable[ClientShape], sessions: Iterable[Playback]) -> dict[PlayerId, Known]:
        found: dict[PlayerId, Known] = {}
        for shape in clients:
            known = self._announced(shape)
            if known is not None:
                found[known.player.ref.player_id] = known
        for playback in sessions:
            player = playback.player
            known = found.get(player.ref.player_id)
            if known is not None:
                found[player.ref.player_id] = replace(known, player=replace(known.player, state=playback.state))
            elif len(player.ref.player_id) <= _ID_CHARS_MAX:
                target = Target(player.ref.player_id, player.name, player.product)
                found[player.ref.player_id] = Known(player, target, is_announced=False, can_play=True)
        return dict(list(found.items())[:PLAYERS_MAX])

    def _announced(self, shape: ClientShape) -> Known | None:
        player_id = text(shape.machineIdentifier)
        if player_id is None or len(player_id) > _ID_CHARS_MAX:
            return None
        name = text(shape.name) or text(shape.title) or "Unnamed player"
        product, capabilities = text(shape.product) or "", text(shape.protocolCapabilities) or ""
        host, port = text(shape.host) or text(shape.address), number(shape.port)
        base_url = f"http://{f'[{host}]' if ':' in host else host}:{port}" if host and port else None
        ref = PlayerRef(self._server, PlayerId(player_id))
        player = Player(ref, name, product, text(shape.platform) or "", PlayState.STOPPED)
        target = Target(player_id, name, product, base_url, capabilities)
        return Known(player, target, is_announced=True, can_play="playback" in capabilities.split(","))

    async def _problem(self, known: Known) -> str | None:
        """Why the player cannot be controlled; None when it can, or when nobody knows yet."""
        problem = hopeless(known)
        if problem is not None:
            return problem
        capability = await self._control.capability(known.player.ref.player_id)
        if capability is None:
            task = self._explore(known)
            await asyncio.wait({task}, timeout=_EXPLORE_S)
            capability = await self._control.capability(known.player.ref.player_id)
        elif self._is_stale(capability):
            self._explore(known)  # its answer is for the next time
        if capability is None or capability.route is not Route.NONE:
            return None
        return capability.reason if known.is_announced else _unannounced(known.player.name)

    def _explore(self, known: Known) -> asyncio.Task[None]:
        """Find out in the background how a player is reached; one attempt at a time for each."""
        player_id = known.player.ref.player_id
        task = self._explorations.get(player_id)
        if task is None or task.done():
            task = self._supervisor.spawn(f"plex:{self._server}:explore", self._find_way(known), owner="plex")
            self._explorations[player_id] = task
            task.add_done_callback(lambda done: self._explorations.pop(player_id, None))
        return task

    async def _find_way(self, known: Known) -> None:
        try:
            await self._control.explore(known.target)
        except UpstreamError:
            return  # the server's trouble says nothing about the player
        self.forget()

    def _is_stale(self, capability: Capability) -> bool:
        """What worked is trusted until it fails; what did not is tried again after a while."""
        age_s = (self._clock.now() - capability.checked_at).total_seconds()
        return capability.route is Route.NONE and not 0 <= age_s <= self._timeouts.uncontrollable_fresh_s


def hopeless(known: Known) -> str | None:
    """Why no attempt to control the player is worth making; None when one is."""
    player = known.player
    if player.product == "Plex Web" or player.product in _DESKTOP:
        return f"{player.name} cannot be controlled: Plex removed remote control from {player.product} in 2022."
    if "DLNA" in (player.product.upper(), player.platform.upper()):
        return f"{player.name} plays over DLNA, which cannot be controlled through Plex."
    if not known.can_play:
        return f"{player.name} does not offer to be controlled (no playback capability)."
    return None


def _unannounced(name: str) -> str:
    return (
        f"{name} has not announced itself to the server: turn on remote control (“Advertise as player”) in its "
        "settings and bring it into the server's network."
    )

"""Commands to players: directly first, then through the server; the way that worked is remembered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from daemon.core.clock import Clock
from daemon.core.errors import UpstreamError, UpstreamKind, UserError
from daemon.core.ids import PlayerId, ServerId
from daemon.kernel.breaker import Breaker, BreakerOpen
from daemon.services.servers import Capability, Route, Servers
from integrations.plex.adapter import Adapter
from integrations.plex.adapter_values import PlayerRefused, Target, TimelineState
from integrations.plex.bounded import Recent
from integrations.plex.config import PlexTimeouts
from integrations.plex.errors import is_outage
from integrations.plex.http import ServerHttp

T = TypeVar("T")

_NOT_FOUND, _NOT_ACCEPTABLE = 404, 406  # through the server: it does not know the player; the player does not poll
# A server that hands a command on to a player that is off answers late or with a gateway's error.
_UNANSWERED_BY_PLAYER = frozenset({UpstreamKind.TIMED_OUT, UpstreamKind.BROKEN, UpstreamKind.RESTING})
_UNANSWERED = frozenset({UpstreamKind.UNREACHABLE, UpstreamKind.TIMED_OUT, UpstreamKind.BROKEN})
_REPEATABLE_UNSAFE = frozenset({"playback/skipNext", "playback/skipPrevious"})  # twice is not the same as once
_PLAYERS_MAX = 500  # of which breaker and capability are kept in memory


class Control:
    """Sends commands by the remembered way and finds another when it fails.

    Each way to each player has a breaker: one that is switched off is not waited for each time, and says nothing about
    its server. A player that does not
    know a command, or that no way leads to, is the caller's to hear about (UserError); a server that fails is not
    (UpstreamError).
    """

    def __init__(
        self,
        server: ServerId,
        http: ServerHttp,
        adapter: Callable[[], Adapter],
        registry: Servers,
        clock: Clock,
        timeouts: PlexTimeouts,
    ) -> None:
        self._server = server
        self._http = http
        self._adapter = adapter
        self._registry = registry
        self._clock = clock
        self._timeouts = timeouts
        self._breakers: Recent[tuple[str, Route], Breaker] = Recent(2 * _PLAYERS_MAX, float("inf"))
        self._capabilities: Recent[PlayerId, Capability] = Recent(_PLAYERS_MAX, float("inf"))

    async def send(self, target: Target, command: str, params: Mapping[str, str | int]) -> None:
        """Send `playback/...`; returns once a player has accepted it."""
        adapter = self._adapter()  # fails here when the server was never reached, which is not the player's failure
        await self._by_some_way(
            target,
            lambda is_proxied: adapter.command(target, command, params, is_proxied=is_proxied),
            is_repeatable=command not in _REPEATABLE_UNSAFE,
        )

    async def timelines(self, target: Target) -> tuple[TimelineState, ...]:
        """What the player says it does; empty when it cannot be asked."""
        try:
            return await self._by_some_way(target, self._poll_of(target), is_repeatable=True)
        except (UserError, UpstreamError):
            return ()

    async def capability(self, player_id: PlayerId) -> Capability | None:
        """What was found out about a player, now or before a restart; None when it was never tried."""
        known = self._capabilities.get(player_id)
        if known is None:
            known = await self._registry.capability(self._server, player_id)
            if known is not None:
                self._capabilities.put(player_id, known)
        return known

    async def explore(self, target: Target) -> Capability:
        """Find out which way leads to a player, by asking what it plays, and remember it.

        A player that answers, if only to say that it does not know such questions, can be reached. Raises
        UpstreamError when its server fails.
        """
        poll = self._poll_of(target)
        for route in (Route.DIRECT, Route.PROXIED):
            if route is Route.DIRECT and target.base_url is None:
                continue
            try:
                await self._over(route, target, poll)
            except PlayerRefused as error:
                if route is Route.PROXIED and error.status != _NOT_ACCEPTABLE:
                    continue  # the server does not know the player
            except UpstreamError as error:
                if route is Route.PROXIED and error.kind not in _UNANSWERED:
                    raise
                continue
            return await self._remember(target, route)
        return await self._remember(
            target, Route.NONE, f"{target.name} does not answer, neither directly nor through its server."
        )

    async def _remember(self, target: Target, route: Route, reason: str = "") -> Capability:
        found = Capability(route, reason, self._clock.now())
        self._capabilities.put(PlayerId(target.player_id), found)
        await self._registry.remember_capability(self._server, PlayerId(target.player_id), found)
        return found

    def _poll_of(self, target: Target) -> Callable[[bool], Awaitable[tuple[TimelineState, ...]]]:
        adapter = self._adapter()
        return lambda is_proxied: adapter.timelines(target, is_proxied=is_proxied)

    async def _by_some_way(self, target: Target, work: Callable[[bool], Awaitable[T]], *, is_repeatable: bool) -> T:
        remembered = await self.capability(PlayerId(target.player_id))
        is_proxied_first = target.base_url is None or (remembered is not None and remembered.route is Route.PROXIED)
        ways = [Route.PROXIED, Route.DIRECT] if is_proxied_first else [Route.DIRECT, Route.PROXIED]
        failures: dict[Route, UpstreamError] = {}
        for way in ways:
            if way is Route.DIRECT and target.base_url is None:
                continue
            try:
                result = await self._over(way, target, work)
            except UpstreamError as error:
                failures[way] = error
                if error.kind is UpstreamKind.TIMED_OUT and not is_repeatable:
                    break  # it may have arrived
                continue
            if remembered is None or remembered.route is not way:
                await self._remember(target, way)
            return result
        raise self._verdict(target, failures)

    async def _over(self, way: Route, target: Target, work: Callable[[bool], Awaitable[T]]) -> T:
        is_proxied = way is Route.PROXIED
        self._http.check_refusal()
        try:
            return await self._breaker_of(target, way).call(lambda: work(is_proxied))
        except BreakerOpen:
            service = self._http.service if is_proxied else f"Player {target.name}"
            raise UpstreamError(service, UpstreamKind.RESTING) from None

    def _verdict(self, target: Target, failures: dict[Route, UpstreamError]) -> UpstreamError | UserError:
        """What to tell the caller when every way failed."""
        direct, proxied = failures.get(Route.DIRECT), failures.get(Route.PROXIED)
        if isinstance(direct, PlayerRefused):
            return UserError(f"{target.name} did not accept that command.", "player_refused")
        if isinstance(proxied, PlayerRefused):
            if proxied.status != _NOT_FOUND:
                return UserError(f"{target.name} did not accept that command.", "player_refused")
        elif proxied is not None and proxied.kind not in _UNANSWERED_BY_PLAYER:
            return proxied  # the server itself is in trouble
        return UserError(
            f"{target.name} does not answer; check that it is switched on and that Plex is open there.", "player_gone"
        )

    def _breaker_of(self, target: Target, way: Route) -> Breaker:
        breaker = self._breakers.get((target.player_id, way))
        if breaker is None:
            breaker = Breaker(
                f"plex:{self._server}:{target.player_id}:{way}",
                counts=is_outage,
                failures_max=self._timeouts.breaker_failures_max,
                open_s=self._timeouts.breaker_open_s,
            )
            self._breakers.put((target.player_id, way), breaker)
        return breaker

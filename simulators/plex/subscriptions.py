"""Controllers that a player tells about every change, by posting its timelines to their port."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from simulators.plex.players import Player
from simulators.plex.render import El, to_xml
from simulators.plex.server import Server

KEPT_S = 90.0  # a controller that does not subscribe again is forgotten (simulated seconds)
POST_S = 5.0  # real seconds for one delivery
Timelines = Callable[[Player, int, float], El]


@dataclass(slots=True)
class Subscription:
    """Where one controller listens, and the last commandID it gave."""

    url: str
    command: int
    until: float


class Subscriptions:
    """Who listens to which player; a controller that cannot be reached is forgotten."""

    def __init__(self, server: Server, timelines: Timelines) -> None:
        self._server = server
        self._timelines = timelines
        self._all: dict[tuple[str, str], Subscription] = {}
        server.watchers.append(self._changed)

    def add(self, player: Player, controller: str, address: str, port: int, command: int) -> None:
        """Tell a controller from now on, or for another 90 seconds."""
        until = self._server.clock.now() + KEPT_S
        url = f"http://{address}:{port}/:/timeline"
        self._all[player.spec.id, controller] = Subscription(url, command, until)
        self._changed(player)

    def remove(self, player: Player, controller: str) -> None:
        """Stop telling a controller."""
        self._all.pop((player.spec.id, controller), None)

    def _changed(self, player: Player) -> None:
        now = self._server.clock.now()
        for name, subscription in tuple(self._all.items()):
            if subscription.until < now:
                del self._all[name]
            elif name[0] == player.spec.id and player.is_online:
                self._server.run("tell controller", self._tell(player, name, subscription))

    async def _tell(self, player: Player, name: tuple[str, str], subscription: Subscription) -> None:
        text = to_xml(self._timelines(player, subscription.command, self._server.clock.now()))
        headers = {"X-Plex-Client-Identifier": player.spec.id, "Content-Type": "text/xml"}
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=POST_S)) as http,
                http.post(subscription.url, data=text.encode(), headers=headers),
            ):
                pass
        except (aiohttp.ClientError, TimeoutError):
            self._all.pop(name, None)

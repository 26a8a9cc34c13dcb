"""The mirror at work: a task for each server, told of what happens there, and the nightly reading of everything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from daemon.core.clock import Clock
from daemon.core.ids import ServerId
from daemon.kernel.health import Health
from daemon.kernel.tasks import Supervisor
from daemon.services.library.following import Following
from daemon.services.library.mirror import Mirror
from daemon.services.library.source import Source
from daemon.services.schedule import Schedule, Schedules

_OWNER = "library"
NIGHTLY = Schedule("library", cron="20 3 * * *")


class House(Protocol):
    """All servers: who reads each, and who tells what happens in their libraries."""

    def mirrors(self) -> Sequence[Source]:
        """A reader for each server."""
        ...

    def on_library(self, listener: Callable[[ServerId, int | None], None]) -> Callable[[], None]:
        """Have `listener` told of titles that were added, changed or deleted; call what is returned to end."""
        ...


class Mirroring:
    """Keeps the mirror of every server up to date, for as long as it is started."""

    def __init__(
        self,
        mirror: Mirror,
        house: House,
        clock: Clock,
        supervisor: Supervisor,
        health: Health,
        *,
        every_s: float,
        settle_s: float = 0.3,
    ) -> None:
        self.mirror = mirror
        self._house = house
        self._clock = clock
        self._supervisor = supervisor
        self._health = health
        self._every_s = every_s
        self._settle_s = settle_s
        self._followings: dict[ServerId, Following] = {}
        self._forget: Callable[[], None] = lambda: None

    async def start(self, schedules: Schedules) -> None:
        """Begin with every server; the house must have been started."""
        for source in self._house.mirrors():
            following = Following(
                self.mirror, source, self._clock, self._health, every_s=self._every_s, settle_s=self._settle_s
            )
            self._followings[source.server] = following
            self._supervisor.start(f"library:{source.server}", following.run, owner=_OWNER)
        self._forget = self._house.on_library(self._note)
        await schedules.add(NIGHTLY, self.read_all)

    async def stop(self) -> None:
        """End the tasks; passes are left where they are."""
        self._forget()
        await self._supervisor.cancel(_OWNER)
        self._followings = {}

    async def read_all(self) -> None:
        """Have every library read whole, changed or not: what no notice and no stamp has told is found so."""
        await self.mirror.want_all()
        for following in self._followings.values():
            following.note(None)

    async def catch_up(self, server: ServerId, patience_s: float) -> bool:
        """Have a server's libraries looked at now, because something was done to them.

        True when the mirror is as they are; False when that takes longer than `patience_s` real seconds, and in a
        process that does not mirror: it happens all the same, later or elsewhere.
        """
        following = self._followings.get(server)
        if following is None:
            return False
        try:
            async with asyncio.timeout(patience_s):
                await following.catch_up()
        except TimeoutError:
            return False
        return True

    def _note(self, server: ServerId, rating_key: int | None) -> None:
        if (following := self._followings.get(server)) is not None:
            following.note(rating_key)

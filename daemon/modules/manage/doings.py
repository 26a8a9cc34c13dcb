"""What the servers do in the background, all of them together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from daemon.core.errors import OutOfDate, UpstreamError, UserError
from daemon.core.ids import ServerId
from daemon.core.visibility import LibraryRef
from integrations.plex import Activity, Plex, Upkeep


@dataclass(frozen=True, slots=True)
class Doing:
    """What is going on, server by server, and in words which servers did not tell."""

    activities: tuple[Activity, ...]
    silent: tuple[str, ...]


class Doings:
    """Asks the servers; remembers nothing."""

    def __init__(self, plex: Plex, upkeep: Upkeep) -> None:
        self._plex = plex
        self._upkeep = upkeep

    async def now(self, library: LibraryRef | None) -> Doing:
        """What is going on everywhere, or on one library. A server that is down is named, and delays nobody else."""
        servers = [
            state.server for state in self._plex.server_states() if library is None or state.server == library.server
        ]
        answers = await asyncio.gather(*(self._ask(server) for server in servers))
        found = [each for answer in answers if not isinstance(answer, str) for each in answer]
        if library is not None:
            found = [each for each in found if each.library == library.key]
        return Doing(tuple(found), tuple(answer for answer in answers if isinstance(answer, str)))

    async def cancel(self, server: ServerId, uuid: str) -> tuple[Activity | None, bool]:
        """End an activity: what it was, and whether it was still going on. UserError `not_cancellable`."""
        if server not in {state.server for state in self._plex.server_states()}:
            raise OutOfDate
        activity = next((each for each in await self._upkeep.activities(server) if each.uuid == uuid), None)
        if activity is None:
            return None, False
        return activity, await self._upkeep.cancel(activity)

    async def _ask(self, server: ServerId) -> tuple[Activity, ...] | str:
        try:
            return await self._upkeep.activities(server)
        except UserError as error:
            return error.text
        except UpstreamError as error:
            return f"{error.service} {error.kind}."

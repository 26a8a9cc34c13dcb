"""People with linked accounts, on the services and the integration that a test has started."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from daemon.core.ids import AccountId, MemberId, ProfileId
from daemon.core.shares import Share
from daemon.data import people
from daemon.services.accounts import Accounts, RequestState
from daemon.services.sealing import Marks, Sealing
from daemon.services.visibility import VisibilityService
from integrations.plex import Personal, PersonalAccess, Playlists, PlexServerConfig, PlexTv
from simulators.plex.sim import PlexSim
from tests.integration.events.bus import make_bus
from tests.integration.plex.stage import ATTIC, CLIENT, QUICK, Stage


@dataclass
class People:
    """Who is linked, and what they do."""

    stage: Stage
    accounts: Accounts
    plex_tv: PlexTv
    access: PersonalAccess
    personal: Personal
    playlists: Playlists
    _members: int = 0

    async def link(self, account: str, *, keep: bool = True, sim: PlexSim | None = None) -> ProfileId:
        """Somebody new links this account of the simulated house, by PIN."""
        house = sim or self.stage.sim
        self._members += 1
        member, clock = MemberId(self._members), self.stage.sim.clock
        now = self.accounts._clock.now()
        profile = await self.stage.store.write(lambda tx: people.ensure_member(tx, member, account, now))
        expires_at = now.replace(year=2100)
        number = await self.accounts.begin(profile, member, 7, "CODE", expires_at, keep=keep)
        request = await self.accounts.request(number)
        assert request is not None
        found = house.server.account(account)
        token = house.account_token_of(account)
        state = await self.accounts.finish(request, AccountId(found.remote_id), account, token, {ATTIC: Share()})
        assert state is RequestState.LINKED, clock
        return profile

    def tokens(self, path: str, sim: PlexSim | None = None) -> list[str | None]:
        """Those with which a path was asked for, in their order."""
        return [one.header("X-Plex-Token") for one in (sim or self.stage.sim).requests if one.path == path]


@asynccontextmanager
async def gathered(stage: Stage, *, kept_s: float = 1800.0) -> AsyncIterator[People]:
    """What acting as somebody needs, started; `kept_s` is how long exchanged tokens are remembered."""
    bus = make_bus(stage.store)
    sealing = Sealing(["k" * 40])
    marks = Marks(stage.store, bus.clock, sealing)
    visibility = VisibilityService(stage.store, stage.cache)
    accounts = Accounts(stage.store, bus.clock, bus.events, sealing, marks, visibility)
    sim = stage.sim
    owned = {state.server: PlexServerConfig(sim.url, sim.token) for state in stage.plex.server_states()}
    plex_tv = PlexTv(sim.account_url, owned, CLIENT, stage.health, stage.metrics, QUICK)
    await plex_tv.start()
    access = PersonalAccess(stage.plex, plex_tv, accounts, kept_s=kept_s)
    try:
        yield People(stage, accounts, plex_tv, access, Personal(access), Playlists(stage.plex, access))
    finally:
        await plex_tv.stop()
        await bus.supervisor.drain(1.0)

"""Accounts that have access to the servers and do not use it. Of whom among the members they are, nothing is said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

from daemon.core.clock import Clock
from daemon.core.errors import UpstreamError, UserError
from daemon.core.ids import AccountId, ServerId
from daemon.core.shares import Share
from daemon.core.text import plain
from integrations.plex import Plex, PlexTv, Upkeep
from integrations.plex.bounded import Recent

from .desk import Desk

INACTIVE_DAYS = 90
GUESTS_MAX = 200  # a Plex account shares with a hundred at most
_FRESH_S = 300.0
_ALL = "all"
_LEFT_OUT = "Its guests are left out."
_UNKNOWN = "Who has access there, and what they played, is not known."


@dataclass(frozen=True, slots=True)
class Guest:
    """An account with access. `since`: when it took it, None where plex.tv does not tell. `sees`: in words."""

    name: str
    is_managed: bool
    since: datetime | None
    played_at: datetime | None
    sees: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Guests:
    """Everybody with access, and in words which servers could not be asked."""

    guests: tuple[Guest, ...]
    silent: tuple[str, ...]


@dataclass(slots=True)
class _Known:
    name: str
    is_managed: bool
    since: datetime | None = None
    played_at: datetime | None = None
    sees: list[str] | None = None


class Inactivity:
    """Asks plex.tv who has access, and each server when they played last. The owners of servers are no guests."""

    def __init__(self, plex: Plex, plex_tv: PlexTv, upkeep: Upkeep, desk: Desk, clock: Clock) -> None:
        self._plex = plex
        self._plex_tv = plex_tv
        self._upkeep = upkeep
        self._desk = desk
        self._clock = clock
        self._known: Recent[str, Guests] = Recent(1, _FRESH_S)

    async def inactive(self, days: int, *, is_fresh: bool) -> Guests:
        """Those who have had access for `days` and played nothing in them, the longest idle first.

        UpstreamError while plex.tv does not answer.
        """
        found = None if is_fresh else self._known.get(_ALL)
        if found is None:
            found = await self._read()
            self._known.put(_ALL, found)
        bound = self._clock.now() - timedelta(days=days)
        idle = [
            guest
            for guest in found.guests
            if (guest.played_at is None or guest.played_at < bound) and (guest.since is None or guest.since < bound)
        ]
        never = datetime.fromtimestamp(0, UTC)
        return Guests(tuple(sorted(idle, key=lambda one: (one.played_at or never, one.name))), found.silent)

    async def _read(self) -> Guests:
        known: dict[AccountId, _Known] = {}
        silent: list[str] = []
        unknown: set[AccountId] = set()
        for server in [state.server for state in self._plex.server_states()]:
            shares: dict[AccountId, Share] = {}
            try:
                shares = await self._shares(server, known)
                for account_id in list(shares)[:GUESTS_MAX]:
                    await self._add(server, known[account_id], account_id, shares[account_id])
            except (UpstreamError, UserError) as error:
                if isinstance(error, UpstreamError) and error.service == "plex.tv" and not error.is_refusal:
                    raise
                words = error.text if isinstance(error, UserError) else f"{error.service} {error.kind}."
                silent.append(f"{words} {_LEFT_OUT if shares else _UNKNOWN}")
                unknown |= shares.keys()
        guests = [
            Guest(one.name, one.is_managed, one.since, one.played_at, tuple(one.sees))
            for account_id, one in known.items()
            if one.sees and account_id not in unknown
        ]
        return Guests(tuple(guests), tuple(silent))

    async def _shares(self, server: ServerId, known: dict[AccountId, _Known]) -> dict[AccountId, Share]:
        """What the server shares with whom, its owner left out; who they are is put into `known`."""
        machine_id = self._plex.machine_id(server)
        users = {user.account_id: user for user in await self._plex_tv.users(server)}
        shares = await self._plex_tv.shares(server, machine_id)
        accepted = await self._plex_tv.accepted(server, machine_id)
        found = {account_id: share for account_id, share in shares.items() if account_id in users}
        for account_id in found:
            user = users[account_id]
            one = known.setdefault(account_id, _Known(plain(user.name), user.is_managed))
            if (at := accepted.get(account_id)) is not None:
                when = datetime.fromtimestamp(at, UTC)
                one.since = when if one.since is None else min(one.since, when)
        return found

    async def _add(self, server: ServerId, guest: _Known, account_id: AccountId, share: Share) -> None:
        played_at = await self._upkeep.last_play_of(server, account_id)
        if played_at is not None and (guest.played_at is None or played_at > guest.played_at):
            guest.played_at = played_at
        names = [
            one.name
            for one in await self._desk.libraries()
            if one.ref.server == server and (share.libraries is None or one.ref.key in share.libraries)
        ]
        words = f"all of {server}" if share.libraries is None else ", ".join(names)
        filters = "; ".join(plain(unquote(text)) for text in dict.fromkeys(share.filters.values()) if text)
        if words:
            guest.sees = [*(guest.sees or ()), f"{words} (only {filters})" if filters else words]

"""Acting on a server as one of the linked people: with which token, and what to tell them when there is none.

Whoever owns a server is let in by the token from the settings. Everybody else needs the token that they let us keep;
plex.tv exchanges it for one that the server takes. What plex.tv has told is remembered for a while, in memory only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import structlog

from daemon.core.errors import UpstreamError, UpstreamKind, UserError
from daemon.core.ids import AccountId, ProfileId, ServerId
from daemon.services.accounts import Accounts, Link, Proof
from integrations.plex.account import PlexTv
from integrations.plex.bounded import Recent
from integrations.plex.errors import service_of
from integrations.plex.http import Params, paging
from integrations.plex.plex import Plex

log = structlog.get_logger(__name__)

T = TypeVar("T")

KEYS_KEPT_S: Final = 1800.0  # how long an exchanged token is used before plex.tv is asked again
_PEOPLE_MAX = 500

_NOT_LINKED = "Link your Plex account first: /link keep_access:True."
_NO_ACCESS = (
    "I keep no access to your Plex account, and this acts in your name: /link keep_access:True lets me keep it, "
    "encrypted, until /link keep_access:False takes it back."
)
_MANAGED = (
    "Your account is a managed user of somebody's Plex Home, which cannot sign in by itself, so I cannot act on it."
)
_REVOKED = (
    "Plex no longer accepts the access that you let me keep, so I have deleted it; /link keep_access:True gives new "
    "access."
)


@dataclass(frozen=True, slots=True)
class Key:
    """What opens a server for somebody. `token` None: they own it, and the one from the settings serves."""

    server: ServerId
    token: str | None = field(repr=False)


class PersonalAccess:
    """One for the process. UserError codes: `not_linked`, `no_access`, `access_revoked`, `not_shared`."""

    def __init__(self, plex: Plex, plex_tv: PlexTv, accounts: Accounts, *, kept_s: float = KEYS_KEPT_S) -> None:
        self._plex = plex
        self._plex_tv = plex_tv
        self._accounts = accounts
        self._owners: dict[ServerId, AccountId] = {}  # for good: the settings are read once
        # By account and sealed token, so that what was exchanged for one token is never used for another.
        self._keys: Recent[tuple[AccountId, str], dict[str, str]] = Recent(_PEOPLE_MAX, kept_s)
        self._exchanges: dict[AccountId, asyncio.Lock] = {}

    def servers(self) -> list[ServerId]:
        """Every server of the configuration."""
        return [state.server for state in self._plex.server_states()]

    async def link(self, profile_id: ProfileId) -> Link:
        """The person's account. UserError `not_linked`."""
        link = await self._accounts.link_of(profile_id)
        if link is None:
            raise UserError(_NOT_LINKED, "not_linked")
        return link

    async def act(self, profile_id: ProfileId, server: ServerId, work: Callable[[Any], T]) -> T:
        """`work(server)` with plexapi's own server, as the person; of its requests the last should be what changes."""

        async def attempt(key: Key) -> T:
            here = self._plex.server(server)
            adapter = here.adapter() if key.token is None else here.guest_adapter(key.token)
            return await adapter.on_server(work)

        return await self._as(profile_id, server, attempt)

    async def read(
        self,
        profile_id: ProfileId,
        server: ServerId,
        path: str,
        params: Params | None = None,
        *,
        decode: Callable[[bytes], T],
        start: int | None = None,
        size: int = 0,
    ) -> T:
        """What the server answers the person; from entry `start` on at most `size`, when a start is given."""
        page = {} if start is None else paging(start, size)

        async def attempt(key: Key) -> T:
            token = {} if key.token is None else {"X-Plex-Token": key.token}
            http = self._plex.server(server).http
            return await http.fetch(path, params, decode=decode, headers={**page, **token})

        return await self._as(profile_id, server, attempt)

    async def _as(self, profile_id: ProfileId, server: ServerId, attempt: Callable[[Key], Awaitable[T]]) -> T:
        """`attempt(key)`; once more with a new key when the server takes the remembered one no longer."""
        link = await self.link(profile_id)
        key = await self._key(link, server)
        try:
            return await attempt(key)
        except UpstreamError as error:
            if not self._is_rejected(error, key):
                raise
        self._forget(link, key)
        fresh = await self._key(link, server)
        if fresh == key:
            raise _not_let_in(server)
        try:
            return await attempt(fresh)
        except UpstreamError as error:
            if not self._is_rejected(error, fresh):
                raise
        self._forget(link, fresh)
        raise _not_let_in(server)

    async def _key(self, link: Link, server: ServerId) -> Key:
        if link.account_id == await self._owner(server):
            return Key(server, None)
        if link.token is None:
            raise UserError(_MANAGED if link.proof is Proof.OWNER else _NO_ACCESS, "no_access")
        machine_id = self._plex.machine_id(server)
        token = (await self._tokens(link, link.token)).get(machine_id)
        if token is None:
            raise _not_let_in(server)
        return Key(server, token)

    async def _owner(self, server: ServerId) -> AccountId:
        if server not in self._owners:
            self._owners[server] = (await self._plex_tv.owner(server)).account_id
        return self._owners[server]

    async def _tokens(self, link: Link, sealed: str) -> dict[str, str]:
        """What opens servers for the account, by machine identifier; of several who ask at once one asks plex.tv."""
        name = (link.account_id, sealed)
        async with self._exchanges.setdefault(link.account_id, asyncio.Lock()):
            if (known := self._keys.get(name)) is not None:
                return known
            token = self._accounts.token_in(link)
            if token is None:
                raise UserError(_NO_ACCESS, "no_access")
            try:
                found = await self._plex_tv.access_tokens(token)
            except UpstreamError as error:
                if error.kind is not UpstreamKind.UNAUTHORIZED:
                    raise
                if await self._accounts.drop_token(link):
                    log.info("token_revoked", profile_id=link.profile_id)
                raise UserError(_REVOKED, "access_revoked") from None
            self._keys.put(name, found)
            return found

    def _is_rejected(self, error: UpstreamError, key: Key) -> bool:
        """Whether the server does not take this key. While it takes not even ours, nobody's is to blame."""
        if key.token is None or error.kind is not UpstreamKind.UNAUTHORIZED:
            return False
        return error.service == service_of(key.server) and self._plex.server(key.server).http.refusal is None

    def _forget(self, link: Link, key: Key) -> None:
        """The server does not take this key any more."""
        if link.token is not None:
            self._keys.drop((link.account_id, link.token))
        if key.token is not None:
            self._plex.server(key.server).forget_guest(key.token)


def _not_let_in(server: ServerId) -> UserError:
    return UserError(f"Plex server {server} is not shared with your Plex account.", "not_shared")

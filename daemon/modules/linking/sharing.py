"""What owners share with the linked accounts, read from plex.tv; and whether tokens that are kept still work."""

from __future__ import annotations

import structlog

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.ids import AccountId, ServerId
from daemon.core.shares import Share
from daemon.services.accounts import Accounts
from daemon.services.cache import Cache
from integrations.plex import Plex, PlexTv

from .telling import Telling

log = structlog.get_logger(__name__)

_MANAGED_FRESH_S = 60.0
_MANAGED_KEPT_S = 600.0


class Sharing:
    """A server whose token does not belong to its owner shares, as far as we can tell, with that account alone."""

    def __init__(self, accounts: Accounts, plex: Plex, plex_tv: PlexTv, cache: Cache, telling: Telling) -> None:
        self._accounts = accounts
        self._plex = plex
        self._plex_tv = plex_tv
        self._telling = telling
        self._managed = cache.region(
            "linking.managed", dict[int, str], ttl_s=_MANAGED_FRESH_S, stale_s=_MANAGED_KEPT_S, patience_s=1.0
        )

    async def with_account(self, account_id: AccountId) -> dict[ServerId, Share]:
        """What each server shares with the account. UpstreamError while plex.tv does not answer."""
        found = {}
        for server, shares in (await self._read()).items():
            if (share := shares.get(account_id)) is not None:
                found[server] = share
        return found

    async def managed_users(self) -> dict[int, str]:
        """Managed Home users by account number: those who cannot sign in themselves."""

        async def load() -> dict[int, str]:
            found: dict[int, str] = {}
            for server in self._servers():
                users = await self._plex_tv.users(server)
                found |= {user.account_id: user.name for user in users if user.is_home and user.is_managed}
            return found

        return await self._managed.get("all", load)

    async def refresh(self) -> None:
        """Read it all again. UpstreamError while plex.tv does not answer: what was known before goes on counting."""
        links = await self._accounts.every_link()
        if not links:
            return
        for server, shares in (await self._read()).items():
            if await self._accounts.note_shares(server, shares):
                log.info("shares_changed", server=server)
        for link in links:
            if link.token is None or (token := await self._accounts.token_of(link.profile_id)) is None:
                continue
            try:
                await self._plex_tv.user(token)
            except UpstreamError as error:
                if error.kind is not UpstreamKind.UNAUTHORIZED:
                    raise
                if await self._accounts.drop_token(link):
                    log.info("token_revoked", profile_id=link.profile_id)
                    await self._telling.token_revoked(link)

    def _servers(self) -> list[ServerId]:
        return [state.server for state in self._plex.server_states()]

    async def _read(self) -> dict[ServerId, dict[AccountId, Share]]:
        """By server; one that was never reached, or whose token plex.tv does not take, is left out: nothing changes."""
        found: dict[ServerId, dict[AccountId, Share]] = {}
        for server in self._servers():
            try:
                found[server] = await self._plex_tv.shares(server, self._plex.machine_id(server))
            except UpstreamError as error:
                if error.service == "plex.tv" and not error.is_refusal:
                    raise
                log.warning("shares_unreadable", server=server, problem=str(error.kind))
        return found

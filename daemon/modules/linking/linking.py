"""Signing in by PIN: asking Plex for one, looking whether it was approved, and what comes of it.

Requests lie in the database, so a restart changes nothing for whoever is on Plex's page meanwhile. Several processes
may look; each look is claimed there, and the end of a request happens once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from daemon.core.clock import Clock
from daemon.core.errors import OutOfDate, UpstreamError, UpstreamKind, UserError
from daemon.core.ids import MemberId, ProfileId
from daemon.core.limits import LINK_LOOK_S, LINK_POLL_S, LINK_TELL_AFTER_S
from daemon.kernel.health import Check, Status
from daemon.services.accounts import Accounts, OpenPin, Request, RequestState
from integrations.plex import PlexTv

from .sharing import Sharing
from .telling import Telling

log = structlog.get_logger(__name__)

_SLACK_S: Final = 5.0  # by so much plex.tv may end a PIN before we think it ends


@dataclass(frozen=True, slots=True)
class Begun:
    """A request that waits for its person to sign in at `url`."""

    request_id: int
    url: str
    expires_at: datetime


class Linker:
    """`follow` looks after every open request; whoever presses "Check now" makes it look at once."""

    def __init__(self, accounts: Accounts, plex_tv: PlexTv, sharing: Sharing, telling: Telling, clock: Clock) -> None:
        self._accounts = accounts
        self._plex_tv = plex_tv
        self._sharing = sharing
        self._telling = telling
        self._clock = clock
        self._wake = asyncio.Event()
        self._unsealable: int | None = None

    async def begin(self, profile_id: ProfileId, member_id: MemberId, name: str, *, keep: bool) -> Begun:
        """Ask Plex for a PIN for this person. UserError while they rest from an unlink, UpstreamError from plex.tv."""
        link = await self._accounts.link_of(profile_id)
        if link is None and (until := await self._accounts.resting_until(profile_id)) is not None:
            when = f"<t:{int(until.timestamp())}:R>"
            raise UserError(f"You have unlinked an account lately; you can link one again {when}.", "resting")
        pin = await self._plex_tv.create_pin()
        expires_at = self._clock.now() + timedelta(seconds=pin.expires_in_s)
        request_id = await self._accounts.begin(profile_id, member_id, pin.pin_id, pin.code, expires_at, keep=keep)
        self._wake.set()
        return Begun(request_id, self._plex_tv.sign_in_url(pin.code, f"{name} on Discord"), expires_at)

    async def check(self, request_id: int, member_id: MemberId) -> Request:
        """Look at a request of this member now. OutOfDate when it is not theirs, or not the newest of theirs."""
        request = await self._accounts.request(request_id)
        if request is None or request.member_id != member_id:
            raise OutOfDate
        if request.state is RequestState.OPEN:
            pin = await self._accounts.open_pin(request)
            if pin is not None:
                await self._look(pin)
            request = await self._accounts.request(request_id)
            if request is None:
                raise OutOfDate
        return request

    async def follow(self) -> None:
        """For ever: look at PINs when they are due, and tell people how their requests ended."""
        if self._unsealable is None:
            self._unsealable = await self._accounts.reseal()
        while True:
            self._wake.clear()
            next_due = await self._accounts.next_due()
            if next_due is not None and next_due <= self._clock.now():
                await self._look_at_all()
            await self._telling.tell_all(LINK_TELL_AFTER_S)
            await self._nap(LINK_LOOK_S if next_due is None else LINK_POLL_S / 2)

    async def check_sealing(self) -> Check:
        """Whether every sealed value can be opened by the keys we have."""
        if self._unsealable:
            problem = (
                f"{self._unsealable} kept tokens were sealed with a key that secret_key does not give: "
                "add the old key behind the new one, or those people have to link again"
            )
            return Check(Status.WARN, problem)
        return Check(Status.PASS)

    async def _look_at_all(self) -> None:
        for pin in await self._accounts.claim_due(LINK_POLL_S):
            try:
                await self._look(pin)
            except UpstreamError as error:
                log.info("pin_not_looked_at", request_id=pin.request.request_id, problem=str(error.kind))

    async def _nap(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _look(self, pin: OpenPin) -> None:
        """Look at one PIN and do what follows. UpstreamError when that has to wait: it is looked at again."""
        request = pin.request
        is_over = self._clock.now() >= request.expires_at - timedelta(seconds=_SLACK_S)
        try:
            found = await self._plex_tv.check_pin(request.pin_id, pin.code)
        except UpstreamError:
            if self._clock.now() >= request.expires_at:
                await self._accounts.settle(request.request_id, RequestState.EXPIRED)
                return
            raise
        if found is not None and found.token is not None:
            await self._approved(request, found.token)
        elif is_over:
            await self._accounts.settle(request.request_id, RequestState.EXPIRED)
        elif found is None:
            await self._accounts.settle(request.request_id, RequestState.DENIED)

    async def _approved(self, request: Request, token: str) -> None:
        try:
            user = await self._plex_tv.user(token)
        except UpstreamError as error:
            if error.kind is not UpstreamKind.UNAUTHORIZED:
                raise
            # Taken back before we could use it.
            await self._accounts.settle(request.request_id, RequestState.DENIED)
            return
        shares = await self._sharing.with_account(user.account_id)
        state = await self._accounts.finish(request, user.account_id, user.name, token, shares)
        log.info("link_request_ended", request_id=request.request_id, state=state)
        if state is RequestState.LINKED and not request.keep_access:
            await self._plex_tv.sign_out(token)  # it has told whose account it is, and nobody needs it any more

"""Plex accounts of people: requests to link one, links, the tokens that may be kept, and what is shared with each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from daemon.core.clock import Clock
from daemon.core.errors import MarqueeError
from daemon.core.events import LinksChanged
from daemon.core.ids import AccountId, MemberId, ProfileId, ServerId
from daemon.core.limits import LINK_POLLS_MAX, LINK_REST_DAYS, NAME_CHARS_MAX
from daemon.core.shares import Share
from daemon.core.text import clamp, plain
from daemon.data import audit, link_requests, links, people
from daemon.data.forgotten import welcome_back
from daemon.data.link_requests import NewRequest, Request, RequestState
from daemon.data.links import Link, LinkOutcome, NewLink, Proof
from daemon.data.plays import claim_plays
from daemon.data.store import Store, Unit
from daemon.kernel.logs import add_secret
from daemon.kernel.trace import current_trace_id
from daemon.services.events import Events
from daemon.services.sealing import Marks, Sealing, Unsealable
from daemon.services.visibility import VisibilityService

__all__ = ["Accounts", "Link", "LinkOutcome", "OpenPin", "Proof", "Request", "RequestState"]

log = structlog.get_logger(__name__)

_REST = timedelta(days=LINK_REST_DAYS)
_STATES = {
    LinkOutcome.LINKED: RequestState.LINKED,
    LinkOutcome.RENEWED: RequestState.RENEWED,
    LinkOutcome.TAKEN: RequestState.TAKEN,
    LinkOutcome.HAS_OTHER: RequestState.HAS_OTHER,
    LinkOutcome.RESTING: RequestState.RESTING,
    LinkOutcome.FORGOTTEN: RequestState.DENIED,
}
_DONE = (LinkOutcome.LINKED, LinkOutcome.RENEWED)


@dataclass(frozen=True, slots=True)
class OpenPin:
    """A request whose PIN is to be looked at, with the code that Plex wants to see."""

    request: Request
    code: str = field(repr=False)


class _Settled(MarqueeError):
    """The request has ended meanwhile: what the unit wrote is undone."""


class Accounts:
    """One Plex account to one profile. Of whatever races (two presses, two processes) one wins, in the database."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        events: Events,
        sealing: Sealing,
        marks: Marks,
        visibility: VisibilityService,
    ) -> None:
        self._store = store
        self._clock = clock
        self._events = events
        self._sealing = sealing
        self._marks = marks
        self._visibility = visibility

    # Requests

    async def begin(
        self, profile_id: ProfileId, member_id: MemberId, pin_id: int, code: str, expires_at: datetime, *, keep: bool
    ) -> int:
        """Store a PIN that this person was asked to approve; the number of the request, which replaces an older one."""
        new = NewRequest(profile_id, member_id, pin_id, self._sealing.seal(code), keep, expires_at)
        now = self._clock.now()
        return await self._store.write(lambda tx: link_requests.add(tx, new, now))

    async def request(self, request_id: int) -> Request | None:
        """A request; None when it was replaced by a newer one."""
        return await self._store.read(lambda tx: link_requests.get(tx, request_id))

    async def claim_due(self, again_s: float) -> list[OpenPin]:
        """PINs to be looked at now; no other process is given them for `again_s` seconds."""
        now = self._clock.now()
        again_at = now + timedelta(seconds=again_s)
        claimed = await self._store.write(lambda tx: link_requests.claim_due(tx, now, again_at, LINK_POLLS_MAX))
        found = []
        for request in claimed:
            try:
                found.append(OpenPin(request, self._sealing.unseal(request.code)))
            except Unsealable:
                await self.settle(request.request_id, RequestState.EXPIRED)
        return found

    async def open_pin(self, request: Request) -> OpenPin | None:
        """The PIN of a request, to be looked at now whoever has claimed it; None when its code cannot be read."""
        try:
            return OpenPin(request, self._sealing.unseal(request.code))
        except Unsealable:
            return None

    async def next_due(self) -> datetime | None:
        """When a PIN is to be looked at next; None while none is open."""
        return await self._store.read(link_requests.first_due)

    async def settle(self, request_id: int, state: RequestState) -> bool:
        """Say how an open request ended, other than by a link; False when it has ended already."""
        now = self._clock.now()
        return await self._store.write(lambda tx: link_requests.settle(tx, request_id, state, now))

    async def note_told(self, request_id: int, effect: Unit[object] | None = None) -> bool:
        """Note that the person knows how it ended; `effect` tells them, in the same unit. True once a request."""

        def unit(tx: Connection) -> bool:
            is_first = link_requests.tell(tx, request_id)
            if is_first and effect is not None:
                effect(tx)
            return is_first

        return await self._store.write(unit)

    async def untold(self, after_s: float) -> list[Request]:
        """Requests that ended more than `after_s` ago, and whose end was told to nobody yet."""
        before = self._clock.now() - timedelta(seconds=after_s)
        return await self._store.read(lambda tx: link_requests.untold(tx, before))

    async def finish(
        self, request: Request, account_id: AccountId, name: str, token: str, shares: Mapping[ServerId, Share]
    ) -> RequestState | None:
        """The PIN was approved by this account: link it, if nothing stands against it. How it ended.

        The token is kept, sealed, when the person said so. None: somebody else has finished it.
        """
        sealed = self._sealing.seal(token) if request.keep_access else None
        new = await self._new_link(account_id, request.profile_id, name, Proof.PIN, sealed)
        mark = await self._marks.of("account", account_id)

        def unit(tx: Connection) -> RequestState:
            outcome = self._link(tx, new, mark, shares, actor=request.profile_id)
            if not link_requests.settle(tx, request.request_id, _STATES[outcome], self._clock.now()):
                raise _Settled
            return _STATES[outcome]

        try:
            state = await self._store.write(unit)
        except _Settled:
            return None
        await self._visibility.changed()
        return state

    # Links

    async def link_for(
        self,
        profile_id: ProfileId,
        account_id: AccountId,
        name: str,
        shares: Mapping[ServerId, Share],
        *,
        actor: ProfileId,
    ) -> LinkOutcome:
        """Link an account on an owner's word."""
        new = await self._new_link(account_id, profile_id, name, Proof.OWNER, None)
        mark = await self._marks.of("account", account_id)
        outcome = await self._store.write(lambda tx: self._link(tx, new, mark, shares, actor=actor))
        await self._visibility.changed()
        return outcome

    async def unlink(self, profile_id: ProfileId, *, actor: ProfileId) -> Link | None:
        """End the link; account and person rest for seven days. What it was, None when there was none."""
        link = await self.link_of(profile_id)
        if link is None:
            return None
        rests = await self._rests(link.account_id, profile_id)
        now = self._clock.now()

        def unit(tx: Connection) -> Link | None:
            removed = links.remove(tx, profile_id)
            if removed is not None:
                links.rest(tx, rests, now + _REST)
                self._note(tx, profile_id, "unlinked", actor, now)
            return removed

        removed = await self._store.write(unit)
        await self._visibility.changed()
        return removed

    async def link_of(self, profile_id: ProfileId) -> Link | None:
        """The account of a person."""
        return await self._store.read(lambda tx: links.of_profile(tx, profile_id))

    async def every_link(self) -> list[Link]:
        """All links."""
        return await self._store.read(links.every)

    async def resting_until(self, profile_id: ProfileId, account_id: AccountId | None = None) -> datetime | None:
        """Until when the person, or the account, may not be linked."""
        rests = await self._rests(account_id, profile_id)
        now = self._clock.now()
        return await self._store.read(lambda tx: links.resting_until(tx, rests, now))

    async def token_of(self, profile_id: ProfileId) -> str | None:
        """The token that the person let us keep; None when there is none, or it can no longer be read."""
        link = await self.link_of(profile_id)
        return None if link is None else self.token_in(link)

    def token_in(self, link: Link) -> str | None:
        """The token of this very link, which may have changed since it was read; None as for `token_of`."""
        if link.token is None:
            return None
        try:
            token = self._sealing.unseal(link.token)
        except Unsealable:
            log.warning("token_unsealable", profile_id=link.profile_id)
            return None
        add_secret(token)
        return token

    async def tell(self, link: Link, say: Callable[[Connection, MemberId], object]) -> None:
        """Have `say` called in a unit of work for each Discord user that the profile of the link is."""

        def unit(tx: Connection) -> None:
            for one in people.members_of(tx, link.profile_id):
                say(tx, MemberId(int(one["id"])))

        await self._store.write(unit)

    async def drop_token(self, link: Link) -> bool:
        """Plex does not take the token any more: forget it. False when another one has taken its place."""
        before = link.token
        if before is None:
            return False
        return await self._store.write(lambda tx: links.set_token(tx, link.account_id, before, None))

    async def note_shares(self, server: ServerId, shares: Mapping[AccountId, Share]) -> int:
        """Take note of all that the server's owner shares; how many linked accounts that is news for."""
        now = self._clock.now()

        def unit(tx: Connection) -> int:
            news = 0
            for link in links.every(tx):
                share = shares.get(link.account_id)
                if share is None:
                    is_news = links.remove_share(tx, link.account_id, server)
                else:
                    is_news = links.set_shares(tx, link.account_id, {server: share}, now)
                if is_news:
                    self._announce(tx, link.profile_id, f"shares {server}", now)
                    news += 1
            return news

        news = await self._store.write(unit)
        if news:
            await self._visibility.changed()
        return news

    async def reseal(self) -> int:
        """Seal every token and code with the newest key; how many could not be opened by any key."""
        lost = 0
        for link in await self.every_link():
            if link.token is None:
                continue
            try:
                after = self._sealing.renew(link.token)
            except Unsealable:
                lost += 1
                continue
            before = link.token
            account_id = link.account_id
            await self._store.write(lambda tx, a=account_id, b=before, c=after: links.set_token(tx, a, b, c))  # type: ignore[misc]
        for number, code in await self._store.read(link_requests.open_codes):
            try:
                after = self._sealing.renew(code)
            except Unsealable:
                continue  # nobody can use it: the request runs out
            await self._store.write(lambda tx, a=number, b=code, c=after: link_requests.set_code(tx, a, b, c))  # type: ignore[misc]
        try:
            await self._marks.renew()
        except Unsealable:
            lost += 1
        return lost

    async def _new_link(
        self, account_id: AccountId, profile_id: ProfileId, name: str, proof: Proof, token: str | None
    ) -> NewLink:
        shown = clamp(plain(name), NAME_CHARS_MAX) or f"Plex account {account_id}"
        return NewLink(account_id, profile_id, shown, proof, token, await self._rests(account_id, profile_id))

    async def _rests(self, account_id: AccountId | None, profile_id: ProfileId) -> tuple[bytes, ...]:
        mine = await self._marks.of("rest.profile", profile_id)
        return (mine,) if account_id is None else (mine, await self._marks.of("rest.account", account_id))

    def _link(
        self, tx: Connection, new: NewLink, mark: bytes, shares: Mapping[ServerId, Share], *, actor: ProfileId
    ) -> LinkOutcome:
        now = self._clock.now()
        outcome = links.add(tx, new, now)
        if outcome in _DONE:
            links.set_shares(tx, new.account_id, shares, now)
            welcome_back(tx, mark)
            claim_plays(tx, mark, new.profile_id)
            self._note(tx, new.profile_id, f"{outcome.value} by {new.proof.value}", actor, now)
        return outcome

    def _note(self, tx: Connection, profile_id: ProfileId, change: str, actor: ProfileId, now: datetime) -> None:
        """On record and announced; which account it is stands in neither, for neither can be erased."""
        target, trace_id = f"profile {profile_id}", current_trace_id() or ""
        audit.add(tx, at=now, actor=actor, action=f"plex account {change}", target=target, detail={}, trace_id=trace_id)
        self._announce(tx, profile_id, change, now)

    def _announce(self, tx: Connection, profile_id: ProfileId, change: str, now: datetime) -> None:
        event = LinksChanged(profile_id=profile_id, change=change, occurred_at=now)
        self._events.publish(tx, event, source="accounts", trace_id=current_trace_id() or "")

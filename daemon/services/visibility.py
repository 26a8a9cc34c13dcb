"""What somebody may see of the libraries, asked from within a guild or in a direct message.

A guild sees what is bound to it. A linked account narrows that to what Plex itself shows the account, labels and
content ratings included; somebody without a link sees what the guild sees.

In a direct message there is no guild whose view could be given, and adding up the guilds of a person would be guessing:
who belongs to which is not ours to know. So a linked account sees what Plex shows it, which its owner has decided, and
anybody else sees nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection

from daemon.core.events import BindingsChanged, LinksChanged, PersonForgotten
from daemon.core.ids import GuildId, MemberId, ServerId
from daemon.core.limits import VISIBILITY_KEPT_S
from daemon.core.shares import Share, UnknownFilter
from daemon.core.visibility import LibraryRef, Restriction, Visibility
from daemon.data import bindings, links, people
from daemon.data.bindings import Binding
from daemon.data.library import libraries
from daemon.data.library.libraries import Library
from daemon.data.store import Store
from daemon.services.cache import Cache
from daemon.services.events import Events

_TAG = "visibility"
_ITEMS_MAX = 5_000


class _Basis(NamedTuple):
    """What the database says: of the guild (None: everything), and of the linked account (None: there is none)."""

    reach: frozenset[Binding] | None
    shares: Mapping[ServerId, Share] | None


class VisibilityService:
    """Answers from a cache. A change here is seen at once, by other processes as soon as they are told of it.

    The libraries are those of the mirror, which takes note of all that a server lists before it reads any.
    """

    def __init__(self, store: Store, cache: Cache) -> None:
        self._store = store
        self._cache = cache
        self._listings = 0  # of libraries, that this process has heard of: older answers do not know the newest one
        store.on_commit(libraries.LISTED, self._relisted)
        # As plain rows: (library, and five lists that narrow it or none), because a mapping with such keys has no form
        # in MessagePack.
        self._region = cache.region("visibility", _Kept, ttl_s=VISIBILITY_KEPT_S, items_max=_ITEMS_MAX)

    def listen(self, events: Events) -> None:
        """Hear of changes that other processes make."""
        events.subscribe("visibility.changes", BindingsChanged, self._forget)
        events.subscribe("visibility.changes", LinksChanged, self._forget)
        events.subscribe("visibility.changes", PersonForgotten, self._forget)

    async def of(self, member_id: MemberId, guild_id: GuildId | None) -> Visibility:
        """What the member may see there. UpstreamError when the database does not answer."""
        key = f"{member_id}:{guild_id or 0}:{self._listings}"
        kept = await self._region.get(key, lambda: self._load(member_id, guild_id), (_TAG,))
        return kept.to_visibility()

    async def changed(self) -> None:
        """Something it is made of has changed in this process: nothing that was known before is an answer."""
        await self._cache.invalidate(_TAG)

    async def _forget(self, event: Any) -> None:
        await self.changed()

    def _relisted(self, values: list[Any]) -> None:
        self._listings += 1

    async def _load(self, member_id: MemberId, guild_id: GuildId | None) -> _Kept:
        def unit(tx: Connection) -> Visibility:
            basis = _basis(tx, member_id, guild_id)
            if basis.reach is None and basis.shares is None:
                return Visibility()
            return narrowed(libraries.listing(tx), basis.reach, basis.shares)

        return _Kept.of(await self._store.read(unit))


def _basis(tx: Connection, member_id: MemberId, guild_id: GuildId | None) -> _Basis:
    profile_id = people.profile_of(tx, member_id)
    link = None if profile_id is None else links.of_profile(tx, profile_id)
    shares = None if link is None else links.shares_of(tx, link.account_id)
    if guild_id is not None:
        return _Basis(bindings.reach(tx, guild_id), shares)
    return _Basis(None if link is not None else frozenset(), shares)


def narrowed(
    known: Iterable[Library], reach: Collection[Binding] | None, shares: Mapping[ServerId, Share] | None
) -> Visibility:
    """The libraries among `known` that are both within reach and shared, with what narrows each. Pure.

    `reach` None: all; `shares` None: nobody's account narrows it. A filter that cannot be applied hides its library.
    A server is seen whole when it is bound as a whole, and an account shared all of it without a filter.
    """
    seen: set[LibraryRef] = set()
    restrictions: dict[LibraryRef, Restriction] = {}
    for library in known:
        ref = library.ref
        if reach is not None and not {Binding(ref.server), Binding(ref.server, ref.key)} & set(reach):
            continue
        if shares is not None:
            share = shares.get(ref.server)
            if share is None or (share.libraries is not None and ref.key not in share.libraries):
                continue
            try:
                restriction = share.restriction(library.kind.value)
            except UnknownFilter:
                continue
            if restriction is not None:
                restrictions[ref] = restriction
        seen.add(ref)
    return Visibility(frozenset(seen), restrictions, _whole(reach, shares))


def _whole(reach: Collection[Binding] | None, shares: Mapping[ServerId, Share] | None) -> frozenset[ServerId]:
    bound = None if reach is None else {one.server for one in reach if one == Binding(one.server)}
    shared = None if shares is None else {server for server, share in shares.items() if share.is_whole}
    if bound is None or shared is None:
        return frozenset(bound or shared or ())
    return frozenset(bound & shared)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A Visibility as the cache keeps it."""

    is_all: bool
    rows: list[tuple[str, list[list[str]] | None]]
    servers: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, visibility: Visibility) -> _Kept:
        rows: list[tuple[str, list[list[str]] | None]] = []
        for ref in sorted(visibility.libraries or (), key=str):
            r = visibility.restrictions.get(ref)
            lists = None if r is None else [r.labels, r.hidden_labels, r.ratings, r.hidden_ratings]
            rows.append((str(ref), None if lists is None else [sorted(one) for one in lists]))
        return cls(visibility.libraries is None, rows, sorted(visibility.servers))

    def to_visibility(self) -> Visibility:
        if self.is_all:
            return Visibility()
        refs = {text: ref for text, _ in self.rows if (ref := LibraryRef.parse(text)) is not None}
        narrow = {
            refs[text]: Restriction(*(frozenset(one) for one in lists))
            for text, lists in self.rows
            if lists is not None
        }
        return Visibility(frozenset(refs.values()), narrow, frozenset(map(ServerId, self.servers)))

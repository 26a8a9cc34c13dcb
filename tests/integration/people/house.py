"""The services around people on a real store, with libraries and keys of the tests' own."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from daemon.core.ids import AccountId, GuildId, MemberId, ProfileId, RatingKey, ServerId
from daemon.core.library import LibraryFacts, LibraryKind
from daemon.core.shares import Share
from daemon.core.visibility import LibraryRef
from daemon.data import guilds, people
from daemon.data.library import libraries
from daemon.data.plays import Play
from daemon.services.accounts import Accounts, LinkOutcome, RequestState
from daemon.services.bindings import Bindings
from daemon.services.cache import Cache
from daemon.services.plays import Plays
from daemon.services.privacy import Privacy
from daemon.services.sealing import Marks, Sealing
from daemon.services.visibility import VisibilityService
from tests.integration.events.bus import Bus

ATTIC, CELLAR = ServerId("attic"), ServerId("cellar")
FILMS, SERIES, OLD_FILMS = LibraryRef(ATTIC, "1"), LibraryRef(ATTIC, "2"), LibraryRef(CELLAR, "1")
HOME, ABROAD = GuildId(10), GuildId(20)
KEY = "k" * 40
LIBRARIES = (
    (FILMS, LibraryKind.MOVIE, "Films"),
    (SERIES, LibraryKind.SHOW, "Series"),
    (OLD_FILMS, LibraryKind.MOVIE, "Old films"),
)
EVERYWHERE = {ATTIC: Share(), CELLAR: Share()}


@dataclass
class House:
    """One process; several on one store share what is in it and in the cache's backend."""

    bus: Bus
    cache: Cache
    sealing: Sealing = field(default_factory=lambda: Sealing([KEY]))

    def __post_init__(self) -> None:
        store, clock, events = self.bus.store, self.bus.clock, self.bus.events
        self.marks = Marks(store, clock, self.sealing)
        self.visibility = VisibilityService(store, self.cache)
        self.bindings = Bindings(store, clock, events, self.visibility)
        self.accounts = Accounts(store, clock, events, self.sealing, self.marks, self.visibility)
        self.privacy = Privacy(store, clock, events, self.marks, self.visibility)
        self.plays = Plays(store, self.marks, self.visibility)

    async def note(self, ref: LibraryRef, kind: LibraryKind, name: str) -> None:
        """The mirror takes note of a library."""
        facts = LibraryFacts(ref.key, None, kind, name, None)
        await self.bus.store.write(lambda tx: libraries.note(tx, ref.server, facts))

    async def person(self, member: int, name: str = "") -> ProfileId:
        now = self.bus.clock.now()
        member_id, called = MemberId(member), name or f"member{member}"
        return await self.bus.store.write(lambda tx: people.ensure_member(tx, member_id, called, now))

    async def guild(self, guild_id: GuildId) -> None:
        now = self.bus.clock.now()
        await self.bus.store.write(lambda tx: guilds.ensure_guild(tx, guild_id, None, now))

    async def link(
        self, profile_id: ProfileId, account: int, shares: dict[ServerId, Share] | None = None
    ) -> LinkOutcome:
        given = EVERYWHERE if shares is None else shares
        return await self.accounts.link_for(profile_id, AccountId(account), f"acc{account}", given, actor=profile_id)

    async def request(self, profile_id: ProfileId, member: int, *, keep: bool = False) -> int:
        expires_at = self.bus.clock.now().replace(year=2100)
        return await self.accounts.begin(profile_id, MemberId(member), 7, "CODE", expires_at, keep=keep)

    async def approve(self, request_id: int, account: int, token: str = "token-of-theirs") -> RequestState | None:
        request = await self.accounts.request(request_id)
        assert request is not None
        return await self.accounts.finish(request, AccountId(account), f"acc{account}", token, EVERYWHERE)

    async def watch(
        self, account: int, title: str, library: LibraryRef = FILMS, at: datetime | None = None, source: str = ""
    ) -> bool:
        unit = await self.plays.recording(
            source=source or f"{account}:{title}",
            account_id=AccountId(account),
            server=library.server,
            library=library.key,
            rating_key=RatingKey("5"),
            kind="movie",
            title=title,
            started_at=at or self.bus.clock.now(),
            watched_ms=1,
            duration_ms=1,
        )
        return await self.bus.store.write(unit)

    async def sees(self, viewer: ProfileId, member: int, guild: GuildId | None = HOME, **which: ProfileId) -> list[str]:
        found: list[Play] = await self.plays.visible(viewer, MemberId(member), guild, **which)
        return sorted(play.title for play in found)

    async def rows(self, sql: str) -> list[tuple[object, ...]]:
        return await self.bus.rows(sql)


def nothing(tx: Connection) -> None:
    """A unit of work without effect."""

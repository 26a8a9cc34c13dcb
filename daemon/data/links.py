"""Plex accounts that belong to profiles: one account to one profile, and what is shared with each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    select,
    update,
)

from daemon.core.ids import AccountId, ProfileId, ServerId
from daemon.core.shares import Share
from daemon.data.columns import BigInt, Instant, JsonObject, metadata
from daemon.data.hot import insert, inserts
from daemon.data.people import profiles

plex_accounts = Table(
    "plex_accounts",
    metadata,
    Column("account_id", BigInt, primary_key=True, autoincrement=False),
    Column("profile_id", ForeignKey("profiles.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("proof", Text, nullable=False),
    Column("linked_at", Instant, nullable=False),
    Column("token", Text),  # sealed; NULL unless the person said that it may be kept
    UniqueConstraint("profile_id", name="uq_plex_accounts_profile_id"),
    CheckConstraint("account_id > 0", name="account_id"),
    CheckConstraint("length(name) BETWEEN 1 AND 100", name="name"),
    CheckConstraint("proof IN ('pin', 'owner')", name="proof"),
)

plex_rests = Table(
    "plex_rests",
    metadata,
    Column("digest", LargeBinary, primary_key=True),  # keyed: of whom, cannot be told from the row
    Column("until", Instant, nullable=False, index=True),
    CheckConstraint("length(digest) = 32", name="digest"),
)

plex_shares = Table(
    "plex_shares",
    metadata,
    Column("account_id", ForeignKey("plex_accounts.account_id", ondelete="CASCADE"), primary_key=True),
    Column("server", Text, primary_key=True),
    Column("share", JsonObject, nullable=False),
    Column("read_at", Instant, nullable=False),
    CheckConstraint("length(server) BETWEEN 1 AND 32", name="server"),
)

_a = plex_accounts.c


class Proof(StrEnum):
    """How it is known that the account is the person's."""

    PIN = "pin"  # they signed in at Plex for this very request
    OWNER = "owner"  # an owner said so: managed users of a Home have no sign-in of their own


class LinkOutcome(StrEnum):
    """What came of linking."""

    LINKED = "linked"
    RENEWED = "renewed"  # it was linked to this profile already
    TAKEN = "taken"  # it is somebody else's
    HAS_OTHER = "has-other"  # the profile has another account
    RESTING = "resting"  # one of them was unlinked less than seven days ago
    FORGOTTEN = "forgotten"  # the profile is gone


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link to be made. `rests` are the keyed digests under which account and profile rest after an unlink."""

    account_id: AccountId
    profile_id: ProfileId
    name: str
    proof: Proof
    token: str | None = field(repr=False)  # sealed
    rests: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A Plex account and whose it is."""

    account_id: AccountId
    profile_id: ProfileId
    name: str
    proof: Proof
    linked_at: datetime
    token: str | None = field(repr=False)  # sealed


def add(tx: Connection, new: NewLink, at: datetime) -> LinkOutcome:
    """Link, unless something stands against it; nothing has changed then. A link that exists is brought up to date."""
    values = {
        "account_id": new.account_id,
        "profile_id": new.profile_id,
        "name": new.name,
        "proof": new.proof.value,
        "linked_at": at,
        "token": new.token,
    }
    if (
        tx.execute(
            select(profiles.c.id).where(profiles.c.id == new.profile_id, profiles.c.forgotten_at.is_(None))
        ).first()
        is None
    ):
        return LinkOutcome.FORGOTTEN
    if not inserts(tx, insert(tx.dialect.name, plex_accounts).values(**values), plex_accounts):
        return _renew(tx, new)
    # Looked at behind the insert, which has waited for an unlink that was under way.
    if resting_until(tx, new.rests, at) is not None:
        tx.execute(delete(plex_accounts).where(_a.account_id == new.account_id))
        return LinkOutcome.RESTING
    return LinkOutcome.LINKED


def _renew(tx: Connection, new: NewLink) -> LinkOutcome:
    same = _a.account_id == new.account_id, _a.profile_id == new.profile_id
    if tx.execute(update(plex_accounts).where(*same).values(name=new.name, token=new.token)).rowcount == 1:
        return LinkOutcome.RENEWED
    is_taken = tx.execute(select(_a.profile_id).where(_a.account_id == new.account_id)).first() is not None
    return LinkOutcome.TAKEN if is_taken else LinkOutcome.HAS_OTHER


def remove(tx: Connection, profile_id: ProfileId) -> Link | None:
    """End the profile's link; what it was, None when there was none. The caller says who rests: see `rest`."""
    link = of_profile(tx, profile_id)
    if link is None or tx.execute(delete(plex_accounts).where(_a.profile_id == profile_id)).rowcount == 0:
        return None
    return link


def rest(tx: Connection, digests: Iterable[bytes], until: datetime) -> None:
    """Keep what the digests stand for from being linked before `until`; a longer rest stays."""
    for digest in digests:
        statement = insert(tx.dialect.name, plex_rests).values(digest=digest, until=until)
        later = func.greatest if tx.dialect.name == "postgresql" else func.max
        longer: ColumnElement[Any] = later(plex_rests.c.until, statement.excluded.until)
        tx.execute(statement.on_conflict_do_update(index_elements=["digest"], set_={"until": longer}))


def resting_until(tx: Connection, digests: Sequence[bytes], at: datetime) -> datetime | None:
    """The instant until which one of them may not be linked; None when nothing stands against it."""
    c = plex_rests.c
    found: datetime | None = tx.execute(select(func.max(c.until)).where(c.digest.in_(digests), c.until > at)).scalar()
    return found


def delete_over(tx: Connection, now: datetime, rows: int) -> int:
    """Delete rests that are over, at most `rows`; how many."""
    c = plex_rests.c
    over = select(c.digest).where(c.until < now).order_by(c.until).limit(rows)
    return tx.execute(delete(plex_rests).where(c.digest.in_(over))).rowcount


def of_profile(tx: Connection, profile_id: ProfileId) -> Link | None:
    """The account of a profile."""
    return _first(tx, _a.profile_id == profile_id)


def every(tx: Connection) -> list[Link]:
    """All links, by account."""
    return [_link(row) for row in tx.execute(select(plex_accounts).order_by(_a.account_id))]


def set_token(tx: Connection, account_id: AccountId, before: str, after: str | None) -> bool:
    """Put another sealed token in the place of `before`, or none; False when it is not there any more."""
    where = _a.account_id == account_id, _a.token == before
    return tx.execute(update(plex_accounts).where(*where).values(token=after)).rowcount == 1


def set_shares(tx: Connection, account_id: AccountId, shares: Mapping[ServerId, Share], at: datetime) -> bool:
    """Replace what is known to be shared with the account on the given servers; whether it has changed."""
    before = shares_of(tx, account_id)
    for server, share in shares.items():
        values = {"share": _to_json(share), "read_at": at}
        statement = insert(tx.dialect.name, plex_shares).values(account_id=account_id, server=server, **values)
        tx.execute(statement.on_conflict_do_update(index_elements=["account_id", "server"], set_=values))
    return any(before.get(server) != share for server, share in shares.items())


def remove_share(tx: Connection, account_id: AccountId, server: ServerId) -> bool:
    """The server is not shared with the account any more; whether that is news."""
    c = plex_shares.c
    return tx.execute(delete(plex_shares).where(c.account_id == account_id, c.server == server)).rowcount == 1


def shares_of(tx: Connection, account_id: AccountId) -> dict[ServerId, Share]:
    """What was last read of what the account may see; a server that is missing is not shared with it."""
    c = plex_shares.c
    rows = tx.execute(select(c.server, c.share).where(c.account_id == account_id))
    return {ServerId(server): _from_json(share) for server, share in rows}


def _first(tx: Connection, condition: Any) -> Link | None:
    row = tx.execute(select(plex_accounts).where(condition)).first()
    return None if row is None else _link(row)


def _link(row: Any) -> Link:
    return Link(
        AccountId(row.account_id), ProfileId(row.profile_id), row.name, Proof(row.proof), row.linked_at, row.token
    )


def _to_json(share: Share) -> dict[str, Any]:
    libraries = None if share.libraries is None else sorted(share.libraries)
    return {"libraries": libraries, "filters": dict(share.filters)}


def _from_json(stored: dict[str, Any]) -> Share:
    libraries = stored["libraries"]
    return Share(None if libraries is None else frozenset(libraries), dict(stored["filters"]))

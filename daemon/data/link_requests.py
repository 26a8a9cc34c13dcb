"""Requests to link an account: a Plex PIN that somebody has been asked to approve. One open request a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    delete,
    select,
    update,
)

from daemon.core.ids import MemberId, ProfileId
from daemon.data.columns import BigInt, Instant, metadata
from daemon.data.hot import insert

link_requests = Table(
    "link_requests",
    metadata,
    Column("id", BigInt, primary_key=True),
    Column("profile_id", ForeignKey("profiles.id", ondelete="CASCADE"), nullable=False),
    Column("member_id", BigInt, nullable=False),
    Column("pin_id", BigInt, nullable=False),
    Column("code", Text, nullable=False),  # sealed: with it and our identifier the token can be fetched
    Column("keep_access", SmallInteger, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False, index=True),  # to be looked at; of one that has ended: when it did
    Column("state", Text, nullable=False),
    Column("is_told", SmallInteger, nullable=False),
    UniqueConstraint("profile_id", name="uq_link_requests_profile_id"),
    CheckConstraint(
        "state IN ('open', 'linked', 'renewed', 'expired', 'denied', 'taken', 'has-other', 'resting')", name="state"
    ),
    sqlite_autoincrement=True,  # a card of an old request must not speak for a new one
)

_r = link_requests.c


class RequestState(StrEnum):
    """Where a request stands. All but OPEN are final."""

    OPEN = "open"
    LINKED = "linked"
    RENEWED = "renewed"
    EXPIRED = "expired"
    DENIED = "denied"  # Plex has dropped the PIN before its time
    TAKEN = "taken"
    HAS_OTHER = "has-other"
    RESTING = "resting"


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A PIN that Plex has made for this person."""

    profile_id: ProfileId
    member_id: MemberId
    pin_id: int
    code: str = field(repr=False)  # sealed
    keep_access: bool
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it is stored."""

    request_id: int
    profile_id: ProfileId
    member_id: MemberId
    pin_id: int
    code: str = field(repr=False)  # sealed
    keep_access: bool
    asked_at: datetime
    expires_at: datetime
    state: RequestState


def add(tx: Connection, new: NewRequest, at: datetime) -> int:
    """Store a request in place of the one before; its number."""
    tx.execute(delete(link_requests).where(_r.profile_id == new.profile_id))
    values = {
        "profile_id": new.profile_id,
        "member_id": new.member_id,
        "pin_id": new.pin_id,
        "code": new.code,
        "keep_access": int(new.keep_access),
        "asked_at": at,
        "expires_at": new.expires_at,
        "next_at": at,
        "state": RequestState.OPEN.value,
        "is_told": 0,
    }
    number: int = tx.execute(insert(tx.dialect.name, link_requests).values(**values).returning(_r.id)).scalar_one()
    return number


def get(tx: Connection, request_id: int) -> Request | None:
    """A request; None when it has been replaced or cleaned up."""
    row = tx.execute(select(link_requests).where(_r.id == request_id)).first()
    return None if row is None else _request(row)


def of_profile(tx: Connection, profile_id: ProfileId) -> Request | None:
    """The newest request of a person."""
    row = tx.execute(select(link_requests).where(_r.profile_id == profile_id)).first()
    return None if row is None else _request(row)


def claim_due(tx: Connection, at: datetime, again_at: datetime, limit: int) -> list[Request]:
    """Open requests whose PIN is to be looked at now, put off until `again_at`: no other process takes them before."""
    due = select(_r.id).where(_r.state == RequestState.OPEN.value, _r.next_at <= at).order_by(_r.next_at).limit(limit)
    if tx.dialect.name == "postgresql":
        due = due.with_for_update(skip_locked=True)
    claimed = list(tx.execute(due).scalars())
    if not claimed:
        return []
    guard = _r.id.in_(claimed), _r.next_at <= at
    rows = tx.execute(update(link_requests).where(*guard).values(next_at=again_at).returning(link_requests))
    return sorted(map(_request, rows), key=lambda one: one.request_id)


def first_due(tx: Connection) -> datetime | None:
    """When the next open request is to be looked at; None when there is none."""
    open_ones = select(_r.next_at).where(_r.state == RequestState.OPEN.value)
    found: datetime | None = tx.execute(open_ones.order_by(_r.next_at).limit(1)).scalar()
    return found


def settle(tx: Connection, request_id: int, state: RequestState, at: datetime) -> bool:
    """Say how an open request ended; False when it is not open any more."""
    guard = _r.id == request_id, _r.state == RequestState.OPEN.value
    return tx.execute(update(link_requests).where(*guard).values(state=state.value, code="", next_at=at)).rowcount == 1


def tell(tx: Connection, request_id: int) -> bool:
    """Take it upon oneself to tell the person how it ended; False when it is open, gone, or was told."""
    guard = _r.id == request_id, _r.state != RequestState.OPEN.value, _r.is_told == 0
    return tx.execute(update(link_requests).where(*guard).values(is_told=1)).rowcount == 1


def untold(tx: Connection, ended_before: datetime) -> list[Request]:
    """Requests that ended before then, and whose end nobody was told."""
    guard = _r.state != RequestState.OPEN.value, _r.is_told == 0, _r.next_at < ended_before
    return [_request(row) for row in tx.execute(select(link_requests).where(*guard).order_by(_r.id).limit(100))]


def delete_ended(tx: Connection, ended_before: datetime, rows: int) -> int:
    """Delete requests that ended before then, at most `rows`; how many."""
    ended = select(_r.id).where(_r.state != RequestState.OPEN.value, _r.next_at < ended_before).limit(rows)
    return tx.execute(delete(link_requests).where(_r.id.in_(ended))).rowcount


def open_codes(tx: Connection) -> list[tuple[int, str]]:
    """(number, sealed code) of every open request."""
    rows = tx.execute(select(_r.id, _r.code).where(_r.state == RequestState.OPEN.value))
    return [(number, code) for number, code in rows]


def set_code(tx: Connection, request_id: int, before: str, after: str) -> bool:
    """Put the code sealed anew in the place of `before`."""
    return (
        tx.execute(update(link_requests).where(_r.id == request_id, _r.code == before).values(code=after)).rowcount == 1
    )


def _request(row: Any) -> Request:
    return Request(
        row.id,
        ProfileId(row.profile_id),
        MemberId(row.member_id),
        row.pin_id,
        row.code,
        bool(row.keep_access),
        row.asked_at,
        row.expires_at,
        RequestState(row.state),
    )

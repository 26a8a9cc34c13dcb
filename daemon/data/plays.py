"""Plays: who watched what. The only file that touches the table, and it gives plays to nobody but `visible_plays`.

That is held by `tests/architecture/test_plays.py`: whoever wants plays has to say who looks, and gets what that person
may see. Writing goes through `record` alone, which knows whose plays are not to be kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    LargeBinary,
    RowMapping,
    Table,
    Text,
    UniqueConstraint,
    and_,
    delete,
    exists,
    false,
    or_,
    select,
    true,
    update,
)

from daemon.core.ids import AccountId, GuildId, ProfileId, RatingKey, ServerId
from daemon.core.visibility import LibraryRef, Visibility
from daemon.data.columns import BigInt, Instant, metadata
from daemon.data.forgotten import forgotten_accounts
from daemon.data.hot import insert, inserts
from daemon.data.links import plex_accounts
from daemon.data.privacy import Audience, privacy_chosen, privacy_guilds, privacy_settings

_DAY = timedelta(days=1)

_plays = Table(
    "plays",
    metadata,
    Column("id", BigInt, primary_key=True),
    Column("source", Text, nullable=False),  # of the fact: a play that is told twice is one play
    Column("server", Text, nullable=False),
    Column("library", Text, nullable=False),
    Column("rating_key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("account_digest", LargeBinary, nullable=False),  # keyed: see `services.plays`
    Column("profile_id", ForeignKey("profiles.id", ondelete="CASCADE")),  # NULL: of an account that nobody linked
    Column("started_at", Instant, nullable=False),
    Column("watched_ms", BigInt, nullable=False),
    Column("duration_ms", BigInt, nullable=False),
    Index("ix_plays_profile_id_started_at", "profile_id", "started_at"),
    Index("ix_plays_account_digest", "account_digest"),
    Index("ix_plays_started_at", "started_at"),
    UniqueConstraint("source", name="uq_plays_source"),
    CheckConstraint("length(source) BETWEEN 1 AND 300", name="source"),
    CheckConstraint("length(account_digest) = 32", name="account_digest"),
    CheckConstraint("watched_ms >= 0 AND duration_ms >= 0", name="watched_ms"),
)

_p = _plays.c


@dataclass(frozen=True, slots=True)
class Play:
    """Somebody watched a title. `profile_id` None: the account belongs to nobody we know."""

    server: ServerId
    library: str
    rating_key: RatingKey
    kind: str
    title: str
    profile_id: ProfileId | None
    started_at: datetime
    watched_ms: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class NewPlay:
    """A play to be recorded. `source` names the fact for ever: "plex:attic:<session>:<item>:<start>"."""

    source: str
    account_id: AccountId
    digest: bytes = field(repr=False)  # of the account, keyed
    server: ServerId
    library: str
    rating_key: RatingKey
    kind: str
    title: str
    started_at: datetime
    watched_ms: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, from where, and what of the libraries they see. Without a guild: what is theirs or meant for them."""

    profile_id: ProfileId
    guild_id: GuildId | None
    sees: Visibility


def record(tx: Connection, play: NewPlay) -> bool:
    """Keep a play; False when it is known, or not to be kept: the person is incognito, or had it all forgotten."""
    c = plex_accounts.c
    # Locked, where the database knows such locks: whoever forgets the person meanwhile waits, then erases this, too.
    whose = select(c.profile_id).where(c.account_id == play.account_id).with_for_update(read=True)
    profile_id = tx.execute(whose).scalar()
    if tx.execute(select(forgotten_accounts.c.digest).where(forgotten_accounts.c.digest == play.digest)).first():
        return False
    if profile_id is not None and _is_unwanted(tx, profile_id, play.started_at):
        return False
    row = {
        "source": play.source,
        "server": play.server,
        "library": play.library,
        "rating_key": play.rating_key,
        "kind": play.kind,
        "title": play.title,
        "account_digest": play.digest,
        "profile_id": profile_id,
        "started_at": play.started_at,
        "watched_ms": play.watched_ms,
        "duration_ms": play.duration_ms,
    }
    return inserts(tx, insert(tx.dialect.name, _plays).values(**row), _plays)


def visible_plays(
    tx: Connection,
    viewer: Viewer,
    *,
    of: ProfileId | None = None,
    since: datetime | None = None,
    limit: int = 1000,
) -> list[Play]:
    """Plays that `viewer` may see, of one person or of all, newest first.

    One's own all of them. Of others what they let the viewer see (those they chose; in a guild in which they said so,
    everybody), and of that only titles of libraries that the viewer sees whole: whether a title passes somebody's
    filter cannot be told from a play.
    """
    statement = select(_plays).where(_may_see(viewer)).order_by(_p.started_at.desc(), _p.id.desc()).limit(limit)
    if of is not None:
        statement = statement.where(_p.profile_id == of)
    if since is not None:
        statement = statement.where(_p.started_at >= since)
    return [_play(row) for row in tx.execute(statement).mappings()]


def claim_plays(tx: Connection, digest: bytes, profile_id: ProfileId) -> int:
    """Give those plays of an account that are nobody's to whoever has linked it; how many.

    What was watched while it was somebody else's stays theirs.
    """
    unclaimed = _p.account_digest == digest, _p.profile_id.is_(None)
    return tx.execute(update(_plays).where(*unclaimed).values(profile_id=profile_id)).rowcount


def erase_plays(tx: Connection, profile_id: ProfileId, digest: bytes | None) -> int:
    """Delete all plays of a person, and of the account with this digest; how many."""
    whose = _p.profile_id == profile_id
    if digest is not None:
        whose = or_(whose, _p.account_digest == digest)
    return tx.execute(delete(_plays).where(whose)).rowcount


def delete_expired_plays(tx: Connection, now: datetime, rows: int) -> int:
    """Delete plays that are older than their person wants them kept, at most `rows`; how many.

    Those who said so are gone through one after the other: there are few of them, and each has an index to go by.
    """
    c = privacy_settings.c
    wanted = select(c.profile_id, c.retention_days).where(c.retention_days.is_not(None)).order_by(c.profile_id)
    deleted = 0
    for profile_id, days in tx.execute(wanted).all():
        old = select(_p.id).where(_p.profile_id == profile_id, _p.started_at < now - days * _DAY).limit(rows - deleted)
        deleted += tx.execute(delete(_plays).where(_p.id.in_(old))).rowcount
        if deleted >= rows:
            break
    return deleted


def _is_unwanted(tx: Connection, profile_id: int, at: datetime) -> bool:
    c = privacy_settings.c
    until = tx.execute(select(c.incognito_until).where(c.profile_id == profile_id)).scalar()
    return until is not None and at < until


def _may_see(viewer: Viewer) -> ColumnElement[bool]:
    s, chosen, allowed = privacy_settings.c, privacy_chosen.c, privacy_guilds.c
    is_chosen = exists().where(chosen.profile_id == _p.profile_id, chosen.viewer_id == viewer.profile_id)
    is_meant: ColumnElement[bool] = and_(s.visible == Audience.CHOSEN.value, is_chosen)
    if viewer.guild_id is not None:
        is_here = exists().where(allowed.profile_id == _p.profile_id, allowed.guild_id == viewer.guild_id)
        is_meant = or_(is_meant, and_(s.visible == Audience.GUILD.value, is_here))
    is_shown = exists().where(s.profile_id == _p.profile_id, is_meant)
    return or_(_p.profile_id == viewer.profile_id, and_(is_shown, _in_sight(viewer.sees)))


def _in_sight(sees: Visibility) -> ColumnElement[bool]:
    def is_in(refs: Mapping[LibraryRef, Any] | frozenset[LibraryRef]) -> ColumnElement[bool]:
        parts = [and_(_p.server == ref.server, _p.library == ref.key) for ref in sorted(refs, key=str)]
        return or_(false(), *parts)

    if sees.libraries is not None:
        return is_in(sees.libraries - set(sees.restrictions))
    return and_(true(), ~is_in(sees.restrictions)) if sees.restrictions else true()


def _play(row: RowMapping) -> Play:
    profile_id = row["profile_id"]
    return Play(
        ServerId(row["server"]),
        row["library"],
        RatingKey(row["rating_key"]),
        row["kind"],
        row["title"],
        None if profile_id is None else ProfileId(profile_id),
        row["started_at"],
        row["watched_ms"],
        row["duration_ms"],
    )

"""People who had everything forgotten: what is left is a random name, and a mark that keeps their plays away.

The mark is a keyed hash of the Plex account's number: a server's history that is read again later is recognised by it.
Without the key, which is sealed, nobody can tell whose it is.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, Connection, LargeBinary, Table, delete, select, update

from daemon.core.ids import MemberId, ProfileId
from daemon.data import privacy
from daemon.data.columns import Instant, metadata
from daemon.data.hot import insert
from daemon.data.leaving.tables import leaving_keeps
from daemon.data.link_requests import link_requests
from daemon.data.links import plex_accounts
from daemon.data.notices import notices
from daemon.data.people import discord_identities, profile_preferences, profiles

forgotten_accounts = Table(
    "forgotten_accounts",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("forgotten_at", Instant, nullable=False),
    CheckConstraint("length(digest) = 32", name="digest"),
)


def forget(tx: Connection, profile_id: ProfileId, pseudonym: str, digest: bytes | None, at: datetime) -> list[MemberId]:
    """Erase who the profile is; the Discord ids that led to it. None of it is left but the row under `pseudonym`.

    The number of the profile stays, because sums and ledgers are kept under it. Plays are `plays.erase_plays`'s.
    """
    c = discord_identities.c
    members = [MemberId(one) for one in tx.execute(select(c.member_id).where(c.profile_id == profile_id)).scalars()]
    owned: tuple[tuple[Table, Any], ...] = (
        (discord_identities, c.profile_id == profile_id),
        (plex_accounts, plex_accounts.c.profile_id == profile_id),
        (link_requests, link_requests.c.profile_id == profile_id),
        (profile_preferences, profile_preferences.c.profile_id == profile_id),
        (privacy.privacy_settings, privacy.privacy_settings.c.profile_id == profile_id),
        (privacy.privacy_guilds, privacy.privacy_guilds.c.profile_id == profile_id),
        (privacy.privacy_chosen, privacy.privacy_chosen.c.profile_id == profile_id),
        (privacy.privacy_chosen, privacy.privacy_chosen.c.viewer_id == profile_id),
        (notices, (notices.c.member_id.in_(members)) & notices.c.posted_at.is_not(None)),
    )
    for table, whose in owned:
        tx.execute(delete(table).where(whose))
    # What they wanted to stay stays wanted, by nobody in particular.
    tx.execute(update(leaving_keeps).where(leaving_keeps.c.profile_id == profile_id).values(profile_id=None))
    tx.execute(update(profiles).where(profiles.c.id == profile_id).values(name=pseudonym, forgotten_at=at))
    if digest is not None:
        statement = insert(tx.dialect.name, forgotten_accounts).values(digest=digest, forgotten_at=at)
        tx.execute(statement.on_conflict_do_nothing())
    return members


def welcome_back(tx: Connection, digest: bytes) -> bool:
    """The account is linked again, by its own choice: from now on its plays may be kept. Whether they were barred."""
    return tx.execute(delete(forgotten_accounts).where(forgotten_accounts.c.digest == digest)).rowcount == 1

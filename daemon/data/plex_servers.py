"""Plex servers by their name in the configuration, and what we found out about their players."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, Connection, ForeignKey, Table, Text, delete, select, update

from daemon.core.ids import PlayerId, ServerId
from daemon.data.columns import Instant, metadata
from daemon.data.hot import insert


class Route(StrEnum):
    """How commands reach a player."""

    DIRECT = "direct"
    PROXIED = "proxied"  # through its server
    NONE = "none"  # it cannot be controlled


plex_servers = Table(
    "plex_servers",
    metadata,
    Column("server", Text, primary_key=True),
    Column("machine_id", Text),  # NULL until the server told it
    Column("changed_at", Instant, nullable=False),
    Column("lost_at", Instant),  # NULL while it is there: what was last said about it in an event
    CheckConstraint("length(server) BETWEEN 1 AND 100", name="server"),
    CheckConstraint("length(machine_id) BETWEEN 1 AND 200", name="machine_id"),
)

plex_players = Table(
    "plex_players",
    metadata,
    Column("server", ForeignKey("plex_servers.server", ondelete="CASCADE"), primary_key=True),
    Column("player_id", Text, primary_key=True),
    Column("route", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("checked_at", Instant, nullable=False),
    CheckConstraint("length(player_id) BETWEEN 1 AND 200", name="player_id"),
    CheckConstraint("route IN ('direct', 'proxied', 'none')", name="route"),
)


@dataclass(frozen=True, slots=True)
class Capability:
    """Whether and how a player can be controlled; `reason` says in one sentence why not, "" when it can."""

    route: Route
    reason: str
    checked_at: datetime


def machine_id(tx: Connection, server: ServerId) -> str | None:
    """The identifier that the server told before, or None."""
    return tx.execute(select(plex_servers.c.machine_id).where(plex_servers.c.server == server)).scalar()


def set_machine_id(tx: Connection, server: ServerId, identifier: str, at: datetime) -> None:
    """Store which server this name means; players of the one it meant before are forgotten."""
    if machine_id(tx, server) not in (None, identifier):
        tx.execute(delete(plex_players).where(plex_players.c.server == server))
    statement = insert(tx.dialect.name, plex_servers).values(server=server, machine_id=identifier, changed_at=at)
    tx.execute(
        statement.on_conflict_do_update(index_elements=["server"], set_={"machine_id": identifier, "changed_at": at})
    )


def set_lost(tx: Connection, server: ServerId, at: datetime) -> bool:
    """Note that the server is lost since `at`; False when that is known, or the server was never reached at all."""
    c = plex_servers.c
    is_there = (c.server == server, c.machine_id.is_not(None), c.lost_at.is_(None))
    return tx.execute(update(plex_servers).where(*is_there).values(lost_at=at)).rowcount == 1


def set_back(tx: Connection, server: ServerId) -> datetime | None:
    """Note that the server is there; since when it was lost, or None when it was not."""
    c = plex_servers.c
    lost_at: datetime | None = tx.execute(select(c.lost_at).where(c.server == server).with_for_update()).scalar()
    if lost_at is not None:
        tx.execute(update(plex_servers).where(c.server == server).values(lost_at=None))
    return lost_at


def capability(tx: Connection, server: ServerId, player_id: PlayerId) -> Capability | None:
    """What is known of the player, or None when it was never tried."""
    found = plex_players.c
    statement = select(found.route, found.reason, found.checked_at)
    row = tx.execute(statement.where(found.server == server, found.player_id == player_id)).one_or_none()
    return None if row is None else Capability(Route(row.route), row.reason, row.checked_at)


def set_capability(tx: Connection, server: ServerId, player_id: PlayerId, found: Capability) -> None:
    """Store what was found out, for a server that may not have told its machine id yet."""
    known = insert(tx.dialect.name, plex_servers).values(server=server, changed_at=found.checked_at)
    tx.execute(known.on_conflict_do_nothing())
    values = {"route": str(found.route), "reason": found.reason, "checked_at": found.checked_at}
    statement = insert(tx.dialect.name, plex_players).values(server=server, player_id=player_id, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=["server", "player_id"], set_=values))

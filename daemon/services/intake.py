"""Intake: who an interaction comes from, and whether it is the first time; at most one unit of work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from sqlalchemy import Connection

from daemon.core.ids import AppId, GuildId, InteractionId, MemberId, ProfileId
from daemon.core.limits import INTERACTION_PURGE_EVERY, KNOWN_MEMBERS_MAX, NAME_CHARS_MAX
from daemon.core.text import clamp, plain
from daemon.data import audit, guilds, interactions, people
from daemon.data.store import Store

FORGOTTEN: Final = "people.forgotten"
"""Topic of `Store.on_commit`: Discord ids of members whose profile is no longer theirs."""

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Arrival:
    """An interaction as it came in. `what` names it for the audit log: "command play", "component playback.pause"."""

    interaction_id: InteractionId
    member_id: MemberId
    member_name: str
    guild_id: GuildId | None
    guild_name: str | None
    app_id: AppId
    what: str
    at: datetime
    audited: bool
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class Admission:
    """Who it is, and whether this interaction was admitted before, here or by another process."""

    profile_id: ProfileId
    is_duplicate: bool


class Intake:
    """Makes members and guilds known, admits each interaction once, and audits the ones that ask for it.

    What is audited changes something, so its first time is decided by the database: one unit of work of two
    statements. What is not audited only reads: nothing can be done twice, Discord itself takes only one first answer,
    and so a second delivery is recognised from memory and a known member costs no statement at all.
    """

    def __init__(self, store: Store, *, known_max: int = KNOWN_MEMBERS_MAX) -> None:
        self._store = store
        self._known_max = known_max
        self._members: dict[MemberId, tuple[str, ProfileId]] = {}  # by the name Discord gave, before cleaning
        self._guilds: dict[GuildId, str | None] = {}
        self._seen: dict[InteractionId, None] = {}  # oldest first
        self._written = 0
        store.on_commit(FORGOTTEN, self._forget)

    async def admit(self, arrival: Arrival) -> Admission:
        """Admit an interaction; committed when this returns. UpstreamError when the database is gone or overloaded."""
        profile_id = self._known_profile(arrival)
        if profile_id is not None and not arrival.audited:
            is_duplicate = arrival.interaction_id in self._seen
            self._remember(self._seen, arrival.interaction_id, None)
            return Admission(profile_id, is_duplicate)
        self._written += 1
        unit = _Admit(arrival, profile_id, self._written % INTERACTION_PURGE_EVERY == 0)
        admission = await self._store.write(unit)
        self._remember(self._seen, arrival.interaction_id, None)
        if profile_id is None:
            self._remember(self._members, arrival.member_id, (arrival.member_name, admission.profile_id))
            if arrival.guild_id is not None:
                self._remember(self._guilds, arrival.guild_id, arrival.guild_name)
        return admission

    def _forget(self, members: list[MemberId]) -> None:
        for member_id in members:
            self._members.pop(member_id, None)

    def _known_profile(self, arrival: Arrival) -> ProfileId | None:
        name, profile_id = self._members.get(arrival.member_id, ("", None))
        return profile_id if name == arrival.member_name and self._knows_guild(arrival) else None

    def _knows_guild(self, arrival: Arrival) -> bool:
        if arrival.guild_id is None:
            return True
        known = self._guilds.get(arrival.guild_id, _UNKNOWN)
        return known is not _UNKNOWN and arrival.guild_name in (None, known)

    def _remember(self, known: dict[K, V], key: K, value: V) -> None:
        if len(known) >= self._known_max and key not in known:
            del known[next(iter(known))]  # the one that was met first
        known[key] = value


_UNKNOWN = object()


@dataclass(frozen=True, slots=True)
class _Admit:
    """The unit of work. `profile_id` is None for a member or guild that is not in memory."""

    arrival: Arrival
    profile_id: ProfileId | None
    is_purging: bool

    def __call__(self, tx: Connection) -> Admission:
        arrival = self.arrival
        profile_id = self._make_known(tx) if self.profile_id is None else self.profile_id
        is_first = interactions.see(tx, arrival.interaction_id, arrival.at)
        if is_first and arrival.audited:
            target = "" if arrival.guild_id is None else f"guild {arrival.guild_id}"
            audit.add(
                tx,
                at=arrival.at,
                actor=profile_id,
                action=clamp(arrival.what, NAME_CHARS_MAX),
                target=target,
                detail={"app_id": str(arrival.app_id), "interaction_id": str(arrival.interaction_id)},
                trace_id=arrival.trace_id,
            )
        if self.is_purging:
            interactions.forget_old(tx, arrival.at)
        return Admission(profile_id, not is_first)

    def _make_known(self, tx: Connection) -> ProfileId:
        arrival = self.arrival
        if arrival.guild_id is not None:
            name = None if arrival.guild_name is None else _clean(arrival.guild_name) or None
            guilds.ensure_guild(tx, arrival.guild_id, name, arrival.at)
        name = _clean(arrival.member_name) or str(arrival.member_id)
        return people.ensure_member(tx, arrival.member_id, name, arrival.at)


def _clean(name: str) -> str:
    return clamp(plain(name), NAME_CHARS_MAX)

"""What people decide about what is known of them: who sees it, for how long, all as a file, and none of it any more."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from daemon.core.clock import Clock
from daemon.core.events import PersonForgotten
from daemon.core.ids import GuildId, ProfileId
from daemon.core.limits import EXPORT_PLAYS_MAX, LINK_REST_DAYS
from daemon.core.visibility import Visibility
from daemon.data import audit, forgotten, links, people, privacy
from daemon.data.leaving import titles as leaving
from daemon.data.plays import Play, Viewer, erase_plays, visible_plays
from daemon.data.privacy import RETENTION_DAYS_MAX, Audience
from daemon.data.privacy import Privacy as Chosen
from daemon.data.store import Store, after_commit
from daemon.kernel.trace import current_trace_id
from daemon.services.events import Events
from daemon.services.intake import FORGOTTEN
from daemon.services.sealing import Marks
from daemon.services.visibility import VisibilityService

__all__ = ["RETENTION_DAYS_MAX", "Audience", "Change", "Chosen", "Privacy", "State"]

_NO_END = 0


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody wants otherwise; None leaves it. `retention_days` 0: no end. `incognito_until` in the past: off."""

    visible: Audience | None = None
    stats: bool | None = None
    retention_days: int | None = None
    incognito_until: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it only asks how things are."""
        return self == Change()


@dataclass(frozen=True, slots=True)
class State:
    """How things are: what was chosen, the people by name, and in how many guilds it may be seen."""

    chosen: Chosen
    people: tuple[tuple[ProfileId, str], ...]
    guilds: int
    is_seen_here: bool


class Privacy:
    """One person's own affair each time: whose, is decided by who asks."""

    def __init__(self, store: Store, clock: Clock, events: Events, marks: Marks, visibility: VisibilityService) -> None:
        self._store = store
        self._clock = clock
        self._events = events
        self._marks = marks
        self._visibility = visibility

    async def state(self, profile_id: ProfileId, guild_id: GuildId | None) -> State:
        """How things are, seen from a guild."""
        return await self._store.read(lambda tx: _state(tx, profile_id, guild_id))

    async def change(self, profile_id: ProfileId, guild_id: GuildId | None, wanted: Change) -> State:
        """Change it, and how things are then. `Audience.GUILD` is said for the guild it is said in."""
        now = self._clock.now()

        def unit(tx: Connection) -> State:
            privacy.put(tx, profile_id, _applied(privacy.get(tx, profile_id), wanted, now), now)
            if wanted.visible is Audience.GUILD and guild_id is not None:
                privacy.allow_guild(tx, profile_id, guild_id)
            elif wanted.visible is not None:
                privacy.withdraw_guilds(tx, profile_id)
            return _state(tx, profile_id, guild_id)

        return await self._store.write(unit)

    async def choose(self, profile_id: ProfileId, guild_id: GuildId | None, viewers: Iterable[ProfileId]) -> State:
        """Replace those who may see it while it is shown to chosen people only."""
        wanted = list(viewers)

        def unit(tx: Connection) -> State:
            privacy.choose(tx, profile_id, wanted)
            return _state(tx, profile_id, guild_id)

        return await self._store.write(unit)

    async def export(self, profile_id: ProfileId) -> dict[str, Any]:
        """Everything that is kept about the person, as JSON can say it; secrets are named, not shown."""
        return await self._store.read(lambda tx: _export(tx, profile_id))

    async def count_plays(self, profile_id: ProfileId) -> int:
        """How many plays are kept of the person, `EXPORT_PLAYS_MAX` at most."""
        return len(await self._store.read(lambda tx: _own_plays(tx, profile_id)))

    async def forget(self, profile_id: ProfileId) -> int:
        """Erase the person; how many plays went with them. A second time does nothing more.

        Their Plex account rests like one that was unlinked: to forget is no way round the seven days.
        """
        link = await self._store.read(lambda tx: links.of_profile(tx, profile_id))
        mark = None if link is None else await self._marks.of("account", link.account_id)
        rest = None if link is None else await self._marks.of("rest.account", link.account_id)
        pseudonym, now = f"forgotten-{secrets.token_hex(6)}", self._clock.now()

        def unit(tx: Connection) -> int:
            erased = erase_plays(tx, profile_id, mark)
            for member_id in forgotten.forget(tx, profile_id, pseudonym, mark, now):
                after_commit(FORGOTTEN, member_id)
            if rest is not None:
                links.rest(tx, (rest,), now + timedelta(days=LINK_REST_DAYS))
            event = PersonForgotten(profile_id=profile_id, occurred_at=now)
            if self._events.publish(tx, event, source="privacy", trace_id=current_trace_id() or ""):
                target = f"profile {profile_id}"
                trace_id = current_trace_id() or ""
                audit.add(tx, at=now, actor=profile_id, action="forgotten", target=target, detail={}, trace_id=trace_id)
            return erased

        erased = await self._store.write(unit)
        await self._visibility.changed()
        return erased


def _applied(before: Chosen, wanted: Change, now: datetime) -> Chosen:
    after = before
    if wanted.visible is not None:
        after = replace(after, visible=wanted.visible)
    if wanted.stats is not None:
        after = replace(after, stats=wanted.stats)
    if wanted.retention_days is not None:
        after = replace(after, retention_days=wanted.retention_days or None)
    if wanted.incognito_until is not None:
        after = replace(after, incognito_until=wanted.incognito_until if wanted.incognito_until > now else None)
    return after


def _state(tx: Connection, profile_id: ProfileId, guild_id: GuildId | None) -> State:
    names = people.names_of(tx, privacy.chosen_by(tx, profile_id))
    allowed = privacy.guilds_of(tx, profile_id)
    return State(privacy.get(tx, profile_id), tuple(sorted(names.items())), len(allowed), guild_id in allowed)


def _own_plays(tx: Connection, profile_id: ProfileId) -> list[Play]:
    return visible_plays(tx, Viewer(profile_id, None, Visibility(frozenset())), of=profile_id, limit=EXPORT_PLAYS_MAX)


def _export(tx: Connection, profile_id: ProfileId) -> dict[str, Any]:
    link, chosen = links.of_profile(tx, profile_id), privacy.get(tx, profile_id)
    plays = _own_plays(tx, profile_id)
    return {
        "profile": {
            "id": profile_id,
            "name": people.name_of(tx, profile_id),
            "created_at": _text(people.created_at(tx, profile_id)),
        },
        "discord": people.members_of(tx, profile_id),
        "plex": None
        if link is None
        else {
            "account_id": link.account_id,
            "name": link.name,
            "proof": link.proof.value,
            "linked_at": _text(link.linked_at),
            "access_is_kept": link.token is not None,
            "shares": {
                server: {
                    "libraries": None if share.libraries is None else sorted(share.libraries),
                    "filters": dict(share.filters),
                }
                for server, share in links.shares_of(tx, link.account_id).items()
            },
        },
        "privacy": {
            "visible": chosen.visible.value,
            "stats": chosen.stats,
            "retention_days": chosen.retention_days,
            "incognito_until": _text(chosen.incognito_until),
            "chosen": people.names_of(tx, privacy.chosen_by(tx, profile_id)),
            "guilds": [str(one) for one in privacy.guilds_of(tx, profile_id)],
        },
        "preferences": people.preferences(tx, profile_id),
        "audit": [{**row, "at": _text(row["at"])} for row in audit.of_actor(tx, profile_id, EXPORT_PLAYS_MAX)],
        "plays": [
            {
                "server": play.server,
                "library": play.library,
                "kind": play.kind,
                "title": play.title,
                "started_at": _text(play.started_at),
                "watched_ms": play.watched_ms,
                "duration_ms": play.duration_ms,
            }
            for play in plays
        ],
        "keeps": [{**row, "kept_at": _text(row["kept_at"])} for row in leaving.kept_by(tx, profile_id)],
        "is_cut": len(plays) == EXPORT_PLAYS_MAX,
    }


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()

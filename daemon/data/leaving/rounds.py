"""Rounds: announced, closed, confirmed, worked off. Every change of state is a guarded update: it happens once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, delete, exists, or_, select, update

from daemon.core.ids import AppId, ChannelId, GuildId, MessageId, ProfileId, ServerId
from daemon.core.leaving import Halt, Listed, Outcome, Round, RoundState, Rule
from daemon.core.visibility import LibraryRef
from daemon.data.guilds import ensure_guild
from daemon.data.hot import insert
from daemon.data.leaving.tables import leaving_keeps, leaving_rounds, leaving_titles

_r, _t, _k = leaving_rounds.c, leaving_titles.c, leaving_keeps.c
_RUNNING = (RoundState.OPEN.value, RoundState.CLOSED.value, RoundState.DELETING.value)


@dataclass(frozen=True, slots=True)
class NewRound:
    """A round that is to be announced."""

    guild_id: GuildId
    app_id: AppId
    channel_id: ChannelId
    library: LibraryRef
    library_name: str
    rule: Rule
    announced_by: ProfileId
    keep_until: datetime


def announce(tx: Connection, new: NewRound, titles: Sequence[Listed], at: datetime) -> tuple[int, int]:
    """The round's number, and how many titles it lists: what another undecided round lists already is left out."""
    ensure_guild(tx, new.guild_id, None, at)
    row = {
        "guild_id": new.guild_id, "server": new.library.server, "library": new.library.key,
        "library_name": new.library_name, **new.rule.to_state(), "announced_by": new.announced_by, "announced_at": at,
        "keep_until": new.keep_until, "state": RoundState.OPEN.value, "app_id": new.app_id,
        "channel_id": new.channel_id, "revision": 1, "shown": 0,
    }  # fmt: skip
    round_id = tx.execute(insert(tx.dialect.name, leaving_rounds).values(**row).returning(_r.id)).scalar_one()
    count = 0
    for title in sorted(
        titles, key=lambda one: int(one.rating_key)
    ):  # one order for all, so that nobody waits in a ring
        count += _list(tx, round_id, new.library.server, title)
    return round_id, count


def _list(tx: Connection, round_id: int, server: ServerId, title: Listed) -> bool:
    key = int(title.rating_key)
    row = {
        "round_id": round_id, "server": server, "rating_key": key, "undecided_key": key, "kind": title.kind.value,
        "guid": title.guid, "name": title.name, "year": title.year, "size_bytes": title.size_bytes,
        "files": title.files, "added_at": title.added_at, "played_at": title.played_at,
        "rating_tenths": title.rating_tenths, "freed_bytes": 0, "attempts": 0,
    }  # fmt: skip
    statement = insert(tx.dialect.name, leaving_titles).values(**row).on_conflict_do_nothing()
    return tx.execute(statement.returning(_t.id)).first() is not None


def get(tx: Connection, round_id: int) -> Round | None:
    """A round; None when there is none of that number."""
    row = tx.execute(select(leaving_rounds).where(_r.id == round_id)).first()
    return None if row is None else _to_round(row)


def running(tx: Connection, guild_id: GuildId | None = None) -> list[Round]:
    """Rounds that are not done, of one guild or of all, the newest first."""
    statement = select(leaving_rounds).where(_r.state.in_(_RUNNING)).order_by(_r.id.desc())
    if guild_id is not None:
        statement = statement.where(_r.guild_id == guild_id)
    return [_to_round(row) for row in tx.execute(statement)]


def drop(tx: Connection, round_id: int) -> bool:
    """Take a round back that was never posted, with what it lists."""
    unposted = (_r.id == round_id, _r.posted_at.is_(None), _r.state == RoundState.OPEN.value)
    return tx.execute(delete(leaving_rounds).where(*unposted)).rowcount == 1


def due(tx: Connection, at: datetime) -> list[int]:
    """Open rounds whose time is over."""
    statement = select(_r.id).where(_r.state == RoundState.OPEN.value, _r.keep_until <= at)
    return list(tx.execute(statement.order_by(_r.id)).scalars())


def close(tx: Connection, round_id: int, at: datetime) -> bool:
    """Nobody can keep any more; what was kept is recorded, and exempt for as long as the rule says. Once."""
    # Whoever keeps a title holds the round until they are done: what they kept is seen below.
    if not _move(tx, round_id, RoundState.OPEN, RoundState.CLOSED, closed_at=at):
        return False
    exempt_days = tx.execute(select(_r.exempt_days).where(_r.id == round_id)).scalar_one()
    exempt_until = at + timedelta(days=exempt_days)
    is_kept = exists().where(_k.title_id == _t.id)
    values = {"outcome": Outcome.KEPT.value, "decided_at": at, "undecided_key": None, "exempt_until": exempt_until}
    tx.execute(update(leaving_titles).where(_t.round_id == round_id, _t.outcome.is_(None), is_kept).values(**values))
    _end_if_decided(tx, round_id, RoundState.CLOSED, at)
    return True


def begin(tx: Connection, round_id: int, confirmed_by: ProfileId, at: datetime) -> bool:
    """An owner has the rest deleted. Of two who say so one does."""
    return _move(
        tx, round_id, RoundState.CLOSED, RoundState.DELETING, confirmed_by=confirmed_by, confirmed_at=at, halt=None
    )


def leave(tx: Connection, round_id: int, at: datetime) -> bool:
    """Nothing of the round is deleted, now or later; False when it is not closed, or being deleted."""
    if not _move(tx, round_id, RoundState.CLOSED, RoundState.DONE, ended_at=at):
        return False
    values = {"outcome": Outcome.LEFT.value, "decided_at": at, "undecided_key": None}
    tx.execute(update(leaving_titles).where(_t.round_id == round_id, _t.outcome.is_(None)).values(**values))
    return True


def stale(tx: Connection, closed_before: datetime) -> list[int]:
    """Closed rounds about which no owner has decided since then."""
    is_old = and_(_r.closed_at < closed_before, or_(_r.confirmed_at.is_(None), _r.confirmed_at < closed_before))
    return list(tx.execute(select(_r.id).where(_r.state == RoundState.CLOSED.value, is_old)).scalars())


def deleting(tx: Connection) -> list[int]:
    """Rounds that are to be deleted, by this process or another."""
    return list(tx.execute(select(_r.id).where(_r.state == RoundState.DELETING.value).order_by(_r.id)).scalars())


def claim(tx: Connection, process: str, at: datetime, until: datetime, *, but: Collection[int] = ()) -> Round | None:
    """A round whose titles this process may delete until then; None when there is none, or others have them all."""
    is_free = or_(_r.owner.is_(None), _r.owner == process, _r.owned_until <= at)
    free = (_r.state == RoundState.DELETING.value, is_free)
    for round_id in tx.execute(select(_r.id).where(*free, _r.id.not_in(but)).order_by(_r.id)).scalars().all():
        taking = update(leaving_rounds).where(_r.id == round_id, *free).values(owner=process, owned_until=until)
        if tx.execute(taking).rowcount == 1:
            return get(tx, round_id)
    return None


def hold(tx: Connection, round_id: int, process: str, until: datetime) -> bool:
    """Go on deleting the round until then; False when another process has it, or it is not to be deleted any more."""
    mine = (_r.id == round_id, _r.owner == process, _r.state == RoundState.DELETING.value)
    return tx.execute(update(leaving_rounds).where(*mine).values(owned_until=until)).rowcount == 1


def release(tx: Connection, process: str) -> None:
    """Another process may go on with what this one was deleting."""
    tx.execute(update(leaving_rounds).where(_r.owner == process).values(owner=None, owned_until=None))


def halt(tx: Connection, round_id: int, process: str, why: Halt) -> bool:
    """Give the rest up for now: an owner may press again."""
    values = {"state": RoundState.CLOSED.value, "halt": why.value, "owner": None, "owned_until": None}
    mine = (_r.id == round_id, _r.owner == process, _r.state == RoundState.DELETING.value)
    return tx.execute(update(leaving_rounds).where(*mine).values(**values, revision=_r.revision + 1)).rowcount == 1


def finish(tx: Connection, round_id: int, process: str, at: datetime) -> bool:
    """The round is done when everything is decided; whether it is."""
    mine = tx.execute(select(_r.id).where(_r.id == round_id, _r.owner == process)).first()
    return mine is not None and _end_if_decided(tx, round_id, RoundState.DELETING, at)


def touch(tx: Connection, round_id: int) -> None:
    """The card has something new to show."""
    tx.execute(update(leaving_rounds).where(_r.id == round_id).values(revision=_r.revision + 1))


def unshown(tx: Connection) -> list[Round]:
    """Rounds whose card is not posted yet, or shows something old."""
    is_old = or_(_r.posted_at.is_(None), and_(_r.message_id.is_not(None), _r.shown < _r.revision))
    return [_to_round(row) for row in tx.execute(select(leaving_rounds).where(is_old).order_by(_r.id))]


def note_posted(tx: Connection, round_id: int, message_id: MessageId | None, revision: int, at: datetime) -> None:
    """The card stands there (None: it could not be posted, and will not be) and shows that revision."""
    values = {"message_id": message_id, "posted_at": at, "shown": revision}
    tx.execute(update(leaving_rounds).where(_r.id == round_id, _r.posted_at.is_(None)).values(**values))


def note_shown(tx: Connection, round_id: int, revision: int) -> None:
    """The card shows that revision."""
    tx.execute(update(leaving_rounds).where(_r.id == round_id, _r.shown < revision).values(shown=revision))


def note_lost(tx: Connection, round_id: int) -> None:
    """Somebody deleted the card."""
    tx.execute(update(leaving_rounds).where(_r.id == round_id).values(message_id=None))


def delete_old(tx: Connection, ended_before: datetime, at: datetime, rows: int) -> int:
    """Delete rounds that ended before then, with all below them, once nothing of theirs is exempt any more."""
    is_needed = exists().where(_t.round_id == _r.id, _t.exempt_until > at)
    old = select(_r.id).where(_r.state == RoundState.DONE.value, _r.ended_at < ended_before, ~is_needed).limit(rows)
    return tx.execute(delete(leaving_rounds).where(_r.id.in_(old))).rowcount


def _move(tx: Connection, round_id: int, before: RoundState, after: RoundState, **values: Any) -> bool:
    guarded = update(leaving_rounds).where(_r.id == round_id, _r.state == before.value)
    changes = {"state": after.value, "revision": _r.revision + 1, **values}
    return tx.execute(guarded.values(**changes)).rowcount == 1


def _end_if_decided(tx: Connection, round_id: int, before: RoundState, at: datetime) -> bool:
    left = select(_t.id).where(_t.round_id == round_id, _t.outcome.is_(None)).limit(1)
    if tx.execute(left).first() is not None:
        return False
    return _move(tx, round_id, before, RoundState.DONE, ended_at=at, owner=None, owned_until=None)


def _to_round(row: Any) -> Round:
    return Round(
        round_id=row.id,
        guild_id=GuildId(row.guild_id),
        library=LibraryRef(ServerId(row.server), row.library),
        library_name=row.library_name,
        rule=Rule(row.unwatched_days, row.keep_days, row.exempt_days, row.size_bytes_min, row.rating_tenths_max),
        announced_by=None if row.announced_by is None else ProfileId(row.announced_by),
        announced_at=row.announced_at,
        keep_until=row.keep_until,
        state=RoundState(row.state),
        closed_at=row.closed_at,
        confirmed_by=None if row.confirmed_by is None else ProfileId(row.confirmed_by),
        confirmed_at=row.confirmed_at,
        ended_at=row.ended_at,
        halt=None if row.halt is None else Halt(row.halt),
        app_id=AppId(row.app_id),
        channel_id=ChannelId(row.channel_id),
        message_id=None if row.message_id is None else MessageId(row.message_id),
        posted_at=row.posted_at,
        revision=row.revision,
        shown=row.shown,
    )

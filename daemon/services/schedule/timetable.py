"""APScheduler's triggers and memory store, asked by our clock. The one file that imports it.

Its own schedulers read the machine's clock; ours may follow a simulator with jumps and speeds, so only what computes
and what keeps order is used: the store holds one entry a schedule, sorted by when it is next due.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.jobstores.memory import MemoryJobStore  # type: ignore[import-untyped]
from apscheduler.triggers.cron import CronTrigger  # type: ignore[import-untyped]
from apscheduler.triggers.interval import IntervalTrigger  # type: ignore[import-untyped]

from daemon.services.schedule.plan import Schedule

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


class Times:
    """The slots of a schedule. Making one may read files (the time zone's rules): not on the event loop.

    ValueError for an unknown zone, for fields that mean nothing, and for a date that never comes (30 February).

    Cron fields speak of wall time. In a zone with summer time APScheduler 3.11 adds to it in UTC and so loses slots
    (midnight after the night on which Berlin's clocks go forward). Here its trigger computes on wall times that are
    taken for UTC, where nothing shifts, and what a wall time means is decided afterwards.
    """

    def __init__(self, schedule: Schedule) -> None:
        self._trigger: Any
        self._zone: tzinfo = UTC
        self._is_each_hour = False
        if schedule.every_s is not None:
            self._trigger = IntervalTrigger(seconds=schedule.every_s, start_date=_EPOCH, timezone=UTC)
        else:
            self._zone = _load_zone(schedule)
            self._trigger = _to_trigger(schedule)
            self._is_each_hour = (schedule.cron or "").split()[1].startswith("*")
        if self.after(_EPOCH) is None:
            raise ValueError(f"schedule {schedule.name}: {schedule.when} is never due")

    def after(self, at: datetime) -> datetime | None:
        """The first slot later than `at`, in UTC; None when there is none any more."""
        if self._zone is UTC:
            return self._next_wall(at)
        best: datetime | None = None
        offsets = [self._offset(at + near) for near in (-_DAY, timedelta(0), _DAY)]
        wall = self._next_wall(at + min(offsets))
        while wall is not None:
            for slot in self._instants(wall):
                if slot > at and (best is None or slot < best):
                    best = slot
                    offsets += [self._offset(best), self._offset(best + _DAY)]
            if best is not None and wall - max(offsets) >= best:
                break  # a later wall time can mean no earlier slot
            wall = self._next_wall(wall)
        return best

    def _next_wall(self, wall: datetime) -> datetime | None:
        found: datetime | None = self._trigger.get_next_fire_time(None, wall)
        return self._trigger.get_next_fire_time(found, found) if found == wall else found

    def _offset(self, at: datetime) -> timedelta:
        return at.astimezone(self._zone).utcoffset() or timedelta(0)

    def _instants(self, wall: datetime) -> tuple[datetime, ...]:
        """What a wall time means in UTC: mostly one moment, see `Schedule` for the two nights on which it does not."""
        first, second = (wall.replace(tzinfo=self._zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        if not self._is_each_hour or first == second:
            return (first,)
        return (first, second) if first < second else ()  # there twice, or not at all


def _load_zone(schedule: Schedule) -> tzinfo:
    if schedule.timezone == "UTC":
        return UTC
    try:
        return ZoneInfo(schedule.timezone)
    except (ValueError, OSError, KeyError):  # an odd name, a folder, an unknown name
        raise ValueError(f"schedule {schedule.name}: there is no time zone {schedule.timezone!r}") from None


def _to_trigger(schedule: Schedule) -> Any:
    try:
        return CronTrigger.from_crontab(schedule.cron, timezone=UTC)
    except ValueError as error:
        raise ValueError(f"schedule {schedule.name}: {schedule.when}: {error}") from None


@dataclass(eq=False, slots=True)
class _Entry:
    """As far as the store knows a job."""

    id: str
    next_run_time: datetime | None


class Timetable:
    """Names by when they are next due."""

    def __init__(self) -> None:
        self._store: Any = MemoryJobStore()

    def put(self, name: str, next_at: datetime | None) -> None:
        """Enter `name`, or move it; None is never."""
        entry = _Entry(name, next_at)
        if self._store.lookup_job(name) is None:
            self._store.add_job(entry)
        else:
            self._store.update_job(entry)

    def remove(self, name: str) -> None:
        """Forget `name`; nothing happens when it is not there."""
        if self._store.lookup_job(name) is not None:
            self._store.remove_job(name)

    def due(self, now: datetime) -> list[tuple[str, datetime]]:
        """Names and slots that are due at `now`, earliest first."""
        return [(entry.id, entry.next_run_time) for entry in self._store.get_due_jobs(now)]

    def next_at(self) -> datetime | None:
        """When the next of all is due; None when nothing is."""
        found: datetime | None = self._store.get_next_run_time()
        return found

"""Which slots are due after a while, and which of them are run. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Protocol

from daemon.core.limits import SCHEDULE_LATE_S, SCHEDULE_MISSED_MAX
from daemon.services.schedule.plan import Missed

_LOOK_BACK = timedelta(minutes=2)  # the first look; each further one goes back four times as far


class Slots(Protocol):
    """Whatever knows when it is next due."""

    def after(self, at: datetime) -> datetime | None:
        """The first slot later than `at`."""
        ...


def newest_between(times: Slots, after: datetime, until: datetime, most: int) -> list[datetime]:
    """The newest `most` slots later than `after` and not later than `until`, oldest first.

    Triggers only look ahead, and a year of minutes is half a million slots; so the search begins near the end and
    goes back further only until it has found enough.
    """
    span = _LOOK_BACK
    while True:
        start = after if until - after <= span else until - span
        found = deque(_walk(times, start, until), maxlen=most)
        if start == after or len(found) == most:
            return list(found)
        span *= 4


def _walk(times: Slots, after: datetime, until: datetime) -> Iterator[datetime]:
    slot = times.after(after)
    while slot is not None and slot <= until:
        yield slot
        slot = times.after(slot)


def to_run(times: Slots, missed: Missed, after: datetime, now: datetime) -> tuple[list[datetime], bool]:
    """The slots to run at `now` when those up to `after` were dealt with, oldest first; and whether any were dropped.

    One that is at most `SCHEDULE_LATE_S` late is on time. An hourly schedule that was down from 01:30 to 04:01 runs
    04:00 with SKIP and with ONCE, and 02:00, 03:00 and 04:00 with ALL; down until 04:30, SKIP runs nothing.
    """
    if missed is Missed.ALL:
        found = newest_between(times, after, now, SCHEDULE_MISSED_MAX + 1)
        return found[-SCHEDULE_MISSED_MAX:], len(found) > SCHEDULE_MISSED_MAX
    found = newest_between(times, after, now, 2)
    newest = found[-1:]
    if missed is Missed.SKIP and newest and (now - newest[0]).total_seconds() > SCHEDULE_LATE_S:
        return [], True
    return newest, len(found) > 1

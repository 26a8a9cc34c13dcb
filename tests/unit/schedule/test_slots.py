"""Which slots are run after a while in which nobody was there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from daemon.core.limits import SCHEDULE_MISSED_MAX
from daemon.services.schedule.plan import Missed, Schedule
from daemon.services.schedule.slots import newest_between, to_run
from daemon.services.schedule.timetable import Times

HOURLY = Times(Schedule("x", cron="0 * * * *"))
NIGHTLY = Times(Schedule("x", cron="*/5 4 * * *"))
SECONDLY = Times(Schedule("x", every_s=1))
YEARLY = Times(Schedule("x", cron="* * 1 1 *"))
NOW = datetime(2026, 11, 20, 4, 1, tzinfo=UTC)


def hours(found: list[datetime]) -> list[int]:
    return [slot.hour for slot in found]


@pytest.mark.parametrize(
    ("missed", "after", "now", "run", "is_dropped"),
    [
        (Missed.SKIP, "03:00", "04:00", [4], False),
        (Missed.ONCE, "03:00", "04:00", [4], False),
        (Missed.ALL, "03:00", "04:00", [4], False),
        (Missed.SKIP, "03:00", "03:59", [], False),
        (Missed.SKIP, "01:30", "04:01", [4], True),
        (Missed.ONCE, "01:30", "04:01", [4], True),
        (Missed.ALL, "01:30", "04:01", [2, 3, 4], False),
        (Missed.SKIP, "01:30", "04:30", [], True),
        (Missed.ONCE, "01:30", "04:30", [4], True),
        (Missed.ALL, "01:30", "04:30", [2, 3, 4], False),
        (Missed.SKIP, "03:30", "04:05", [4], False),
        (Missed.SKIP, "03:30", "04:06", [], True),
    ],
)
def test_policies(missed: Missed, after: str, now: str, run: list[int], is_dropped: bool) -> None:
    def on_the_day(text: str) -> datetime:
        return datetime.fromisoformat(f"2026-11-20 {text}").replace(tzinfo=UTC)

    found, dropped = to_run(HOURLY, missed, on_the_day(after), on_the_day(now))
    assert (hours(found), dropped) == (run, is_dropped)


def test_of_very_many_only_the_newest_are_made_up_for() -> None:
    found, dropped = to_run(SECONDLY, Missed.ALL, NOW - timedelta(days=400), NOW)
    assert found == [NOW - timedelta(seconds=back) for back in range(SCHEDULE_MISSED_MAX - 1, -1, -1)]
    assert dropped
    found, dropped = to_run(SECONDLY, Missed.ALL, NOW - timedelta(seconds=SCHEDULE_MISSED_MAX), NOW)
    assert len(found) == SCHEDULE_MISSED_MAX
    assert not dropped


@pytest.mark.parametrize("times", [HOURLY, NIGHTLY, SECONDLY, YEARLY])
@pytest.mark.parametrize("back", [timedelta(seconds=90), timedelta(hours=7), timedelta(days=3), timedelta(days=330)])
@pytest.mark.parametrize("most", [1, 7, 100])
def test_looking_back_finds_what_looking_ahead_finds(times: Times, back: timedelta, most: int) -> None:
    if times is SECONDLY:
        back = min(back, timedelta(hours=1))
    plain, slot = [], NOW - back
    while (following := times.after(slot)) is not None and following <= NOW:
        plain.append(following)
        slot = following
    assert newest_between(times, NOW - back, NOW, most) == plain[-most:]

"""Slots: intervals, cron, and the two nights a year on which the clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.services.schedule.plan import Schedule
from daemon.services.schedule.timetable import Times, Timetable

BERLIN = "Europe/Berlin"  # forward on 29 March 2026 at 01:00 UTC, back on 25 October 2026 at 01:00 UTC
LORD_HOWE = "Australia/Lord_Howe"  # shifts by half an hour: back on 4 April 2026 at 15:00 UTC


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def slots(schedule: Schedule, after: str, count: int) -> list[str]:
    times, found, slot = Times(schedule), [], at(after)
    for _ in range(count):
        following = times.after(slot)
        assert following is not None
        assert following > slot
        slot = following
        found.append(f"{slot:%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("30 4 * * *", "UTC", "2026-11-20 04:29:59", ["20 04:30", "21 04:30"]),
        ("30 4 * * *", "UTC", "2026-11-20 04:30", ["21 04:30", "22 04:30"]),
        ("0 9 * * mon-fri", "UTC", "2026-11-20 09:00", ["23 09:00", "24 09:00"]),
        ("0 9 * * sun,wed", "UTC", "2026-11-20 09:00", ["22 09:00", "25 09:00"]),
        ("0 12 last * *", "UTC", "2026-11-20 00:00", ["30 12:00", "31 12:00"]),
        ("30 4 * * *", BERLIN, "2026-11-20 00:00", ["20 03:30", "21 03:30"]),
        # 02:30 is not there on the 29th: it is due an hour of wall time later, at 03:30 (01:30 UTC)
        ("30 2 * * *", BERLIN, "2026-03-27 12:00", ["28 01:30", "29 01:30", "30 00:30"]),
        ("30 2,3 * * *", BERLIN, "2026-03-28 12:00", ["29 01:30", "30 00:30", "30 01:30"]),
        ("*/30 * * * *", BERLIN, "2026-03-29 00:15", ["29 00:30", "29 01:00", "29 01:30", "29 02:00"]),
        # 02:30 is there twice on the 25th: the first counts
        ("30 2 * * *", BERLIN, "2026-10-23 12:00", ["24 00:30", "25 00:30", "26 01:30"]),
        ("*/30 2 * * *", BERLIN, "2026-10-24 12:00", ["25 00:00", "25 00:30", "26 01:00"]),
        # unless every hour is meant: then both do
        ("30 * * * *", BERLIN, "2026-10-24 23:00", ["24 23:30", "25 00:30", "25 01:30", "25 02:30"]),
        ("45 1 * * *", LORD_HOWE, "2026-04-03 12:00", ["03 14:45", "04 14:45", "05 15:15"]),
    ],
)
def test_cron(cron: str, zone: str, after: str, expected: list[str]) -> None:
    assert slots(Schedule("x", cron=cron, timezone=zone), after, len(expected)) == expected


def test_an_interval_has_the_same_slots_in_every_process() -> None:
    assert slots(Schedule("x", every_s=900), "2026-11-20 04:29:59.999999", 2) == ["20 04:30", "20 04:45"]
    assert slots(Schedule("x", every_s=900), "2026-11-20 04:30", 2) == ["20 04:45", "20 05:00"]


@given(st.integers(1, 400 * 86_400), st.integers(946_684_800, 3_500_000_000), st.integers(0, 999_999))
def test_an_interval_loses_no_slot_and_repeats_none(every_s: int, seconds: int, micros: int) -> None:
    epoch = at("1970-01-01")
    moment = epoch + timedelta(seconds=seconds, microseconds=micros)
    number = (moment - epoch) // timedelta(seconds=every_s)
    times = Times(Schedule("x", every_s=every_s))
    for step in (1, 2, 3):
        found = times.after(moment)
        assert found == epoch + timedelta(seconds=every_s * (number + step))
        moment = found


CHANGES = [  # nights on which clocks are changed, and one on which they are not
    (BERLIN, "2026-03-29 01:00"),
    (BERLIN, "2026-10-25 01:00"),
    (LORD_HOWE, "2026-04-04 15:00"),
    (LORD_HOWE, "2026-10-03 15:30"),
    ("Africa/Casablanca", "2026-02-15 02:00"),
    ("America/Santiago", "2026-09-06 04:00"),  # at midnight
    ("UTC", "2026-06-01 00:00"),
]


@settings(max_examples=60)
@given(
    st.sampled_from(CHANGES),
    st.lists(st.integers(0, 59), min_size=1, max_size=3, unique=True),
    st.lists(st.integers(0, 5) | st.integers(0, 23), min_size=0, max_size=3, unique=True),
    st.integers(-1440, 240),
)
def test_cron_is_what_a_clock_on_the_wall_would_show(
    change: tuple[str, str], minutes: list[int], hours: list[int], begin_m: int
) -> None:
    """Against a plain walk over the minutes of two days round the change."""
    zone, hour = ZoneInfo(change[0]), ",".join(map(str, sorted(hours))) or "*"
    times = Times(Schedule("x", cron=f"{','.join(map(str, sorted(minutes)))} {hour} * * *", timezone=change[0]))
    begin = at(change[1]) + timedelta(minutes=begin_m)
    moments = [begin + timedelta(minutes=number) for number in range(1, 2 * 1440)]
    shown = {moment: moment.astimezone(zone) for moment in moments}
    if hours:
        days = {(wall.year, wall.month, wall.day) for wall in shown.values()}
        meant = {
            datetime(*day, hour, minute, tzinfo=zone).astimezone(UTC)
            for day in days
            for hour in hours
            for minute in minutes
        }
        expected = sorted(moment for moment in meant if moment in shown)
    else:
        expected = [moment for moment, wall in shown.items() if wall.minute in minutes]
    found, slot = [], times.after(begin)
    while slot is not None and slot <= moments[-1]:
        found.append(slot)
        slot = times.after(slot)
    assert found == expected
    assert found


def test_a_timetable_tells_who_is_due_and_who_is_next() -> None:
    table = Timetable()
    assert table.next_at() is None
    table.put("b", at("2026-11-20 05:00"))
    table.put("a", at("2026-11-20 04:00"))
    table.put("never", None)
    assert table.next_at() == at("2026-11-20 04:00")
    assert table.due(at("2026-11-20 03:59")) == []
    assert [name for name, _ in table.due(at("2026-11-20 05:00"))] == ["a", "b"]
    table.put("a", at("2026-11-20 06:00"))
    assert table.due(at("2026-11-20 05:30")) == [("b", at("2026-11-20 05:00"))]
    table.remove("b")
    table.remove("b")
    assert table.next_at() == at("2026-11-20 06:00")
    table.put("a", None)
    assert table.next_at() is None

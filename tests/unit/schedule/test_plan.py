from __future__ import annotations

from typing import Any

import pytest

from daemon.services.schedule.plan import Schedule
from daemon.services.schedule.timetable import Times


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"name": ""}, "no name for a schedule"),
        ({"name": "Pets"}, "no name for a schedule"),
        ({"name": "a b"}, "no name for a schedule"),
        ({"name": "x" * 81}, "no name for a schedule"),
        ({}, "give either cron or every_s"),
        ({"cron": "0 4 * * *", "every_s": 5}, "give either cron or every_s"),
        ({"every_s": 0}, "every_s is 1 at least"),
        ({"cron": "0 4 * *"}, "cron has five fields, not 4"),
        ({"cron": ""}, "cron has five fields, not 0"),
        ({"cron": "0 4 * * 0"}, "days of the week are words"),
        ({"cron": "0 4 * * mon-fri/2"}, "days of the week are words"),
    ],
)
def test_what_is_no_schedule_is_refused_at_once(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Schedule(**{"name": "backup", **given})


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"cron": "60 4 * * *"}, "60 4"),
        ({"cron": "0 4 * foo *"}, "foo"),
        ({"cron": "0 4 * * fri-mon"}, "fri-mon"),
        ({"cron": "*/99 * * * *"}, "99"),
        ({"cron": "0 0 30 2 *"}, "is never due"),
        ({"cron": "0 4 * * *", "timezone": "Mars/Olympus"}, "no time zone 'Mars/Olympus'"),
        ({"cron": "0 4 * * *", "timezone": "../etc/passwd"}, "time"),
        ({"cron": "0 4 * * *", "timezone": ""}, "no time zone ''"),
    ],
)
def test_what_means_nothing_is_refused_when_it_is_added(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Times(Schedule("backup", **given))


def test_it_says_when() -> None:
    assert Schedule("backup", cron="30 4 * * *").when == "30 4 * * *"
    assert Schedule("pets.feed", every_s=90).when == "every 90 s"

"""What the settings accept as a cron expression, the scheduler can be given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.services.schedule import Schedule
from daemon.services.schedule.timetable import Times
from daemon.settings.cron import check_cron


def parts(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    pairs = st.tuples(number, number).map(sorted)
    bounds = pairs.map(lambda pair: f"{pair[0]}-{pair[1]}")
    wide = pairs.filter(lambda pair: pair[0] < pair[1])
    stepped = wide.map(lambda pair: f"{pair[0]}-{pair[1]}/{pair[1] - pair[0]}") | st.sampled_from(["*/2", f"{low}/2"])
    one = st.one_of(st.just("*"), number.map(str), bounds, stepped)
    return st.lists(one, min_size=1, max_size=3).map(",".join)


DAYS = st.sampled_from(["*", "mon", "mon-fri", "sat,sun", "mon-wed,fri"])


@given(parts(0, 59), parts(0, 23), parts(1, 28), parts(1, 12), DAYS)
def test_what_is_accepted_the_scheduler_takes(minute: str, hour: str, day: str, month: str, weekday: str) -> None:
    cron = " ".join((minute, hour, day, month, weekday))
    assert Times(Schedule("backup", cron=check_cron(cron))) is not None


@pytest.mark.parametrize(
    "cron",
    ["", "30 4 * *", "30 4 * * * *", "60 4 * * *", "30 24 * * *", "30 4 0 * *", "30 4 * 13 *", "30 4 * * 0",
     "*/0 4 * * *", "* 1-1/1 * * *", "*/60 * * * *", "30-10 4 * * *", "x 4 * * *",
     "30 4 * * mon-", "30,, 4 * * *", "-1 4 * * *"],
)  # fmt: skip
def test_what_cannot_be_is_refused(cron: str) -> None:
    with pytest.raises(ValueError, match=r"must have five fields|is no "):
        check_cron(cron)

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.data.columns import from_micros, to_json, to_micros
from daemon.data.failures import translate

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(timezones=ZONES))
def test_an_instant_survives_exactly(at: datetime) -> None:
    back = from_micros(to_micros(at))
    assert back == at
    assert back.tzinfo is UTC


@given(st.datetimes(timezones=ZONES), st.datetimes(timezones=ZONES))
def test_instants_keep_their_order(one: datetime, other: datetime) -> None:
    assert (to_micros(one) < to_micros(other)) == (one < other)


def test_a_worked_example() -> None:
    assert to_micros(datetime(1970, 1, 2, tzinfo=UTC)) == 86_400_000_000


def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        to_micros(datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test


def test_json_has_one_form_and_is_ascii() -> None:
    assert to_json({"b": "é", "a": [1, None]}) == '{"a":[1,null],"b":"\\u00e9"}'


def test_errors_of_the_unit_stay_what_they_are() -> None:
    error = LookupError("mine")
    assert translate(error) is error

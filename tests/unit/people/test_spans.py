from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from daemon.core.errors import UserError
from daemon.modules.linking.spans import SUGGESTED, until

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("off", timedelta()),
        ("0", timedelta()),
        ("1 hour", timedelta(hours=1)),
        ("3h", timedelta(hours=3)),
        ("90 Minutes", timedelta(minutes=90)),
        ("2 days", timedelta(days=2)),
        ("1w", timedelta(weeks=1)),
        ("365 days", timedelta(days=365)),
    ],
)
def test_spans_are_read(text: str, span: timedelta) -> None:
    assert until(text, NOW) == NOW + span


def test_what_is_suggested_can_be_read() -> None:
    assert [until(span, NOW) for span in SUGGESTED]


@pytest.mark.parametrize("text", ["", "forever", "366 days", "1.5 h", "9999999 m", "3 fortnights"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        until(text, NOW)

"""Spans of time as people write them: "2 hours", "3d", "off". Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from daemon.core.errors import UserError
from daemon.core.text import fold

DAYS_MAX = 365
SUGGESTED = ("off", "1 hour", "3 hours", "12 hours", "1 day", "7 days", "30 days")

_SPAN = re.compile(r"(\d{1,4}) ?(m|min|minutes?|h|hours?|d|days?|w|weeks?)")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def until(text: str, now: datetime) -> datetime:
    """The end of a span that begins now; `now` itself for "off". UserError for anything else, and for over a year."""
    words = fold(text)
    if words in ("off", "no", "none", "0"):
        return now
    match = _SPAN.fullmatch(words)
    if match is None:
        raise UserError("Write how long, such as 3 hours or 2 days, or off.", "bad_span")
    span = int(match[1]) * _UNITS[match[2][0]]
    if span > timedelta(days=DAYS_MAX):
        raise UserError(f"That is too long: {DAYS_MAX} days at most.", "bad_span")
    return now + span

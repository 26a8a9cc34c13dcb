"""Judging a cron expression by its form, so that a mistake is told with all the others, before anything starts."""

from __future__ import annotations

import re

_NUMBERS = (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12))
_PART = re.compile(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?")
_DAY = "(?:mon|tue|wed|thu|fri|sat|sun)"
_DAYS = re.compile(rf"\*|{_DAY}(?:-{_DAY})?(?:,{_DAY}(?:-{_DAY})?)*")


def check_cron(cron: str) -> str:
    """The expression; ValueError with a sentence about the first field that cannot be."""
    fields = cron.split()
    if len(fields) != 5:
        raise ValueError('must have five fields (minute, hour, day, month, weekday), such as "30 4 * * *"')
    for field, (name, low, high) in zip(fields, _NUMBERS, strict=False):
        if not all(_is_part(part, low, high) for part in field.split(",")):
            raise ValueError(
                f"{field!r} is no {name}: numbers from {low} to {high}, such as {low}, {low}-{high}, */2, *"
            )
    if not _DAYS.fullmatch(fields[4]):
        raise ValueError(f'{fields[4]!r} is no day of the week: words, such as "mon-fri,sun", or *')
    return cron


def _is_part(part: str, low: int, high: int) -> bool:
    found = _PART.fullmatch(part)
    if found is None:
        return False
    first, last, step = (None if number is None else int(number) for number in found.groups())
    begin = low if first is None else first
    end = last if last is not None else (high if first is None or step is not None else begin)
    return low <= begin <= end <= high and (step is None or 1 <= step <= end - begin)

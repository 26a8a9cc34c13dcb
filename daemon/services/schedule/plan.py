"""What a schedule is: its name, when it is due, and what becomes of slots that were missed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,79}")
_DAY = "(?:mon|tue|wed|thu|fri|sat|sun)"
_WEEKDAYS = re.compile(rf"\*|{_DAY}(?:-{_DAY})?(?:,{_DAY}(?:-{_DAY})?)*")


class Missed(StrEnum):
    """What becomes of slots at which nobody was there: the daemon was down, or the clock jumped over them."""

    SKIP = "skip"  # nothing is made up for
    ONCE = "once"  # one run for all of them
    ALL = "all"  # a run for each, oldest first; of very many only the newest


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something is due. Exactly one of `cron` and `every_s` is given.

    `cron` has five fields (minute, hour, day of the month, month, day of the week), read in `timezone`, an IANA name;
    days of the week are words ("mon-fri,sun"), because tools do not agree on what day 0 is, and when a day of the
    month is given as well both must fit. A wall time that a day lacks is due one shift of the clock later; one that a
    day has twice is due the first time only, unless the hour is "*": then every hour counts. `every_s` counts whole
    seconds since 1970 UTC, so that its slots are the same in every process and after every restart.

    ValueError for anything that cannot be a schedule; that the zone exists is checked when it is added.
    """

    name: str  # unique in the daemon: "backup", "pets.feed"
    cron: str | None = None
    every_s: int | None = None
    timezone: str = "UTC"
    missed: Missed = Missed.ONCE

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no name for a schedule: 1 to 80 of a-z, 0-9, '_', '.', '-'")
        if (self.cron is None) == (self.every_s is None):
            raise ValueError(f"schedule {self.name}: give either cron or every_s")
        if self.every_s is not None and self.every_s < 1:
            raise ValueError(f"schedule {self.name}: every_s is 1 at least, not {self.every_s}")
        if self.cron is not None:
            self._check_cron(self.cron.split())

    @property
    def when(self) -> str:
        """For people: "30 4 * * *" or "every 3600 s"."""
        return self.cron if self.cron is not None else f"every {self.every_s} s"

    def _check_cron(self, fields: list[str]) -> None:
        if len(fields) != 5:
            raise ValueError(f"schedule {self.name}: cron has five fields, not {len(fields)}: {self.cron!r}")
        if not _WEEKDAYS.fullmatch(fields[4]):
            raise ValueError(f'schedule {self.name}: days of the week are words, such as "mon-fri", not {fields[4]!r}')

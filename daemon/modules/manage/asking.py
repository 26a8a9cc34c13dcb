"""What an owner asks for, as plain values that can be kept with a card's buttons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from daemon.core.visibility import LibraryRef
from daemon.services.library.stock import Mark


@dataclass(frozen=True, slots=True)
class Chosen:
    """A library that was chosen or named."""

    ref: LibraryRef
    name: str


class Verb(StrEnum):
    """What a server is to do with a whole library."""

    SCAN = "scan"
    REFRESH = "refresh"
    ANALYZE = "analyze"

    @property
    def doing(self) -> str:
        """As a heading has it: `Scanning`."""
        return {"scan": "Scanning", "refresh": "Refreshing", "analyze": "Analyzing"}[self.value]

    @property
    def done(self) -> str:
        """`Scanned`."""
        return {"scan": "Scanned", "refresh": "Refreshed", "analyze": "Analyzed"}[self.value]


@dataclass(frozen=True, slots=True)
class Job:
    """Work on a library that was begun, and how the library stood then (None: the mirror does not hold it)."""

    verb: Verb
    library: Chosen
    begun_at: datetime
    before: Mark | None

    def to_state(self) -> dict[str, Any]:
        """As JSON."""
        before = self.before
        return {
            "verb": self.verb.value,
            "library": str(self.library.ref),
            "name": self.library.name,
            "begun_at": self.begun_at.isoformat(),
            "before": None if before is None else [before.revision, before.last_id, before.count],
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Job:
        """From JSON."""
        before, ref = state["before"], LibraryRef.parse(state["library"])
        assert ref is not None, "it was written by `to_state`"
        return cls(
            Verb(state["verb"]),
            Chosen(ref, state["name"]),
            datetime.fromisoformat(state["begun_at"]),
            None if before is None else Mark(*before),
        )

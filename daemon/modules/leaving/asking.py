"""What an owner asks for, as plain values that can be kept with a list's buttons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from daemon.core.ids import GuildId, MemberId
from daemon.core.leaving import Listed, Rule
from daemon.core.visibility import LibraryRef


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, and from where: what they may see depends on both."""

    member_id: MemberId
    guild_id: GuildId | None


@dataclass(frozen=True, slots=True)
class Draft:
    """Titles that an owner was shown and may announce. `found` counts those that the rule gave before they were cut."""

    library: LibraryRef
    library_name: str
    rule: Rule
    titles: tuple[Listed, ...]
    found: int

    @property
    def size_bytes(self) -> int:
        """What all of them take up."""
        return sum(title.size_bytes for title in self.titles)

    def to_state(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "library": str(self.library),
            "library_name": self.library_name,
            "rule": self.rule.to_state(),
            "titles": [title.to_state() for title in self.titles],
            "found": self.found,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Draft:
        """From JSON; ValueError for what is none."""
        library = LibraryRef.parse(state["library"])
        if library is None:
            raise ValueError("no library")
        titles = tuple(Listed.from_state(one) for one in state["titles"])
        return cls(library, state["library_name"], Rule.from_state(state["rule"]), titles, state["found"])

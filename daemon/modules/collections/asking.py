"""What is asked for, as plain values that can be kept with a card's buttons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from daemon.core.ids import GuildId, MemberId
from daemon.core.library import CollectionRef
from daemon.core.visibility import LibraryRef


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, and from where: what they may see depends on both."""

    member_id: MemberId
    guild_id: GuildId | None


@dataclass(frozen=True, slots=True)
class Shelf:
    """A library by its reference and its name."""

    ref: LibraryRef
    name: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A collection that waits for its first title."""

    library: Shelf
    name: str

    def to_state(self) -> dict[str, Any]:
        """As JSON."""
        return {"library": str(self.library.ref), "library_name": self.library.name, "name": self.name}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Draft:
        """From JSON."""
        ref = LibraryRef.parse(state["library"])
        assert ref is not None, "written by to_state"
        return cls(Shelf(ref, state["library_name"]), state["name"])


@dataclass(frozen=True, slots=True)
class Doomed:
    """A collection that somebody wants deleted."""

    ref: CollectionRef
    name: str
    library_name: str
    count: int

    def to_state(self) -> dict[str, Any]:
        """As JSON."""
        return {"ref": str(self.ref), "name": self.name, "library_name": self.library_name, "count": self.count}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Doomed:
        """From JSON."""
        ref = CollectionRef.parse(state["ref"])
        assert ref is not None, "written by to_state"
        return cls(ref, state["name"], state["library_name"], state["count"])

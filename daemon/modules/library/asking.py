"""What a member asks for, as plain values that can be kept with a list's buttons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from daemon.core.ids import GuildId, MemberId, ProfileId
from daemon.core.media import TitleKind
from daemon.core.visibility import LibraryRef


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, and from where: what they may see depends on both. While they type their profile is not looked up."""

    member_id: MemberId
    guild_id: GuildId | None
    profile_id: ProfileId | None = None


@dataclass(frozen=True, slots=True)
class Searched:
    """A search whose result is shown in pages."""

    text: str
    kind: TitleKind | None = None
    library: LibraryRef | None = None

    def to_state(self) -> dict[str, Any]:
        """As JSON."""
        kind, library = self.kind, self.library
        return {"text": self.text, "kind": kind and kind.value, "library": library and str(library)}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Searched:
        """From JSON."""
        kind, library = state["kind"], state["library"]
        return cls(state["text"], TitleKind(kind) if kind else None, LibraryRef.parse(library) if library else None)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a random title has to be like."""

    genre: str | None = None
    minutes_max: int | None = None
    unwatched: bool = False

"""What owners are asked about titles before something is done, as plain values that are kept with the buttons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from daemon.core.media import TitleRef
from integrations.plex.editing_shapes import Candidate, Editable, FileVersion

CANDIDATES_MAX = 25  # as many as a menu has places


@dataclass(frozen=True, slots=True)
class Named:
    """A title that is asked about, with its files as they were shown."""

    ref: TitleRef
    name: str
    kind: str
    library: str
    versions: tuple[FileVersion, ...]
    folders: tuple[str, ...]

    @classmethod
    def of(cls, title: Editable) -> Named:
        """A title as it is now."""
        return cls(title.ref, str(title), title.kind.value, title.library, title.versions, title.folders)

    def to_state(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "ref": str(self.ref), "name": self.name, "kind": self.kind, "library": self.library,
            "versions": [[one.resolution, one.size_bytes, list(one.files)] for one in self.versions],
            "folders": list(self.folders),
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Named:
        """From JSON."""
        ref = TitleRef.parse(state["ref"])
        assert ref is not None, "written by to_state"
        versions = tuple(FileVersion(one[0], one[1], tuple(one[2])) for one in state["versions"])
        return cls(ref, state["name"], state["kind"], state["library"], versions, tuple(state["folders"]))


@dataclass(frozen=True, slots=True)
class MatchOffer:
    """What a title could be matched to; `guid` is what it is matched to now."""

    title: Named
    guid: str | None
    locked: tuple[str, ...]
    candidates: tuple[Candidate, ...]

    def to_state(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "title": self.title.to_state(), "guid": self.guid, "locked": list(self.locked),
            "candidates": [[one.guid, one.name, one.year, one.score] for one in self.candidates],
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> MatchOffer:
        """From JSON."""
        candidates = tuple(Candidate(*one) for one in state["candidates"])
        return cls(Named.from_state(state["title"]), state["guid"], tuple(state["locked"]), candidates)


@dataclass(frozen=True, slots=True)
class SplitQuestion:
    """A title that is to be taken apart."""

    title: Named

    def to_state(self) -> dict[str, Any]:
        """As JSON."""
        return {"title": self.title.to_state()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> SplitQuestion:
        """From JSON."""
        return cls(Named.from_state(state["title"]))


@dataclass(frozen=True, slots=True)
class MergeQuestion:
    """A title that is to become a part of another."""

    title: Named
    into: Named

    def to_state(self) -> dict[str, Any]:
        """As JSON."""
        return {"title": self.title.to_state(), "into": self.into.to_state()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> MergeQuestion:
        """From JSON."""
        return cls(Named.from_state(state["title"]), Named.from_state(state["into"]))

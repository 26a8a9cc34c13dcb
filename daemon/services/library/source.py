"""What the mirror reads from, and what it tells of its work."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeAlias

from daemon.core.ids import ServerId
from daemon.core.library import LibraryFacts, Located, LocatedTitle, Tag, TagKind, TitlePage
from daemon.core.media import TitleKind
from daemon.core.visibility import LibraryRef
from daemon.data.library.titles import Taken


class Source(Protocol):
    """A server's libraries. Each method is one request, and raises UpstreamError when that fails."""

    @property
    def server(self) -> ServerId:
        """The server's name in the configuration."""
        ...

    async def libraries(self) -> tuple[LibraryFacts, ...]:
        """The libraries that can be mirrored."""
        ...

    async def has_library(self, key: str) -> bool:
        """Whether a library is still there, asked for by itself."""
        ...

    async def count(self, library: str, kind: TitleKind) -> int:
        """How many titles of a kind there are."""
        ...

    async def page(self, library: str, kind: TitleKind, start: int) -> TitlePage:
        """A page of the titles of a kind; new titles come last."""
        ...

    async def by_keys(self, rating_keys: Collection[int]) -> tuple[LocatedTitle, ...]:
        """Those of these titles that the server has, a hundred at most."""
        ...

    async def located(self, rating_keys: Collection[int]) -> Located:
        """The same with the collections among them."""
        ...

    async def tags(self, library: str, kind: TagKind) -> tuple[Tag, ...]:
        """The genres, collections or labels of a library."""
        ...

    async def members(self, library: str, tag: Tag, kind: TitleKind, start: int) -> tuple[list[int], int, int]:
        """Rating keys of a page of the titles that have a tag, how many there are, and entries on the page."""
        ...


class Outcome(StrEnum):
    """What became of a look at a library."""

    READ = "read"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    BUSY = "busy"  # another process reads it
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the reading of one library is. `what` is what is being read: "episode", "genre"."""

    library: LibraryRef
    name: str
    what: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Summary:
    """One look at one library. `is_whole` is False when its listing contradicted itself: nothing was removed then."""

    library: LibraryRef
    name: str
    outcome: Outcome
    taken: Taken = field(default_factory=Taken)
    removed: int = 0
    healed: int = 0
    is_whole: bool = True
    problem: str | None = None


Report: TypeAlias = Callable[[Progress], None]
"""Told of each step, on the event loop."""


def unheard(progress: Progress) -> None:
    """For whoever does not want to know."""

"""One title of the simulated library, and what kinds of title there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

KIND_NUMBERS = {
    "movie": 1, "show": 2, "season": 3, "episode": 4, "artist": 8, "album": 9, "track": 10, "clip": 12,
    "photo": 13, "playlist": 15, "collection": 18,
}  # fmt: skip
LEAF_KINDS = frozenset({"movie", "episode", "track", "clip"})


@dataclass(slots=True, eq=False)
class Item:
    """A title. `serial` never changes, `key` (the rating key) may; `given` overrides drawn facts by field name.

    `children` are seasons, episodes, albums, tracks; `members` are (member id, title) of a playlist or collection, or
    else `rule` finds them whenever somebody looks (`smart`). `owner` is the account of a playlist. `locked` are names
    of fields as the server spells them; `deleted_at` is not 0 once every file is gone and until the trash is emptied.
    """

    key: int
    kind: str
    title: str
    section: int
    added_at: int
    year: int | None = None
    duration_ms: int | None = None
    genres: tuple[str, ...] = ()
    parent: Item | None = None
    index: int | None = None
    given: dict[str, Any] = field(default_factory=dict)
    updated_at: int = 0
    serial: int = 0
    children: list[Item] = field(default_factory=list)
    members: list[tuple[int, Item]] = field(default_factory=list)
    rule: Callable[[], list[Item]] | None = None
    owner: int = 1
    locked: frozenset[str] = frozenset()
    deleted_at: int = 0

    @property
    def top(self) -> Item:
        """The show of an episode, the artist of a track; a film is its own."""
        return self.parent.top if self.parent else self

    @property
    def media_type(self) -> str:
        """`audio` for music, else `video`."""
        if self.kind == "playlist":
            return str(self.given.get("playlistType", "video"))
        return "audio" if self.kind in ("artist", "album", "track") else "video"

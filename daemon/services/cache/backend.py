"""Where cached values lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look found. `data` is None when there is nothing, or when one of its tags was bumped since.

    `versions` are those of the tags at the time of the look; whoever loads now gives them to `put`, so that a value
    whose tag is bumped while it is being loaded is never used.
    """

    data: bytes | None
    age_s: float
    versions: bytes


class Backend(Protocol):
    """Bytes by region and key, with tags. No method raises because the place is out of reach or full."""

    def bound(self, region: str, items_max: int) -> None:
        """Keep at most so many values of `region`, the least recently used go first; where the place can."""
        ...

    async def get(self, region: str, key: str, tags: Sequence[str]) -> Looked:
        """The value and its age. `tags` are those that `put` was given, in the same order."""
        ...

    async def put(
        self, region: str, key: str, data: bytes, *, tags: Sequence[str], versions: bytes, keep_s: float
    ) -> None:
        """Keep a value for `keep_s` seconds, if there is room."""
        ...

    async def bump(self, tags: Sequence[str]) -> None:
        """From now on no value that was loaded before is used under one of `tags`."""
        ...

    async def claim(self, region: str, key: str, for_s: float) -> str | None:
        """The right to load a value, a word for `release`; None while another process has it, for `for_s` at most."""
        ...

    async def release(self, region: str, key: str, claim: str) -> None:
        """Give the right back."""
        ...


def region_tag(region: str) -> str:
    """The tag that every value of a region has beside its own."""
    return f"region:{region}"

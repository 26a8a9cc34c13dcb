"""What somebody may see of the libraries: the one value that every search and every list is narrowed by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from daemon.core.ids import ServerId


@dataclass(frozen=True, slots=True)
class LibraryRef:
    """A library of a server; `key` is the section's key there. Its text form is `l:<server>:<key>`."""

    server: ServerId
    key: str

    def __str__(self) -> str:
        return f"l:{self.server}:{self.key}"

    @classmethod
    def parse(cls, text: str) -> LibraryRef | None:
        """The reference in `text`, or None when it is anything else."""
        parts = text.split(":")
        if len(parts) != 3 or parts[0] != "l" or not parts[1] or not parts[2].isdigit():
            return None
        return cls(ServerId(parts[1]), parts[2])


@dataclass(frozen=True, slots=True)
class Restriction:
    """What of a library an account may see. Empty `labels` or `ratings` (content ratings): whatever they are."""

    labels: frozenset[str] = frozenset()  # at least one of these
    hidden_labels: frozenset[str] = frozenset()  # none of these
    ratings: frozenset[str] = frozenset()
    hidden_ratings: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Visibility:
    """The libraries somebody may see, None for all there are; a library without a restriction is seen whole."""

    libraries: frozenset[LibraryRef] | None = None
    restrictions: Mapping[LibraryRef, Restriction] = field(default_factory=dict)

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
    """The libraries somebody may see, None for all there are; a library without a restriction is seen whole.

    `servers`: those of which everything is seen, also what is in no library that is known: live television, photos,
    playlists, trailers. Whoever sees single libraries of a server sees none of that.
    """

    libraries: frozenset[LibraryRef] | None = None
    restrictions: Mapping[LibraryRef, Restriction] = field(default_factory=dict)
    servers: frozenset[ServerId] = frozenset()

    def sees_of(self, server: ServerId) -> bool:
        """Whether they see anything of a server; of one they do not, not even its name is told."""
        return self.libraries is None or server in self.servers or any(ref.server == server for ref in self.libraries)

    def covers(self, server: ServerId, library: str | None) -> bool:
        """Whether a title of a library is seen whatever its labels and ratings are; None: nobody knows the library."""
        if self.libraries is None or server in self.servers:
            return True
        ref = None if library is None else LibraryRef(server, library)
        return ref is not None and ref in self.libraries and ref not in self.restrictions

    def excludes(self, server: ServerId, library: str | None) -> bool:
        """Whether no title of a library is seen, whatever it is; never for None."""
        if self.libraries is None or server in self.servers or library is None:
            return False
        return LibraryRef(server, library) not in self.libraries

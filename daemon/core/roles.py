"""What one process of several does."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """The part of the work that a process takes.

    BOTS holds the gateway connections, of which each token may have one; WORKER handles events, jobs and notices, in as
    many processes as one likes; WEB serves HTTP; ALL does everything in one process.
    """

    ALL = "all"
    BOTS = "bots"
    WORKER = "worker"
    WEB = "web"

    @property
    def has_gateway(self) -> bool:
        """Whether it listens to Discord and answers members."""
        return self in (Role.ALL, Role.BOTS)

    @property
    def has_modules(self) -> bool:
        """Whether modules run in it, and with them Plex and Discord."""
        return self is not Role.WEB

    @property
    def works(self) -> bool:
        """Whether it handles what waits in the queues, and watches over them."""
        return self in (Role.ALL, Role.WORKER)

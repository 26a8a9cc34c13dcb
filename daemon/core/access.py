"""Who may use a command or press a button."""

from __future__ import annotations

from enum import StrEnum


class Access(StrEnum):
    """What a member must be; checked by us at every command and every press, whatever Discord shows."""

    EVERYONE = "everyone"
    CONTROLLER = "controller"  # Manage Server, an owner, or a role that the module's configuration names
    OWNER = "owner"  # an id in MARQUEE_OWNERS

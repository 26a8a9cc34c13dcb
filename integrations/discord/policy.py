"""What the pipeline must know about a command, a component or a modal before it runs: said where it is declared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import discord
from discord import app_commands

from daemon.core.access import Access

EXTRAS_KEY = "marquee"


@dataclass(frozen=True, slots=True)
class Policy:
    """How an interaction is admitted and answered.

    `private` decides who sees the answer, and so also the placeholder of a late one: True the caller, False everybody.
    None is for components and modals only: a late answer leaves the message they sit on as it is, and a new
    message is private. `audited` is for what changes something: it stands in the audit log and is done once, whatever
    Discord sends twice. `burst` calls may come at once, then `per_s` a second, for each member and command.
    """

    access: Access = Access.EVERYONE
    private: bool | None = False
    audited: bool = False
    burst: int = 5
    per_s: float = 0.5

    @property
    def answers_privately(self) -> bool:
        """Who sees a new message when the handler does not say."""
        return self.private is not False


COMMAND = Policy()
PRESS = Policy(private=None, burst=10, per_s=2.0)  # pressing +30 s a few times in a row is ordinary


def policy(
    access: Access = Access.EVERYONE,
    *,
    private: bool = False,
    audited: bool = False,
    burst: int = COMMAND.burst,
    per_s: float = COMMAND.per_s,
) -> dict[Any, Any]:
    """For `extras=` of `@app_commands.command` and of `app_commands.Group` (then it holds for all its commands)."""
    return {EXTRAS_KEY: Policy(access, private, audited, burst, per_s)}


AnyCommand = app_commands.Command[Any, ..., Any] | app_commands.ContextMenu


def policy_of(command: AnyCommand) -> Policy:
    """The command's own policy, else its group's, else the default (everyone, public)."""
    found = command.extras.get(EXTRAS_KEY)
    parent: app_commands.Group | None = getattr(command, "parent", None)
    while found is None and parent is not None:
        found = parent.extras.get(EXTRAS_KEY)
        parent = parent.parent
    return found if isinstance(found, Policy) else COMMAND


NO_MENTIONS = discord.AllowedMentions.none()
"""Given to the client and again to every send and edit: an edit without it is parsed with Discord's defaults."""

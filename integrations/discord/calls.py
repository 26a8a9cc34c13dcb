"""What is known of one interaction while it is handled: who, where, and what Discord has been told so far."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Any

import discord

from daemon.core.clock import Clock
from daemon.core.ids import GuildId, MemberId, ProfileId
from daemon.core.limits import INTERACTION_TOKEN_S
from integrations.discord.policy import Policy

_CALL_KEY = "marquee.call"
_TOKEN_MARGIN_S = 20.0  # a request that is slow to arrive must not arrive after the token has died

NOBODY = ProfileId(0)  # until the intake has told, and always in autocomplete

AnyInteraction = discord.Interaction[Any]


class Stage(Enum):
    """What Discord has been told. Only forward: NEW, then one of the deferrals or none, then ANSWERED."""

    NEW = auto()
    THINKING = auto()  # "Marquee is thinking...", a message that waits to be filled; private or public for good
    UPDATING = auto()  # acknowledged, the message under the pressed component stays as it is
    ANSWERED = auto()
    MODAL = auto()  # answered by opening a form
    LOST = auto()  # Discord no longer takes an answer (too late), or the token has died


@dataclass(slots=True, eq=False)
class Call:
    """One interaction on its way through the pipeline. Modules read `trace_id`, `profile_id`, `locale` and alike."""

    trace_id: str
    what: str  # "command play", "component playback.pause", "modal playback.volume", "autocomplete play"
    policy: Policy
    member_id: MemberId
    guild_id: GuildId | None
    locale: str
    at: datetime  # wall time of arrival
    clock: Clock
    profile_id: ProfileId = NOBODY
    stage: Stage = Stage.NEW
    is_private: bool = False  # who sees the placeholder or the first answer
    first_answer_s: float | None = None  # loop time of the first answer
    original_is_source: bool = False  # "@original" is the message under the pressed component, not a new one
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)  # one answer at a time: the deferral races the handler

    def is_expired(self) -> bool:
        """Whether the interaction's token is too old to be used (15 minutes)."""
        return (self.clock.now() - self.at).total_seconds() >= INTERACTION_TOKEN_S - _TOKEN_MARGIN_S

    def mark(self, stage: Stage, *, is_private: bool | None = None) -> None:
        """Note what Discord was told; the first time also when."""
        self.stage = stage
        if is_private is not None:
            self.is_private = is_private
        if self.first_answer_s is None:
            self.first_answer_s = asyncio.get_running_loop().time()


def begin(interaction: AnyInteraction, call: Call) -> None:
    """Tie `call` to its interaction."""
    interaction.extras[_CALL_KEY] = call


def has_call(interaction: AnyInteraction) -> bool:
    """Whether the pipeline has already taken this interaction."""
    return _CALL_KEY in interaction.extras


def call_of(interaction: AnyInteraction) -> Call:
    """The call of an interaction that came through the pipeline; LookupError for any other."""
    try:
        call: Call = interaction.extras[_CALL_KEY]
    except KeyError:
        raise LookupError("this interaction did not come through the pipeline") from None
    return call

"""Getting an answer to Discord when the network loses things: said once, never twice.

Discord takes one callback for an interaction, so repeating a lost callback is safe: 40060 then means that the first
one arrived. Editing is safe to repeat too. A follow-up message is not: when its answer is lost it may stand there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import TypeVar

import aiohttp
import discord
import structlog

from daemon.core.limits import ANSWER_S
from integrations.discord.calls import AnyInteraction
from integrations.discord.traffic import LOST, OK, Traffic

log = structlog.get_logger(__name__)

T = TypeVar("T")

LOST_ON_THE_WAY = (aiohttp.ClientError, OSError, TimeoutError)
REFUSED = (discord.HTTPException, discord.RateLimited)

UNKNOWN_CHANNEL = 10003
UNKNOWN_MESSAGE = 10008
UNKNOWN_WEBHOOK = 10015
UNKNOWN_INTERACTION = 10062
NOT_OUR_MESSAGE = 50005
INVALID_TOKEN = 50027
OLD_MESSAGE_EDITED_TOO_OFTEN = 30046
ALREADY_ANSWERED = 40060

_TOO_LATE = frozenset({UNKNOWN_INTERACTION, UNKNOWN_WEBHOOK, INVALID_TOKEN})
_ATTEMPTS = 2


class Delivered(Enum):
    """What became of an answer. ARRIVED_SILENTLY: it stands there, but Discord's description of it was lost."""

    ARRIVED = auto()
    ARRIVED_SILENTLY = auto()
    TOO_LATE = auto()  # the interaction or its token is dead, or the message is gone
    UNKNOWN = auto()  # every attempt was lost, or Discord was too busy: it may or may not stand there


async def call_back(interaction: AnyInteraction, send: Callable[[], Awaitable[T]]) -> tuple[Delivered, T | None]:
    """Give the first answer by `send`, repeated once when it was lost. Other refusals of Discord are raised."""
    traffic: Traffic = interaction.client.traffic
    for _ in range(_ATTEMPTS):
        try:
            # Unbounded: after 3 s it is worth nothing anyway, and aiohttp ends it after 300 s.
            sent = await traffic.run(send)
        except LOST_ON_THE_WAY as error:
            traffic.count(LOST)
            log.warning("answer_lost", error=type(error).__name__)
        except (TypeError, KeyError):
            # An empty answer (204) to the callback: discord.py notes that it has answered, then fails to read it.
            if not interaction.response.is_done():
                raise
            traffic.count(OK)
            return Delivered.ARRIVED_SILENTLY, None
        except discord.HTTPException as error:
            traffic.count_refusal(error)
            return _judge(error), None
        else:
            traffic.count(OK)
            return Delivered.ARRIVED, sent
    return Delivered.UNKNOWN, None


async def edit(interaction: AnyInteraction, send: Callable[[], Awaitable[T]]) -> tuple[Delivered, T | None]:
    """Change or delete a message by `send`, repeated once when the answer was lost."""
    return await _deliver(interaction, send, _ATTEMPTS, "edit_lost")


async def follow_up(interaction: AnyInteraction, send: Callable[[], Awaitable[T]]) -> tuple[Delivered, T | None]:
    """Post one more message by `send`, a single time."""
    return await _deliver(interaction, send, 1, "follow_up_lost")


async def _deliver(
    interaction: AnyInteraction, send: Callable[[], Awaitable[T]], attempts: int, lost_event: str
) -> tuple[Delivered, T | None]:
    traffic: Traffic = interaction.client.traffic
    for _ in range(attempts):
        try:
            async with asyncio.timeout(ANSWER_S):
                sent = await traffic.run(send)
        except LOST_ON_THE_WAY as error:
            traffic.count(LOST)
            log.warning(lost_event, error=type(error).__name__)
        except REFUSED as error:
            traffic.count_refusal(error)
            return _judge(error), None
        else:
            traffic.count(OK)
            return Delivered.ARRIVED, sent
    return Delivered.UNKNOWN, None


def _judge(error: discord.HTTPException | discord.RateLimited) -> Delivered:
    if isinstance(error, discord.RateLimited) or error.status == 429:
        log.warning("answer_rate_limited")
        return Delivered.UNKNOWN
    if error.code == ALREADY_ANSWERED:
        return Delivered.ARRIVED_SILENTLY
    if error.code in _TOO_LATE or error.code == UNKNOWN_MESSAGE:
        log.warning("answer_too_late", code=error.code)
        return Delivered.TOO_LATE
    if error.status >= 500:
        log.warning("answer_failed", status=error.status)
        return Delivered.UNKNOWN
    raise error

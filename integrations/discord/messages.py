"""Messages that outlive their interaction: posted, edited and deleted by channel and message id, as the bot itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import discord
import structlog

from daemon.core.ids import AppId, ChannelId, MessageId
from daemon.core.limits import MESSAGE_CHARS_MAX, MESSAGE_S
from daemon.core.text import clamp
from daemon.kernel.breaker import BreakerOpen
from integrations.discord import delivery
from integrations.discord.bot import Bot
from integrations.discord.policy import NO_MENTIONS
from integrations.discord.traffic import LOST, OK
from integrations.discord.ui.layout import fit
from integrations.discord.uploads import fresh

log = structlog.get_logger(__name__)

BotOf = Callable[[AppId], Bot | None]

_ATTEMPTS = 2
_NONCE_CHARS_MAX = 25
_FAILED_FROM = 500  # HTTP status: Discord's own trouble, and what was asked may have been done


class Edited(StrEnum):
    """What became of a message."""

    OK = "ok"
    GONE = "gone"  # the message or its channel was deleted: give it up
    FORBIDDEN = "forbidden"  # the bot may not see the channel or not write there
    LATER = "later"  # Discord does not answer, is asked too often or refuses the token, or the bot is away: try again


@dataclass(frozen=True, slots=True)
class Posted:
    """A new message; `message_id` is None unless `outcome` is OK.

    `may_stand`: it is LATER because an answer was lost, so that the message may be there.
    """

    outcome: Edited
    message_id: MessageId | None = None
    may_stand: bool = False


@dataclass(frozen=True, slots=True)
class _Attempt:
    outcome: Edited
    done: Any = None
    may_stand: bool = False


@dataclass(slots=True, eq=False)
class _Line:
    """Edits of one message: they queue up, and only the newest that waits is worth sending."""

    newest: int = 0
    waiting: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Messages:
    """`bot_of` finds the connected bot of an application; messages of other applications cannot be touched."""

    def __init__(self, bot_of: BotOf) -> None:
        self._bot_of = bot_of
        self._lines: dict[MessageId, _Line] = {}

    async def post(
        self,
        app_id: AppId,
        channel_id: ChannelId,
        *,
        nonce: str,
        text: str | None = None,
        view: discord.ui.LayoutView | None = None,
        files: Sequence[discord.File] = (),
    ) -> Posted:
        """Post once: for some minutes Discord answers the same `nonce` (25 characters) with the first message."""
        bot = self._bot_of(app_id)
        if bot is None:
            return Posted(Edited.LATER)
        if not 0 < len(nonce) <= _NONCE_CHARS_MAX:
            raise ValueError(f"a nonce has 1 to {_NONCE_CHARS_MAX} characters")
        parts = _parts(text, view)
        channel = bot.get_partial_messageable(channel_id)

        async def send() -> MessageId:
            more: dict[str, Any] = {"files": list(fresh(files))} if files else {}
            return MessageId((await channel.send(nonce=nonce, **parts, **more)).id)

        attempt = await _attempt(bot, send)
        return Posted(attempt.outcome, attempt.done, attempt.may_stand)

    async def edit(
        self,
        app_id: AppId,
        channel_id: ChannelId,
        message_id: MessageId,
        *,
        view: discord.ui.LayoutView,
        files: Sequence[discord.File] | None = None,
    ) -> Edited:
        """Show `view` in place of what is there. `files` None keeps the attachments, else they are replaced.

        Of several edits of one message that wait for their turn only the last is sent; the others return OK.
        """
        line = self._lines.setdefault(message_id, _Line())
        line.newest += 1
        mine = line.newest
        line.waiting += 1
        try:
            async with line.lock:
                if mine != line.newest:
                    return Edited.OK
                return await self._edit(app_id, channel_id, message_id, view, files)
        finally:
            line.waiting -= 1
            if not line.waiting:
                self._lines.pop(message_id, None)

    async def delete(self, app_id: AppId, channel_id: ChannelId, message_id: MessageId) -> Edited:
        """Delete a message of ours; GONE when it was deleted already."""
        bot = self._bot_of(app_id)
        if bot is None:
            return Edited.LATER
        message = bot.get_partial_messageable(channel_id).get_partial_message(message_id)
        return (await _attempt(bot, message.delete)).outcome

    async def _edit(
        self,
        app_id: AppId,
        channel_id: ChannelId,
        message_id: MessageId,
        view: discord.ui.LayoutView,
        files: Sequence[discord.File] | None,
    ) -> Edited:
        bot = self._bot_of(app_id)
        if bot is None:
            return Edited.LATER
        message = bot.get_partial_messageable(channel_id).get_partial_message(message_id)
        parts = _parts(None, view)

        async def send() -> None:
            more: dict[str, Any] = {} if files is None else {"attachments": list(fresh(files))}
            await message.edit(**parts, **more)

        return (await _attempt(bot, send)).outcome


def _parts(text: str | None, view: discord.ui.LayoutView | None) -> dict[str, Any]:
    if (text is None) == (view is None):
        raise ValueError("a message is either a text or a view")
    if view is None:
        return {"content": clamp(text or "", MESSAGE_CHARS_MAX), "allowed_mentions": NO_MENTIONS}
    fit(view)
    view.stop()  # keeps discord.py from remembering it: components are routed by their custom ids
    return {"view": view, "allowed_mentions": NO_MENTIONS}


async def _attempt(bot: Bot, send: Callable[[], Awaitable[Any]]) -> _Attempt:
    """Do it, unless Discord is being left alone."""
    try:
        with bot.traffic.admitted():
            return await _send(bot, send)
    except BreakerOpen as resting:
        log.info("message_waits_for_discord", bot=bot.name, retry_in_s=round(resting.retry_in_s, 1))
        return _Attempt(Edited.LATER)


async def _send(bot: Bot, send: Callable[[], Awaitable[Any]]) -> _Attempt:
    """Do it, once more when the answer was lost (edits and posts with a nonce may be repeated)."""
    is_lost = False
    for _ in range(_ATTEMPTS):
        try:
            async with asyncio.timeout(MESSAGE_S):
                done = await bot.traffic.run(send)
        except delivery.LOST_ON_THE_WAY as error:
            bot.traffic.count(LOST)
            log.info("message_lost", error=type(error).__name__)
            is_lost = True
        except discord.RateLimited as error:
            bot.traffic.count_refusal(error)
            log.info("message_rate_limited", retry_after_s=round(error.retry_after, 1))
            return _Attempt(Edited.LATER, may_stand=is_lost)
        except discord.HTTPException as error:
            bot.traffic.count_refusal(error)
            return _Attempt(_judge(error), may_stand=is_lost or error.status >= _FAILED_FROM)
        else:
            bot.traffic.count(OK)
            return _Attempt(Edited.OK, done)
    return _Attempt(Edited.LATER, may_stand=is_lost)


def _judge(error: discord.HTTPException) -> Edited:
    if error.code in (delivery.UNKNOWN_MESSAGE, delivery.UNKNOWN_CHANNEL):
        return Edited.GONE
    if error.status == 403 or error.code == delivery.NOT_OUR_MESSAGE:
        return Edited.FORBIDDEN
    if (
        error.status in (401, 429)
        or error.status >= _FAILED_FROM
        or error.code == delivery.OLD_MESSAGE_EDITED_TOO_OFTEN
    ):
        return Edited.LATER
    raise error

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
from daemon.core.limits import MESSAGE_CHARS_MAX
from daemon.core.text import clamp
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


class Edited(StrEnum):
    """What became of a message."""

    OK = "ok"
    GONE = "gone"  # the message or its channel was deleted: give it up
    FORBIDDEN = "forbidden"  # the bot may not see the channel or not write there
    LATER = "later"  # Discord does not answer, is asked too often, or the bot is not connected: try again


@dataclass(frozen=True, slots=True)
class Posted:
    """A new message; `message_id` is None unless `outcome` is OK."""

    outcome: Edited
    message_id: MessageId | None = None


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

        outcome, message_id = await _attempt(bot, send)
        return Posted(outcome, message_id)

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
        outcome, _ = await _attempt(bot, message.delete)
        return outcome

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

        outcome, _ = await _attempt(bot, send)
        return outcome


def _parts(text: str | None, view: discord.ui.LayoutView | None) -> dict[str, Any]:
    if (text is None) == (view is None):
        raise ValueError("a message is either a text or a view")
    if view is None:
        return {"content": clamp(text or "", MESSAGE_CHARS_MAX), "allowed_mentions": NO_MENTIONS}
    fit(view)
    view.stop()  # keeps discord.py from remembering it: components are routed by their custom ids
    return {"view": view, "allowed_mentions": NO_MENTIONS}


async def _attempt(bot: Bot, send: Callable[[], Awaitable[Any]]) -> tuple[Edited, Any]:
    """Do it, once more when the answer was lost (edits and posts with a nonce may be repeated)."""
    for _ in range(_ATTEMPTS):
        try:
            done = await send()
        except delivery.LOST_ON_THE_WAY as error:
            bot.traffic.count(LOST)
            log.info("message_lost", error=type(error).__name__)
        except discord.RateLimited as error:
            bot.traffic.count_refusal(error)
            log.info("message_rate_limited", retry_after_s=round(error.retry_after, 1))
            return Edited.LATER, None
        except discord.HTTPException as error:
            bot.traffic.count_refusal(error)
            return _judge(error), None
        else:
            bot.traffic.count(OK)
            return Edited.OK, done
    return Edited.LATER, None


def _judge(error: discord.HTTPException) -> Edited:
    if error.code in (delivery.UNKNOWN_MESSAGE, delivery.UNKNOWN_CHANNEL):
        return Edited.GONE
    if error.status in (401, 403) or error.code == delivery.NOT_OUR_MESSAGE:
        return Edited.FORBIDDEN
    if error.status == 429 or error.status >= 500 or error.code == delivery.OLD_MESSAGE_EDITED_TOO_OFTEN:
        return Edited.LATER
    raise error

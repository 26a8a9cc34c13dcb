"""Notices in Discord: posting them as a bot, and recognising one that may have been posted before.

Discord keeps a nonce for a few minutes only. What stays is the `id` of each component, which the sender may choose: a
notice carries 62 bits of its nonce in two of them.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import discord

from daemon.core.ids import AppId, ChannelId, MemberId, ModuleId
from daemon.core.limits import (
    ANSWER_S,
    BUTTON_LABEL_CHARS_MAX,
    HISTORY_PAGES_MAX,
    HISTORY_SLACK_S,
    LAYOUT_CHARS_MAX,
    LINK_CHARS_MAX,
    NAME_CHARS_MAX,
)
from daemon.core.text import clamp
from daemon.kernel.breaker import BreakerOpen
from daemon.services.notify import Answer, Fate, Notice, Speakers
from integrations.discord.bot import Bot
from integrations.discord.delivery import LOST_ON_THE_WAY, REFUSED
from integrations.discord.messages import Edited, Messages
from integrations.discord.traffic import LOST, OK
from integrations.discord.ui import layout

T = TypeVar("T")

_TROUBLE = (*REFUSED, *LOST_ON_THE_WAY, BreakerOpen)
_PAGE = 100  # messages that Discord gives at once
_TROUBLE_FROM = 500
_PASSING = (401, 429)  # statuses that say nothing about the request itself


class DiscordNotices:
    """The `NoticeSender` of a fleet. `bots_for` gives the bots that are logged in, those for a module first."""

    def __init__(self, bots_for: Callable[[ModuleId], Sequence[Bot]], bots_total: int, messages: Messages) -> None:
        self._bots_for = bots_for
        self._bots_total = bots_total
        self._messages = messages

    def speakers(self, module: ModuleId) -> Speakers:
        """The bots that are logged in, those that serve the module first."""
        found = [AppId(bot.application_id or 0) for bot in self._bots_for(module)]
        return Speakers(found, len(found) >= self._bots_total)

    async def open_direct(self, app_id: AppId, member_id: MemberId) -> Answer:
        """The channel for direct messages with a member."""
        bot = self._bot(app_id)
        if bot is None:
            return _AWAY
        try:
            opened: Any = await _ask(bot, partial(bot.http.start_private_message, member_id))
        except _TROUBLE as error:
            return _explain(error)
        return Answer(Fate.DONE, int(opened["id"]))

    async def post(self, app_id: AppId, channel_id: ChannelId, notice: Notice) -> Answer:
        """Post under the notice's nonce."""
        try:
            async with asyncio.timeout(ANSWER_S):  # well within the time that Discord remembers the nonce
                posted = await self._messages.post(app_id, channel_id, nonce=notice.nonce, view=notice_view(notice))
        except TimeoutError:
            return Answer(Fate.UNKNOWN, detail="Discord did not answer in time")
        except discord.HTTPException as error:  # what `Messages` has no name for: the message itself is wrong
            return _explain(error)
        match posted.outcome:
            case Edited.OK:
                return Answer(Fate.DONE, posted.message_id or 0)
            case Edited.GONE:
                return Answer(Fate.REFUSED, detail="the channel does not exist any more")
            case Edited.FORBIDDEN:
                return Answer(Fate.REFUSED, detail="the bot may not write there")
            case _:
                fate = Fate.UNKNOWN if posted.may_stand else Fate.LATER
                return Answer(fate, detail="Discord does not answer, or not now")

    async def find(self, app_id: AppId, channel_id: ChannelId, nonce: str, since: datetime) -> Answer:
        """Read the channel from its newest message back to `since`."""
        bot = self._bot(app_id)
        if bot is None:
            return _AWAY
        oldest = discord.utils.time_snowflake(since - timedelta(seconds=HISTORY_SLACK_S))
        before: int | None = None
        try:
            for _ in range(HISTORY_PAGES_MAX):
                page: list[Any] = await _ask(bot, partial(bot.http.logs_from, channel_id, _PAGE, before=before))
                if not page and before is None and not await _is_empty(bot, channel_id):
                    return Answer(Fate.REFUSED, detail="the bot may not read the channel's message history")
                for message in page:
                    if message["author"]["id"] == str(app_id) and ids_in(message) == component_ids(nonce):
                        return Answer(Fate.DONE, int(message["id"]))
                if len(page) < _PAGE or int(page[-1]["id"]) < oldest:
                    return Answer(Fate.ABSENT)
                before = int(page[-1]["id"])
        except _TROUBLE as error:
            answer = _explain(error)
            return Answer(Fate.LATER, detail=answer.detail) if answer.fate is Fate.UNKNOWN else answer
        return Answer(Fate.REFUSED, detail=f"more than {HISTORY_PAGES_MAX * _PAGE} messages were written since")

    def _bot(self, app_id: AppId) -> Bot | None:
        return next((bot for bot in self._bots_for(ModuleId("")) if bot.application_id == app_id), None)


_AWAY = Answer(Fate.LATER, detail="the bot is not logged in")


async def _ask(bot: Bot, send: Callable[[], Awaitable[T]]) -> T:
    """The answer to a request, counted; raises one of `_TROUBLE`."""
    with bot.traffic.admitted():
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await bot.traffic.run(send)
        except LOST_ON_THE_WAY:
            bot.traffic.count(LOST)
            raise
        except REFUSED as error:
            bot.traffic.count_refusal(error)
            raise
        bot.traffic.count(OK)
        return answer


async def _is_empty(bot: Bot, channel_id: ChannelId) -> bool:
    """Whether nothing was ever written there; whoever may not read its history sees an empty page, too."""
    channel: Any = await _ask(bot, partial(bot.http.get_channel, channel_id))
    return channel.get("last_message_id") is None


def _explain(error: Exception) -> Answer:
    if isinstance(error, BreakerOpen):
        return Answer(Fate.LATER, detail=str(error))
    if isinstance(error, discord.RateLimited):
        return Answer(Fate.LATER, detail="Discord limits the bot")
    if not isinstance(error, discord.HTTPException):
        return Answer(Fate.UNKNOWN, detail=f"the answer was lost ({type(error).__name__})")
    detail = f"Discord says {error.status} {error.text or ''} (code {error.code})".replace("\n", " ")
    if error.status >= _TROUBLE_FROM:
        return Answer(Fate.UNKNOWN, detail=detail)
    return Answer(Fate.LATER if error.status in _PASSING else Fate.REFUSED, detail=detail)


def notice_view(notice: Notice) -> discord.ui.LayoutView:
    """The message of a notice, cut to what Discord takes; recognisable by the ids of container and text."""
    container_id, text_id = component_ids(notice.nonce)
    title = f"### {clamp(notice.title, NAME_CHARS_MAX)}\n" if notice.title else ""
    text: discord.ui.TextDisplay[Any] = discord.ui.TextDisplay(clamp(title + notice.text, LAYOUT_CHARS_MAX), id=text_id)
    items: list[discord.ui.Item[Any]] = [text]
    if notice.url.startswith(("https://", "http://")) and len(notice.url) <= LINK_CHARS_MAX:
        label = clamp(notice.url_label, BUTTON_LABEL_CHARS_MAX) or "Open"
        items.append(layout.row(discord.ui.Button(label=label, url=notice.url)))
    accent = None if notice.accent is None else discord.Colour(notice.accent)
    container: discord.ui.Container[Any] = discord.ui.Container(*items, accent_colour=accent, id=container_id)
    return layout.layout(container)


def component_ids(nonce: str) -> tuple[int, int]:
    """Two ids, each from 1 to 2**31 - 1 and unlike the other, as Discord wants them within one message."""
    digest = hashlib.sha256(nonce.encode()).digest()
    first = int.from_bytes(digest[:4]) % (2**31 - 2) + 1
    second = int.from_bytes(digest[4:8]) % (2**31 - 2) + 1
    return first, second if second != first else first + 1


def ids_in(message: dict[str, Any]) -> tuple[int, int] | None:
    """The two ids of a message that looks like a notice; None for any other."""
    match message.get("components"):
        case [{"id": int(container), "components": [{"id": int(text)}, *_]}, *_]:
            return container, text
        case _:
            return None

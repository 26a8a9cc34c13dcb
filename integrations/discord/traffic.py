"""What became of our calls to Discord, by bot: counted, and named in logs and traces."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import TypeVar

import discord
import structlog
from prometheus_client import Counter

from daemon.kernel.breaker import Breaker
from daemon.kernel.metrics import Metrics
from daemon.kernel.trace import span

log = structlog.get_logger(__name__)

T = TypeVar("T")

OK = "ok"
LOST = "lost"  # no answer came

_BUSY = 429
_TROUBLE_FROM = 500  # HTTP status: Discord's own
_LIBRARY_LOGS = ("discord.http", "discord.webhook.async_")


class Traffic:
    """Counts the answers, edits and posts of one bot by outcome: "ok", "lost", or the HTTP status of a refusal.

    Counted where they are sent: tracing inside aiohttp would cost every request more than the whole pipeline does.
    Whatever is counted tells `breaker` how Discord is; who can do without asks `admitted` first.
    """

    def __init__(self, bot: str, metrics: Metrics, breaker: Breaker) -> None:
        self._bot = bot
        self._breaker = breaker
        self._metrics = metrics
        self._counters: dict[str, Counter] = {OK: metrics.discord_requests_total.labels(bot, OK)}
        self._put_off = metrics.discord_rate_limited_total.labels(bot)

    async def run(self, send: Callable[[], Awaitable[T]]) -> T:
        """The result of `send()`, which asks Discord for something."""
        before = _SENDER.set(self)
        try:
            with span("discord.request", bot=self._bot):
                return await send()
        finally:
            _SENDER.reset(before)

    def admitted(self) -> AbstractContextManager[None]:
        """For what can be done later as well: BreakerOpen while Discord is left alone.

        Answers to interactions are tried in any case, because later they are worth nothing.
        """
        return self._breaker.admitted()

    def count(self, outcome: str) -> None:
        """One call ended so."""
        if outcome == LOST or (outcome.isdigit() and int(outcome) >= _TROUBLE_FROM):
            self._breaker.note_failure()
        else:
            self._breaker.note_answer()
        counter = self._counters.get(outcome)
        if counter is None:
            self._counters[outcome] = counter = self._metrics.discord_requests_total.labels(self._bot, outcome)
        counter.inc()
        log.debug("discord_request", bot=self._bot, outcome=outcome)

    def count_refusal(self, error: discord.HTTPException | discord.RateLimited) -> None:
        """One call was refused, by Discord or by discord.py because Discord would have."""
        if isinstance(error, discord.RateLimited):
            self.count(str(_BUSY))
            return
        self.count(str(error.status))
        if error.status == _BUSY and not error.response.headers.get("Via"):
            self.count_put_off()  # an answer of Cloudflare, which discord.py raises without a word

    def count_put_off(self) -> None:
        """Discord answered 429, whether or not the call came through later."""
        self._put_off.inc()

    def speaks(self) -> None:
        """Requests of the current task, and of those it begins, are this bot's."""
        _SENDER.set(self)


_SENDER: ContextVar[Traffic | None] = ContextVar("marquee_discord_sender", default=None)


class _Ear(logging.Filter):
    """discord.py waits out most 429s by itself; that it had to, it says only in its log."""

    def filter(self, record: logging.LogRecord) -> bool:
        sender = _SENDER.get()
        if sender is not None and isinstance(record.msg, str) and "rate limited. " in record.msg:
            sender.count_put_off()
        return record.levelno >= logging.getLogger("discord").getEffectiveLevel()


_EAR = _Ear()


def hear_rate_limits() -> None:
    """From now on count each 429 that discord.py deals with; for the whole process, once is enough."""
    for name in _LIBRARY_LOGS:
        logger = logging.getLogger(name)
        logger.addFilter(_EAR)
        # What the ear is to hear must be said, however little else is wanted; the filter keeps it out of the log.
        logger.setLevel(min(logging.WARNING, logging.getLogger("discord").getEffectiveLevel()))

"""What became of our calls to Discord, counted by bot."""

from __future__ import annotations

import discord
from prometheus_client import Counter

from daemon.kernel.metrics import Metrics

OK = "ok"
LOST = "lost"  # no answer came


class Traffic:
    """Counts the answers, edits and posts of one bot by outcome: "ok", "lost", or the HTTP status of a refusal.

    Counted where they are sent: tracing inside aiohttp would cost every request more than the whole pipeline does.
    """

    def __init__(self, bot: str, metrics: Metrics) -> None:
        self._bot = bot
        self._metrics = metrics
        self._counters: dict[str, Counter] = {}

    def count(self, outcome: str) -> None:
        """One call ended so."""
        counter = self._counters.get(outcome)
        if counter is None:
            self._counters[outcome] = counter = self._metrics.discord_requests_total.labels(self._bot, outcome)
        counter.inc()

    def count_refusal(self, error: discord.HTTPException | discord.RateLimited) -> None:
        """One call was refused, by Discord or by discord.py because Discord would have."""
        self.count("429" if isinstance(error, discord.RateLimited) else str(error.status))

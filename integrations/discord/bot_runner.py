"""One token, kept connected: a new client for each attempt, and no attempt that Discord has said is pointless."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

import aiohttp
import discord
import structlog

from daemon.core.ids import AppId, BotName
from daemon.core.limits import RESTART_BACKOFF_MAX_S
from daemon.kernel.breaker import Breaker
from daemon.kernel.health import Check, Health, Status
from daemon.kernel.metrics import Metrics
from daemon.kernel.retry import backoff
from integrations.discord.bot import Bot, BotEvents
from integrations.discord.connection import ConnectorFactory
from integrations.discord.identify import IdentifyBudget
from integrations.discord.pipeline import Pipeline
from integrations.discord.serving import Serving
from integrations.discord.surface import DiscordSurface
from integrations.discord.traffic import Traffic

log = structlog.get_logger(__name__)

_FAILURES_MAX = 4  # requests in a row without a useful answer; discord.py has repeated each of them by itself
_REST_S = 30.0
_CLOSE_S = 2.0  # a gateway that does not say good-bye is left

# Close codes of the gateway after which trying again unchanged is pointless.
_CLOSED_FOR_GOOD = {
    4004: "Discord rejected the token; give this bot a new one and restart",
    4010: "Discord refused the shard",
    4011: "this bot is in too many servers for one connection",
    4012: "Discord no longer speaks this version of its API; update Marquee",
    4013: "Discord refused the intents",
    4014: "Discord refused the intents",
}
_NAME_THEM = "MARQUEE_DISCORD__GUILDS names those it shall serve"
_TROUBLE = (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError)


def ordinary_intents() -> discord.Intents:
    """Guilds and nothing else: no privileged intent, and no event that the daemon would only throw away."""
    return discord.Intents(guilds=True)


class BotRunner:
    """Runs one bot for ever. `on_login` is told as soon as its application id is known, and at each session.

    Without gateway it only logs in: it posts and edits, and hears of nothing.
    """

    def __init__(
        self,
        name: BotName,
        token: str,
        *,
        connectors: ConnectorFactory,
        surface: DiscordSurface,
        pipeline: Pipeline,
        health: Health,
        metrics: Metrics,
        serving: Serving,
        has_gateway: bool,
        is_guild_list_set: bool,
        backoff_first_s: float,
        on_login: Callable[[BotRunner], None],
    ) -> None:
        self.name = name
        self.bot: Bot | None = None  # logged in, so that REST calls work; the gateway may be down
        self.app_id: AppId | None = None
        self._token = token
        self._connectors = connectors
        self._surface = surface
        self._pipeline = pipeline
        self._health = health
        self._metrics = metrics
        self._serving = serving
        self._has_gateway = has_gateway
        self._is_guild_list_set = is_guild_list_set
        self._backoff_first_s = backoff_first_s
        self._on_login = on_login
        self._intents = ordinary_intents()
        self._budget = IdentifyBudget()
        self._rng = random.Random()
        self._attempt = 0
        self._breaker = Breaker(
            f"discord:{name}", failures_max=_FAILURES_MAX, open_s=_REST_S, metrics=metrics, health=health
        )

    def __repr__(self) -> str:
        return f"BotRunner({self.name})"

    async def run(self) -> None:
        """Connect, and again whenever the connection ends. Only what nobody foresaw is raised, for the supervisor."""
        self._show_connected(False)
        while True:
            try:
                await self._serve()
                problem = "the connection was closed"
            except discord.LoginFailure:
                problem = await self._give_up(_CLOSED_FOR_GOOD[4004])
            except discord.PrivilegedIntentsRequired:
                problem = await self._do_without_intents()
            except discord.ConnectionClosed as error:
                problem = f"the gateway closed the connection ({error.code})"
                if error.code in _CLOSED_FOR_GOOD:
                    await self._give_up(_CLOSED_FOR_GOOD[error.code])
            except _TROUBLE as error:
                problem = f"{type(error).__name__}: {error}"
            wait_s = backoff(self._attempt, first_s=self._backoff_first_s, max_s=RESTART_BACKOFF_MAX_S, rng=self._rng)
            self._attempt += 1
            self._report(Status.WARN, f"not connected, trying again: {problem}")
            log.warning("bot_reconnects", bot=self.name, problem=problem, wait_s=round(wait_s, 2))
            await asyncio.sleep(wait_s)

    @asynccontextmanager
    async def logged_in(self) -> AsyncIterator[Bot]:
        """A client that can make REST calls, with every cog of the surface, and without a gateway connection.

        Raises discord.LoginFailure for a bad token, and aiohttp's and discord.py's errors when Discord is unreachable.
        """
        connector = await self._connectors.make()
        traffic = Traffic(self.name, self._metrics, self._breaker)
        traffic.speaks()
        bot = Bot(
            self.name,
            pipeline=self._pipeline,
            routes=self._surface.routes,
            connector=connector,
            budget=self._budget,
            events=BotEvents(ready=self._note_ready, lost=self._note_lost),
            intents=self._intents,
            traffic=traffic,
            serves=partial(self._serving.serves, self.name),
        )
        try:
            await bot.login(self._token)
            self.app_id = AppId(bot.application_id or 0)
            await self._surface.attach(bot)
            yield bot
        finally:
            self._surface.detach(bot)
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await bot.close()
            await connector.close()

    async def _serve(self) -> None:
        async with self.logged_in() as bot:
            self.bot = bot
            log.info("bot_logged_in", bot=self.name, user=str(bot.user), invite=bot.invite_url())
            try:
                self._on_login(self)
                await (self._connect(bot) if self._has_gateway else self._stay(bot))
            except AttributeError as error:
                # A refused first handshake (503) makes discord.py read `None.sequence` (Rapptz/discord.py#10520).
                if bot.ws is not None:
                    raise
                raise ConnectionError("the gateway refused the connection") from error
            finally:
                self.bot = None
                self._show_connected(False)

    async def _connect(self, bot: Bot) -> None:
        await bot.learn_identify_budget()
        await bot.connect()

    async def _stay(self, bot: Bot) -> None:
        self._attempt = 0
        self._report(Status.PASS, f"logged in as {bot.user}, to post and edit")
        await asyncio.Event().wait()

    async def _give_up(self, problem: str) -> str:
        """Wait for the end of the process: Discord would answer the same, and counts such attempts against us."""
        self._report(Status.WARN, problem)
        log.error("bot_given_up", bot=self.name, problem=problem)
        await asyncio.Event().wait()
        return problem

    async def _do_without_intents(self) -> str:
        if self._intents == discord.Intents.none():
            await self._give_up(_CLOSED_FOR_GOOD[4014])
        self._intents = discord.Intents.none()
        return "Discord refused the intents, going on without any"

    def _note_ready(self) -> None:
        self._attempt = 0
        self._show_connected(True)
        bot = self.bot
        if bot is None:
            return
        count = len(bot.guilds)
        if count > 1 and not self._is_guild_list_set:
            self._report(Status.WARN, f"connected, and serves all {count} servers it is in; {_NAME_THEM}")
        else:
            self._report(Status.PASS, f"connected as {bot.user}, in {count} server{'' if count == 1 else 's'}")
        self._on_login(self)

    def _note_lost(self) -> None:
        self._show_connected(False)
        self._report(Status.WARN, "the gateway connection dropped, reconnecting")

    def _show_connected(self, is_connected: bool) -> None:
        if self._has_gateway:  # a bot that only posts is not missing from the gateway
            self._metrics.discord_connected.labels(self.name).set(is_connected)

    def _report(self, status: Status, output: str) -> None:
        self._health.set(f"discord:{self.name}", Check(status, output))

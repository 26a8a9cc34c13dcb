"""All bots, one task a token: the crash or the bad token of one is nothing to the others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import discord
import structlog

from daemon.core.clock import Clock
from daemon.core.ids import AppId, BotName, ModuleId
from daemon.core.limits import DEFER_AFTER_S, RESTART_BACKOFF_FIRST_S
from daemon.kernel.health import Check, Health, Status
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.intake import Intake
from daemon.services.keys import Keys
from daemon.services.rate_limits import RateLimits
from integrations.discord.access import Doorkeeper
from integrations.discord.bot import Bot
from integrations.discord.bot_runner import BotRunner
from integrations.discord.command_sync import CommandSync, plan_for
from integrations.discord.connection import ConnectorFactory
from integrations.discord.custom_ids import Signer
from integrations.discord.messages import Messages
from integrations.discord.notices import DiscordNotices
from integrations.discord.pipeline import TASK_OWNER, Pipeline
from integrations.discord.routes import Routes
from integrations.discord.serving import Serving
from integrations.discord.surface import DiscordSurface
from integrations.discord.sync import Plan, apply
from integrations.discord.traffic import hear_rate_limits

log = structlog.get_logger(__name__)

_FINISH_S = 5.0  # handlers get this long to finish when the daemon stops; half of the whole drain
_TELL_S = 2.0  # and this long to tell their members that they were interrupted


class Fleet:
    """Bots by name. `surface`, `messages` and `notices` can be handed out before anything is connected.

    `bots` are tokens, `modules` what each bot is to serve (see `Serving`). Without `gateway` the bots log in to post
    and edit; they neither hear of interactions nor touch commands: a token may have one gateway connection, and another
    process has it. `guilds` None serves every guild the bots are in. `connect` is a loopback address where Discord's
    hosts are found instead of the internet. `defer_after_s` and `backoff_first_s` are real seconds, others than the
    defaults for tests.
    """

    def __init__(
        self,
        bots: Mapping[str, str],
        *,
        modules: Mapping[str, Collection[str]],
        gateway: bool,
        connect: tuple[str, int] | None,
        ca_file: Path | None,
        guilds: frozenset[int] | None,
        owners: frozenset[int],
        intake: Intake,
        rate_limits: RateLimits,
        keys: Keys,
        supervisor: Supervisor,
        health: Health,
        metrics: Metrics,
        clock: Clock,
        defer_after_s: float = DEFER_AFTER_S,
        backoff_first_s: float = RESTART_BACKOFF_FIRST_S,
    ) -> None:
        self._keys = keys
        self._supervisor = supervisor
        self._health = health
        self._has_gateway = gateway
        self._serving = Serving({name: modules.get(name, ()) for name in bots})
        self._signer = Signer()
        self.surface = DiscordSurface(Routes(self._signer))
        self.messages = Messages(self._bot_of)
        self.notices = DiscordNotices(self.bots_for, len(bots), self.messages)
        self._pipeline = Pipeline(
            intake=intake,
            rate_limits=rate_limits,
            doorkeeper=Doorkeeper(self.surface, owners, guilds),
            supervisor=supervisor,
            metrics=metrics,
            clock=clock,
            defer_after_s=defer_after_s,
        )
        connectors = ConnectorFactory(connect, ca_file)
        self._runners = {
            BotName(name): BotRunner(
                BotName(name),
                token,
                connectors=connectors,
                surface=self.surface,
                pipeline=self._pipeline,
                health=health,
                metrics=metrics,
                serving=self._serving,
                has_gateway=gateway,
                is_guild_list_set=guilds is not None,
                backoff_first_s=backoff_first_s,
                on_login=self._sync_soon,
            )
            for name, token in bots.items()
        }
        self._syncs = {name: CommandSync(name, self.surface, health, clock) for name in self._runners}

    async def prepare(self) -> None:
        """Load the key that signs components; modules cannot build any before. Part of `start`."""
        self._signer.use(await self._keys.component_key())

    async def start(self) -> None:
        """Begin to connect every bot and return at once; nothing waits for Discord."""
        await self.prepare()
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # no voice here, so nothing is missing
        hear_rate_limits()
        for name, runner in self._runners.items():
            self._health.set(f"discord:{name}", Check(Status.WARN, "connecting"))
            self._supervisor.start(f"discord:{name}", runner.run, owner=TASK_OWNER)

    async def stop_intake(self) -> None:
        """Refuse new interactions with a friendly sentence; returns when no handler runs any more, in 7 s at most."""
        self._pipeline.stop_intake()
        if not await self._pipeline.wait_idle(_FINISH_S):
            log.warning("handlers_still_running")
            await self._pipeline.interrupt(_TELL_S)

    async def close(self) -> None:
        """Disconnect every bot."""
        await self._supervisor.cancel(TASK_OWNER)

    async def sync_commands(self, *, keep: Collection[str] = ()) -> None:
        """Bring Discord's commands in step with the modules', now on bots that are logged in, on the others later.

        `keep` names commands of modules that failed to start: they stay in Discord as they are. What goes wrong is
        shown by the health check `discord:<bot>:commands`. Nothing happens without gateway.
        """
        if not self._has_gateway:
            return
        for name, sync in self._syncs.items():
            sync.wish(keep)
            if (bot := self._runners[name].bot) is not None:
                await sync.run(bot)

    async def plan_commands(self, name: str, *, keep: Collection[str] = ()) -> Plan:
        """What a sync of one bot would do, without a gateway connection (login and one GET); for the CLI."""
        async with self.logged_in(name) as bot:
            return await plan_for(bot, self.surface, keep=keep)

    async def apply_commands(self, name: str, *, keep: Collection[str] = (), force: bool = False) -> Plan:
        """Plan and apply for one bot, without a gateway connection; SyncRefused as `sync.apply` says."""
        async with self.logged_in(name) as bot:
            planned = await plan_for(bot, self.surface, keep=keep)
            await apply(bot.http, bot.application_id or 0, planned, force=force)
            return planned

    @asynccontextmanager
    async def logged_in(self, name: str) -> AsyncIterator[Bot]:
        """A second client of one bot for REST calls; see `BotRunner.logged_in`. KeyError for an unknown name."""
        async with self._runners[BotName(name)].logged_in() as bot:
            yield bot

    def check_modules(self, known: Collection[ModuleId]) -> None:
        """Warn in the health of bots that name a module which is not among `known`, and of modules without a bot."""
        for name, odd in self._serving.unknown(known).items():
            self._health.set(f"discord:{name}:modules", Check(Status.WARN, f"there is no module {', '.join(odd)}"))
        if self._runners and (unserved := self._serving.unserved(known)):
            said = f"no bot serves {', '.join(unserved)}: each bot has a list of modules, and it stands in none"
            self._health.set("discord:modules", Check(Status.WARN, said))

    def bots_for(self, module: ModuleId) -> list[Bot]:
        """The bots that are logged in, those that serve `module` first: whoever posts for it asks them in turn."""
        ranked = self._serving.rank(tuple(self._runners), module)
        return [bot for name in ranked if (bot := self._runners[name].bot) is not None]

    def invite_links(self) -> dict[BotName, str]:
        """The link that adds each bot to a server, for those that have logged in."""
        bots = {name: runner.bot for name, runner in self._runners.items()}
        return {name: bot.invite_url() for name, bot in bots.items() if bot is not None}

    def _bot_of(self, app_id: AppId) -> Bot | None:
        return next((runner.bot for runner in self._runners.values() if runner.app_id == app_id), None)

    def _sync_soon(self, runner: BotRunner) -> None:
        sync = self._syncs[runner.name]
        if runner.bot is not None and sync.is_due:
            self._supervisor.spawn(f"sync:{runner.name}", sync.run(runner.bot), owner=TASK_OWNER)

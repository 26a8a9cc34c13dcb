"""One bot: discord.py's client, quiet and small, whose interactions all go through the pipeline."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp
import discord
import structlog
from discord import app_commands
from discord.ext import commands
from discord.gateway import KeepAliveHandler

from daemon.core.errors import ModuleError, OutOfDate
from daemon.core.ids import BotName, ModuleId
from integrations.discord.calls import AnyInteraction, has_call
from integrations.discord.command_rules import COMMANDS_MAX, violations
from integrations.discord.components import PanelItem, fields_of
from integrations.discord.identify import IdentifyBudget
from integrations.discord.pipeline import Job, Pipeline
from integrations.discord.policy import NO_MENTIONS, PRESS
from integrations.discord.routes import Routes
from integrations.discord.traffic import Traffic
from integrations.discord.tree import Tree

log = structlog.get_logger(__name__)

RATE_LIMIT_WAIT_MAX_S = 60.0  # without it discord.py sleeps for whatever Discord says, hours included
_GUILDS_WAIT_S = 0.1  # READY is held back until the guilds have come, or for this long
_GONE = Job("component", "outdated", PRESS, None)

_ROUTED = (discord.InteractionType.component, discord.InteractionType.modal_submit)

# What a payload that is not as documented makes discord.py raise. One such event would end the whole client.
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError)


@dataclass(frozen=True, slots=True)
class BotEvents:
    """What the fleet wants to hear of a bot's gateway session; called on the event loop, without arguments."""

    ready: Callable[[], None]
    lost: Callable[[], None]


class Bot(commands.Bot):
    """A client that asks for no privileged intent, caches no members or messages and mentions nobody."""

    def __init__(
        self,
        name: BotName,
        *,
        pipeline: Pipeline,
        routes: Routes,
        connector: aiohttp.BaseConnector,
        budget: IdentifyBudget,
        events: BotEvents,
        intents: discord.Intents,
        traffic: Traffic,
        serves: Callable[[ModuleId], bool],
    ) -> None:
        super().__init__(
            command_prefix=(),
            help_command=None,
            tree_cls=Tree,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
            intents=intents,
            allowed_mentions=NO_MENTIONS,
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_messages=None,
            chunk_guilds_at_startup=False,
            guild_ready_timeout=_GUILDS_WAIT_S,
            max_ratelimit_timeout=RATE_LIMIT_WAIT_MAX_S,
            connector=connector,
        )
        self.name = name
        self.pipeline = pipeline
        self.routes = routes
        self.traffic = traffic
        self.serves = serves
        self._budget = budget
        self._events = events
        self._owners: dict[object, ModuleId] = {}
        if isinstance(self.tree, Tree):
            self.tree.use(pipeline, self._owners.get)
        self.add_dynamic_items(PanelItem)
        self._survive_malformed_events()

    async def close(self) -> None:
        """As discord.py does, and stop the threads of heartbeats it lost sight of.

        A connection that is cancelled between HELLO and READY, or whose socket was gone first, leaves one behind: it
        would sleep for up to one interval (41 s) and then call into an event loop that has ended.
        """
        await super().close()
        for thread in threading.enumerate():
            if isinstance(thread, KeepAliveHandler) and thread.ws._connection is self._connection:
                thread.stop()

    async def adopt(self, owner: ModuleId, make: type[commands.Cog], args: Sequence[Any]) -> commands.Cog:
        """Add a module's cog. ModuleError, and nothing left behind, when it breaks a rule of Discord or ours."""
        try:
            cog = make(*args)
        except Exception as error:  # the module's code: whatever it raises is its author's to mend
            raise ModuleError(owner, f"{make.__name__} cannot be made: {error}") from error
        if broken := self._objections(cog):
            raise ModuleError(owner, "; ".join(broken))
        self._owners[cog] = owner
        try:
            await self.add_cog(cog)
        except Exception as error:
            self._owners.pop(cog, None)
            raise ModuleError(owner, f"{make.__name__} cannot be added: {error}") from error
        return cog

    async def release(self, cog: commands.Cog) -> None:
        """Remove a cog with its commands and listeners."""
        self._owners.pop(cog, None)
        await self.remove_cog(cog.qualified_name)

    async def run_component(self, interaction: AnyInteraction) -> None:
        """Route a press, a choice or a sent form by its signed custom id; unknown ones are told to be out of date."""
        is_modal = interaction.type is discord.InteractionType.modal_submit
        found = self.routes.find(interaction.custom_id or "", is_modal=is_modal)
        if found is None:
            await self.pipeline.refuse(interaction, _GONE, OutOfDate())
            return
        custom_id, route = found
        data: Mapping[str, Any] = interaction.data or {}
        given: Any = fields_of(data.get("components", ())) if is_modal else tuple(data.get("values", ()))
        kind = "modal" if is_modal else "component"
        job = Job(kind, f"{route.module}.{custom_id.action}", route.declared.policy, route.module)
        handler = partial(route.handler, interaction, custom_id.ids, given)
        if route.declared.is_exclusive and interaction.message is not None:
            handler = partial(self._run_alone, self.routes.lock_of(interaction.message.id), handler)
        await self.pipeline.run(interaction, job, handler)

    def dispatch(self, event_name: str, /, *args: Any, **kwargs: Any) -> None:
        """discord.py's, save for the interactions that the tree has taken: for them it would only make a task."""
        if event_name == "interaction" and args[0].type not in _ROUTED:
            return
        super().dispatch(event_name, *args, **kwargs)

    async def on_interaction(self, interaction: AnyInteraction) -> None:
        """Catch what discord.py would discard: forms, and components that no item on the message leads to.

        It runs after the items' own callback has begun, because discord.py dispatches this event last.
        """
        if not has_call(interaction):
            await self.run_component(interaction)

    async def on_ready(self) -> None:
        """The session is up and the guilds are known."""
        self._events.ready()

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """One server more, which may be one too many for a bot without an allow-list."""
        self._events.ready()

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """One server fewer."""
        self._events.ready()

    async def on_resumed(self) -> None:
        """The session is up again."""
        self._events.ready()

    async def on_disconnect(self) -> None:
        """The session is down; discord.py tries again by itself."""
        self._events.lost()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait when too many identifies were spent; else discord.py's own 5 seconds between two of them."""
        wait_s = self._budget.take()
        if wait_s > 0:
            log.error("identify_budget_spent", bot=self.name, wait_s=round(wait_s))
            await asyncio.sleep(wait_s)
        await super().before_identify_hook(shard_id, initial=initial)

    async def learn_identify_budget(self) -> None:
        """Ask Discord how many identifies are left; unknown is no reason not to start."""
        try:
            answer: Any = await self.http.request(discord.http.Route("GET", "/gateway/bot"))
            limit = answer["session_start_limit"]
            self._budget.learn(int(limit["remaining"]), int(limit["total"]), limit["reset_after"] / 1000)
        except (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError, *_MALFORMED) as error:
            log.info("identify_budget_unknown", bot=self.name, error=type(error).__name__)

    def invite_url(self) -> str:
        """Link that adds this bot to a server with just the permissions it uses; known once it has logged in."""
        permissions = discord.Permissions(
            view_channel=True, send_messages=True, embed_links=True, attach_files=True, read_message_history=True
        )
        return discord.utils.oauth_url(
            self.application_id or 0, permissions=permissions, scopes=("bot", "applications.commands")
        )

    async def _run_alone(self, lock: asyncio.Lock, handler: Callable[[], Any]) -> None:
        async with lock:
            await handler()

    def _objections(self, cog: commands.Cog) -> list[str]:
        """Why a cog's commands cannot be added; asked before, because discord.py leaves half of them behind."""
        group = cog.app_command
        fresh = [group] if group is not None else cog.get_app_commands()
        found = [f"/{command.name} exists already" for command in fresh if self.tree.get_command(command.name)]
        found += [problem for command in fresh for problem in violations(command.to_dict(self.tree))]
        count = len(self.tree.get_commands(type=discord.AppCommandType.chat_input)) + len(fresh)
        if count > COMMANDS_MAX:
            found.append(f"{count} slash commands in all, at most {COMMANDS_MAX}")
        return found

    def _survive_malformed_events(self) -> None:
        """Keep one event that discord.py cannot read from ending the session: it is logged and skipped."""
        parsers = self._connection.parsers
        for event, parse in tuple(parsers.items()):
            parsers[event] = partial(self._parse, event, parse)

    def _parse(self, event: str, parse: Callable[[Any], Any], data: Any) -> None:
        try:
            parse(data)
        except _MALFORMED:
            log.exception("event_unreadable", bot=self.name, event_name=event)

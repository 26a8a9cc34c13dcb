"""The command tree whose every call goes through the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from daemon.core.ids import ModuleId
from integrations.discord.calls import AnyInteraction
from integrations.discord.pipeline import AnyChoice, Job, Pipeline
from integrations.discord.policy import COMMAND, AnyCommand, policy_of

OwnerOf = Callable[[object], ModuleId | None]


class Tree(app_commands.CommandTree[commands.Bot]):
    """discord.py's tree with its two entry points, `_call` and `on_error`, led through our pipeline.

    Only guilds and only installation in guilds, said for every command: Discord's own defaults have changed before.
    """

    pipeline: Pipeline
    owner_of: OwnerOf

    def use(self, pipeline: Pipeline, owner_of: OwnerOf) -> None:
        """Told by the bot before anything arrives; `owner_of` gives the module a cog belongs to."""
        self.pipeline = pipeline
        self.owner_of = owner_of

    async def _call(self, interaction: AnyInteraction) -> None:
        command = interaction.command
        if interaction.type is discord.InteractionType.autocomplete:
            job = self._job("autocomplete", command)
            await self.pipeline.complete(interaction, job, partial(self._suggest, interaction, command))
        else:
            job = self._job("command", command)
            await self.pipeline.run(interaction, job, partial(super()._call, interaction))

    async def on_error(self, interaction: AnyInteraction, error: app_commands.AppCommandError, /) -> None:
        """Hand the error to the pipeline, which is above us on the stack."""
        raise error

    def _job(self, kind: str, command: AnyCommand | None) -> Job:
        if command is None:  # Discord knows a command that we no longer have
            return Job(kind, "unknown", COMMAND, None)
        owner = self.owner_of(getattr(command, "binding", None))
        return Job(kind, command.qualified_name, policy_of(command), owner)

    async def _suggest(self, interaction: AnyInteraction, command: AnyCommand | None) -> Sequence[AnyChoice]:
        """Ask the focused option's autocomplete callback; discord.py's own way would answer by itself and unclamped."""
        if not isinstance(command, app_commands.Command):
            return ()
        data: Any = interaction.data
        _, options = self._get_app_command_options(data)
        name = next((str(option["name"]) for option in options if option.get("focused")), "")
        parameters = command._params.values()
        ask: Any = next((p.autocomplete for p in parameters if str(p.display_name) == name), None)
        if not callable(ask):
            return ()
        typed = getattr(interaction.namespace, name, "")
        if getattr(ask, "pass_command_binding", False):
            return list(await ask(command.binding, interaction, typed))
        return list(await ask(interaction, typed))

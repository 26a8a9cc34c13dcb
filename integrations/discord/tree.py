"""The command tree whose every call goes through the pipeline."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

import discord
from discord import app_commands
from discord.ext import commands

from daemon.core.ids import ModuleId
from integrations.discord.calls import AnyInteraction
from integrations.discord.pipeline import AnyChoice, Job, Pipeline
from integrations.discord.policy import COMMAND, AnyCommand, policy_of

AnySlash = app_commands.Command[Any, ..., Any]
OwnerOf = Callable[[object], ModuleId | None]

_CHAT_INPUT = 1


class Tree(app_commands.CommandTree[commands.Bot]):
    """discord.py's tree with its entry point, `_call`, led through our pipeline instead of its own error handlers.

    Only guilds and only installation in guilds, said for every command: Discord's own defaults have changed before.
    """

    pipeline: Pipeline
    owner_of: OwnerOf
    _jobs: WeakKeyDictionary[AnyCommand, dict[str, Job]]

    def use(self, pipeline: Pipeline, owner_of: OwnerOf) -> None:
        """Told by the bot before anything arrives; `owner_of` gives the module a cog belongs to."""
        self.pipeline = pipeline
        self.owner_of = owner_of
        self._jobs = WeakKeyDictionary()

    async def _call(self, interaction: AnyInteraction) -> None:
        is_typing = interaction.type is discord.InteractionType.autocomplete
        kind = "autocomplete" if is_typing else "command"
        data: Any = interaction.data
        if data.get("type", 1) != _CHAT_INPUT:
            job = self._job(kind, interaction.command)
            await self.pipeline.run(interaction, job, partial(super()._call, interaction))
            return
        try:
            command, options = self._get_app_command_options(data)
            if options:
                _check_options(command, options)
        except app_commands.AppCommandError as error:  # Discord knows a command that we no longer have, or not so
            await self._take(interaction, self._job(kind, None), partial(_raise, error))
            return
        if is_typing:
            call = partial(self._suggest, interaction, command, options)
        else:
            namespace = app_commands.Namespace(interaction, data.get("resolved", {}), options)
            call = partial(command._invoke_with_namespace, interaction, namespace)
        await self._take(interaction, self._job(kind, command), call)

    async def _take(self, interaction: AnyInteraction, job: Job, call: Callable[[], Awaitable[Any]]) -> None:
        take = self.pipeline.complete if job.kind == "autocomplete" else self.pipeline.run
        await take(interaction, job, call)

    async def on_error(self, interaction: AnyInteraction, error: app_commands.AppCommandError, /) -> None:
        """Hand the error to the pipeline, which is above us on the stack."""
        raise error

    def _job(self, kind: str, command: AnyCommand | None) -> Job:
        if command is None:
            return Job(kind, "unknown", COMMAND, None)
        jobs = self._jobs.setdefault(command, {})
        job = jobs.get(kind)
        if job is None:
            owner = self.owner_of(getattr(command, "binding", None))
            jobs[kind] = job = Job(kind, command.qualified_name, policy_of(command), owner)
        return job

    async def _suggest(
        self, interaction: AnyInteraction, command: AnySlash, options: Sequence[Mapping[str, Any]]
    ) -> Sequence[AnyChoice]:
        """Ask the focused option's autocomplete callback; discord.py's own way would answer by itself and unclamped."""
        name = next((str(option["name"]) for option in options if option.get("focused")), "")
        parameters = command._params.values()
        ask: Any = next((p.autocomplete for p in parameters if str(p.display_name) == name), None)
        if not callable(ask):
            return ()
        typed = getattr(interaction.namespace, name, "")
        if getattr(ask, "pass_command_binding", False):
            return list(await ask(command.binding, interaction, typed))
        return list(await ask(interaction, typed))


def _check_options(command: AnySlash, options: Sequence[Mapping[str, Any]]) -> None:
    """CommandSignatureMismatch for an option that the command does not have, or has of another type.

    discord.py hands such values to the command as they are.
    """
    types = {str(parameter.display_name): parameter.type.value for parameter in command._params.values()}
    if any(types.get(option["name"]) != option.get("type") for option in options):
        raise app_commands.CommandSignatureMismatch(command)


async def _raise(error: Exception) -> NoReturn:
    raise error

"""What the module host may do to Discord: add and remove, always in the name of an owner."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import structlog
from discord.ext import commands

from daemon.core.errors import ModuleError
from daemon.core.ids import ModuleId, RoleId
from integrations.discord.components import ComponentSet
from integrations.discord.routes import Routes

log = structlog.get_logger(__name__)

ComponentsT = TypeVar("ComponentsT", bound=ComponentSet)


class CogHolder(Protocol):
    """A bot, as far as cogs are concerned."""

    def serves(self, module: ModuleId) -> bool:
        """Whether the cogs of this module are for it."""
        ...

    async def adopt(self, owner: ModuleId, make: type[commands.Cog], args: Sequence[Any]) -> commands.Cog:
        """Make the cog and add its commands. Whatever goes wrong is a ModuleError, and nothing is left behind."""
        ...

    async def release(self, cog: commands.Cog) -> None:
        """Remove the cog, its commands and listeners."""
        ...


@dataclass(eq=False, slots=True)
class _Registered:
    owner: ModuleId
    make: type[commands.Cog]
    args: Sequence[Any]
    instances: dict[CogHolder, commands.Cog] = field(default_factory=dict)


class DiscordSurface:
    """Cogs, components and roles by owner, for every bot that is up now or comes up later.

    A bot gets the cogs of the modules it serves. Components work on all: a panel outlives a change of who serves what.
    """

    def __init__(self, routes: Routes) -> None:
        self.routes = routes
        self._cogs: list[_Registered] = []
        self._bots: list[CogHolder] = []
        self._roles: dict[ModuleId, frozenset[RoleId]] = {}

    async def add_cog(self, owner: ModuleId, cls: type[commands.Cog], args: Sequence[Any] = ()) -> None:
        """Give every bot that serves the owner its own `cls(*args)`, now and whenever one comes up.

        ModuleError when a command breaks a rule of Discord or its name is taken; then no bot has the cog.
        """
        registered = _Registered(owner, cls, tuple(args))
        self._cogs.append(registered)
        try:
            for bot in tuple(self._bots):
                await self._give(bot, registered)
        except ModuleError:
            await self._withdraw(registered)
            raise

    def add_components(self, owner: ModuleId, cls: type[ComponentsT], args: Sequence[Any] = ()) -> ComponentsT:
        """One `cls(*args)` for all bots, its handlers routed. ModuleError when an action exists already."""
        components = cls(*args)
        self.routes.add(owner, components)
        return components

    def set_controller_roles(self, owner: ModuleId, ids: Iterable[int]) -> None:
        """Members with one of these roles count as controllers of this module."""
        self._roles[owner] = frozenset(RoleId(role_id) for role_id in ids)

    def controller_roles(self, owner: ModuleId | None) -> frozenset[RoleId]:
        """The roles set for `owner`, else those of all modules: who controls players is said once. None for None."""
        if owner is None:
            return frozenset()
        return self._roles.get(owner) or frozenset().union(*self._roles.values())

    async def remove_owner(self, owner: ModuleId) -> None:
        """Undo everything `owner` added, last first, on every bot."""
        self.routes.remove(owner)
        self._roles.pop(owner, None)
        for registered in [r for r in reversed(self._cogs) if r.owner == owner]:
            await self._withdraw(registered)

    def counts(self, owner: ModuleId) -> dict[str, int]:
        """What `owner` has here: `cogs` (classes), `instances` (on bots), `components` (and modals), `roles`."""
        mine = [registered for registered in self._cogs if registered.owner == owner]
        return {
            "cogs": len(mine),
            "instances": sum(len(registered.instances) for registered in mine),
            "components": self.routes.count(owner),
            "roles": len(self._roles.get(owner, ())),
        }

    async def attach(self, bot: CogHolder) -> None:
        """A bot comes up: it gets every cog meant for it. One that it cannot take is logged; the others go on."""
        self._bots.append(bot)
        for registered in tuple(self._cogs):
            try:
                await self._give(bot, registered)
            except ModuleError as error:
                log.warning("cog_rejected", module=error.module, problem=error.problem)

    def detach(self, bot: CogHolder) -> None:
        """A bot is gone, its cogs with it."""
        if bot in self._bots:
            self._bots.remove(bot)
        for registered in self._cogs:
            registered.instances.pop(bot, None)

    def commands_elsewhere(self, bot: CogHolder) -> frozenset[str]:
        """Names of slash commands that other bots than this one are to have."""
        strange = [registered.make for registered in self._cogs if not bot.serves(registered.owner)]
        return frozenset(name for cog in strange for name in _command_names(cog))

    async def _give(self, bot: CogHolder, registered: _Registered) -> None:
        if bot not in registered.instances and bot.serves(registered.owner):
            registered.instances[bot] = await bot.adopt(registered.owner, registered.make, registered.args)

    async def _withdraw(self, registered: _Registered) -> None:
        self._cogs = [other for other in self._cogs if other is not registered]
        for bot, cog in tuple(registered.instances.items()):
            registered.instances.pop(bot, None)
            await bot.release(cog)


def _command_names(cog: type[commands.Cog]) -> list[str]:
    if cog.__cog_is_app_commands_group__:
        return [str(cog.__cog_group_name__)]
    return [command.name for command in cog.__cog_app_commands__]

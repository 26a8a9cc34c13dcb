"""Application commands over REST, global and by guild."""

from __future__ import annotations

from simulators.discord.commands import Command, TooManyCreates
from simulators.discord.errors import ApiError
from simulators.discord.limits import Quota
from simulators.discord.routes import Call, Reply, Route
from simulators.discord.world import World


class CommandRoutes:
    """Handlers on `/applications/{application_id}/commands` and its guild twin."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """The routes served here; a guild id in the path decides the scope."""
        everywhere = "/applications/{application_id}/commands"
        guild = "/applications/{application_id}/guilds/{guild_id}/commands"
        found: list[Route] = []
        for path, of_guild in ((everywhere, ""), (guild, "guild_")):
            one = path + "/{command_id}"
            found += [
                Route(f"list_{of_guild}application_commands", "GET", path, self.list_commands),
                Route(f"create_{of_guild}application_command", "POST", path, self.create, quota=Quota(5, 20.0)),
                Route(f"bulk_set_{of_guild}application_commands", "PUT", path, self.overwrite, quota=Quota(10, 10.0)),
                Route(f"get_{of_guild}application_command", "GET", one, self.get),
                Route(f"update_{of_guild}application_command", "PATCH", one, self.update),
                Route(f"delete_{of_guild}application_command", "DELETE", one, self.delete),
            ]
        return [
            *found,
            Route("list_guild_application_command_permissions", "GET", guild + "/permissions", self.all_permissions),
            Route(
                "get_guild_application_command_permissions",
                "GET",
                guild + "/{command_id}/permissions",
                self.permissions,
            ),
        ]

    def list_commands(self, call: Call) -> Reply:
        """All commands of the scope; localisations only on request."""
        app_id, guild_id = self._scope(call)
        wants = call.query.get("with_localizations", "false").lower() in ("true", "1")
        found = self._world.commands.of(app_id, guild_id)
        return 200, [command.to_json(with_localizations=wants) for command in found]

    def create(self, call: Call) -> Reply:
        """Upsert by (type, name): 201 when new, 200 when it was there."""
        app_id, guild_id = self._scope(call)
        try:
            command, is_new = self._world.commands.upsert(app_id, guild_id, call.body)
        except TooManyCreates:
            raise ApiError(30034) from None
        self._tell(app_id, guild_id)
        return (201 if is_new else 200), command.to_json()

    def overwrite(self, call: Call) -> Reply:
        """Replace the scope."""
        app_id, guild_id = self._scope(call)
        try:
            made = self._world.commands.overwrite(app_id, guild_id, call.body)
        except TooManyCreates:
            raise ApiError(30034) from None
        self._tell(app_id, guild_id)
        return 200, [command.to_json() for command in made]

    def get(self, call: Call) -> Reply:
        """One command."""
        return 200, self._one(call).to_json()

    def update(self, call: Call) -> Reply:
        """Change one command."""
        command = self._world.commands.edit(self._one(call), call.body)
        self._tell(command.app_id, command.guild_id)
        return 200, command.to_json()

    def delete(self, call: Call) -> Reply:
        """Remove one command."""
        command = self._one(call)
        self._world.commands.delete(command)
        self._tell(command.app_id, command.guild_id)
        return 204, None

    def all_permissions(self, call: Call) -> Reply:
        """Permissions set by the guild's administrators; commands without any are left out."""
        app_id, guild_id = self._scope(call)
        own = self._world.commands.of(app_id) + self._world.commands.of(app_id, guild_id)
        return 200, [self._permissions(command, guild_id) for command in own if command.permissions]

    def permissions(self, call: Call) -> Reply:
        """Permissions of one command; 10066 when nothing was set is told as an empty list."""
        app_id, guild_id = self._scope(call)
        own = self._world.commands.of(app_id) + self._world.commands.of(app_id, guild_id)
        command = next((one for one in own if one.command_id == call.id("command_id")), None)
        if command is None:
            raise ApiError(10063)
        return 200, self._permissions(command, guild_id)

    def _permissions(self, command: Command, guild_id: int | None) -> dict[str, object]:
        return {
            "id": str(command.command_id),
            "application_id": str(command.app_id),
            "guild_id": str(guild_id),
            "permissions": command.permissions,
        }

    def _scope(self, call: Call) -> tuple[int, int | None]:
        app_id = call.id("application_id")
        if app_id != call.app.app_id:
            raise ApiError(20012)
        if "guild_id" not in call.path:
            return app_id, None
        guild = self._world.guilds.get(call.id("guild_id"))
        if guild is None or app_id not in guild.members:
            raise ApiError(50001)
        return app_id, guild.guild_id

    def _one(self, call: Call) -> Command:
        app_id, guild_id = self._scope(call)
        command = self._world.commands.get(app_id, guild_id, call.id("command_id"))
        if command is None:
            raise ApiError(10063)
        return command

    def _tell(self, app_id: int, guild_id: int | None) -> None:
        data = {"application_id": str(app_id), "guild_id": str(guild_id) if guild_id else None}
        self._world.tell("commands_changed", None, None, data)

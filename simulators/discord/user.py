"""The scripted user: everything a person can do in a Discord client, for tests and for the chat page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.discord import permissions as perms
from simulators.discord.client import Client
from simulators.discord.components import walk
from simulators.discord.interactions import Fact, Interaction, Interactions, NotAnswered
from simulators.discord.objects import App, Channel, Guild, Json, Person
from simulators.discord.options import Refused, Upload
from simulators.discord.shown import Shown
from simulators.discord.world import World

__all__ = ["Fact", "NotAnswered", "Refused", "Shown", "Upload", "User"]

GENERAL = "general"


class User:
    """A member at a keyboard. Channels are named by id or name; a name means one in `guild`, the home guild.

    Methods that show plain data give Discord's own JSON. What a client would not allow raises `Refused`; an app
    that does not answer within 3 s raises `NotAnswered`.
    """

    def __init__(self, world: World, interactions: Interactions, person: Person, guild: Guild | None = None) -> None:
        self._world = world
        self._client = Client(world, interactions, person)
        self.person = person
        self.guild = guild

    def __repr__(self) -> str:
        return f"<User {self.person.username}>"

    @property
    def user_id(self) -> int:
        """Discord id (snowflake)."""
        return self.person.user_id

    @property
    def name(self) -> str:
        """Username, as the world knows them."""
        return self.person.username

    def in_guild(self, guild: Guild) -> User:
        """The same person with another home guild."""
        return User(self._world, self._client.interactions, self.person, guild)

    # ---------------------------------------------------------------- looking around

    def guilds(self) -> list[Json]:
        """Guilds this person is in."""
        return [guild.to_json() for guild in self._world.guilds.values() if self.user_id in guild.members]

    def channels(self, guild_id: int | None = None) -> list[Json]:
        """Channels this member sees in a guild (the home guild by default), in the order shown."""
        guild = self._world.guilds[guild_id] if guild_id else self.guild
        ids = guild.channel_ids if guild else []
        found = [self._world.channels[channel_id] for channel_id in ids]
        visible = [channel for channel in found if self._world.can(self.user_id, channel, perms.VIEW_CHANNEL)]
        return [self._world.channel_json(channel) for channel in visible]

    def members(self, guild_id: int | None = None) -> list[Json]:
        """Members of a guild, for mentions and user pickers."""
        guild = self._world.guilds[guild_id] if guild_id else self.guild
        found = guild.members.values() if guild else ()
        return [member.to_json(self._world.people[member.user_id]) for member in found]

    def dm(self, app: str | int) -> Json:
        """The direct message channel with an app's bot (by name or id), made if need be."""
        found = next(a for a in self._world.apps.values() if app in (a.name, a.app_id))
        return self._world.channel_json(self._world.dm(self.person, found.person), self.user_id)

    def messages(self, channel: str | int = GENERAL, limit: int = 50) -> list[Json]:
        """The newest messages this member sees, oldest first, own private ones included (flag 64)."""
        posts = self._world.visible_posts(self.user_id, self._channel(channel))
        return [post.data for post in posts[-limit:]]

    def sees(self, channel: str | int = GENERAL) -> list[Shown]:
        """All visible messages as things to read and click, oldest first."""
        posts = self._world.visible_posts(self.user_id, self._channel(channel))
        return [Shown(self._client, post=post) for post in posts]

    def message(self, message_id: int | str) -> Shown:
        """One visible message."""
        return Shown(self._client, post=self._client.post(int(message_id)))

    def commands(self, channel: str | int = GENERAL) -> list[Json]:
        """Slash commands offered here, by name, as Discord's command objects with options and choices."""
        return [data for _, data in self._client.commands(self._channel(channel))]

    # ---------------------------------------------------------------- slash commands

    async def slash(
        self,
        command: str,
        /,
        *,
        channel: str | int = GENERAL,
        app: str | int | None = None,
        options: Mapping[str, Any] | None = None,
        **named: Any,
    ) -> Shown:
        """Type `/command` (`"queue add"` with a subcommand) and send it; returns at the first answer.

        Options go by name, or in `options` where a name is taken. A value may be a choice's name, its value, or a
        dict that `type_in` gave. A deferred answer is returned as such: `await shown.settled()` waits for the rest.
        """
        sent = self.send_slash(command, channel=channel, app=app, options=options, **named)
        await self._client.interactions.answer_to(sent)
        return Shown(self._client, interaction=sent)

    def send_slash(
        self,
        command: str,
        /,
        *,
        channel: str | int = GENERAL,
        app: str | int | None = None,
        options: Mapping[str, Any] | None = None,
        **named: Any,
    ) -> Interaction:
        """Send a slash command without waiting for any answer."""
        where = self._channel(channel)
        owner, data, path = self._offered(command, where, app)
        return self._client.invoke(where, owner, data, path, {**named, **(options or {})})

    async def type_in(
        self,
        command: str,
        option: str,
        text: str,
        /,
        *,
        channel: str | int = GENERAL,
        app: str | int | None = None,
        options: Mapping[str, Any] | None = None,
        **named: Any,
    ) -> list[Json]:
        """Type into an option with autocomplete; gives the choices offered, `{"name", "value"}` each."""
        where = self._channel(channel)
        owner, data, path = self._offered(command, where, app)
        given = {**named, **(options or {}), option: text}
        sent = self._client.invoke(where, owner, data, path, given, focused=option)
        await self._client.interactions.answer_to(sent)
        return sent.choices

    # ---------------------------------------------------------------- messages and their components

    async def click(self, message_id: int | str, button: str) -> Shown:
        """Press a button of a message, by custom id or label."""
        return await self.message(message_id).click(button)

    async def choose(self, message_id: int | str, select: str, *options: Any) -> Shown:
        """Choose in a select menu of a message; the menu by custom id or placeholder, options by label or value."""
        return await self.message(message_id).choose(select, *options)

    async def submit(self, interaction_id: int | str, values: Mapping[str, Any]) -> Shown:
        """Submit the modal that an interaction opened; values by label or custom id."""
        opener = self._client.interactions.by_id(int(interaction_id))
        return await Shown(self._client, interaction=opener).submit(dict(values))

    async def press_forged(self, message_id: int | str, custom_id: str) -> Shown:
        """Press a button that the message does not have, as a tampered client would; for tests of forged ids."""
        post = self._client.post(int(message_id))
        real = next((part for part in walk(post.data["components"]) if part["type"] == 2), {"id": 1})
        forged = {"type": 2, "id": real["id"], "custom_id": custom_id}
        sent = self._client.press(post, forged)
        await self._client.interactions.answer_to(sent)
        return Shown(self._client, interaction=sent)

    def say(self, channel: str | int, text: str) -> Json:
        """Write an ordinary message."""
        return self._client.say(self._channel(channel), text).data

    def react(self, message_id: int | str, emoji: str) -> None:
        """Add a reaction, or take it back when it is there already."""
        self._client.react(self._client.post(int(message_id)), emoji)

    def dismiss(self, message_id: int | str) -> None:
        """Dismiss a private message; the app is not told."""
        self._client.dismiss(self._client.post(int(message_id)))

    def delete(self, message_id: int | str) -> None:
        """Delete a message: one's own, or any with Manage Messages."""
        self._client.delete(self._client.post(int(message_id)))

    def fetch(self, url: str) -> tuple[bytes, str]:
        """Content and content type of a file on the CDN."""
        path = url.split("?")[0].split("://", 1)[-1]
        return self._world.files["/" + path.split("/", 1)[-1]]

    # ---------------------------------------------------------------- inside

    def _channel(self, channel: str | int) -> Channel:
        try:
            found = self._world.channel(channel, self.guild)
        except KeyError:
            raise Refused(f"there is no channel {channel}") from None
        if not self._world.can(self.user_id, found, perms.VIEW_CHANNEL):
            raise Refused(f"{self.name} does not see {channel}")
        return found

    def _offered(self, command: str, channel: Channel, app: str | int | None) -> tuple[App, Json, list[str]]:
        name, *path = command.removeprefix("/").split()
        offered = self._client.commands(channel)
        for owner, data in offered:
            if data["name"] == name and app in (None, owner.name, owner.app_id):
                return owner, data, path
        names = ", ".join(str(data["name"]) for _, data in offered)
        raise Refused(f"/{name} is not offered to {self.name} here, only: {names or 'nothing'}")

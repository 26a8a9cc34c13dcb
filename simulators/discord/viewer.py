"""What one member's client shows: the state of the guild as they may see it, and the news since."""

from __future__ import annotations

from simulators.discord import permissions as perms
from simulators.discord.client import Client
from simulators.discord.feed import Change
from simulators.discord.objects import Channel, Guild, Json
from simulators.discord.world import World

MESSAGES_MAX = 200  # of a channel, at (re)connection


class Viewer:
    """The JSON that the chat page shows to one member. Ids are strings throughout."""

    def __init__(self, world: World, guild: Guild, client: Client) -> None:
        self._world = world
        self._guild = guild
        self._client = client
        self._user_id = client.person.user_id

    def state(self, health_url: str | None) -> Json:
        """Everything the page needs to begin with, messages of each visible channel oldest first."""
        channels = self._channels()
        return {
            "type": "state",
            "me": str(self._user_id),
            "guild": {"id": str(self._guild.guild_id), "name": self._guild.name},
            "channels": [self._channel(channel) for channel in channels],
            "members": self._members(),
            "roles": [
                {"id": str(role.role_id), "name": role.name}
                for role in self._guild.roles.values()
                if role.role_id != self._guild.guild_id
            ],
            "commands": self.commands(),
            "messages": {
                str(channel.channel_id): [
                    post.data for post in self._world.visible_posts(self._user_id, channel)[-MESSAGES_MAX:]
                ]
                for channel in channels
            },
            "demo": {"health_url": health_url},
        }

    def news(self, change: Change) -> list[Json]:
        """What to tell the page of a change; nothing when this member may not know or need not."""
        if change.kind == "commands_changed":
            return [{"type": "commands", "commands": self.commands()}]
        if change.only_for not in (None, self._user_id):
            return []
        channel = self._world.channels.get(change.channel_id or 0)
        if channel is None or not self._is_shown(channel):
            return []
        if change.kind == "message_deleted":
            return [{"type": "gone", "channel_id": change.data["channel_id"], "id": change.data["id"]}]
        if change.kind in ("message_created", "message_edited"):
            return self._message(channel, int(change.data["id"]))
        return []

    def commands(self) -> list[Json]:
        """Slash commands this member may use somewhere in the guild, `bot` naming the bot user of each."""
        offered: dict[str, Json] = {}
        for channel in self._channels():
            for app, command in self._client.commands(channel):
                offered[command["id"]] = {**command, "bot": str(app.person.user_id)}
        return list(offered.values())

    def _message(self, channel: Channel, message_id: int) -> list[Json]:
        """The message as it is now; one that was dismissed or is gone by now needs no news."""
        post = channel.posts.get(message_id)
        if post is None or post.is_dismissed or not self._world.can(self._user_id, channel, perms.VIEW_CHANNEL):
            return []
        return [{"type": "message", "message": post.data}]

    def _channels(self) -> list[Channel]:
        """The guild's channels in their order, then direct messages."""
        channels = [self._world.channels[channel_id] for channel_id in self._guild.channel_ids]
        visible = [channel for channel in channels if self._world.can(self._user_id, channel, perms.VIEW_CHANNEL)]
        return visible + [channel for channel in self._world.channels.values() if self._user_id in channel.recipients]

    def _is_shown(self, channel: Channel) -> bool:
        return channel.guild_id == self._guild.guild_id or self._user_id in channel.recipients

    def _channel(self, channel: Channel) -> Json:
        others = [self._world.people[one].name for one in channel.recipients if one != self._user_id]
        return {
            "id": str(channel.channel_id),
            "name": channel.name or ", ".join(others),
            "topic": "Only the two of you see this" if others else channel.topic,
            "is_direct": bool(others),
            "can_speak": self._world.can(self._user_id, channel, perms.SEND_MESSAGES),
        }

    def _members(self) -> list[Json]:
        return [
            {
                "id": str(member.user_id),
                "name": self._world.people[member.user_id].name,
                "about": self._about(member.user_id),
                "is_bot": self._world.people[member.user_id].is_bot,
                "is_playable": not self._world.people[member.user_id].is_bot,
            }
            for member in self._guild.members.values()
        ]

    def _about(self, user_id: int) -> str:
        """A member's standing in a few words."""
        if user_id == self._guild.owner_id:
            return "Server owner"
        if self._world.people[user_id].is_bot:
            return "App"
        roles = [self._guild.roles[role_id].name for role_id in self._guild.members[user_id].role_ids]
        return ", ".join(roles) or "No special role"

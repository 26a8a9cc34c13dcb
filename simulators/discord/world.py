"""The virtual Discord: people, apps, guilds, channels and messages, and the feed of everything that changes."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence

from simulators.clock import SimClock
from simulators.discord import permissions as perms
from simulators.discord.commands import Commands
from simulators.discord.feed import Change, Feed, Subscription
from simulators.discord.objects import App, Channel, Guild, Json, Member, Person, Post, Role

DISCORD_EPOCH_S = 1_420_070_400.0  # snowflakes count milliseconds from 2015-01-01

FILES_MAX = 5_000  # the oldest fall off the CDN


class World:
    """Everything that exists, found by id or by name. Synchronous; every change goes out on the feed."""

    def __init__(self, clock: SimClock) -> None:
        self.clock = clock
        self.feed = Feed()
        self.people: dict[int, Person] = {}
        self.apps: dict[int, App] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.files: dict[str, tuple[bytes, str]] = {}  # CDN path -> content, content type
        self.commands = Commands(self.new_id, clock.now)
        self._last_id = 0

    # ---------------------------------------------------------------- ids and the feed

    def new_id(self) -> int:
        """A fresh snowflake, strictly growing, whose time is the clock's."""
        made = int((self.clock.now() - DISCORD_EPOCH_S) * 1000) << 22
        self._last_id = max(made, self._last_id + 1)
        return self._last_id

    def age_s(self, snowflake: int) -> float:
        """How long ago the thing with this id was made, in seconds of the clock."""
        return self.clock.now() - (snowflake >> 22) / 1000 - DISCORD_EPOCH_S

    def subscribe(self) -> Subscription:
        """Every change from now on, as an async iterator; close it when done."""
        return self.feed.subscribe()

    # ---------------------------------------------------------------- making things

    def add_person(self, username: str, *, global_name: str | None = None, locale: str = "en-US") -> Person:
        """A new user who is in no guild yet."""
        person = Person(self.new_id(), username, global_name, locale=locale)
        self.people[person.user_id] = person
        return person

    def add_app(self, name: str, *, token: str | None = None, privileged_intents: int = 0) -> App:
        """A new application with its bot user; the token is made up in Discord's form unless given."""
        app_id = self.new_id()
        bot = Person(app_id, name, is_bot=True)
        head = base64.urlsafe_b64encode(str(app_id).encode()).decode().rstrip("=")
        made = f"{head}.{secrets.token_urlsafe(4)}.{secrets.token_urlsafe(27)}"
        app = App(app_id, name, token or made, bot, privileged_intents)
        self.people[app_id] = bot
        self.apps[app_id] = app
        return app

    def add_guild(self, name: str, owner: Person) -> Guild:
        """A new guild with its @everyone role; the owner is its first member."""
        guild = Guild(self.new_id(), name, owner.user_id, self.clock.now())
        guild.roles[guild.guild_id] = Role(guild.guild_id, "@everyone", perms.EVERYONE)
        self.guilds[guild.guild_id] = guild
        self.join(guild, owner)
        return guild

    def add_role(self, guild: Guild, name: str, permissions: int = 0) -> Role:
        """A new role above the existing ones."""
        role = Role(self.new_id(), name, permissions, len(guild.roles))
        guild.roles[role.role_id] = role
        self._tell("role_created", guild_id=guild.guild_id, data=role.to_json())
        return role

    def add_channel(self, guild: Guild, name: str, *, topic: str | None = None) -> Channel:
        """A new text channel below the existing ones."""
        channel = Channel(self.new_id(), name, guild.guild_id, topic, len(guild.channel_ids))
        self.channels[channel.channel_id] = channel
        guild.channel_ids.append(channel.channel_id)
        self._tell("channel_created", channel, data=channel.to_json(guild.roles))
        return channel

    def join(self, guild: Guild, person: Person, roles: Sequence[Role] = ()) -> Member:
        """Make a person (or an app's bot) a member."""
        member = Member(person.user_id, self.clock.now(), [role.role_id for role in roles])
        guild.members[person.user_id] = member
        self._tell("member_joined", guild_id=guild.guild_id, data=member.to_json(person))
        return member

    def leave(self, guild: Guild, person: Person) -> None:
        """Remove a member; an app that leaves no longer sees the guild."""
        if guild.members.pop(person.user_id, None):
            self._tell("member_left", guild_id=guild.guild_id, data={"user": person.to_json()})

    def set_roles(self, guild: Guild, person: Person, role_ids: Sequence[int]) -> Member:
        """Replace a member's roles."""
        member = guild.members[person.user_id]
        member.role_ids = list(role_ids)
        self._tell("member_changed", guild_id=guild.guild_id, data=member.to_json(person))
        return member

    def set_overwrite(self, channel: Channel, target_id: int, allow: int, deny: int) -> None:
        """Set a channel's permissions for a role or user id; both zero removes the overwrite."""
        if allow or deny:
            channel.overwrites[target_id] = (allow, deny)
        else:
            channel.overwrites.pop(target_id, None)
        guild = self.guild_of(channel)
        self._tell("channel_changed", channel, data=channel.to_json(guild.roles if guild else None))

    def delete_channel(self, channel: Channel) -> None:
        """Remove a channel with all its messages."""
        guild = self.guild_of(channel)
        self.channels.pop(channel.channel_id, None)
        if guild:
            guild.channel_ids.remove(channel.channel_id)
            self._tell("channel_deleted", channel, data=channel.to_json(guild.roles))

    def dm(self, one: Person, other: Person) -> Channel:
        """The direct message channel of two users, made when they have none."""
        pair = tuple(sorted((one.user_id, other.user_id)))
        for channel in self.channels.values():
            if channel.recipients == pair:
                return channel
        channel = Channel(self.new_id(), "", recipients=pair)
        self.channels[channel.channel_id] = channel
        self._tell("channel_created", channel, data=self.channel_json(channel))
        return channel

    # ---------------------------------------------------------------- finding things

    def app_of_token(self, token: str) -> App | None:
        """The app this bot token belongs to."""
        return next((app for app in self.apps.values() if app.token == token), None)

    def person(self, name: str) -> Person:
        """A user by username; KeyError when there is none."""
        for person in self.people.values():
            if person.username == name:
                return person
        raise KeyError(name)

    def guild_of(self, channel: Channel) -> Guild | None:
        """The channel's guild; None for direct messages."""
        return self.guilds.get(channel.guild_id) if channel.guild_id else None

    def channel(self, name: str | int, guild: Guild | None = None) -> Channel:
        """A channel by id or by name, `#` allowed, in one guild or in any; KeyError when there is none."""
        if isinstance(name, int) or name.isdigit():
            return self.channels[int(name)]
        for channel in self.channels.values():
            if channel.name == name.removeprefix("#") and (guild is None or channel.guild_id == guild.guild_id):
                return channel
        raise KeyError(name)

    def permissions(self, user_id: int, channel: Channel) -> int:
        """What a user may do in a channel, as bits; 0 when they cannot see it."""
        guild = self.guild_of(channel)
        if guild is None:
            return perms.EVERYONE if user_id in channel.recipients else 0
        member = guild.members.get(user_id)
        return perms.in_channel(guild, member, channel) if member else 0

    def can(self, user_id: int, channel: Channel, bit: int) -> bool:
        """Whether a user has one permission in a channel."""
        return bool(self.permissions(user_id, channel) & bit)

    def visible_posts(self, user_id: int, channel: Channel) -> list[Post]:
        """Messages a user sees in a channel, oldest first, their own ephemeral ones included."""
        if not self.can(user_id, channel, perms.VIEW_CHANNEL):
            return []
        return [post for post in channel.posts.values() if post.only_for in (None, user_id) and not post.is_dismissed]

    def channel_json(self, channel: Channel, viewer: int | None = None) -> Json:
        """The channel object; a direct message channel shows the recipients other than `viewer`."""
        guild = self.guild_of(channel)
        if guild:
            return channel.to_json(guild.roles)
        others = [self.people[user_id].to_json() for user_id in channel.recipients if user_id != viewer]
        return {
            "id": str(channel.channel_id),
            "type": channel.type,
            "flags": 0,
            "last_message_id": channel.last_message_id(),
            "recipients": others,
        }

    # ---------------------------------------------------------------- messages

    def add_post(self, post: Post) -> None:
        """Put a finished message into its channel."""
        channel = self.channels[post.channel_id]
        channel.posts[post.message_id] = post
        self._tell("message_created", channel, post.only_for, post.data)

    def post_edited(self, post: Post) -> None:
        """Tell that `post.data` was changed."""
        self._tell("message_edited", self.channels.get(post.channel_id), post.only_for, post.data)

    def delete_post(self, post: Post) -> None:
        """Remove a message."""
        channel = self.channels.get(post.channel_id)
        if channel and channel.posts.pop(post.message_id, None):
            channel.pinned.pop(post.message_id, None)
            data = {"id": str(post.message_id), "channel_id": str(post.channel_id)}
            self._tell("message_deleted", channel, post.only_for, data)

    def store_file(self, path: str, content: bytes, content_type: str) -> str:
        """Keep a file on the CDN face and give its URL."""
        self.files[path] = (content, content_type)
        while len(self.files) > FILES_MAX:
            del self.files[next(iter(self.files))]
        expires = int(self.clock.now()) + 86_400
        return f"https://cdn.discordapp.com{path}?ex={expires:x}&is={expires - 86_400:x}&hm={secrets.token_hex(32)}&"

    def tell(self, kind: str, channel: Channel | None, only_for: int | None, data: Json) -> None:
        """Publish a change that is not kept in the world itself (typing, interactions, commands)."""
        self._tell(kind, channel, only_for, data)

    def _tell(
        self,
        kind: str,
        channel: Channel | None = None,
        only_for: int | None = None,
        data: Json | None = None,
        *,
        guild_id: int | None = None,
    ) -> None:
        channel_id = channel.channel_id if channel else None
        guild = channel.guild_id if channel else guild_id
        self.feed.tell(Change(kind, channel_id, guild, only_for, data or {}))


def marquee_house(world: World, tokens: Mapping[str, str] | None = None) -> Guild:
    """The default world: guild "Marquee House", three channels, four members, and the app "Marquee" in it.

    olivia owns the guild, alice has the role Controllers, bob and mallory have no rights. `tokens` may fix the
    token of the app (key `marquee`).
    """
    olivia = world.add_person("olivia", global_name="Olivia")
    guild = world.add_guild("Marquee House", olivia)
    controllers = world.add_role(guild, "Controllers")
    for name, topic in (
        ("general", "Say hello"),
        ("movie-night", "What are we watching?"),
        ("bot-log", "What the bot did"),
    ):
        world.add_channel(guild, name, topic=topic)
    world.join(guild, world.add_person("alice", global_name="Alice"), [controllers])
    world.join(guild, world.add_person("bob", global_name="Bob"))
    world.join(guild, world.add_person("mallory", global_name="Mallory"))
    app = world.add_app("Marquee", token=(tokens or {}).get("marquee"))
    managed = world.add_role(guild, "Marquee", perms.EVERYONE | perms.MANAGE_MESSAGES)
    managed.is_managed = True
    world.join(guild, app.person, [managed])
    return guild

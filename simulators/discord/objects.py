"""What the world is made of, each with its Discord JSON. Ids are ints inside and strings in JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

TEXT_CHANNEL = 0
DM_CHANNEL = 1

FLAG_EPHEMERAL = 1 << 6
FLAG_LOADING = 1 << 7
FLAG_COMPONENTS_V2 = 1 << 15


def iso(unix_s: float) -> str:
    """Discord's timestamps: `2024-05-01T12:00:00.123000+00:00`."""
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="microseconds")


@dataclass(slots=True)
class Person:
    """A Discord user: somebody who types, or the bot user of an app.

    `takes_dms` False is the privacy setting that keeps apps from writing to them directly.
    """

    user_id: int
    username: str
    global_name: str | None = None
    is_bot: bool = False
    locale: str = "en-US"
    takes_dms: bool = True

    @property
    def name(self) -> str:
        """The name shown in a client."""
        return self.global_name or self.username

    def to_json(self) -> Json:
        """The user object that everybody sees."""
        data: Json = {
            "id": str(self.user_id),
            "username": self.username,
            "discriminator": "0000" if self.is_bot else "0",
            "global_name": self.global_name,
            "avatar": None,
            "banner": None,
            "accent_color": None,
            "public_flags": 0,
            "flags": 0,
            "primary_guild": None,
            "avatar_decoration_data": None,
            "collectibles": None,
        }
        if self.is_bot:
            data["bot"] = True
        return data


@dataclass(slots=True)
class App:
    """A Discord application with its bot user; `privileged_intents` are those switched on in its settings."""

    app_id: int
    name: str
    token: str = field(repr=False)
    person: Person
    privileged_intents: int = 0
    max_concurrency: int = 1
    identifies_left: int = 1000

    @property
    def flags(self) -> int:
        """Application flags: the limited form of each privileged intent that is on."""
        pairs = ((1 << 8, 1 << 13), (1 << 1, 1 << 15), (1 << 15, 1 << 19))
        return sum(flag for intent, flag in pairs if self.privileged_intents & intent)


@dataclass(slots=True)
class Role:
    """A role; the one whose id is the guild's id is @everyone."""

    role_id: int
    name: str
    permissions: int = 0
    position: int = 0
    is_managed: bool = False

    def to_json(self) -> Json:
        """The role object."""
        return {
            "id": str(self.role_id),
            "name": self.name,
            "permissions": str(self.permissions),
            "position": self.position,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "managed": self.is_managed,
            "mentionable": False,
            "icon": None,
            "unicode_emoji": None,
            "flags": 0,
        }


@dataclass(slots=True)
class Member:
    """A person in a guild."""

    user_id: int
    joined_at: float
    role_ids: list[int] = field(default_factory=list)
    nick: str | None = None

    def to_json(self, person: Person) -> Json:
        """The member object, user included."""
        return {
            "user": person.to_json(),
            "roles": [str(role_id) for role_id in self.role_ids],
            "nick": self.nick,
            "avatar": None,
            "banner": None,
            "joined_at": iso(self.joined_at),
            "premium_since": None,
            "communication_disabled_until": None,
            "pending": False,
            "mute": False,
            "deaf": False,
            "flags": 0,
        }


@dataclass(slots=True)
class Post:
    """A message: `data` is Discord's JSON of it. `only_for` names the one user who sees an ephemeral one.

    `attachments` are all its files; `data["attachments"]` leaves out those shown by an embed or a component.
    """

    message_id: int
    channel_id: int
    author_id: int
    data: Json
    only_for: int | None = None
    app_id: int | None = None
    interaction_id: int | None = None
    attachments: list[Json] = field(default_factory=list)
    reactions: dict[str, list[int]] = field(default_factory=dict)
    is_dismissed: bool = False

    @property
    def is_components_v2(self) -> bool:
        """Whether the message carries the permanent Components V2 flag."""
        return bool(self.data["flags"] & FLAG_COMPONENTS_V2)

    @property
    def is_loading(self) -> bool:
        """Whether it is the "is thinking" placeholder of a deferred answer."""
        return bool(self.data["flags"] & FLAG_LOADING)


@dataclass(slots=True)
class Channel:
    """A text channel of a guild, or a direct message channel (`guild_id` None, two recipients).

    `overwrites` maps a role or user id to its (allow, deny) bits; `posts` are oldest first.
    """

    channel_id: int
    name: str
    guild_id: int | None = None
    topic: str | None = None
    position: int = 0
    overwrites: dict[int, tuple[int, int]] = field(default_factory=dict)
    recipients: tuple[int, ...] = ()
    posts: dict[int, Post] = field(default_factory=dict)
    pinned: dict[int, float] = field(default_factory=dict)

    @property
    def type(self) -> int:
        """Discord's channel type."""
        return DM_CHANNEL if self.guild_id is None else TEXT_CHANNEL

    def last_message_id(self) -> str | None:
        """Id of the newest message that everybody sees."""
        public = [post.message_id for post in self.posts.values() if post.only_for is None]
        return str(public[-1]) if public else None

    def to_json(self, roles: dict[int, Role] | None = None) -> Json:
        """The channel object of a guild channel; `roles` tells role overwrites from member overwrites."""
        return {
            "id": str(self.channel_id),
            "type": self.type,
            "guild_id": str(self.guild_id),
            "name": self.name,
            "topic": self.topic,
            "position": self.position,
            "parent_id": None,
            "nsfw": False,
            "rate_limit_per_user": 0,
            "last_message_id": self.last_message_id(),
            "flags": 0,
            "permission_overwrites": [
                {
                    "id": str(target),
                    "type": 0 if roles is None or target in roles else 1,
                    "allow": str(allow),
                    "deny": str(deny),
                }
                for target, (allow, deny) in self.overwrites.items()
            ],
        }


@dataclass(slots=True)
class Guild:
    """A server with its roles, members and channel ids (in the order shown)."""

    guild_id: int
    name: str
    owner_id: int
    created_at: float
    locale: str = "en-US"
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    channel_ids: list[int] = field(default_factory=list)

    def to_json(self) -> Json:
        """The guild object as REST shows it, without channels and members."""
        nothing = ("icon", "description", "home_header", "splash", "discovery_splash", "banner", "application_id")
        no_channels = ("afk", "system", "widget", "rules", "safety_alerts", "public_updates")
        return {
            "id": str(self.guild_id),
            "name": self.name,
            "owner_id": str(self.owner_id),
            **dict.fromkeys(nothing),
            **{f"{name}_channel_id": None for name in no_channels},
            "features": [],
            "region": "deprecated",
            "afk_timeout": 300,
            "system_channel_flags": 0,
            "widget_enabled": False,
            "verification_level": 0,
            "roles": [role.to_json() for role in self.roles.values()],
            "default_message_notifications": 0,
            "mfa_level": 0,
            "explicit_content_filter": 0,
            "max_presences": None,
            "max_members": 500_000,
            "max_stage_video_channel_users": 50,
            "max_video_channel_users": 25,
            "vanity_url_code": None,
            "premium_tier": 0,
            "premium_subscription_count": 0,
            "preferred_locale": self.locale,
            "premium_progress_bar_enabled": False,
            "nsfw": False,
            "nsfw_level": 0,
            "emojis": [],
            "stickers": [],
            "incidents_data": None,
        }

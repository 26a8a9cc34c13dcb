"""Applications, users, guilds, channels, members and roles over REST."""

from __future__ import annotations

from simulators.discord import permissions as perms
from simulators.discord.errors import ApiError
from simulators.discord.limits import Quota
from simulators.discord.objects import Guild, Json, Member
from simulators.discord.rest_messages import visible_channel
from simulators.discord.routes import Call, Reply, Route
from simulators.discord.world import World

ROLE_QUOTA = Quota(10, 10.0)


class GuildRoutes:
    """Handlers that mostly read the world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """The routes served here."""
        guild, member = "/guilds/{guild_id}", "/guilds/{guild_id}/members/{user_id}"
        return [
            Route("get_gateway", "GET", "/gateway", self.gateway, "none"),
            Route("get_bot_gateway", "GET", "/gateway/bot", self.gateway_bot),
            Route("get_my_application", "GET", "/applications/@me", self.application),
            Route("get_my_oauth2_application", "GET", "/oauth2/applications/@me", self.application),
            Route("list_application_emojis", "GET", "/applications/{application_id}/emojis", self.no_emojis),
            Route("get_my_user", "GET", "/users/@me", self.me),
            Route("get_user", "GET", "/users/{user_id}", self.user),
            Route("create_dm", "POST", "/users/@me/channels", self.create_dm),
            Route("list_my_guilds", "GET", "/users/@me/guilds", self.my_guilds),
            Route("leave_guild", "DELETE", "/users/@me/guilds/{guild_id}", self.leave),
            Route("get_guild", "GET", guild, self.guild),
            Route("list_guild_channels", "GET", guild + "/channels", self.guild_channels),
            Route("list_guild_members", "GET", guild + "/members", self.members),
            Route("search_guild_members", "GET", guild + "/members/search", self.search_members),
            Route("get_guild_member", "GET", member, self.member),
            Route("add_guild_member_role", "PUT", member + "/roles/{role_id}", self.add_role, quota=ROLE_QUOTA),
            Route("delete_guild_member_role", "DELETE", member + "/roles/{role_id}", self.drop_role, quota=ROLE_QUOTA),
            Route("list_guild_roles", "GET", guild + "/roles", self.roles),
            Route("get_guild_role", "GET", guild + "/roles/{role_id}", self.role),
            Route("get_active_guild_threads", "GET", guild + "/threads/active", self.no_threads),
            Route("get_channel", "GET", "/channels/{channel_id}", self.channel),
        ]

    # ---------------------------------------------------------------- the app itself

    def gateway(self, _call: Call) -> Reply:
        """Where the gateway is."""
        return 200, {"url": "wss://gateway.discord.gg"}

    def gateway_bot(self, call: Call) -> Reply:
        """Where the gateway is, and the budget of identifies."""
        app = call.app
        limit = {
            "total": 1000,
            "remaining": app.identifies_left,
            "reset_after": 86_400_000,
            "max_concurrency": app.max_concurrency,
        }
        return 200, {"url": "wss://gateway.discord.gg", "shards": 1, "session_start_limit": limit}

    def application(self, call: Call) -> Reply:
        """The application, as its own bot sees it."""
        app = call.app
        nothing = ("icon", "interactions_endpoint_url", "role_connections_verification_url", "team")
        owner = next(guild.owner_id for guild in self._world.guilds.values())
        return 200, {
            "id": str(app.app_id),
            "name": app.name,
            "description": "",
            "type": None,
            **dict.fromkeys(nothing),
            "verify_key": f"{app.app_id:064x}",
            "flags": app.flags,
            "flags_new": str(app.flags),
            "redirect_uris": [],
            "owner": self._world.people[owner].to_json(),
            "approximate_guild_count": sum(app.app_id in guild.members for guild in self._world.guilds.values()),
            "approximate_user_install_count": 0,
            "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0,
            "eligible_oauth2_scopes": [],
            "bot": app.person.to_json(),
            "bot_public": True,
            "bot_require_code_grant": False,
            "install_params": {"scopes": ["applications.commands", "bot"], "permissions": "0"},
            "integration_types_config": {"0": {}},
            "rpc_origins": [],
            "tags": [],
        }

    def no_emojis(self, _call: Call) -> Reply:
        """Application emojis: there are none."""
        return 200, {"items": []}

    def me(self, call: Call) -> Reply:
        """The bot user."""
        private = {"mfa_enabled": True, "locale": "en-US", "verified": True, "email": None, "premium_type": 0}
        return 200, call.app.person.to_json() | private

    # ---------------------------------------------------------------- users and guilds

    def user(self, call: Call) -> Reply:
        """Any user."""
        person = self._world.people.get(call.id("user_id"))
        if person is None:
            raise ApiError(10013)
        return 200, person.to_json()

    def create_dm(self, call: Call) -> Reply:
        """The direct message channel with a user."""
        person = self._world.people.get(int(call.body["recipient_id"]))
        if person is None:
            raise ApiError(10013)
        if person.is_bot:
            raise ApiError(50007)
        channel = self._world.dm(call.app.person, person)
        return 200, self._world.channel_json(channel, call.app.app_id)

    def my_guilds(self, call: Call) -> Reply:
        """Guilds the bot is in."""
        own = [guild for guild in self._world.guilds.values() if call.app.app_id in guild.members]
        return 200, [
            {
                "id": str(guild.guild_id),
                "name": guild.name,
                "icon": None,
                "banner": None,
                "owner": False,
                "permissions": str(perms.of_member(guild, guild.members[call.app.app_id])),
                "features": [],
            }
            for guild in own
        ]

    def leave(self, call: Call) -> Reply:
        """Leave a guild."""
        self._world.leave(self._guild(call), call.app.person)
        return 204, None

    def guild(self, call: Call) -> Reply:
        """One guild."""
        guild = self._guild(call)
        data = guild.to_json()
        if call.query.get("with_counts", "").lower() in ("1", "true"):
            data |= {"approximate_member_count": len(guild.members), "approximate_presence_count": 0}
        return 200, data

    def guild_channels(self, call: Call) -> Reply:
        """All channels, hidden ones included, as the real one lists them."""
        guild = self._guild(call)
        return 200, [self._world.channel_json(self._world.channels[number]) for number in guild.channel_ids]

    def no_threads(self, call: Call) -> Reply:
        """Active threads: there are none."""
        self._guild(call)
        return 200, {"threads": [], "members": [], "has_more": False}

    def channel(self, call: Call) -> Reply:
        """One channel."""
        return 200, self._world.channel_json(visible_channel(self._world, call), call.app.app_id)

    def members(self, call: Call) -> Reply:
        """Members by id, paged by `after` and `limit`; needs the members intent."""
        guild = self._guild(call)
        if not call.app.privileged_intents & 1 << 1:
            raise ApiError(50001)
        after, limit = int(call.query.get("after", "0")), int(call.query.get("limit", "1"))
        ids = [user_id for user_id in sorted(guild.members) if user_id > after][:limit]
        return 200, [self._json(guild.members[user_id]) for user_id in ids]

    def search_members(self, call: Call) -> Reply:
        """Members whose name starts with `query`."""
        guild = self._guild(call)
        wanted, limit = call.query["query"].lower(), int(call.query.get("limit", "1"))
        found = [m for m in guild.members.values() if self._world.people[m.user_id].name.lower().startswith(wanted)]
        return 200, [self._json(member) for member in found[:limit]]

    def member(self, call: Call) -> Reply:
        """One member."""
        return 200, self._json(self._member(call))

    def add_role(self, call: Call) -> Reply:
        """Give a member a role below the bot's own highest."""
        self._change_role(call, is_given=True)
        return 204, None

    def drop_role(self, call: Call) -> Reply:
        """Take a role from a member."""
        self._change_role(call, is_given=False)
        return 204, None

    def roles(self, call: Call) -> Reply:
        """All roles."""
        return 200, [role.to_json() for role in self._guild(call).roles.values()]

    def role(self, call: Call) -> Reply:
        """One role."""
        role = self._guild(call).roles.get(call.id("role_id"))
        if role is None:
            raise ApiError(10011)
        return 200, role.to_json()

    # ---------------------------------------------------------------- inside

    def _guild(self, call: Call) -> Guild:
        guild = self._world.guilds.get(call.id("guild_id"))
        if guild is None:
            raise ApiError(10004)
        if call.app.app_id not in guild.members:
            raise ApiError(50001)
        return guild

    def _member(self, call: Call) -> Member:
        member = self._guild(call).members.get(call.id("user_id"))
        if member is None:
            raise ApiError(10007)
        return member

    def _json(self, member: Member) -> Json:
        return member.to_json(self._world.people[member.user_id])

    def _change_role(self, call: Call, *, is_given: bool) -> None:
        guild, member = self._guild(call), self._member(call)
        role = guild.roles.get(call.id("role_id"))
        if role is None:
            raise ApiError(10011)
        own = guild.members[call.app.app_id]
        highest = max((guild.roles[role_id].position for role_id in own.role_ids), default=0)
        if not perms.of_member(guild, own) & perms.MANAGE_ROLES or role.position >= highest:
            raise ApiError(50013)
        others = [role_id for role_id in member.role_ids if role_id != role.role_id]
        person = self._world.people[member.user_id]
        self._world.set_roles(guild, person, [*others, role.role_id] if is_given else others)

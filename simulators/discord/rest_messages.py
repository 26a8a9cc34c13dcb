"""Messages, reactions, pins and typing over REST."""

from __future__ import annotations

from urllib.parse import unquote

from simulators.discord import permissions as perms
from simulators.discord.errors import ApiError
from simulators.discord.limits import Quota
from simulators.discord.objects import Channel, Json, Post, iso
from simulators.discord.posts import edit, set_reaction, write
from simulators.discord.routes import Call, Reply, Route
from simulators.discord.world import World

OLD_S = 3_600.0  # edits of older messages are limited
NONCE_S = 300.0  # how long enforce_nonce remembers
NONCES_MAX = 5_000
PINS_MAX = 50


class MessageRoutes:
    """Handlers on channels and their messages.

    `old_edits` is the limit behind 30046: edits of messages older than an hour, a channel, in time of the clock.
    Discord does not publish it; 3 in 20 s is what bots report.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.old_edits = Quota(3, 20.0)
        self._old_edits: dict[int, list[float]] = {}
        self._nonces: dict[tuple[int, str], tuple[float, int]] = {}

    def routes(self) -> list[Route]:
        """The routes served here."""
        one = "/channels/{channel_id}/messages/{message_id}"
        reaction = one + "/reactions/{emoji_name}"
        slow = Quota(5, 5.0)
        return [
            Route("list_messages", "GET", "/channels/{channel_id}/messages", self.list_messages),
            Route("create_message", "POST", "/channels/{channel_id}/messages", self.create, quota=slow),
            Route("bulk_delete_messages", "POST", "/channels/{channel_id}/messages/bulk-delete", self.bulk_delete),
            Route("get_message", "GET", one, self.get),
            Route("update_message", "PATCH", one, self.update, quota=slow),
            Route("delete_message", "DELETE", one, self.delete, quota=Quota(5, 1.0)),
            Route("trigger_typing_indicator", "POST", "/channels/{channel_id}/typing", self.typing, quota=slow),
            Route("add_my_message_reaction", "PUT", reaction + "/@me", self.add_reaction, quota=Quota(4, 1.0)),
            Route("delete_my_message_reaction", "DELETE", reaction + "/@me", self.remove_own, quota=Quota(4, 1.0)),
            Route("delete_user_message_reaction", "DELETE", reaction + "/{user_id}", self.remove_reaction),
            Route("list_message_reactions_by_emoji", "GET", reaction, self.reactions),
            Route("delete_all_message_reactions", "DELETE", one + "/reactions", self.clear_reactions),
            Route("list_pins", "GET", "/channels/{channel_id}/messages/pins", self.pins),
            Route("create_pin", "PUT", "/channels/{channel_id}/messages/pins/{message_id}", self.pin),
            Route("delete_pin", "DELETE", "/channels/{channel_id}/messages/pins/{message_id}", self.unpin),
            Route("deprecated_list_pins", "GET", "/channels/{channel_id}/pins", self.old_pins),
            Route("deprecated_create_pin", "PUT", "/channels/{channel_id}/pins/{message_id}", self.pin),
            Route("deprecated_delete_pin", "DELETE", "/channels/{channel_id}/pins/{message_id}", self.unpin),
        ]

    # ---------------------------------------------------------------- handlers

    def list_messages(self, call: Call) -> Reply:
        """Newest first, `limit` 50 by default, around nothing or before/after an id.

        Nothing at all, rather than a refusal, for an app that may not read the channel's history.
        """
        channel = self._channel(call)
        if not self._world.can(call.app.app_id, channel, perms.READ_MESSAGE_HISTORY):
            return 200, []
        limit = int(call.query.get("limit", "50"))
        posts = [post for post in channel.posts.values() if post.only_for is None]
        if "before" in call.query:
            posts = [post for post in posts if post.message_id < int(call.query["before"])]
        if "around" in call.query:
            middle = int(call.query["around"])
            posts = sorted(posts, key=lambda post: abs(post.message_id - middle))[:limit]
            posts.sort(key=lambda post: post.message_id)
        if "after" in call.query:
            posts = [post for post in posts if post.message_id > int(call.query["after"])][:limit]
        return 200, [_as_read(post) for post in reversed(posts[-limit:])]

    def create(self, call: Call) -> Reply:
        """Post a message; `enforce_nonce` gives back the earlier one with the same nonce."""
        channel = self._channel(call, perms.SEND_MESSAGES)
        self._check_dm(call, channel)
        if call.files and not self._world.can(call.app.app_id, channel, perms.ATTACH_FILES):
            raise ApiError(50013)
        nonce = call.body.get("nonce")
        key = (call.app.app_id, str(nonce))
        if nonce is not None and call.body.get("enforce_nonce"):
            at, message_id = self._nonces.get(key, (0.0, 0))
            if self._world.clock.now() - at < NONCE_S and message_id in channel.posts:
                return 200, channel.posts[message_id].data
        post = write(self._world, channel, call.app.person, call.body, call.files, app_id=call.app.app_id)
        if nonce is not None:
            self._nonces[key] = (self._world.clock.now(), post.message_id)
            while len(self._nonces) > NONCES_MAX:
                del self._nonces[next(iter(self._nonces))]
        return 200, post.data

    def get(self, call: Call) -> Reply:
        """One message."""
        channel = self._channel(call, perms.READ_MESSAGE_HISTORY)
        return 200, _as_read(self._post(call, channel))

    def update(self, call: Call) -> Reply:
        """Edit an own message."""
        channel = self._channel(call)
        post = self._post(call, channel)
        if post.author_id != call.app.app_id:
            raise ApiError(50005)
        if self._world.age_s(post.message_id) > OLD_S:
            self._count_old_edit(channel)
        return 200, edit(self._world, post, call.body, call.files).data

    def delete(self, call: Call) -> Reply:
        """Delete an own message, or any with Manage Messages."""
        channel = self._channel(call)
        post = self._post(call, channel)
        if post.author_id != call.app.app_id:
            self._need(call, channel, perms.MANAGE_MESSAGES)
        self._world.delete_post(post)
        return 204, None

    def bulk_delete(self, call: Call) -> Reply:
        """Delete 2 to 100 messages; unknown ones are passed over."""
        channel = self._channel(call, perms.MANAGE_MESSAGES)
        for message_id in call.body["messages"]:
            if post := channel.posts.get(int(message_id)):
                self._world.delete_post(post)
        return 204, None

    def typing(self, call: Call) -> Reply:
        """Show the typing indicator."""
        channel = self._channel(call, perms.SEND_MESSAGES)
        data: Json = {
            "channel_id": str(channel.channel_id),
            "user_id": str(call.app.app_id),
            "timestamp": int(self._world.clock.now()),
        }
        self._world.tell("typing", channel, None, data)
        return 204, None

    def add_reaction(self, call: Call) -> Reply:
        """React as the bot."""
        channel = self._channel(call, perms.ADD_REACTIONS)
        post = self._post(call, channel)
        set_reaction(self._world, post, self._emoji(call), call.app.app_id, is_there=True)
        return 204, None

    def remove_own(self, call: Call) -> Reply:
        """Take the bot's own reaction back."""
        post = self._post(call, self._channel(call))
        set_reaction(self._world, post, self._emoji(call), call.app.app_id, is_there=False)
        return 204, None

    def remove_reaction(self, call: Call) -> Reply:
        """Take somebody's reaction away."""
        channel = self._channel(call, perms.MANAGE_MESSAGES)
        set_reaction(self._world, self._post(call, channel), self._emoji(call), call.id("user_id"), is_there=False)
        return 204, None

    def reactions(self, call: Call) -> Reply:
        """Users who reacted with an emoji."""
        post = self._post(call, self._channel(call))
        users = post.reactions.get(self._emoji(call), [])
        return 200, [self._world.people[user_id].to_json() for user_id in users]

    def clear_reactions(self, call: Call) -> Reply:
        """Remove all reactions."""
        post = self._post(call, self._channel(call, perms.MANAGE_MESSAGES))
        for emoji, users in list(post.reactions.items()):
            for user_id in list(users):
                set_reaction(self._world, post, emoji, user_id, is_there=False)
        return 204, None

    def pins(self, call: Call) -> Reply:
        """Pinned messages, newest pin first."""
        channel = self._channel(call)
        items = [
            {"pinned_at": iso(at), "message": channel.posts[message_id].data}
            for message_id, at in sorted(channel.pinned.items(), key=lambda pair: -pair[1])
        ]
        return 200, {"items": items, "has_more": False}

    def old_pins(self, call: Call) -> Reply:
        """Pinned messages as the older route gives them."""
        channel = self._channel(call)
        return 200, [channel.posts[message_id].data for message_id in reversed(channel.pinned)]

    def pin(self, call: Call) -> Reply:
        """Pin a message."""
        channel = self._channel(call, perms.MANAGE_MESSAGES)
        post = self._post(call, channel)
        if len(channel.pinned) >= PINS_MAX:
            raise ApiError(30003)
        channel.pinned[post.message_id] = self._world.clock.now()
        post.data["pinned"] = True
        self._world.post_edited(post)
        return 204, None

    def unpin(self, call: Call) -> Reply:
        """Unpin a message."""
        channel = self._channel(call, perms.MANAGE_MESSAGES)
        post = self._post(call, channel)
        channel.pinned.pop(post.message_id, None)
        post.data["pinned"] = False
        self._world.post_edited(post)
        return 204, None

    # ---------------------------------------------------------------- inside

    def _channel(self, call: Call, bit: int | None = None) -> Channel:
        return visible_channel(self._world, call, bit)

    def _check_dm(self, call: Call, channel: Channel) -> None:
        others = [self._world.people[one] for one in channel.recipients if one != call.app.app_id]
        if any(not person.takes_dms for person in others):
            raise ApiError(50007)

    def _count_old_edit(self, channel: Channel) -> None:
        clock, quota = self._world.clock, self.old_edits
        recent = [at for at in self._old_edits.get(channel.channel_id, []) if clock.now() - at < quota.per_s]
        if len(recent) >= quota.limit:
            left = recent[0] + quota.per_s - clock.now()
            raise ApiError(30046, retry_after_s=round(left / (clock.speed or 1.0), 3))
        self._old_edits[channel.channel_id] = [*recent, clock.now()]

    def _need(self, call: Call, channel: Channel, bit: int) -> None:
        if not self._world.can(call.app.app_id, channel, bit):
            raise ApiError(50013)

    def _post(self, call: Call, channel: Channel) -> Post:
        post = channel.posts.get(call.id("message_id"))
        if post is None or post.only_for is not None:
            raise ApiError(10008)
        return post

    def _emoji(self, call: Call) -> str:
        emoji = unquote(call.path["emoji_name"])
        if emoji.isascii() and ":" not in emoji:
            raise ApiError(10014)
        return emoji


def _as_read(post: Post) -> Json:
    """A message as it is read back: Discord keeps a nonce for some minutes only, and tells nobody but who sent it."""
    return {key: value for key, value in post.data.items() if key != "nonce"}


def visible_channel(world: World, call: Call, bit: int | None = None) -> Channel:
    """The channel a call names: 10003 unknown, 50001 hidden from the bot, 50013 without the permission `bit`."""
    channel = world.channels.get(call.id("channel_id"))
    if channel is None:
        raise ApiError(10003)
    if not world.can(call.app.app_id, channel, perms.VIEW_CHANNEL):
        raise ApiError(50001)
    if bit is not None and not world.can(call.app.app_id, channel, bit):
        raise ApiError(50013)
    return channel

"""The actions of a Discord client on exact ids: what the scripted user and the chat page both press."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simulators.discord import components as parts
from simulators.discord import permissions as perms
from simulators.discord.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL_SUBMIT, Interaction, Interactions
from simulators.discord.modals import ModalFiller, option_value
from simulators.discord.objects import App, Channel, Json, Person, Post
from simulators.discord.options import Filler, Refused, Upload
from simulators.discord.posts import toggle_reaction, write
from simulators.discord.world import World


class Client:
    """One member's client. Everything it refuses raises `Refused`, as a greyed-out button would say no."""

    def __init__(self, world: World, interactions: Interactions, person: Person) -> None:
        self.world = world
        self.interactions = interactions
        self.person = person

    # ---------------------------------------------------------------- looking

    def post(self, message_id: int) -> Post:
        """A message this member sees."""
        for channel in self.world.channels.values():
            if message_id in channel.posts:
                post = channel.posts[message_id]
                if post in self.world.visible_posts(self.person.user_id, channel):
                    return post
        raise Refused(f"no message {message_id} to be seen")

    def command(self, command_id: int, channel: Channel) -> tuple[App, Json]:
        """A command offered to this member in a channel, with the app that owns it."""
        for app, data in self.commands(channel):
            if data["id"] == str(command_id):
                return app, data
        raise Refused(f"no command {command_id} is offered here")

    def commands(self, channel: Channel) -> list[tuple[App, Json]]:
        """Slash commands offered to this member in a channel, by name, hidden ones left out."""
        guild = self.world.guild_of(channel)
        bits = self.world.permissions(self.person.user_id, channel)
        if not bits & perms.USE_APPLICATION_COMMANDS:
            return []
        offered: list[tuple[App, Json]] = []
        for app in self.world.apps.values():
            present = app.app_id in (guild.members if guild else channel.recipients)
            for command in self.world.commands.seen_in(app.app_id, channel.guild_id) if present else ():
                if command.data["type"] == 1 and _is_allowed(command.data["default_member_permissions"], bits):
                    offered.append((app, command.to_json(with_localizations=False)))
        return sorted(offered, key=lambda pair: str(pair[1]["name"]))

    # ---------------------------------------------------------------- commands

    def invoke(
        self,
        channel: Channel,
        app: App,
        command: Json,
        path: Sequence[str],
        given: Mapping[str, Any],
        focused: str | None = None,
    ) -> Interaction:
        """Send a slash command, or with `focused` ask for that option's completions."""
        filler = Filler(self.world, self.world.guild_of(channel), self.upload)
        leaf, wrappers = filler.descend(command, list(path))
        options = filler.fill(leaf, given, focused)
        for wrapper in reversed(wrappers):
            options = [wrapper | {"options": options}]
        data: Json = {"id": command["id"], "name": command["name"], "type": 1}
        if options:
            data["options"] = options
        if filler.resolved:
            data["resolved"] = filler.resolved
        if "guild_id" in command:
            data["guild_id"] = command["guild_id"]
        kind = AUTOCOMPLETE if focused is not None else COMMAND
        return self.interactions.start(kind, self.person.user_id, channel, app, data)

    # ---------------------------------------------------------------- components

    def press(self, post: Post, component: Json, values: Sequence[Any] | None = None) -> Interaction:
        """Press a button, or with `values` (labels or values) choose in a select menu."""
        if component.get("disabled"):
            raise Refused(f"{component.get('label') or component['custom_id']} is disabled")
        if "custom_id" not in component:
            raise Refused("a link button leads out of the chat")
        channel = self.world.channels[post.channel_id]
        data: Json = {
            "id": component["id"],
            "custom_id": component["custom_id"],
            "component_type": component["type"],
        }
        if component["type"] in parts.SELECTS:
            filler = Filler(self.world, self.world.guild_of(channel), self.upload)
            data["values"] = select_values(component, values or (), filler)
            if filler.resolved:
                data["resolved"] = filler.resolved
        app = self.world.apps.get(post.app_id or 0)
        if app is None:
            raise Refused("nobody listens to this message")
        return self.interactions.start(COMPONENT, self.person.user_id, channel, app, data, post=post)

    def submit(self, opener: Interaction, values: Mapping[str, Any]) -> Interaction:
        """Submit the modal that `opener` opened; `values` by label or custom id."""
        if opener.modal is None or opener.is_modal_spent or opener.user_id != self.person.user_id:
            raise Refused("no modal is open")
        channel = self.world.channels[opener.channel_id]
        filler = Filler(self.world, self.world.guild_of(channel), self.upload)
        components = ModalFiller(filler).fill(opener.modal["components"], values)
        data: Json = {"custom_id": opener.modal["custom_id"], "components": components}
        if filler.resolved:
            data["resolved"] = filler.resolved
        opener.is_modal_spent = True
        post = channel.posts.get(opener.message_id) if opener.message_id else None
        app = self.world.apps[opener.app_id]
        return self.interactions.start(MODAL_SUBMIT, self.person.user_id, channel, app, data, post=post, parent=opener)

    # ---------------------------------------------------------------- messages

    def say(self, channel: Channel, text: str) -> Post:
        """Write an ordinary message."""
        if not self.world.can(self.person.user_id, channel, perms.SEND_MESSAGES):
            raise Refused(f"{self.person.username} may not write here")
        return write(self.world, channel, self.person, {"content": text})

    def react(self, post: Post, emoji: str) -> None:
        """Add a reaction, or take it back."""
        toggle_reaction(self.world, post, emoji, self.person.user_id)

    def dismiss(self, post: Post) -> None:
        """Hide a private message; the app keeps being able to edit it, as at Discord."""
        if post.only_for != self.person.user_id:
            raise Refused("only private messages can be dismissed")
        post.is_dismissed = True
        data = {"id": str(post.message_id), "channel_id": str(post.channel_id)}
        self.world.tell("message_deleted", self.world.channels[post.channel_id], post.only_for, data)

    def delete(self, post: Post) -> None:
        """Delete a message; one's own, or any with Manage Messages."""
        channel = self.world.channels[post.channel_id]
        if post.only_for is not None:
            raise Refused("a private message can only be dismissed")
        if post.author_id != self.person.user_id and not self.world.can(
            self.person.user_id, channel, perms.MANAGE_MESSAGES
        ):
            raise Refused(f"{self.person.username} may not delete this message")
        self.world.delete_post(post)

    def upload(self, file: Upload) -> Json:
        """Put a file on the CDN and describe it as an attachment."""
        file_id = self.world.new_id()
        path = f"/ephemeral-attachments/{self.person.user_id}/{file_id}/{file.filename}"
        url = self.world.store_file(path, file.content, file.content_type)
        return {
            "id": str(file_id),
            "filename": file.filename,
            "size": len(file.content),
            "url": url,
            "proxy_url": url.replace("cdn.discordapp.com", "media.discordapp.net"),
            "content_type": file.content_type,
            "ephemeral": True,
        }


def _is_allowed(required: str | None, bits: int) -> bool:
    """Discord's rule: None is everybody, "0" only administrators, else all the bits named."""
    if required is None or bits == perms.ALL:
        return True
    return int(required) != 0 and bits & int(required) == int(required)


def select_values(select: Json, given: Sequence[Any], filler: Filler) -> list[str]:
    """The values to send for what a person chose, by label or value; Refused when the menu does not allow it."""
    least, most = select.get("min_values", 1), select.get("max_values", 1)
    if not least <= len(given) <= most:
        raise Refused(f"choose {least} to {most}, not {len(given)}")
    match select["type"]:
        case parts.USER_SELECT:
            return [filler.user(one) for one in given]
        case parts.ROLE_SELECT:
            return [filler.role(one) for one in given]
        case parts.MENTIONABLE_SELECT:
            return [filler.mentionable(one) for one in given]
        case parts.CHANNEL_SELECT:
            return [filler.channel(one, select.get("channel_types")) for one in given]
        case _:
            return [option_value(select.get("options", []), one) for one in given]

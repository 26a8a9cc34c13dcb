"""What an app may answer to an interaction, and when: callbacks, follow-ups, edits of the original."""

from __future__ import annotations

from collections.abc import Mapping

from simulators.discord.components import materialise
from simulators.discord.errors import ApiError, Violation, invalid_form
from simulators.discord.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL_SUBMIT, Interaction, Interactions
from simulators.discord.objects import FLAG_COMPONENTS_V2, FLAG_EPHEMERAL, FLAG_LOADING, Channel, Json, Post
from simulators.discord.options import GROUP, SUBCOMMAND, Upload
from simulators.discord.posts import REPLY, edit, write
from simulators.discord.world import World

MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
FACT_NAMES = {
    MESSAGE: "message",
    DEFERRED: "deferred",
    DEFERRED_UPDATE: "deferred_update",
    UPDATE: "update",
    CHOICES: "autocomplete",
    MODAL: "modal",
}
ALLOWED = {
    COMMAND: {MESSAGE, DEFERRED, MODAL},
    COMPONENT: {MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, MODAL},
    MODAL_SUBMIT: {MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE},
    AUTOCOMPLETE: {CHOICES},
}
SLASH_REPLY = 20

Files = Mapping[int, Upload]


class Answers:
    """Applies an app's answers to the world; every refusal is the ApiError that Discord would send."""

    def __init__(self, world: World, interactions: Interactions) -> None:
        self._world = world
        self._interactions = interactions

    def callback(self, interaction_id: int, token: str, body: Json, files: Files) -> tuple[Interaction, Json]:
        """The first answer. Gives the interaction and the body for `with_response=1`."""
        interaction = self._interactions.by_token(token)
        if interaction is None or interaction.interaction_id != interaction_id:
            raise ApiError(10062)
        if interaction.callback_type is not None:
            raise ApiError(40060)
        if self._interactions.is_too_late(interaction):
            raise ApiError(10062)
        kind = int(body.get("type", 0))
        if kind not in ALLOWED[interaction.kind] or (kind in (DEFERRED_UPDATE, UPDATE) and not interaction.message_id):
            raise invalid_form([Violation("type", "BASE_TYPE_CHOICES", "Value is not allowed for this interaction.")])
        self._apply(interaction, kind, body.get("data") or {}, files)
        interaction.callback_type = kind
        interaction.note(f"callback:{FACT_NAMES[kind]}", interaction.original_id)
        interaction.answered.set()
        self._interactions.tell("interaction_answered", interaction)
        return interaction, self._described(interaction, kind)

    def followup(self, app_id: int, token: str, body: Json, files: Files) -> Post:
        """A further message; after a deferral the first one fills in the placeholder."""
        interaction = self._known(app_id, token)
        original = self._post(interaction, interaction.original_id)
        if original and original.is_loading:
            interaction.note("followup", original.message_id)
            return edit(self._world, original, {"content": "", "embeds": [], "components": []} | body, files)
        channel = self._channel(interaction)
        only_for = interaction.user_id if int(body.get("flags") or 0) & FLAG_EPHEMERAL else None
        extra = self._extra(interaction)
        if interaction.original_id:
            extra |= self._reference(interaction, interaction.original_id)
            for metadata in [extra["interaction_metadata"]]:
                metadata["original_response_message_id"] = str(interaction.original_id)
        post = self._write(interaction, channel, body, files, only_for, extra)
        interaction.message_ids.append(post.message_id)
        interaction.note("followup", post.message_id)
        return post

    def find(self, app_id: int, token: str, message: str) -> tuple[Interaction, Post]:
        """The message that `@original` or an id means through this token."""
        interaction = self._known(app_id, token)
        wanted = interaction.original_id if message == "@original" else int(message)
        own = {interaction.original_id, interaction.message_id, *interaction.message_ids}
        post = self._post(interaction, wanted) if wanted in own else None
        if post is None:
            raise ApiError(10008)
        return interaction, post

    def edit(self, app_id: int, token: str, message: str, body: Json, files: Files) -> Post:
        """Edit through the token."""
        interaction, post = self.find(app_id, token, message)
        edit(self._world, post, body, files)
        interaction.note("edit", post.message_id)
        return post

    def delete(self, app_id: int, token: str, message: str) -> None:
        """Delete through the token."""
        interaction, post = self.find(app_id, token, message)
        interaction.note("delete", post.message_id)
        self._world.delete_post(post)

    # ---------------------------------------------------------------- inside

    def _apply(self, interaction: Interaction, kind: int, data: Json, files: Files) -> None:
        channel = self._channel(interaction)
        if kind in (MESSAGE, DEFERRED):
            only_for = interaction.user_id if int(data.get("flags") or 0) & FLAG_EPHEMERAL else None
            extra = self._extra(interaction)
            if interaction.kind == COMMAND:
                extra["type"] = SLASH_REPLY
            elif interaction.message_id:
                extra |= self._reference(interaction, interaction.message_id)
            if kind == DEFERRED:
                extra["flags"] = FLAG_LOADING
                data = {}
            post = self._write(interaction, channel, data, files, only_for, extra)
            interaction.original_id = post.message_id
        elif kind in (DEFERRED_UPDATE, UPDATE):
            interaction.original_id = interaction.message_id
            post_or_none = self._post(interaction, interaction.message_id)
            if kind == UPDATE:
                if post_or_none is None:
                    raise ApiError(10008)
                edit(self._world, post_or_none, data, files)
        elif kind == CHOICES:
            interaction.choices = list(data.get("choices") or [])
        else:
            components = materialise(data["components"], lambda media: media)
            interaction.modal = {"custom_id": data["custom_id"], "title": data["title"], "components": components}

    def _write(
        self, interaction: Interaction, channel: Channel, body: Json, files: Files, only_for: int | None, extra: Json
    ) -> Post:
        return write(
            self._world,
            channel,
            self._world.people[interaction.app_id],
            body,
            files,
            app_id=interaction.app_id,
            only_for=only_for,
            interaction_id=interaction.interaction_id,
            extra=extra,
        )

    def _known(self, app_id: int, token: str) -> Interaction:
        interaction = self._interactions.by_token(token)
        if interaction is None or interaction.app_id != app_id or interaction.callback_type is None:
            raise ApiError(10015)
        if self._interactions.is_expired(interaction):
            raise ApiError(50027)
        return interaction

    def _channel(self, interaction: Interaction) -> Channel:
        channel = self._world.channels.get(interaction.channel_id)
        if channel is None:
            raise ApiError(10003)
        return channel

    def _post(self, interaction: Interaction, message_id: int | None) -> Post | None:
        channel = self._world.channels.get(interaction.channel_id)
        return channel.posts.get(message_id) if channel and message_id else None

    def _extra(self, interaction: Interaction) -> Json:
        user = self._world.people[interaction.user_id].to_json()
        extra: Json = {
            "webhook_id": str(interaction.app_id),
            "application_id": str(interaction.app_id),
            "interaction_metadata": self._metadata(interaction),
        }
        if interaction.kind == COMMAND:
            extra["interaction"] = {
                "id": str(interaction.interaction_id),
                "type": COMMAND,
                "name": _full_name(interaction.data),
                "user": user,
            }
        return extra

    def _metadata(self, interaction: Interaction) -> Json:
        data: Json = {
            "id": str(interaction.interaction_id),
            "type": interaction.kind,
            "user": self._world.people[interaction.user_id].to_json(),
            "authorizing_integration_owners": {"0": str(interaction.guild_id or 0)},
        }
        if interaction.kind == COMPONENT:
            data["interacted_message_id"] = str(interaction.message_id)
        elif interaction.kind == MODAL_SUBMIT and interaction.parent:
            data["triggering_interaction_metadata"] = self._metadata(interaction.parent)
        return data

    def _reference(self, interaction: Interaction, message_id: int) -> Json:
        reference: Json = {
            "type": 0,
            "message_id": str(message_id),
            "channel_id": str(interaction.channel_id),
        }
        if interaction.guild_id:
            reference["guild_id"] = str(interaction.guild_id)
        return {"type": REPLY, "message_reference": reference}

    def _described(self, interaction: Interaction, kind: int) -> Json:
        about: Json = {"id": str(interaction.interaction_id), "type": interaction.kind}
        about["channel_id"] = str(interaction.channel_id)
        if interaction.guild_id:
            about["guild_id"] = str(interaction.guild_id)
        post = self._post(interaction, interaction.original_id)
        if post:
            about["response_message_id"] = str(post.message_id)
            about["response_message_loading"] = kind in (DEFERRED, DEFERRED_UPDATE)
            about["response_message_ephemeral"] = post.only_for is not None
        body: Json = {"interaction": about}
        if post and kind in (MESSAGE, UPDATE):
            body["resource"] = {"type": kind, "message": post.data}
        return body


def is_v2(body: Json) -> bool:
    """Whether a message payload asks for Components V2."""
    return bool(int(body.get("flags") or 0) & FLAG_COMPONENTS_V2)


def _full_name(data: Json) -> str:
    """The name of a command as members know it, its group and subcommand included: "ops health"."""
    names = [data["name"]]
    options = data.get("options", [])
    while options and options[0]["type"] in (SUBCOMMAND, GROUP):
        names.append(options[0]["name"])
        options = options[0].get("options", [])
    return " ".join(names)

"""Interactions: what a member did, sent to the app that must answer it, and the record of how it did."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from simulators.discord import permissions as perms
from simulators.discord.objects import App, Channel, Guild, Json, Post
from simulators.discord.problems import Problems
from simulators.discord.world import World

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 2, 3, 4, 5
KIND_NAMES = {COMMAND: "command", COMPONENT: "component", AUTOCOMPLETE: "autocomplete", MODAL_SUBMIT: "modal"}

KEPT = 5_000  # finished interactions that are remembered
ATTACHMENT_SIZE_LIMIT = 10 * 1024 * 1024


class NotAnswered(Exception):
    """The app did not answer in time: a client shows "The application did not respond"."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing the app did for an interaction.

    `kind` is callback:<message|deferred|deferred_update|update|autocomplete|modal>, followup, edit or delete; `at`
    is `time.monotonic()`; `message_id` the message it was about.
    """

    at: float
    kind: str
    message_id: int | None = None


@dataclass(slots=True, eq=False)
class Interaction:
    """One press, command, completion or submitted modal, from the client's side.

    `original_id` is the message that `@original` means, `message_ids` those the interaction made.
    """

    interaction_id: int
    token: str = field(repr=False)
    app_id: int
    kind: int
    user_id: int
    channel_id: int
    guild_id: int | None
    data: Json
    started: float
    started_at: float
    message_id: int | None = None
    parent: Interaction | None = None
    callback_type: int | None = None
    original_id: int | None = None
    message_ids: list[int] = field(default_factory=list)
    choices: list[Json] = field(default_factory=list)
    modal: Json | None = None
    is_modal_spent: bool = False
    facts: list[Fact] = field(default_factory=list)
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, kind: str, message_id: int | None = None) -> None:
        """Record what the app did, with the real time."""
        self.facts.append(Fact(time.monotonic(), kind, message_id))

    @property
    def name(self) -> str:
        """What it was, for messages: `command play`, `component v1:...`."""
        what = self.data.get("name") or self.data.get("custom_id") or ""
        return f"{KIND_NAMES[self.kind]} {what}".strip()


class Interactions:
    """Starts interactions, finds them by token, and knows the two time limits.

    `first_answer_s` is real time (3 s at Discord), `token_s` time of the world's clock (15 minutes).
    """

    def __init__(self, world: World, problems: Problems) -> None:
        self._world = world
        self._problems = problems
        self._by_token: dict[str, Interaction] = {}
        self.first_answer_s = 3.0
        self.token_s = 900.0
        self.send: Callable[[App, int | None, Json], None] = lambda _app, _guild_id, _payload: None

    @property
    def recent(self) -> list[Interaction]:
        """The last interactions, oldest first."""
        return list(self._by_token.values())

    def by_token(self, token: str) -> Interaction | None:
        """The interaction a callback or follow-up names."""
        return self._by_token.get(token)

    def by_id(self, interaction_id: int) -> Interaction | None:
        """The interaction with this id."""
        return next((one for one in self._by_token.values() if one.interaction_id == interaction_id), None)

    def is_too_late(self, interaction: Interaction) -> bool:
        """Whether a first answer would come too late."""
        return time.monotonic() - interaction.started > self.first_answer_s

    def is_expired(self, interaction: Interaction) -> bool:
        """Whether the token is no longer good for follow-ups and edits."""
        return self._world.clock.now() - interaction.started_at > self.token_s

    def start(
        self,
        kind: int,
        user_id: int,
        channel: Channel,
        app: App,
        data: Json,
        *,
        post: Post | None = None,
        parent: Interaction | None = None,
    ) -> Interaction:
        """Send an interaction to the app's gateway session; nothing waits here."""
        interaction = Interaction(
            self._world.new_id(),
            secrets.token_urlsafe(48),
            app.app_id,
            kind,
            user_id,
            channel.channel_id,
            channel.guild_id,
            data,
            time.monotonic(),
            self._world.clock.now(),
            message_id=post.message_id if post else None,
            parent=parent,
        )
        self._by_token[interaction.token] = interaction
        while len(self._by_token) > KEPT:
            del self._by_token[next(iter(self._by_token))]
        payload = self._payload(interaction, channel, app, post)
        self.tell("interaction_created", interaction)
        self.send(app, channel.guild_id, payload)
        return interaction

    async def answer_to(self, interaction: Interaction) -> Interaction:
        """Wait for the first answer; NotAnswered when it does not come in time."""
        left = self.first_answer_s - (time.monotonic() - interaction.started)
        try:
            async with asyncio.timeout(max(left, 0)):
                await interaction.answered.wait()
        except TimeoutError:
            if interaction.callback_type is None:
                self.tell("interaction_failed", interaction)
                self._problems.add("unanswered interaction", interaction.name)
                raise NotAnswered(f"{interaction.name}: the application did not respond") from None
        return interaction

    def tell(self, change: str, interaction: Interaction) -> None:
        """Publish what became of an interaction to the member who caused it."""
        data = {
            "id": str(interaction.interaction_id),
            "application_id": str(interaction.app_id),
            "user_id": str(interaction.user_id),
            "kind": KIND_NAMES[interaction.kind],
            "message_id": str(interaction.message_id) if interaction.message_id else None,
            "callback_type": interaction.callback_type,
            "modal": interaction.modal,
        }
        channel = self._world.channels.get(interaction.channel_id)
        self._world.tell(change, channel, interaction.user_id, data)

    def _payload(self, interaction: Interaction, channel: Channel, app: App, post: Post | None) -> Json:
        world = self._world
        person = world.people[interaction.user_id]
        guild = world.guild_of(channel)
        bot_bits = world.permissions(app.app_id, channel) if guild else perms.EVERYONE
        payload: Json = {
            "id": str(interaction.interaction_id),
            "application_id": str(app.app_id),
            "type": interaction.kind,
            "token": interaction.token,
            "version": 1,
            "data": interaction.data,
            "channel_id": str(channel.channel_id),
            "channel": world.channel_json(channel, app.app_id)
            | {"permissions": str(world.permissions(person.user_id, channel))},
            "locale": person.locale,
            "app_permissions": str(bot_bits),
            "entitlements": [],
            "entitlement_sku_ids": [],
            "attachment_size_limit": ATTACHMENT_SIZE_LIMIT,
            "authorizing_integration_owners": {"0": str(guild.guild_id if guild else 0)},
            "context": 0 if guild else 1,
        }
        if guild:
            payload |= self._guild_part(guild, channel, interaction.user_id)
        else:
            payload["user"] = person.to_json()
        if post:
            payload["message"] = post.data
        return payload

    def _guild_part(self, guild: Guild, channel: Channel, user_id: int) -> Json:
        member = guild.members[user_id].to_json(self._world.people[user_id])
        member["permissions"] = str(self._world.permissions(user_id, channel))
        return {
            "guild_id": str(guild.guild_id),
            "guild": {"id": str(guild.guild_id), "locale": guild.locale, "features": []},
            "guild_locale": guild.locale,
            "member": member,
        }

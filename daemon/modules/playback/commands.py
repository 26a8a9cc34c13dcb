"""Slash commands of playback: what they are called, what they take, who may use them."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from daemon.core.access import Access
from daemon.core.ids import MemberId
from daemon.core.media import StreamKind
from integrations.discord.places import guild_of
from integrations.discord.policy import policy
from integrations.discord.ui.choices import Choices, to_choices

from .commands_outcomes import Outcomes
from .desk import Desk
from .finding import Finding
from .orders import Asker, Order, Verb
from .titles import title_choices

AnyInteraction = discord.Interaction[Any]

_CONTROL = policy(Access.CONTROLLER, private=True, audited=True)
_PLAYER = "The player; left out: the one you used last"


def _typing(interaction: AnyInteraction) -> Asker:
    return Asker(MemberId(interaction.user.id), guild_of(interaction))


def _chosen_player(interaction: AnyInteraction) -> str | None:
    return getattr(interaction.namespace, "player", None) or None


class PlaybackCommands(commands.Cog):
    """One instance a bot; all of them share the desk."""

    queue = app_commands.Group(name="queue", description="What a player plays next")

    def __init__(self, finding: Finding, desk: Desk, outcomes: Outcomes) -> None:
        self._finding = finding
        self._desk = desk
        self._outcomes = outcomes

    @app_commands.command(
        description="Play a film, a show, an album or a playlist", extras=policy(Access.CONTROLLER, audited=True)
    )
    @app_commands.rename(start="from")
    @app_commands.describe(
        title="Type a few letters of the name",
        player=_PLAYER,
        start="Go on where it was left, or start at the beginning",
        shuffle="In random order",
    )
    @app_commands.choices(
        start=[
            app_commands.Choice(name="Where it was left", value="resume"),
            app_commands.Choice(name="The beginning", value="start"),
        ]
    )
    async def play(
        self,
        interaction: AnyInteraction,
        title: str,
        player: str | None = None,
        start: str = "resume",
        shuffle: bool = False,
    ) -> None:
        """/play: answers with the card of the player."""
        order = Order(Verb.PLAY, player, title, from_start=start == "start", shuffle=shuffle)
        await self._outcomes.carry_out(interaction, order)

    @app_commands.command(description="Pause a player", extras=_CONTROL)
    @app_commands.describe(player=_PLAYER)
    async def pause(self, interaction: AnyInteraction, player: str | None = None) -> None:
        """/pause."""
        await self._outcomes.carry_out(interaction, Order(Verb.PAUSE, player))

    @app_commands.command(description="Go on after a pause", extras=_CONTROL)
    @app_commands.describe(player=_PLAYER)
    async def resume(self, interaction: AnyInteraction, player: str | None = None) -> None:
        """/resume."""
        await self._outcomes.carry_out(interaction, Order(Verb.RESUME, player))

    @app_commands.command(description="Stop a player", extras=_CONTROL)
    @app_commands.describe(player=_PLAYER)
    async def stop(self, interaction: AnyInteraction, player: str | None = None) -> None:
        """/stop."""
        await self._outcomes.carry_out(interaction, Order(Verb.STOP, player))

    @app_commands.command(description="Go to the next title of the queue", extras=_CONTROL)
    @app_commands.describe(player=_PLAYER)
    async def next(self, interaction: AnyInteraction, player: str | None = None) -> None:
        """/next."""
        await self._outcomes.carry_out(interaction, Order(Verb.NEXT, player))

    @app_commands.command(description="Go back to the previous title of the queue", extras=_CONTROL)
    @app_commands.describe(player=_PLAYER)
    async def previous(self, interaction: AnyInteraction, player: str | None = None) -> None:
        """/previous."""
        await self._outcomes.carry_out(interaction, Order(Verb.PREVIOUS, player))

    @app_commands.command(description="Go to a position", extras=_CONTROL)
    @app_commands.describe(position="1:02:03, 90 (seconds), +30, -30 or 50%", player=_PLAYER)
    async def seek(self, interaction: AnyInteraction, position: str, player: str | None = None) -> None:
        """/seek."""
        await self._outcomes.carry_out(interaction, Order(Verb.SEEK, player, value=position))

    @app_commands.command(description="Set the volume", extras=_CONTROL)
    @app_commands.describe(level="Percent, 0 to 100", player=_PLAYER)
    async def volume(
        self, interaction: AnyInteraction, level: app_commands.Range[int, 0, 100], player: str | None = None
    ) -> None:
        """/volume."""
        await self._outcomes.carry_out(interaction, Order(Verb.VOLUME, player, value=f"{level}"))

    @app_commands.command(description="Choose the audio track", extras=_CONTROL)
    @app_commands.describe(track="The track, or its language", player=_PLAYER)
    async def audio(self, interaction: AnyInteraction, track: str, player: str | None = None) -> None:
        """/audio."""
        await self._outcomes.carry_out(interaction, Order(Verb.AUDIO, player, value=track))

    @app_commands.command(description="Choose the subtitles, or switch them off", extras=_CONTROL)
    @app_commands.describe(track="The track, its language, or off", player=_PLAYER)
    async def subtitles(self, interaction: AnyInteraction, track: str, player: str | None = None) -> None:
        """/subtitles."""
        await self._outcomes.carry_out(interaction, Order(Verb.SUBTITLES, player, value=track))

    @queue.command(name="add", description="Play a title after what is in the queue", extras=_CONTROL)
    @app_commands.describe(title="Type a few letters of the name", player=_PLAYER)
    async def queue_add(self, interaction: AnyInteraction, title: str, player: str | None = None) -> None:
        """/queue add."""
        await self._outcomes.carry_out(interaction, Order(Verb.QUEUE_ADD, player, title))

    @queue.command(name="show", description="What is in the queue", extras=policy(private=True))
    @app_commands.describe(player=_PLAYER)
    async def queue_show(self, interaction: AnyInteraction, player: str | None = None) -> None:
        """/queue show."""
        await self._outcomes.carry_out(interaction, Order(Verb.QUEUE_SHOW, player))

    @queue.command(name="remove", description="Take a title out of the queue", extras=_CONTROL)
    @app_commands.describe(item="Its number in /queue show, or its name", player=_PLAYER)
    async def queue_remove(self, interaction: AnyInteraction, item: str, player: str | None = None) -> None:
        """/queue remove."""
        await self._outcomes.carry_out(interaction, Order(Verb.QUEUE_REMOVE, player, value=item))

    @queue.command(name="clear", description="Empty the queue", extras=_CONTROL)
    @app_commands.describe(player=_PLAYER)
    async def queue_clear(self, interaction: AnyInteraction, player: str | None = None) -> None:
        """/queue clear."""
        await self._outcomes.carry_out(interaction, Order(Verb.QUEUE_CLEAR, player))

    @queue.command(name="shuffle", description="Put the queue in random order", extras=_CONTROL)
    @app_commands.describe(player=_PLAYER)
    async def queue_shuffle(self, interaction: AnyInteraction, player: str | None = None) -> None:
        """/queue shuffle."""
        await self._outcomes.carry_out(interaction, Order(Verb.QUEUE_SHUFFLE, player))

    @app_commands.command(
        description="Which players there are, and which can be controlled", extras=policy(private=True)
    )
    async def players(self, interaction: AnyInteraction) -> None:
        """/players."""
        await self._outcomes.show_players(interaction, 1)

    @app_commands.command(description="What is playing now", extras=policy())
    async def now(self, interaction: AnyInteraction) -> None:
        """/now."""
        await self._outcomes.show_now(interaction, 1)

    @play.autocomplete("title")
    @queue_add.autocomplete("title")
    async def _suggest_title(self, interaction: AnyInteraction, current: str) -> Choices:
        return to_choices(title_choices(await self._finding.suggest(current, _typing(interaction))))

    @play.autocomplete("player")
    @pause.autocomplete("player")
    @resume.autocomplete("player")
    @stop.autocomplete("player")
    @next.autocomplete("player")
    @previous.autocomplete("player")
    @seek.autocomplete("player")
    @volume.autocomplete("player")
    @audio.autocomplete("player")
    @subtitles.autocomplete("player")
    @queue_add.autocomplete("player")
    @queue_show.autocomplete("player")
    @queue_remove.autocomplete("player")
    @queue_clear.autocomplete("player")
    @queue_shuffle.autocomplete("player")
    async def _suggest_player(self, interaction: AnyInteraction, current: str) -> Choices:
        return to_choices(await self._desk.suggest_players(current, _typing(interaction)))

    @audio.autocomplete("track")
    async def _suggest_audio(self, interaction: AnyInteraction, current: str) -> Choices:
        player, asker = _chosen_player(interaction), _typing(interaction)
        return to_choices(await self._desk.suggest_tracks(current, player, StreamKind.AUDIO, asker))

    @subtitles.autocomplete("track")
    async def _suggest_subtitles(self, interaction: AnyInteraction, current: str) -> Choices:
        player, asker = _chosen_player(interaction), _typing(interaction)
        return to_choices(await self._desk.suggest_tracks(current, player, StreamKind.SUBTITLE, asker))

    @queue_remove.autocomplete("item")
    async def _suggest_item(self, interaction: AnyInteraction, current: str) -> Choices:
        return to_choices(await self._desk.suggest_queue(current, _chosen_player(interaction), _typing(interaction)))

"""A small discord.py bot that answers in every way a client must be able to show."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import aiohttp
import discord
from discord import app_commands
from PIL import Image

from tests.unit.simulators.discord.bot import Bot

TITLES = ("Solaris Rising", "Sole Survivor", "Solstice", "Harvest Moon", "<b>Bold</b> & Brave")
PLAYERS = ("Living Room", "Kitchen")


class Card(discord.ui.LayoutView):
    """The card of something that plays."""

    def __init__(self, bot: CinemaBot, title: str, *, seconds: int = 0, is_paused: bool = False) -> None:
        super().__init__(timeout=None)
        self.bot, self.title, self.seconds = bot, title, seconds
        state = "Paused" if is_paused else "Playing"
        poster = discord.ui.Thumbnail["Card"]("attachment://poster.png", description=f"Poster of {title}")
        words = discord.ui.TextDisplay["Card"](f"## {discord.utils.escape_markdown(title)}\n**{state}** at {seconds} s")
        button = discord.ui.Button["Card"](label="Resume" if is_paused else "Pause", custom_id=f"pause:{is_paused}")
        button.callback = self.toggle  # type: ignore[method-assign]
        more = discord.ui.Button["Card"](label="Volume", custom_id="volume")
        more.callback = self.volume  # type: ignore[method-assign]
        self.audio = discord.ui.Select["Card"](
            placeholder="Audio",
            custom_id="audio",
            options=[discord.SelectOption(label=name, value=name.lower()) for name in ("English", "Deutsch", "Suomi")],
        )
        self.audio.callback = self.choose  # type: ignore[method-assign]
        rows = (discord.ui.ActionRow["Card"](button, more), discord.ui.ActionRow["Card"](self.audio))
        self.is_paused = is_paused
        self.add_item(
            discord.ui.Container["Card"](discord.ui.Section(words, accessory=poster), *rows, accent_color=0xFFB84D)
        )

    def at(self, seconds: int, *, is_paused: bool | None = None) -> Card:
        """The same card a little later."""
        return Card(self.bot, self.title, seconds=seconds, is_paused=self.is_paused if is_paused is None else is_paused)

    async def toggle(self, interaction: discord.Interaction) -> None:
        self.bot.heard.append(("pause", interaction.user.name))
        await interaction.response.edit_message(view=self.at(self.seconds, is_paused=not self.is_paused))

    async def choose(self, interaction: discord.Interaction) -> None:
        self.bot.heard.append(("audio", self.audio.values[0]))
        await interaction.response.send_message(f"Now in {self.audio.values[0]}", ephemeral=True)

    async def volume(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(VolumeForm(self.bot))


class VolumeForm(discord.ui.Modal, title="Set the volume"):
    """A form with a text field and a select."""

    level: discord.ui.Label = discord.ui.Label(
        text="Level", description="0 to 100", component=discord.ui.TextInput(min_length=2, max_length=3)
    )
    player: discord.ui.Label = discord.ui.Label(
        text="Player", component=discord.ui.Select(options=[discord.SelectOption(label=name) for name in PLAYERS])
    )

    def __init__(self, bot: CinemaBot) -> None:
        super().__init__()
        self.bot = bot

    async def on_submit(self, interaction: discord.Interaction) -> None:
        assert isinstance(self.level.component, discord.ui.TextInput)
        assert isinstance(self.player.component, discord.ui.Select)
        self.bot.heard.append(("form", self.level.component.value, self.player.component.values[0]))
        await interaction.response.send_message(f"Volume {self.level.component.value}")


class CinemaBot(Bot):
    """`heard` is what arrived, oldest first; `thought` lets /slow go on."""

    def __init__(self, wire: aiohttp.TCPConnector) -> None:
        super().__init__(wire)
        self.heard: list[tuple[Any, ...]] = []
        self.thought = asyncio.Event()
        self.cards: asyncio.Queue[tuple[discord.InteractionMessage, Card]] = asyncio.Queue()
        for command in (self._play(), self._level(), self._slow(), self._silent(), self._queue()):
            self.tree.add_command(command)

    async def move(self, seconds: int) -> None:
        """Edit the newest card as a player's progress does."""
        message, view = await self.cards.get()
        await message.edit(view=view.at(seconds))
        self.cards.put_nowait((message, view))

    def _play(self) -> app_commands.Command[Any, ..., None]:
        @app_commands.command(name="play", description="Play a title on a player")
        @app_commands.describe(title="What to play", player="Where to play it", start="Where to begin")
        @app_commands.choices(start=[app_commands.Choice(name="The start", value="start")])
        async def play(
            interaction: discord.Interaction,
            title: str,
            player: str = "Living Room",
            start: str = "resume",
            shuffle: bool = False,
        ) -> None:
            self.heard.append(("play", title, player, start, shuffle))
            picture = io.BytesIO()
            Image.new("RGB", (80, 120), (90, 60, 160)).save(picture, "PNG")
            picture.seek(0)
            view = Card(self, title)
            answer = await interaction.response.send_message(
                view=view, file=discord.File(picture, "poster.png", description="poster")
            )
            assert isinstance(answer.resource, discord.InteractionMessage)
            self.cards.put_nowait((answer.resource, view))

        @play.autocomplete("title")
        async def titles(_: discord.Interaction, text: str) -> list[app_commands.Choice[str]]:
            self.heard.append(("typed", text))
            return [app_commands.Choice(name=name, value=name) for name in TITLES if text.lower() in name.lower()]

        @play.autocomplete("player")
        async def players(_: discord.Interaction, text: str) -> list[app_commands.Choice[str]]:
            return [app_commands.Choice(name=name, value=name) for name in PLAYERS if text.lower() in name.lower()]

        return play

    def _level(self) -> app_commands.Command[Any, ..., None]:
        @app_commands.command(name="volume", description="Set the volume")
        @app_commands.describe(level="How loud")
        async def volume(interaction: discord.Interaction, level: app_commands.Range[int, 0, 100]) -> None:
            self.heard.append(("volume", level))
            await interaction.response.send_message(f"Volume is **{level}**", ephemeral=True)

        return volume

    def _slow(self) -> app_commands.Command[Any, ..., None]:
        @app_commands.command(name="slow", description="Thinks first")
        async def slow(interaction: discord.Interaction) -> None:
            await interaction.response.defer(thinking=True)
            await self.thought.wait()
            await interaction.followup.send("Thought about it")

        return slow

    def _silent(self) -> app_commands.Command[Any, ..., None]:
        @app_commands.command(name="silent", description="Never answers")
        async def silent(interaction: discord.Interaction) -> None:
            self.heard.append(("silent",))

        return silent

    def _queue(self) -> app_commands.Group:
        group = app_commands.Group(name="queue", description="What comes next")

        @group.command(description="Add a title to the queue")
        @app_commands.describe(title="What to add")
        async def add(interaction: discord.Interaction, title: str) -> None:
            self.heard.append(("queue add", title))
            await interaction.response.send_message(f"Added {title}")

        return group

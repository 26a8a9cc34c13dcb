"""Commands, components, modals and their rules, with a real discord.py bot on the other side."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator

import discord
import pytest
from discord import app_commands, ui
from PIL import Image

from simulators.discord.sim import DiscordSim
from simulators.discord.user import NotAnswered, Refused, Upload
from tests.unit.simulators.discord.bot import Bot, connector, eventually, running


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (2, 3)).save(buffer, "PNG")
    return buffer.getvalue()


PNG = png()


@pytest.fixture
async def bot(lab: DiscordSim) -> AsyncIterator[Bot]:
    async with running(lab, Bot(await connector(lab))) as bot:
        yield bot


class Card(ui.LayoutView):
    def __init__(self, text: str) -> None:
        super().__init__(timeout=None)
        pause: ui.Button[Card] = ui.Button(label="Pause", custom_id="pause")
        pause.callback = self.pause  # type: ignore[method-assign]
        audio: ui.Select[Card] = ui.Select(
            custom_id="audio",
            placeholder="Audio",
            options=[discord.SelectOption(label="English", value="1"), discord.SelectOption(label="German", value="2")],
        )
        audio.callback = self.audio  # type: ignore[method-assign]
        self.choice = audio
        self.add_item(
            ui.Container(
                ui.Section(text, accessory=ui.Thumbnail("attachment://poster.png", description="poster")),
                ui.Separator(),
                ui.ActionRow(pause, ui.Button(label="Stop", custom_id="stop", disabled=True)),
                ui.ActionRow(audio),
            )
        )

    async def pause(self, interaction: discord.Interaction) -> None:
        await interaction.response.edit_message(view=Card("Dune, paused"))

    async def audio(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"audio {self.choice.values[0]}", ephemeral=True)


async def test_a_card_is_shown_edited_and_its_file_kept(lab: DiscordSim, bot: Bot) -> None:
    @bot.tree.command(description="play")
    async def play(interaction: discord.Interaction) -> None:
        await interaction.response.send_message(
            view=Card("Dune, playing"), file=discord.File(io.BytesIO(PNG), "poster.png")
        )

    await bot.tree.sync()
    alice = lab.user("alice")
    shown = await alice.slash("play")
    assert shown.text == "Dune, playing\n<poster>\n(Pause) (Stop, disabled)\n[Audio: English | German]"
    assert shown.files == {"poster.png": PNG}
    assert shown.message["attachments"] == []  # what a component shows is not listed again
    media = shown.message["components"][0]["components"][0]["accessory"]["media"]
    assert (media["width"], media["height"]) == (2, 3)
    await shown.click("Pause")
    assert "Dune, paused" in shown.text
    assert shown.files == {"poster.png": PNG}
    chosen = await shown.choose("Audio", "German")
    assert (chosen.text, chosen.is_private) == ("audio 2", True)
    assert [one.text for one in lab.user("bob").sees()] == [shown.text]
    with pytest.raises(Refused, match="disabled"):
        await shown.click("Stop")
    with pytest.raises(Refused, match="only: Pause, Stop"):
        await shown.click("Rewind")
    chosen.dismiss()
    assert chosen.is_gone


async def test_options_are_checked_and_resolved_as_a_client_does(lab: DiscordSim, bot: Bot) -> None:
    seen: list[object] = []

    @bot.tree.command(name="set", description="set")
    @app_commands.choices(
        mode=[app_commands.Choice(name="Fast", value="f"), app_commands.Choice(name="Slow", value="s")]
    )
    async def set_(
        interaction: discord.Interaction,
        mode: app_commands.Choice[str],
        level: app_commands.Range[int, 0, 100],
        who: discord.Member,
        where: discord.TextChannel,
        file: discord.Attachment,
        role: discord.Role | None = None,
        loud: bool = False,
    ) -> None:
        seen.extend([mode.value, level, who.name, where.name, await file.read(), role and role.name, loud])
        await interaction.response.send_message("ok")

    await bot.tree.sync()
    alice = lab.user("alice")
    upload = Upload("a.txt", b"abc", "text/plain")
    good = {"mode": "Fast", "level": 40, "who": "bob", "where": "movie-night", "file": upload, "role": "Controllers"}
    await alice.slash("set", options=good, loud=True)
    assert seen == ["f", 40, "bob", "movie-night", b"abc", "Controllers", True]
    for wrong in ({"mode": "Odd"}, {"level": 101}, {"who": "nobody"}, {"where": "x"}, {"file": "x"}, {"level": None}):
        with pytest.raises(Refused):
            await alice.slash("set", options={**good, **wrong})
    with pytest.raises(Refused, match="no such option"):
        await alice.slash("set", options={**good, "extra": 1})
    with pytest.raises(Refused, match="not offered"):
        await alice.slash("get")


async def test_completion_of_one_option_knows_the_others(lab: DiscordSim, bot: Bot) -> None:
    group = app_commands.Group(name="queue", description="queue")

    @group.command(description="add")
    async def add(interaction: discord.Interaction, title: str, player: str = "") -> None:
        await interaction.response.send_message(f"{title} on {player}")

    @add.autocomplete("title")
    async def complete(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        player = interaction.namespace.player
        return [app_commands.Choice(name=f"{current.title()} on {player}", value="t:1:2")]

    bot.tree.add_command(group)
    await bot.tree.sync()
    alice = lab.user("alice")
    choices = await alice.type_in("queue add", "title", "sol", player="attic")
    assert choices == [{"name": "Sol on attic", "value": "t:1:2"}]
    shown = await alice.slash("/queue add", title=choices[0])
    assert shown.text == "t:1:2 on "
    with pytest.raises(Refused, match="needs one of its subcommands: add"):
        await alice.slash("queue")


async def test_a_deferred_answer_is_filled_in_by_the_first_follow_up(lab: DiscordSim, bot: Bot) -> None:
    go = asyncio.Event()

    @bot.tree.command(description="slow")
    async def slow(interaction: discord.Interaction, private: bool) -> None:
        await interaction.response.defer(thinking=True, ephemeral=private)
        await go.wait()
        await interaction.followup.send("first")
        await interaction.followup.send("second", ephemeral=True)
        await interaction.edit_original_response(content="first, edited")

    await bot.tree.sync()
    shown = await lab.user("alice").slash("slow", private=False)
    assert shown.is_loading
    assert shown.text == "is thinking…"
    go.set()
    await shown.until("first, edited")
    assert [bool(message["flags"] & 64) for message in shown.messages] == [False, True]
    assert [fact.kind for fact in shown.facts] == ["callback:deferred", "followup", "followup", "edit"]
    assert [one.text for one in lab.user("bob").sees()] == ["first, edited"]
    private = await (await lab.user("bob").slash("slow", private=True)).settled()
    assert private.is_private


async def test_a_private_error_after_a_public_deferral(lab: DiscordSim, bot: Bot) -> None:
    @bot.tree.command(description="fails")
    async def fails(interaction: discord.Interaction) -> None:
        await interaction.response.defer(thinking=True)
        await interaction.delete_original_response()
        await interaction.followup.send("sorry", ephemeral=True)

    await bot.tree.sync()
    shown = await lab.user("alice").slash("fails")
    await shown.until("sorry")
    assert shown.is_private
    assert lab.user("bob").sees() == []


class Form(ui.Modal, title="Volume"):
    level: ui.Label[Form] = ui.Label(text="Level", component=ui.TextInput(custom_id="level", max_length=3))
    kind: ui.Label[Form] = ui.Label(
        text="Kind",
        component=ui.Select(custom_id="kind", required=False, options=[discord.SelectOption(label="Soft", value="s")]),
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        level, kind = self.level.component, self.kind.component
        assert isinstance(level, ui.TextInput)
        assert isinstance(kind, ui.Select)
        await interaction.response.send_message(f"set to {level.value} {kind.values}", ephemeral=True)


async def test_a_modal_is_filled_in_and_checked(lab: DiscordSim, bot: Bot) -> None:
    @bot.tree.command(description="volume")
    async def volume(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Form())

    await bot.tree.sync()
    modal = await lab.user("alice").slash("volume")
    assert modal.text == "Volume\nLevel\nKind"
    with pytest.raises(Refused, match="1 to 3 characters"):
        await modal.submit(Level="1000")
    with pytest.raises(Refused, match="no field Depth"):
        await modal.submit(Depth="1")
    done = await modal.submit(Level="40", Kind="Soft")
    assert done.text == "set to 40 ['s']"
    with pytest.raises(Refused, match="no modal is open"):
        await modal.submit(Level="41")


async def test_nobody_answers(lab: DiscordSim, bot: Bot) -> None:
    lab.interactions.first_answer_s = 0.05
    late = asyncio.Event()
    outcome: list[int] = []

    @bot.tree.command(description="sleeps")
    async def sleeps(interaction: discord.Interaction) -> None:
        await late.wait()
        try:
            await interaction.response.send_message("too late")
        except discord.NotFound as error:
            outcome.append(error.code)

    await bot.tree.sync()
    with pytest.raises(NotAnswered, match="command sleeps"):
        await lab.user("alice").slash("sleeps")
    assert [str(problem) for problem in lab.problems] == ["unanswered interaction: command sleeps"]
    lab.problems.clear()
    late.set()
    await eventually(lambda: outcome)
    assert outcome == [10062]


async def test_the_token_dies_after_a_quarter_of_an_hour(lab: DiscordSim, bot: Bot) -> None:
    kept: list[discord.Interaction] = []

    @bot.tree.command(description="keeps")
    async def keeps(interaction: discord.Interaction) -> None:
        kept.append(interaction)
        await interaction.response.send_message("there")

    await bot.tree.sync()
    await lab.user("alice").slash("keeps")
    lab.clock.jump(899)
    await kept[0].edit_original_response(content="still")
    lab.clock.jump(2)
    with pytest.raises(discord.HTTPException) as failure:
        await kept[0].edit_original_response(content="no longer")
    assert failure.value.code == 50027


async def test_answers_out_of_order_are_refused(lab: DiscordSim, bot: Bot) -> None:
    codes: list[int] = []

    async def expect(work: object) -> None:
        with pytest.raises(discord.HTTPException) as failure:
            await work  # type: ignore[misc]
        codes.append(failure.value.code)

    @bot.tree.command(description="rude")
    async def rude(interaction: discord.Interaction) -> None:
        await expect(interaction.followup.send("before"))
        await interaction.response.send_message("answer")
        interaction.response._response_type = None  # the library would not let us ask twice
        await expect(interaction.response.send_message("again"))
        await interaction.followup.send("end")

    await bot.tree.sync()
    shown = await lab.user("alice").slash("rude")
    await shown.until("end")
    assert codes == [10015, 40060]


async def test_who_is_offered_what(lab: DiscordSim, bot: Bot) -> None:
    @bot.tree.command(description="everyone")
    async def now(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("now")

    @bot.tree.command(description="admins")
    @app_commands.default_permissions(manage_guild=True)
    async def admin(interaction: discord.Interaction) -> None:
        assert interaction.permissions.manage_guild
        assert interaction.context.guild
        await interaction.response.send_message("admin")

    await bot.tree.sync()
    assert [command["name"] for command in lab.user("olivia").commands()] == ["admin", "now"]
    assert [command["name"] for command in lab.user("bob").commands()] == ["now"]
    assert (await lab.user("olivia").slash("admin")).text == "admin"


async def test_two_apps_share_a_server(lab: DiscordSim, bot: Bot) -> None:
    second = lab.world.add_app("Usher")
    lab.world.join(lab.guild, second.person)
    async with running(lab, Bot(await connector(lab)), second.token) as other:
        for one, name in ((bot, "first"), (other, "second")):

            @one.tree.command(name="who", description="who")
            async def who(interaction: discord.Interaction, name: str = name) -> None:
                await interaction.response.send_message(name)

            await one.tree.sync()
        alice = lab.user("alice")
        assert (await alice.slash("who", app="Usher")).text == "second"
        assert (await alice.slash("who", app="Marquee")).text == "first"
        assert other.user
        assert bot.user
        assert other.user.id != bot.user.id


async def test_direct_messages_and_reactions(lab: DiscordSim, bot: Bot) -> None:
    bob = lab.user("bob")
    member = await bot.fetch_user(bob.user_id)
    sent = await member.send("psst")
    channel = bob.dm("Marquee")
    assert [message["content"] for message in bob.messages(channel["id"])] == ["psst"]
    with pytest.raises(Refused):
        lab.user("alice").messages(channel["id"])
    await sent.add_reaction("👍")
    bob.react(sent.id, "👍")
    assert bob.messages(channel["id"])[0]["reactions"][0]["count"] == 2
    await sent.delete()
    assert bob.messages(channel["id"]) == []

from __future__ import annotations

import discord

from simulators.discord.sim import DiscordSim
from tests.unit.simulators.discord.bot import Bot, connector, running


async def test_a_command_and_a_button_are_answered(lab: DiscordSim) -> None:
    bot = Bot(await connector(lab))

    class View(discord.ui.View):
        @discord.ui.button(label="More")
        async def more(self, interaction: discord.Interaction, button: object) -> None:
            await interaction.response.edit_message(content="count 2")

    @bot.tree.command(description="count")
    async def count(interaction: discord.Interaction, start: int) -> None:
        await interaction.response.send_message(f"count {start}", view=View())

    async with running(lab, bot):
        await bot.tree.sync()
        shown = await lab.user("alice").slash("count", start=1)
        assert shown.text == "count 1\n(More)"
        after = await shown.click("More")
        assert after.text == "count 2\n(More)"
        assert "count 2" in lab.user("bob").sees("general")[-1].text
        channel = bot.get_channel(lab.channel("general").channel_id)
        assert isinstance(channel, discord.TextChannel)
        await channel.send("hello")
        assert [one.text for one in lab.user("bob").sees()] == ["count 2\n(More)", "hello"]
    assert not list(lab.problems), str(lab.problems)

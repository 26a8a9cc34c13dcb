"""Discord's rules of answering that only the wire shows: when, by which way, how often, and what stands in it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import discord
import pytest
from discord import app_commands
from discord.ext import commands

from daemon.core.errors import ModuleError
from daemon.core.ids import ModuleId
from integrations.discord.command_rules import COMMANDS_MAX
from integrations.discord.components import ComponentSet, Field, PanelItem, component, modal
from integrations.discord.replies import open_modal, reply, update
from integrations.discord.ui import layout
from simulators.discord.sim import DiscordSim
from tests.integration.discord.stage import DEMO, Stage

NESTED = ModuleId("nested")


class NestedForms(ComponentSet):
    """A form whose handler waits, fails or wants to open another form."""

    def __init__(self) -> None:
        self.released = asyncio.Event()
        self.refusals: list[str] = []

    def door(self) -> discord.ui.LayoutView:
        names = ("slow", "broken", "second")
        return layout.layout(layout.row(*(self.button("open", (name,), label=name) for name in names)))

    @component("open")
    async def open(self, interaction: Any, ids: tuple[str, ...], values: tuple[str, ...]) -> None:
        await open_modal(interaction, self.form(ids[0], title="Form", fields=[Field("name", "Name")]))

    @modal("slow")
    async def slow(self, interaction: Any, ids: tuple[str, ...], fields: Mapping[str, str]) -> None:
        await self.released.wait()
        await reply(interaction, "at last")

    @modal("broken")
    async def broken(self, interaction: Any, ids: tuple[str, ...], fields: Mapping[str, str]) -> None:
        raise KeyError("sesame")

    @modal("second")
    async def second(self, interaction: Any, ids: tuple[str, ...], fields: Mapping[str, str]) -> None:
        try:
            await open_modal(interaction, self.form("slow", title="Form", fields=[Field("name", "Name")]))
        except ValueError as error:
            self.refusals.append(str(error))
        await reply(interaction, "one form is enough")


async def door(stage: Stage) -> tuple[NestedForms, Any]:
    """The forms, and the message whose buttons open them."""
    forms = stage.fleet.surface.add_components(NESTED, NestedForms)

    async def show(interaction: Any) -> None:
        await reply(interaction, view=forms.door())

    stage.script.act = show
    return forms, await stage.lab.user("alice").slash("say")


async def test_a_sent_form_is_acknowledged_while_its_handler_waits(hasty: Stage) -> None:
    forms, shown = await door(hasty)
    sent = await (await shown.click("slow")).submit(Name="A")
    assert sent.facts[0].kind.startswith("callback:deferred")
    forms.released.set()
    await sent.until("at last")


async def test_a_form_cannot_open_a_form(stage: Stage) -> None:
    forms, shown = await door(stage)
    sent = await (await shown.click("second")).submit(Name="A")
    assert sent.text == "one form is enough"
    assert forms.refusals == ["a form cannot open another form"]
    assert "callback:modal" not in [fact.kind for fact in sent.facts]


async def test_a_bug_behind_a_button_or_a_form_is_told_to_who_used_it(stage: Stage) -> None:
    """discord.py itself only logs what such a callback raises, and the member sees "interaction failed"."""
    _, shown = await door(stage)
    answers = [await (await shown.click("broken")).submit(Name="A")]

    async def fail(interaction: Any) -> None:
        raise KeyError("sesame")

    stage.script.act = None
    panel = await stage.lab.user("alice").slash("show")
    stage.script.act = fail
    answers.append(await panel.click("Press"))
    answers.append(await panel.choose("Audio", "English"))
    for answer in answers:
        assert answer.is_private
        assert "Something went wrong on our side" in answer.text
        assert "sesame" not in answer.text


async def test_a_panel_changes_long_after_its_press_by_its_message_id(hasty: Stage, lab: DiscordSim) -> None:
    released, done = asyncio.Event(), asyncio.Event()

    async def late(interaction: Any) -> None:
        await released.wait()
        await update(interaction, view=layout.card(layout.text("a quarter of an hour later")))
        done.set()

    panel = await lab.user("alice").slash("show")
    hasty.script.act = late
    await panel.click("Press")
    before = {op: len(hasty.ops(op)) for op in ("update_message", "update_original_webhook_message")}
    lab.clock.jump(16 * 60)
    released.set()
    await done.wait()
    assert panel.text == "a quarter of an hour later"
    assert len(hasty.ops("update_message")) == before["update_message"] + 1
    assert len(hasty.ops("update_original_webhook_message")) == before["update_original_webhook_message"]


async def test_an_answer_posted_in_the_channel_carries_a_nonce_that_is_enforced(hasty: Stage, lab: DiscordSim) -> None:
    released, done = asyncio.Event(), asyncio.Event()

    async def endless(interaction: Any) -> None:
        await released.wait()
        await reply(interaction, "late")
        done.set()

    hasty.script.act = endless
    await lab.user("alice").slash("say")
    lab.clock.jump(16 * 60)
    lab.faults.add("create_message", drop=True, after_commit=True)
    released.set()
    await done.wait()
    assert [shown.text for shown in lab.user("bob").sees("general")].count("late") == 1
    for seen in hasty.ops("create_message"):
        assert seen.body["enforce_nonce"] is True
        assert 1 <= len(str(seen.body["nonce"])) <= 25
        assert seen.body["allowed_mentions"]["parse"] == []


async def test_every_way_of_sending_and_editing_mentions_nobody(hasty: Stage, lab: DiscordSim) -> None:
    """The first answer, the placeholder filled, a follow-up, a press answered and a form's answer."""
    released = asyncio.Event()
    released.set()

    async def thrice(interaction: Any) -> None:
        await released.wait()
        await reply(interaction, view=layout.card(layout.text("@everyone one")))
        await reply(interaction, "@everyone two", private=True)
        await update(interaction, view=layout.card(layout.text("@everyone three")))

    hasty.script.act = thrice
    await (await lab.user("alice").slash("say")).until("three")
    released.clear()
    shown = await lab.user("alice").slash("say")
    released.set()
    await shown.until("three")
    hasty.script.act = None
    panel = await lab.user("alice").slash("show")
    hasty.script.act = thrice
    await (await panel.click("Press")).until("two")
    bodies = [seen.body for seen in lab.requests if seen.op in SENDING and seen.body]
    bodies = [body.get("data", {}) if "type" in body else body for body in bodies if body.get("type", 4) in (4, 7)]
    assert len(bodies) >= 8
    assert [body for body in bodies if (body.get("allowed_mentions") or {}).get("parse") != []] == []


SENDING = frozenset({
    "create_interaction_response", "execute_webhook", "update_webhook_message", "update_original_webhook_message",
    "create_message", "update_message",
})  # fmt: skip


async def test_one_pattern_routes_every_button_and_it_is_known_before_the_first_press(stage: Stage) -> None:
    """Two patterns could both fit one custom id; a bot without it would leave old panels dead."""
    bot = stage.fleet._bot_of(stage.app_id)
    assert bot is not None
    assert list(bot._connection._view_store._dynamic_items.values()) == [PanelItem]


async def test_refused_intents_are_done_without_and_the_owner_is_told_when_nothing_is_left(stage: Stage) -> None:
    def without() -> bool:
        return any(session.push is not None and session.intents == 0 for session in stage.lab.sessions.all())

    await stage.until(lambda: any(session.push is not None for session in stage.lab.sessions.all()))
    stage.lab.gateway.drop_all(4014)
    await stage.until(without)
    stage.lab.gateway.drop_all(4014)
    await stage.until(lambda: stage.output() == "Discord refused the intents")


async def test_a_hundred_commands_are_the_most(stage: Stage) -> None:
    bot = stage.fleet._bot_of(stage.app_id)
    assert bot is not None
    before = bot.tree.get_commands()
    with pytest.raises(ModuleError, match=f"at most {COMMANDS_MAX}"):
        await stage.fleet.surface.add_cog(NESTED, crowd(COMMANDS_MAX - len(before) + 1))
    assert bot.tree.get_commands() == before
    await stage.fleet.surface.add_cog(NESTED, crowd(COMMANDS_MAX - len(before)))
    assert len(bot.tree.get_commands()) == COMMANDS_MAX
    await stage.fleet.surface.remove_owner(NESTED)


def crowd(count: int) -> type[commands.Cog]:
    """A cog with so many commands."""

    def one() -> Any:
        class Holder:
            async def answer(self, interaction: discord.Interaction) -> None: ...

        return Holder.answer

    made: dict[str, Any] = {f"c{n}": app_commands.command(name=f"c{n}", description="d")(one()) for n in range(count)}
    return commands.CogMeta("Crowd", (commands.Cog,), made)  # type: ignore[return-value]


async def test_components_of_one_module_are_not_another_modules(stage: Stage) -> None:
    forms, _ = await door(stage)
    ours, theirs = (set(stage.fleet.surface.routes._routes), stage.fleet.surface.counts(DEMO)["components"])
    assert len(ours) == theirs + stage.fleet.surface.counts(NESTED)["components"]
    custom_id = forms.button("open", ("slow",), label="x").custom_id
    found = stage.fleet.surface.routes.find(custom_id, is_modal=False)
    assert found is not None
    assert found[1].module == NESTED

"""Buttons, selects and forms: routed, checked at each press, out of date in a friendly way, alive after a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from integrations.discord.replies import reply, update
from simulators.discord.sim import DiscordSim
from tests.integration.discord.stage import DEMO, Stage, running

GONE = "This panel is out of date — open a new one."


async def test_a_press_and_a_choice_reach_their_handler_with_ids_and_values(stage: Stage) -> None:
    shown = await stage.lab.user("alice").slash("show")
    await shown.click("Press")
    await shown.choose("Audio", "German")
    assert stage.script.diary == [(("7",), ()), (("8",), ("german",))]


async def test_a_handler_without_an_answer_leaves_the_panel_as_it_is(stage: Stage) -> None:
    shown = await stage.lab.user("alice").slash("show")
    pressed = await shown.click("Press")
    assert [fact.kind for fact in pressed.facts] == ["callback:deferred_update"]
    assert shown.text.startswith("Panel")


async def test_update_changes_the_panel_in_the_same_answer(stage: Stage) -> None:
    async def act(interaction: Any) -> None:
        await update(interaction, view=stage.panel.panel("Changed"))

    shown = await stage.lab.user("alice").slash("show")
    stage.script.act = act
    pressed = await shown.click("Press")
    assert shown.text.startswith("Changed")
    assert [fact.kind for fact in pressed.facts] == ["callback:update"]


@pytest.mark.parametrize(("button", "first"), [("Press", "callback:deferred_update"), ("Loud", "callback:deferred")])
async def test_a_late_press_is_deferred_as_its_policy_says(hasty: Stage, button: str, first: str) -> None:
    released = asyncio.Event()

    async def late(interaction: Any) -> None:
        await released.wait()
        await update(interaction, view=hasty.panel.panel("Later"))
        await reply(interaction, "and this")

    shown = await hasty.lab.user("alice").slash("show")
    hasty.script.act = late
    pressed = await shown.click(button)
    assert [fact.kind for fact in pressed.facts] == [first]
    released.set()
    await shown.until("Later")
    await pressed.until("and this")
    said = [part for part in hasty.lab.user("bob").sees("general") if "and this" in part.text]
    assert bool(said) is (button == "Loud")


async def test_a_refusal_of_a_press_is_private_and_leaves_the_panel(stage: Stage) -> None:
    shown = await stage.lab.user("alice").slash("show")
    bob = stage.lab.user("bob")
    refused = await bob.click(shown.message_id, "Guarded")
    assert refused.is_private
    assert "controller role" in refused.text
    assert shown.text.startswith("Panel")
    assert stage.script.diary == []


async def test_a_role_counts_from_the_press_on_that_it_was_given(stage: Stage) -> None:
    controllers = next(r for r in stage.lab.guild.roles.values() if r.name == "Controllers")
    stage.fleet.surface.set_controller_roles(DEMO, [controllers.role_id])
    shown = await stage.lab.user("olivia").slash("show")
    alice = stage.lab.user("alice")
    await alice.click(shown.message_id, "Guarded")
    stage.lab.world.set_roles(stage.lab.guild, alice.person, [])
    refused = await alice.click(shown.message_id, "Guarded")
    assert "controller role" in refused.text
    assert len(stage.script.diary) == 1


async def test_a_form_opens_and_is_read(stage: Stage) -> None:
    shown = await stage.lab.user("alice").slash("show")
    form = await shown.click("Ask")
    assert form.modal is not None
    assert form.modal["title"] == "Your name"
    answer = await form.submit(Name="Alice **A.**")
    assert answer.is_private
    assert stage.script.diary == [(("7",), {"name": "Alice **A.**"})]


async def test_a_form_may_be_opened_by_two_at_once(stage: Stage) -> None:
    shown = await stage.lab.user("alice").slash("show")
    one = await shown.click("Ask")
    other = await stage.lab.user("bob").click(shown.message_id, "Ask")
    await other.submit(Name="Bob")
    await one.submit(Name="Alice")
    assert [fields["name"] for _, fields in stage.script.diary] == ["Bob", "Alice"]


async def test_a_form_that_comes_too_late_says_so(hasty: Stage) -> None:
    released = asyncio.Event()

    async def slow(interaction: Any) -> None:
        await released.wait()

    shown = await hasty.lab.user("alice").slash("show")
    hasty.script.act = slow
    pressed = await shown.click("Ask")
    released.set()
    await pressed.until("press it again")
    assert pressed.is_private


async def test_forged_ids_are_out_of_date(stage: Stage) -> None:
    shown = await stage.lab.user("alice").slash("show")
    real = next(
        part["custom_id"]
        for part in shown.message["components"][0]["components"][1]["components"]
        if part["label"] == "Press"
    )
    forged = [
        real[:-1] + ("A" if real[-1] != "A" else "B"),
        real.replace(":7:", ":8:"),
        "v1:demo:nothing:7:abcdef",
        "x",
    ]
    for custom_id in forged:
        answer = await stage.lab.user("mallory").press_forged(shown.message_id, custom_id)
        assert answer.is_private
        assert GONE in answer.text
    assert stage.script.diary == []


async def test_a_genuine_id_that_the_message_does_not_carry_is_still_routed(stage: Stage) -> None:
    """discord.py finds no item for it and discards it; the member gets an answer all the same."""
    shown = await stage.lab.user("alice").slash("show")
    genuine = stage.panel.button("press", (99,), label="x").custom_id
    await stage.lab.user("alice").press_forged(shown.message_id, genuine)
    assert stage.script.diary == [(("99",), ())]


async def test_panels_of_a_removed_module_are_out_of_date(stage: Stage) -> None:
    shown = await stage.lab.user("alice").slash("show")
    form = await shown.click("Ask")
    before = stage.units()
    await stage.fleet.surface.remove_owner(DEMO)
    assert GONE in (await shown.click("Press")).text
    assert GONE in (await form.submit(Name="Alice")).text
    assert stage.units() == before


async def test_old_panels_work_after_a_restart(lab: DiscordSim, tmp_path: Path) -> None:
    alice = lab.user("alice")
    async with running(lab, tmp_path) as stage:
        shown = await alice.slash("show")
        form = await shown.click("Ask")
        pages = await alice.slash("pages")
    async with running(lab, tmp_path) as stage:
        await shown.click("Press")
        await form.submit(Name="Alice")
        await pages.click("Forward")
        assert stage.script.diary == [(("7",), ()), (("7",), {"name": "Alice"})]
        assert "Page 2/3" in pages.buttons
        assert pages.text.startswith("item 4")


async def test_another_database_means_other_keys(lab: DiscordSim, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    await asyncio.to_thread(first.mkdir)
    await asyncio.to_thread(second.mkdir)
    async with running(lab, first):
        shown = await lab.user("alice").slash("show")
    async with running(lab, second) as stage:
        assert GONE in (await shown.click("Press")).text
        assert stage.script.diary == []


async def test_pages_end_at_both_ends(stage: Stage) -> None:
    shown = await stage.lab.user("bob").slash("pages")
    assert shown.buttons == {"Back": False, "Page 1/3": False, "Forward": True}
    await shown.click("Forward")
    await shown.click("Forward")
    assert shown.buttons == {"Back": True, "Page 3/3": False, "Forward": False}
    assert shown.text.startswith("item 8")


async def test_presses_on_one_panel_wait_for_each_other_where_they_must(hasty: Stage) -> None:
    inside, most, released = 0, 0, asyncio.Event()

    async def act(interaction: Any) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await released.wait()
        inside -= 1

    shown = await hasty.lab.user("alice").slash("show")
    hasty.script.act = act
    bob = hasty.lab.user("bob")
    await asyncio.gather(shown.click("Alone"), bob.click(shown.message_id, "Alone"))
    released.set()
    await hasty.until(lambda: len(hasty.script.diary) == 2 and inside == 0)
    assert most == 1

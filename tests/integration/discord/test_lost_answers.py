"""When the network loses an answer after Discord has acted on the request, nothing is said twice."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import discord
import pytest

from integrations.discord.replies import reply, update
from integrations.discord.ui import layout
from tests.integration.discord.stage import Stage

CALLBACK = "create_interaction_response"


def card(text: str) -> discord.ui.LayoutView:
    return layout.card(layout.text(text))


async def everything_said(stage: Stage) -> list[str]:
    return [shown.text for shown in stage.lab.user("alice").sees("general")]


@pytest.mark.parametrize("fault", [{"drop": True}, {"drop": True, "after_commit": True}], ids=["before", "after"])
async def test_a_dropped_first_answer_is_given_once(stage: Stage, fault: dict[str, Any]) -> None:
    returned: list[Any] = []

    async def act(interaction: Any) -> None:
        returned.append(await reply(interaction, view=card("here"), files=[discord.File(io.BytesIO(b"pic"), "p.png")]))

    stage.script.act = act
    stage.lab.faults.add(CALLBACK, **fault)
    shown = await (await stage.lab.user("alice").slash("say")).until("here")
    await stage.until(lambda: bool(returned))
    assert shown.files == {"p.png": b"pic"}
    assert len(await everything_said(stage)) == 1
    assert returned[0] is not None
    assert returned[0].id == shown.message_id


async def test_a_first_answer_lost_every_time_is_given_up_quietly(stage: Stage) -> None:
    stage.lab.faults.add(CALLBACK, drop=True, after_commit=True, times=None)
    shown = await stage.lab.user("alice").slash("say")
    assert shown.text == "said"
    stage.lab.faults.clear()
    assert (await stage.lab.user("bob").slash("say")).text == "said"
    assert len(await everything_said(stage)) == 2


async def test_a_lost_deferral_is_followed_by_one_answer(hasty: Stage) -> None:
    released = asyncio.Event()

    async def late(interaction: Any) -> None:
        await released.wait()
        await reply(interaction, "late")

    hasty.script.act = late
    hasty.lab.faults.add(CALLBACK, drop=True, after_commit=True)
    shown = await hasty.lab.user("alice").slash("say")
    await hasty.until(lambda: len(hasty.ops(CALLBACK)) == 2)
    released.set()
    await shown.until("late")
    assert await everything_said(hasty) == ["late"]


async def test_a_lost_edit_is_repeated(stage: Stage) -> None:
    async def act(interaction: Any) -> None:
        await reply(interaction, view=card("one"))
        await update(interaction, view=card("two"))

    stage.script.act = act
    stage.lab.faults.add("update_original_webhook_message", drop=True)
    shown = await (await stage.lab.user("alice").slash("say")).until("two")
    assert len(shown.messages) == 1


async def test_a_lost_follow_up_is_not_repeated(stage: Stage) -> None:
    done = asyncio.Event()

    async def act(interaction: Any) -> None:
        await reply(interaction, "one")
        await reply(interaction, "two")
        done.set()

    stage.script.act = act
    stage.lab.faults.add("execute_webhook", drop=True, after_commit=True)
    await stage.lab.user("alice").slash("say")
    await done.wait()
    assert await everything_said(stage) == ["one", "two"]


async def test_an_answer_that_comes_too_late_hurts_nobody(stage: Stage) -> None:
    stage.lab.faults.add(CALLBACK, status=404, code=10062)
    alice = stage.lab.user("alice")
    alice.send_slash("say")
    await stage.until(lambda: len(stage.ops(CALLBACK)) == 1)
    assert (await alice.slash("say")).text == "said"


async def test_the_same_interaction_delivered_twice_is_handled_once(stage: Stage) -> None:
    handled: list[int] = []

    async def act(interaction: Any) -> None:
        handled.append(interaction.id)
        await reply(interaction, "once")

    stage.script.act = act
    await stage.lab.user("alice").slash("say")
    for session in stage.lab.sessions.all():
        again = next(frame for frame in reversed(session.replay) if frame["t"] == "INTERACTION_CREATE")
        session.dispatch("INTERACTION_CREATE", again["d"])
    await stage.lab.user("bob").slash("say")
    await stage.until(lambda: len(handled) == 2)
    assert len(set(handled)) == 2
    assert await everything_said(stage) == ["once", "once"]


async def test_an_empty_answer_to_the_callback_is_as_good_as_a_full_one(stage: Stage) -> None:
    returned: list[Any] = []

    async def act(interaction: Any) -> None:
        returned.append(await reply(interaction, view=card("here")))
        await reply(interaction, "and more")

    stage.script.act = act
    stage.lab.faults.add(CALLBACK, status=204, after_commit=True)
    shown = await (await stage.lab.user("alice").slash("say")).until("and more")
    assert await everything_said(stage) == ["here", "and more"]
    assert returned[0].id == int(shown.messages[0]["id"])


async def test_a_lost_update_of_a_panel_is_made_once(stage: Stage) -> None:
    async def act(interaction: Any) -> None:
        await update(interaction, view=stage.panel.panel("Changed"))

    shown = await stage.lab.user("alice").slash("show")
    stage.script.act = act
    stage.lab.faults.add(CALLBACK, drop=True, after_commit=True)
    pressed = await shown.click("Press")
    await shown.until("Changed")
    await stage.until(lambda: len(stage.ops(CALLBACK)) == 3)
    assert [fact.kind for fact in pressed.facts] == ["callback:update"]


@pytest.mark.parametrize("fault", [{"status": 429, "retry_after_s": 0.05}, {"status": 429, "retry_after_s": 3600.0}])
async def test_a_rate_limited_edit_is_waited_for_or_given_up(stage: Stage, fault: dict[str, Any]) -> None:
    done = asyncio.Event()

    async def act(interaction: Any) -> None:
        await reply(interaction, view=stage.panel.panel("New"))
        await update(interaction, view=stage.panel.panel("Changed"))
        done.set()

    shown = await stage.lab.user("alice").slash("show")
    stage.script.act = act
    stage.lab.faults.add("update_message", **fault)
    await shown.click("Press")
    await done.wait()
    assert shown.text.startswith("Changed" if fault["retry_after_s"] < 1 else "Panel")
    assert not any("Something went wrong" in said for said in await everything_said(stage))

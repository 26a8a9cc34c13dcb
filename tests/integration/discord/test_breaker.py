"""A Discord that fails again and again is left alone with what can wait; answers to members are tried in any case."""

from __future__ import annotations

import discord

from daemon.kernel.health import Status
from integrations.discord.messages import Edited
from integrations.discord.ui import layout
from tests.integration.discord.stage import Stage

CALLBACK = "create_interaction_response"
CHECK = "breaker:discord:marquee"


def card(text: str) -> discord.ui.LayoutView:
    return layout.card(layout.text(text))


async def test_edits_wait_while_answers_are_still_tried(stage: Stage) -> None:
    messages = stage.fleet.messages
    posted = await messages.post(stage.app_id, stage.general, nonce="n", view=card("first"))
    assert posted.message_id is not None
    assert stage.health.report().checks[CHECK].status is Status.PASS
    stage.lab.faults.add("*", drop=True, times=None)
    for _ in range(2):  # each of them is tried twice
        edited = await messages.edit(stage.app_id, stage.general, posted.message_id, view=card("second"))
        assert edited is Edited.LATER
    check = stage.health.report().checks[CHECK]
    assert check.status is Status.WARN
    assert "is let through" in check.output
    asked = len(stage.lab.requests)
    edited = await messages.edit(stage.app_id, stage.general, posted.message_id, view=card("second"))
    assert edited is Edited.LATER
    assert (await messages.post(stage.app_id, stage.general, nonce="m", view=card("other"))).outcome is Edited.LATER
    assert len(stage.lab.requests) == asked
    stage.lab.faults.clear()
    assert (await stage.lab.user("alice").slash("say")).text == "said"  # which shows that Discord is back
    await stage.until(lambda: stage.health.report().checks[CHECK].status is Status.PASS)
    edited = await messages.edit(stage.app_id, stage.general, posted.message_id, view=card("second"))
    assert edited is Edited.OK


async def test_refusals_are_answers(stage: Stage) -> None:
    posted = await stage.fleet.messages.post(stage.app_id, stage.general, nonce="n", view=card("first"))
    assert posted.message_id is not None
    stage.lab.faults.add("update_message", status=403, code=50013, times=None)
    for _ in range(10):
        edited = await stage.fleet.messages.edit(stage.app_id, stage.general, posted.message_id, view=card("x"))
        assert edited is Edited.FORBIDDEN
    assert stage.health.report().checks[CHECK].status is Status.PASS

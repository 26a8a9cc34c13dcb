"""What we count of Discord's answers, and what we say of them in the log."""

from __future__ import annotations

from typing import Any

import pytest

from daemon.kernel import logs
from integrations.discord.calls import call_of
from integrations.discord.messages import Edited
from integrations.discord.replies import reply, update
from integrations.discord.traffic import hear_rate_limits
from integrations.discord.ui import layout
from tests.integration.discord.stage import Stage


def put_off(stage: Stage) -> float | None:
    return stage.metrics.registry.get_sample_value("marquee_discord_rate_limited_total", {"bot": "marquee"})


async def post(stage: Stage) -> Any:
    view = layout.layout(layout.text("first"))
    return await stage.fleet.messages.post(stage.app_id, stage.general, nonce="n", view=view)


@pytest.mark.parametrize("level", ["debug", "error"])
async def test_a_limit_that_is_waited_out_is_counted_whatever_is_logged(stage: Stage, level: logs.Level) -> None:
    posted = await post(stage)
    assert put_off(stage) == 0
    stage.lab.faults.add("update_message", status=429, retry_after_s=0.05)
    logs.configure("console", level, [])
    hear_rate_limits()  # as a daemon with this level of logging does when it starts
    try:
        view = layout.layout(layout.text("second"))
        edited = await stage.fleet.messages.edit(stage.app_id, stage.general, posted.message_id, view=view)
    finally:
        logs.configure("console", "debug", [])
        hear_rate_limits()
    assert edited is Edited.OK
    assert put_off(stage) == 1


async def test_a_limit_on_an_answer_is_counted(stage: Stage) -> None:
    async def act(interaction: Any) -> None:
        await reply(interaction, view=layout.layout(layout.text("one")))
        await update(interaction, view=layout.layout(layout.text("two")))

    stage.script.act = act
    stage.lab.faults.add("update_original_webhook_message", status=429, retry_after_s=0.05)
    shown = await stage.lab.user("alice").slash("say")
    await shown.until("two")
    assert put_off(stage) == 1


async def test_every_request_is_a_line_of_its_trace(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str] = []

    async def act(interaction: Any) -> None:
        seen.append(call_of(interaction).trace_id)
        await reply(interaction, "one")

    stage.script.act = act
    await stage.lab.user("alice").slash("say")

    def requests() -> list[tuple[str, str]]:
        lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
        mine = [line for line in lines if line["event"] == "discord_request" and line.get("trace_id") == seen[0]]
        return [(line["bot"], line["outcome"]) for line in mine]

    await stage.until(lambda: requests() == [("marquee", "ok")])

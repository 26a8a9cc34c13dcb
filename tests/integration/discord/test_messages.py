"""Cards that live longer than their interaction: posted, edited, deleted by id."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import discord
import pytest

from daemon.core.ids import AppId, MessageId
from integrations.discord.messages import Edited
from integrations.discord.ui import layout
from simulators.discord import permissions as perms
from tests.integration.discord.stage import Stage


def card(text: str) -> discord.ui.LayoutView:
    return layout.card(layout.text(text))


async def post(stage: Stage, text: str = "first", nonce: str = "n1") -> MessageId:
    posted = await stage.fleet.messages.post(stage.app_id, stage.general, nonce=nonce, view=card(text))
    assert posted.outcome is Edited.OK
    assert posted.message_id is not None
    return posted.message_id


async def edit(stage: Stage, message_id: MessageId, text: str = "second", **more: Any) -> Edited:
    return await stage.fleet.messages.edit(stage.app_id, stage.general, message_id, view=card(text), **more)


def seen(stage: Stage) -> list[str]:
    return [shown.text for shown in stage.lab.user("bob").sees("general")]


async def test_a_card_is_posted_edited_and_deleted(stage: Stage) -> None:
    message_id = await post(stage)
    assert seen(stage) == ["first"]
    assert await edit(stage, message_id) is Edited.OK
    assert seen(stage) == ["second"]
    assert stage.ops("update_message")[0].body["allowed_mentions"]["parse"] == []
    assert await stage.fleet.messages.delete(stage.app_id, stage.general, message_id) is Edited.OK
    assert seen(stage) == []
    assert await stage.fleet.messages.delete(stage.app_id, stage.general, message_id) is Edited.GONE


async def test_a_post_whose_answer_is_lost_stands_there_once(stage: Stage) -> None:
    stage.lab.faults.add("create_message", drop=True, after_commit=True)
    await post(stage)
    assert seen(stage) == ["first"]
    body = stage.ops("create_message")[0].body
    assert (body["nonce"], body["enforce_nonce"]) == ("n1", True)


async def test_attachments_stay_unless_replaced(stage: Stage) -> None:
    picture = [discord.File(io.BytesIO(b"one"), "p.png")]
    posted = await stage.fleet.messages.post(stage.app_id, stage.general, nonce="n", view=card("a"), files=picture)
    assert posted.message_id is not None
    shown = stage.lab.user("bob").message(posted.message_id)
    assert await edit(stage, posted.message_id, "b") is Edited.OK
    assert shown.files == {"p.png": b"one"}
    stage.lab.faults.add("update_message", drop=True)
    replacement = [discord.File(io.BytesIO(b"two"), "q.png")]
    assert await edit(stage, posted.message_id, "c", files=replacement) is Edited.OK
    assert shown.files == {"q.png": b"two"}


async def test_what_was_deleted_is_gone(stage: Stage) -> None:
    message_id, channel_id = await post(stage), stage.general
    stage.lab.user("olivia").delete(message_id)
    assert await edit(stage, message_id) is Edited.GONE
    stage.lab.world.delete_channel(stage.lab.channel("general"))
    assert await stage.fleet.messages.delete(stage.app_id, channel_id, message_id) is Edited.GONE


async def test_a_channel_the_bot_may_not_see_is_forbidden(stage: Stage) -> None:
    message_id = await post(stage)
    stage.lab.world.set_overwrite(stage.lab.channel("general"), stage.app_id, 0, perms.VIEW_CHANNEL)
    assert await edit(stage, message_id) is Edited.FORBIDDEN
    posted = await stage.fleet.messages.post(stage.app_id, stage.general, nonce="n2", text="x")
    assert (posted.outcome, posted.message_id) == (Edited.FORBIDDEN, None)


@pytest.mark.parametrize(
    "fault",
    [{"status": 429, "code": 30046, "retry_after_s": 3600.0}, {"status": 503}, {"drop": True, "times": 2}],
    ids=["old and edited too often", "unavailable", "dropped twice"],
)
async def test_trouble_means_later(stage: Stage, fault: dict[str, Any]) -> None:
    message_id = await post(stage)
    stage.lab.faults.add("update_message", **fault)
    assert await edit(stage, message_id) is Edited.LATER
    assert await edit(stage, message_id) is Edited.OK


async def test_a_short_rate_limit_is_waited_for(stage: Stage) -> None:
    message_id = await post(stage)
    stage.lab.faults.add("update_message", status=429, retry_after_s=0.05)
    assert await edit(stage, message_id) is Edited.OK
    assert seen(stage) == ["second"]


async def test_an_unknown_bot_means_later(stage: Stage) -> None:
    outcome = await stage.fleet.messages.edit(AppId(1), stage.general, MessageId(2), view=card("x"))
    assert outcome is Edited.LATER
    assert (await stage.fleet.messages.post(AppId(1), stage.general, nonce="n", text="x")).outcome is Edited.LATER


async def test_of_many_edits_that_wait_only_the_last_is_sent(stage: Stage) -> None:
    message_id = await post(stage)
    stage.lab.faults.add("update_message", delay_s=0.05)
    outcomes = await asyncio.gather(*(edit(stage, message_id, f"edit {n}") for n in range(20)))
    assert set(outcomes) == {Edited.OK}
    assert seen(stage) == ["edit 19"]
    assert 1 <= len(stage.ops("update_message")) <= 2
    assert stage.fleet.messages._lines == {}

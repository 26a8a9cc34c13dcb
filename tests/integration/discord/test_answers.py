"""Commands and their answers: who sees them, when they are deferred, what is said when something fails."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from daemon.core.errors import UpstreamError, UpstreamKind, UserError
from daemon.kernel.trace import short
from integrations.discord.calls import call_of
from integrations.discord.replies import reply, update
from integrations.discord.ui import layout
from simulators.discord.sim import DiscordSim
from tests.integration.discord.stage import Stage


def kinds(shown: Any) -> list[str]:
    return [fact.kind for fact in shown.facts]


async def test_a_command_is_answered_in_public_or_in_private_as_its_policy_says(stage: Stage) -> None:
    alice, bob = stage.lab.user("alice"), stage.lab.user("bob")
    said = await alice.slash("say")
    assert (said.text, said.is_private) == ("said", False)
    whispered = await alice.slash("whisper")
    assert (whispered.text, whispered.is_private) == ("whispered", True)
    assert [shown.text for shown in bob.sees("general")] == ["said"]
    assert kinds(said) == ["callback:message"]


async def test_a_late_answer_fills_the_placeholder(hasty: Stage) -> None:
    released = asyncio.Event()

    async def late(interaction: Any) -> None:
        await released.wait()
        await reply(interaction, view=layout.card(layout.text("at last")))

    hasty.script.act = late
    shown = await hasty.lab.user("alice").slash("say")
    assert shown.is_loading
    released.set()
    await shown.until("at last")
    assert kinds(shown) == ["callback:deferred", "edit"]
    assert len(shown.messages) == 1
    deferral = hasty.ops("create_interaction_response")[0].body
    assert deferral.get("data", {}).get("flags", 0) in (0, 64)  # nothing but EPHEMERAL may stand there


async def test_an_answer_at_the_moment_of_the_deferral_is_given_once(hasty: Stage) -> None:
    async def on_the_edge(interaction: Any) -> None:
        await asyncio.sleep(0.02)
        await reply(interaction, "edge")

    hasty.script.act = on_the_edge
    for name in ("alice", "bob", "mallory"):
        shown = await (await hasty.lab.user(name).slash("say")).until("edge")
        assert len(shown.messages) == 1


@pytest.mark.parametrize(("command", "is_private"), [("say", False), ("whisper", True)])
async def test_an_error_after_the_deferral_is_private(hasty: Stage, command: str, is_private: bool) -> None:
    released = asyncio.Event()

    async def fail(interaction: Any) -> None:
        await released.wait()
        raise UserError("No player is on.", "no_player")

    hasty.script.act = fail
    alice = hasty.lab.user("alice")
    shown = await alice.slash(command)
    assert shown.is_private is is_private
    released.set()
    await shown.until("no_player")
    assert shown.is_private
    assert shown.text == "No player is on. (`no_player`)"
    assert hasty.lab.user("bob").sees("general") == []


async def test_an_error_before_any_answer_is_a_private_sentence(stage: Stage) -> None:
    async def fail(interaction: Any) -> None:
        raise UpstreamError("Plex server attic", UpstreamKind.TIMED_OUT)

    stage.script.act = fail
    shown = await stage.lab.user("alice").slash("say")
    assert shown.is_private
    assert "Plex server attic did not answer in time" in shown.text


async def test_a_bug_shows_an_incident_and_no_traceback(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str] = []

    async def fail(interaction: Any) -> None:
        seen.append(call_of(interaction).trace_id)
        raise KeyError("sesame")

    stage.script.act = fail
    shown = await stage.lab.user("alice").slash("say")
    assert shown.is_private
    assert len(seen[0]) == 32
    assert f"(`{short(seen[0])}`)" in shown.text
    assert "sesame" not in shown.text
    assert any(f"'incident': '{short(seen[0])}'" in str(record.msg) for record in caplog.records)


async def test_a_command_that_says_nothing_is_a_bug_that_is_said(stage: Stage) -> None:
    async def silent(interaction: Any) -> None:
        return None

    stage.script.act = silent
    shown = await stage.lab.user("alice").slash("say")
    assert "Something went wrong" in shown.text


async def test_a_second_reply_is_a_follow_up_and_update_edits_the_answer(stage: Stage) -> None:
    async def twice(interaction: Any) -> None:
        await reply(interaction, view=layout.layout(layout.text("one")))
        await reply(interaction, "two", private=True)
        await update(interaction, view=layout.layout(layout.text("three")))

    stage.script.act = twice
    shown = await (await stage.lab.user("alice").slash("say")).until("three")
    assert [part.text for part in stage.lab.user("alice").sees("general")] == ["three", "two"]
    assert kinds(shown) == ["callback:message", "followup", "edit"]


async def test_nobody_is_ever_mentioned_and_text_is_cut(stage: Stage) -> None:
    async def shout(interaction: Any) -> None:
        await reply(interaction, "@everyone " + "x" * 3000)

    stage.script.act = shout
    shown = await stage.lab.user("alice").slash("say")
    assert len(shown.message["content"]) == 2000
    assert not shown.message["mention_everyone"]
    assert stage.ops("create_interaction_response")[0].body["data"]["allowed_mentions"]["parse"] == []


async def test_after_fifteen_minutes_nothing_goes_through_the_token(hasty: Stage, lab: DiscordSim) -> None:
    released, done = asyncio.Event(), asyncio.Event()

    async def endless(interaction: Any) -> None:
        await released.wait()
        await reply(interaction, "public and late")
        await reply(interaction, "private and late", private=True)
        done.set()

    hasty.script.act = endless
    alice = lab.user("alice")
    shown = await alice.slash("say")
    lab.clock.jump(16 * 60)
    released.set()
    await done.wait()
    texts = [part.text for part in alice.sees("general")]
    assert "public and late" in texts
    assert "private and late" not in texts
    assert kinds(shown) == ["callback:deferred"]


async def test_a_command_discord_still_has_but_we_do_not(stage: Stage) -> None:
    await stage.fleet.surface.remove_owner("demo")  # type: ignore[arg-type]
    shown = await stage.lab.user("alice").slash("say")
    assert "This command has changed" in shown.text
    assert shown.is_private

"""When Plex or Discord misbehaves: the member gets a sentence, nothing is said twice, and the daemon goes on."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from tests.acceptance.stage import LIVING_ROOM, Member, Stage, answered

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVERYTHING = "^/(?!__sim|_plex)"  # of the server, but for the simulator's own routes


async def play(stage: Stage, member: Member, number: int = 0) -> Any:
    movie = stage.named_once("movie")[number]
    return await member.slash("play", title=f"t:attic:{movie.key}", player=LIVING_ROOM)


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        (401, "rejected the token"),
        (403, "does not allow it"),
        (503, "is busy or starting"),
        (500, "gave an unreadable answer"),
        ("html", "gave an unreadable answer"),
        ("empty", "gave an unreadable answer"),
        ("garbage", "gave an unreadable answer"),
        ("truncate", "gave an unreadable answer"),
    ],
)
async def test_a_server_that_misbehaves_is_named(stage: Stage, what: int | str, sentence: str) -> None:
    stage.plex.faults.add("^/library/metadata/", what)
    shown = await play(stage, stage.controller())
    await answered(shown)
    assert f"Plex server attic {sentence}" in shown.text, shown.text
    assert shown.is_private
    stage.plex.faults.clear()
    stage.clock.jump(60)

    async def plays_again() -> bool:
        again = await play(stage, stage.controller())
        await answered(again)
        return "Plex server attic" not in again.text

    await stage.wait_for(plays_again, "the server to be used again", 45)


async def test_discord_is_answered_while_plex_still_holds_its_answer(stage: Stage) -> None:
    fault = stage.plex.faults.add("^/library/metadata/", "hold", times=1)
    shown = await play(stage, stage.controller())
    assert [fact.kind for fact in shown.facts] == ["callback:deferred"]
    assert fault.hits == 1
    fault.release()
    await shown.until("▶ Playing")
    assert next(fact.kind for fact in shown.facts) == "callback:deferred"
    assert len(shown.messages) == 1


async def test_a_late_refusal_is_private_and_leaves_no_placeholder(stage: Stage) -> None:
    alice = stage.controller()
    fault = stage.plex.faults.add("^/library/metadata/", "hold", times=1)
    shown = await alice.slash("play", title="t:attic:999999", player=LIVING_ROOM)
    assert shown.is_loading
    fault.release()
    await shown.until("That title is no longer on the server.")
    assert shown.is_private
    assert [message for message in alice.sees() if not message.is_private] == []


async def test_now_tells_what_it_knows_when_a_server_is_slow(stage: Stage) -> None:
    stage.watch(LIVING_ROOM)
    stage.plex.faults.add("/status/sessions", "hold")
    shown = await stage.guest().slash("now")
    await shown.until("attic did not answer", timeout=40)
    stage.plex.faults.clear()


async def test_a_dropped_gateway_comes_back_by_itself(stage: Stage) -> None:
    for code in (None, 4000, 1001):
        assert stage.lab.gateway.drop_all(code)

        async def answers() -> bool:
            shown = await stage.guest().slash("players")
            return LIVING_ROOM in shown.text

        await stage.wait_for(answers, "the bot to be back", 20)


async def test_nothing_is_said_twice_when_the_answer_to_the_callback_is_lost(stage: Stage) -> None:
    alice = stage.controller()
    stage.lab.faults.add("create_interaction_response", drop=True, after_commit=True)
    shown = await play(stage, alice)
    await shown.until("▶ Playing", timeout=20)
    assert len(alice.sees()) == 1
    await shown.click("Pause")
    await shown.until("⏸ Paused")


async def test_nothing_is_said_twice_when_the_callback_fails_on_the_way(stage: Stage) -> None:
    alice = stage.controller()
    stage.lab.faults.add("create_interaction_response", drop=True)
    shown = await play(stage, alice)
    await shown.until("▶ Playing", timeout=20)
    assert len(alice.sees()) == 1


async def test_a_lost_edit_is_made_good(stage: Stage) -> None:
    shown = await play(stage, stage.controller())
    await shown.until("▶ Playing")
    stage.lab.faults.add("update_message", drop=True, times=3)
    stage.player(LIVING_ROOM).pause(stage.clock.now())
    stage.clock.jump(16)
    await shown.until("⏸ Paused", timeout=20)


async def test_discord_answering_503_to_edits_is_tried_again_later(stage: Stage) -> None:
    shown = await play(stage, stage.controller())
    await shown.until("▶ Playing")
    stage.lab.faults.add("update_message", status=503, times=2)
    stage.player(LIVING_ROOM).pause(stage.clock.now())

    async def is_paused() -> bool:
        stage.clock.jump(16)
        return "⏸ Paused" in shown.text

    await stage.wait_for(is_paused, "the card to catch up", 20)


async def test_a_silent_server_stands_on_the_card_until_it_is_back(stage: Stage) -> None:
    shown = await play(stage, stage.controller())
    await shown.until("▶ Playing")
    stage.plex.faults.add(EVERYTHING, 503)

    async def tells() -> bool:
        stage.clock.jump(16)
        return "Plex server attic" in shown.text

    await stage.wait_for(tells, "the card to say that Plex is silent", 20)
    stage.plex.faults.clear()

    async def is_well() -> bool:
        stage.clock.jump(16)
        return "Plex server attic" not in shown.text and "▶ Playing" in shown.text

    await stage.wait_for(is_well, "the card to be well again", 45)


async def test_sigterm_lets_a_running_command_finish(stage: Stage) -> None:
    alice = stage.controller()
    fault = stage.plex.faults.add("^/library/metadata/", "hold", times=1)
    shown = await play(stage, alice)
    assert stage.daemon is not None
    stage.daemon.process.send_signal(signal.SIGTERM)

    async def is_draining() -> bool:
        return any(line["event"] == "stopping" for line in await stage.daemon.logs())  # type: ignore[union-attr]

    await stage.wait_for(is_draining, "the daemon to stop", 10)
    fault.release()
    await shown.until(stage.named_once("movie")[0].title)
    code = await stage.daemon.process.wait()
    assert code == 0
    stage.exit_codes.append(code)
    await stage.start()

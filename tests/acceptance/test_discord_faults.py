"""Discord that drops sockets, loses answers and repeats itself: nothing is said or done twice, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from simulators.discord.user import Shown
from tests.acceptance.stage import LIVING_ROOM, Member, Stage, answered

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def play(stage: Stage, member: Member, number: int = 0) -> Shown:
    title = f"t:attic:{stage.named_once('movie')[number].key}"
    return await member.slash("play", title=title, player=LIVING_ROOM)


def orders(stage: Stage, name: str) -> int:
    """Commands of a kind that players or their server were sent so far."""
    return sum(r.path == f"/player/playback/{name}" for r in stage.plex.requests)


def requests(stage: Stage, op: str) -> int:
    return sum(r.op == op for r in stage.lab.requests)


async def is_connected(stage: Stage) -> bool:
    return (await stage.checks())["discord:marquee"] == "pass"


# ---------------------------------------------------------------- the gateway


def drop(stage: Stage) -> None:
    stage.lab.gateway.drop_all()


def close(stage: Stage) -> None:
    stage.lab.gateway.drop_all(4000)


def reconnect(stage: Stage) -> None:
    stage.lab.gateway.reconnect_all()


def invalidate(stage: Stage) -> None:
    stage.lab.gateway.invalidate_all()


def invalidate_resumable(stage: Stage) -> None:
    stage.lab.gateway.invalidate_all(is_resumable=True)


def refuse_resume(stage: Stage) -> None:
    stage.lab.faults.refuse_resume = 1
    stage.lab.gateway.drop_all()


def refuse_handshakes(stage: Stage) -> None:
    stage.lab.faults.refuse_ws = 2
    stage.lab.gateway.drop_all()


@pytest.mark.parametrize(
    "fault", [drop, close, reconnect, invalidate, invalidate_resumable, refuse_resume, refuse_handshakes]
)
async def test_a_lost_session_comes_back_with_commands_and_cards(stage: Stage, fault: Callable[[Stage], None]) -> None:
    alice = stage.controller()
    card = await play(stage, alice)
    await card.until("▶ Playing")
    puts = requests(stage, "bulk_set_application_commands")
    sockets = set(stage.lab.gateway.connections)
    fault(stage)

    def is_back() -> bool:
        present = stage.lab.gateway.connections
        return any(one.session is not None and one.session.push is not None for one in present - sockets)

    await stage.wait_for(is_back, "another session", 30)
    await stage.wait_for(lambda: is_connected(stage), "the health page to say so", 30)
    paused = await alice.slash("pause", player=LIVING_ROOM)
    await paused.until(f"Paused {LIVING_ROOM}.")
    await card.until("⏸ Paused")
    assert len(alice.sees()) == 2
    assert requests(stage, "bulk_set_application_commands") == puts


async def test_what_was_said_while_the_socket_was_down_is_answered_after_the_resume(stage: Stage) -> None:
    alice = stage.controller()
    stage.watch(LIVING_ROOM)
    sent = orders(stage, "pause")
    stage.lab.gateway.drop_all()
    asked = alice.user.send_slash("pause", channel=alice.channel, player=LIVING_ROOM)
    await stage.wait_for(lambda: asked.answered.is_set(), "the answer", 10)
    await stage.wait_for(lambda: f"Paused {LIVING_ROOM}." in alice.sees()[-1].text, "the answer's text", 10)
    assert len(alice.sees()) == 1
    assert orders(stage, "pause") == sent + 1


@pytest.mark.soak
async def test_a_gateway_that_does_not_acknowledge_is_left(stage: Stage) -> None:
    """A zombie: the socket is open and nothing comes. discord.py takes a minute to be sure."""
    stage.lab.gateway.heartbeat_ms = 600
    try:
        stage.lab.gateway.drop_all()
        before = set(stage.lab.gateway.connections)
        await stage.wait_for(lambda: bool(stage.lab.gateway.connections - before), "a session with short beats", 30)
        zombies = set(stage.lab.gateway.connections)
        stage.lab.faults.mute_acks = True
        await stage.wait_for(lambda: not zombies & stage.lab.gateway.connections, "the zombie to be left", 90)
        stage.lab.faults.mute_acks = False
    finally:
        stage.lab.gateway.heartbeat_ms = 41_250
        stage.lab.gateway.drop_all()
    await stage.wait_for(lambda: is_connected(stage), "the health page to say so", 30)
    stage.watch(LIVING_ROOM)

    async def pauses() -> bool:
        asked = (member := stage.controller()).user.send_slash("pause", channel=member.channel, player=LIVING_ROOM)
        await asyncio.wait_for(asked.answered.wait(), 10)
        return True

    await stage.wait_for(pauses, "the bot to answer", 30)


# ---------------------------------------------------------------- lost answers


LOSSES: list[dict[str, Any]] = [
    {"drop": True},
    {"drop": True, "after_commit": True},
    {"status": 503},
    {"status": 503, "after_commit": True},
    {"status": 429, "retry_after_s": 0.1},
]


def id_of(how: dict[str, Any]) -> str:
    return "-".join(f"{name}={value}" for name, value in how.items())


@pytest.mark.parametrize("how", LOSSES, ids=id_of)
async def test_the_first_answer_is_given_once(stage: Stage, how: dict[str, Any]) -> None:
    alice = stage.controller()
    started = orders(stage, "playMedia")
    fault = stage.lab.faults.add("create_interaction_response", **how)
    card = await play(stage, alice)
    await card.until("▶ Playing", 20)
    assert fault.hits == 1
    assert len(alice.sees()) == 1
    assert orders(stage, "playMedia") == started + 1
    await card.click("Pause")
    await card.until("⏸ Paused")


@pytest.mark.parametrize("how", LOSSES, ids=id_of)
async def test_the_answer_after_a_deferral_is_given_once(stage: Stage, how: dict[str, Any]) -> None:
    alice = stage.controller()
    hold = stage.plex.faults.add("^/library/metadata/", "hold", times=1)
    card = await play(stage, alice)
    assert card.is_loading
    fault = stage.lab.faults.add("update_original_webhook_message", **how)
    hold.release()
    await card.until("▶ Playing", 20)
    assert fault.hits == 1
    assert len(alice.sees()) == 1
    await card.click("Pause")
    await card.until("⏸ Paused")


@pytest.mark.parametrize("how", LOSSES, ids=id_of)
async def test_a_follow_up_is_given_at_most_once(stage: Stage, how: dict[str, Any]) -> None:
    """A private refusal after a public deferral: it may be lost with the network, it must not stand there twice."""
    alice = stage.controller()
    hold = stage.plex.faults.add("^/library/metadata/", "hold", times=1)
    shown = await play(stage, alice)
    stage.plex.faults.add("^/library/metadata/", 404, times=1)
    fault = stage.lab.faults.add("execute_webhook", **how)
    hold.release()
    await stage.wait_for(lambda: fault.hits >= 1 and not shown.is_loading, "the follow-up", 20)
    arrives = how.get("after_commit") or "drop" not in how
    if arrives:
        await answered(shown)
    other = await alice.slash("players")
    await answered(other)
    private = [seen for seen in alice.sees() if seen.is_private]
    assert len(private) == (2 if arrives else 1), [seen.text for seen in private]
    assert [seen for seen in alice.sees() if not seen.is_private] == []


@pytest.mark.parametrize("how", LOSSES, ids=id_of)
async def test_an_edit_of_a_card_is_made_good(stage: Stage, how: dict[str, Any]) -> None:
    alice = stage.controller()
    card = await play(stage, alice)
    await card.until("▶ Playing")
    fault = stage.lab.faults.add("update_message", **how)
    stage.player(LIVING_ROOM).pause(stage.clock.now())

    async def is_paused() -> bool:
        stage.clock.jump(16)
        return "⏸ Paused" in card.text

    await stage.wait_for(is_paused, "the card to follow", 20)
    assert fault.hits == 1
    assert len(alice.sees()) == 1


async def test_a_channel_post_whose_answer_is_lost_stands_there_once(stage: Stage) -> None:
    """After 15 minutes Discord takes an answer no more: a public one is posted in the channel instead, and works."""
    alice = stage.controller()
    hold = stage.plex.faults.add("^/library/metadata/", "hold", times=1)
    shown = await play(stage, alice)
    assert shown.is_loading
    stage.clock.jump(16 * 60)
    fault = stage.lab.faults.add("create_message", drop=True, after_commit=True)
    hold.release()
    await stage.wait_for(lambda: fault.hits == 1, "the post", 20)
    await stage.wait_for(lambda: any("on **" in seen.text for seen in alice.sees()), "the card", 20)
    (card,) = [seen for seen in alice.sees() if "on **" in seen.text]
    await card.click("Pause")
    await card.until("⏸ Paused")
    assert sum("on **" in seen.text for seen in alice.sees()) == 1


# ---------------------------------------------------------------- twice


async def test_an_interaction_delivered_twice_is_handled_once(stage: Stage) -> None:
    alice = stage.controller()
    for name, order in (("play", "playMedia"), ("next", "skipNext"), ("pause", "pause")):
        sent = orders(stage, order)
        stage.lab.faults.repeat_interactions = 1
        shown = await (play(stage, alice) if name == "play" else alice.slash(name, player=LIVING_ROOM))
        await answered(shown)
        assert stage.lab.faults.repeat_interactions == 0
        other = await alice.slash("players")
        await answered(other)
        assert orders(stage, order) == sent + 1, name
        assert len(shown.messages) == 1
        other.dismiss()
    assert len(alice.sees()) == 3


async def test_a_press_delivered_twice_is_handled_once(stage: Stage) -> None:
    alice = stage.controller()
    card = await play(stage, alice)
    await card.until("▶ Playing")
    sent = orders(stage, "setParameters")
    stage.lab.faults.repeat_interactions = 1
    await card.click("Volume -")
    await card.until("volume 90 %")
    other = await alice.slash("players")
    await answered(other)
    assert orders(stage, "setParameters") == sent + 1
    assert stage.player(LIVING_ROOM).volume == 90


async def test_two_members_press_the_same_button_at_once(stage: Stage) -> None:
    """Both count, one after the other: nothing is lost between them, and the card ends up right."""
    alice = stage.controller()
    card = await play(stage, alice)
    await card.until("▶ Playing")
    theirs = stage.controller(alice.channel).user.message(card.message_id)
    pressed = await asyncio.gather(card.click("Volume -"), theirs.click("Volume -"))
    await card.until("volume 80 %")
    assert stage.player(LIVING_ROOM).volume == 80
    ways = {fact.kind for one in pressed for fact in one.facts}
    assert ways <= {"callback:update", "callback:deferred_update", "edit"}, "nobody was refused"
    assert len(alice.sees()) == 1


async def test_one_member_double_clicks(stage: Stage) -> None:
    alice = stage.controller()
    card = await play(stage, alice)
    await card.until("▶ Playing")
    await asyncio.gather(card.click("Pause"), card.click("Pause"), return_exceptions=True)
    await card.until("⏸ Paused")
    assert stage.player(LIVING_ROOM).state == "paused"
    assert "Resume" in card.buttons
    stopped = await asyncio.gather(card.click("Stop"), card.click("Stop"))
    await card.until("⏹ Ended")
    assert "This card has ended" in stopped[1].text
    assert stopped[1].is_private
    assert next(seen for seen in alice.sees() if not seen.is_private).text == card.text

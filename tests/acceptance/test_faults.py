"""Plex misbehaving at single places: the member gets a sentence, the card says so, and both get over it."""

from __future__ import annotations

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
        (403, "does not allow it"),
        (500, "gave an unreadable answer"),
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


async def test_now_tells_what_it_knows_when_a_server_is_slow(stage: Stage) -> None:
    stage.watch(LIVING_ROOM)
    stage.plex.faults.add("/status/sessions", "hold")
    shown = await stage.guest().slash("now")
    await shown.until("attic did not answer", timeout=40)
    stage.plex.faults.clear()


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

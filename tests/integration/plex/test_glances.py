"""What is offered while somebody types: asked for once, forgotten when it is no longer true, kept when Plex fails."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from daemon.core.errors import UpstreamError
from daemon.core.events import ServerBack
from daemon.modules.playback.glances import Glances
from simulators.plex.household import LIVING_ROOM, SHIELD
from tests.integration.plex.stage import ATTIC, Stage

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


async def test_plex_is_asked_once_for_several_keystrokes(stage: Stage) -> None:
    glances = Glances(stage.plex, stage.cache)
    player = stage.player(LIVING_ROOM)
    stage.sim.play(LIVING_ROOM, "Low Orbit")
    seen = await glances.playback(player)
    assert seen is not None
    assert seen.audio + seen.subtitles == await stage.plex.streams(player)
    asked = len(stage.sim.requests)
    for _ in range(5):
        assert await glances.playback(player) == seen
    assert len(stage.sim.requests) == asked


async def test_that_nothing_plays_is_no_failure(stage: Stage) -> None:
    glances = Glances(stage.plex, stage.cache)
    assert await glances.playback(stage.player(SHIELD)) is None
    assert await glances.queue(stage.player(SHIELD)) is None


async def test_what_was_seen_is_forgotten_after_an_order(stage: Stage) -> None:
    glances = Glances(stage.plex, stage.cache)
    player = stage.player(LIVING_ROOM)
    await stage.plex.play(player, stage.title("Low Orbit"), resume=False, shuffle=False)
    before = await glances.queue(player)
    assert before is not None
    await stage.plex.queue_add(player, stage.title("Ironwood"))
    assert await glances.queue(player) == before
    await glances.forget(player)
    after = await glances.queue(player)
    assert after is not None
    assert [item.title.name for item in after.items][1:] == ["Ironwood"]


async def test_a_server_that_comes_back_is_looked_at_anew(stage: Stage) -> None:
    glances = Glances(stage.plex, stage.cache)
    player = stage.player(LIVING_ROOM)
    assert await glances.playback(player) is None
    stage.sim.play(LIVING_ROOM, "Low Orbit")
    await glances.forget_server(ServerBack(server="cellar", occurred_at=NOON, lost_at=NOON))
    assert await glances.playback(player) is None
    await glances.forget_server(ServerBack(server=ATTIC, occurred_at=NOON, lost_at=NOON))
    assert await glances.playback(player)


async def test_what_was_never_seen_is_a_failure_while_plex_fails(stage: Stage) -> None:
    glances = Glances(stage.plex, stage.cache)
    stage.sim.faults.add("^/(status|player|clients)", 503)
    with pytest.raises(UpstreamError):
        await glances.playback(stage.player(LIVING_ROOM))

"""/play: from a few letters to a moving player."""

from __future__ import annotations

import pytest

from tests.acceptance.stage import LIVING_ROOM, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_three_letters_a_title_and_a_player(stage: Stage) -> None:
    alice = stage.controller()
    movie = next(item for item in stage.plex.world.items.values() if item.kind == "movie")
    titles = await alice.type_in("play", "title", movie.title[:3])
    title = next(choice for choice in titles if movie.title in choice["name"])
    players = await alice.type_in("play", "player", "liv", title=title)
    assert [choice["name"].split(" · ")[0] for choice in players] == [LIVING_ROOM]
    shown = await alice.slash("play", title=title, player=players[0])
    await shown.until(movie.title)
    await shown.until("Playing")
    player = stage.plex.players[LIVING_ROOM]
    assert player.item is not None
    assert player.item.title == movie.title
    assert not shown.is_private
    assert list(shown.files) == ["poster.jpg"] or list(shown.files) == ["poster.png"]

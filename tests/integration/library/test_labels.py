"""Labels, which listings never show, reach the mirror and narrow what is found; episodes go by their show."""

from __future__ import annotations

from pathlib import Path

import structlog

from daemon.core.visibility import LibraryRef, Restriction, Visibility
from daemon.kernel.tasks import Supervisor
from daemon.services.library import Search
from tests.integration.library.stage import ATTIC, Stage


async def test_a_label_is_mirrored_and_narrows_the_search(stage: Stage, tmp_path: Path) -> None:
    world = stage.sim.world
    show, film = world.listed(2, "show")[0], world.listed(1, "movie")[0]
    for item in (show, film):
        world.edit(item, world.now + 1, labels=("Attic Only",))
    await stage.sync()
    search = Search(stage.store, tmp_path / "search.sqlite3", Supervisor(log=structlog.get_logger("tests")))
    await search.catch_up()
    refs = [LibraryRef(ATTIC, "1"), LibraryRef(ATTIC, "2")]
    sees = Visibility(frozenset(refs), dict.fromkeys(refs, Restriction(labels=frozenset({"Attic Only"}))))
    assert [title.name for title in await search.suggest(film.title, sees)][:1] == [film.title]
    found = await search.suggest(f"{show.title} s01", sees)
    assert {title.grandparent or title.parent for title in found} == {show.title}
    assert await search.suggest(world.listed(2, "show")[1].title, sees) == []
    world.edit(show, world.now + 2, labels=())
    await stage.sync()
    assert await search.catch_up() > 2
    assert await search.suggest(f"{show.title} s01", sees) == []
    await search.stop()

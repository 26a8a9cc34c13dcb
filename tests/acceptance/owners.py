"""A daemon with many owners: nobody may ask as fast as a test does, so each test takes fresh ones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

from tests.acceptance.stage import Member, Stage, open_stage
from tests.acceptance.test_library import mirrored

_SPARE: WeakKeyDictionary[Stage, list[Member]] = WeakKeyDictionary()


@asynccontextmanager
async def open_stage_of_owners(count: int = 40) -> AsyncIterator[Stage]:
    """A stage whose daemon belongs to so many people and holds the libraries."""
    async with open_stage(is_started=False) as stage:
        _SPARE[stage] = [stage.guest() for _ in range(count)]
        stage.settings["MARQUEE_OWNERS"] = ",".join(str(member.user.user_id) for member in _SPARE[stage])
        await stage.start()
        await mirrored(stage)
        yield stage


def owner(stage: Stage) -> Member:
    """One who has not asked for anything yet."""
    return _SPARE[stage].pop()

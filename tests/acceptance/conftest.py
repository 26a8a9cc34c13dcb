"""One stage for each test module: starting a daemon and two simulators takes seconds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.acceptance.stage import Stage, open_stage


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share a stage of their module run in one process: each further process would start one of its own."""
    for item in items:
        if isinstance(item, pytest.Function) and _shares(item):
            item.add_marker(pytest.mark.xdist_group(item.module.__name__))
    _put_in_order(items)


def _put_in_order(items: list[pytest.Item]) -> None:
    """Modules that say so run from top to bottom: one evening in which what was done before is still there."""
    places: dict[str, list[int]] = {}
    for place, item in enumerate(items):
        if isinstance(item, pytest.Function) and getattr(item.module, "FROM_TOP_TO_BOTTOM", False):
            places.setdefault(item.module.__name__, []).append(place)
    for of_module in places.values():
        ordered = sorted((items[place] for place in of_module), key=lambda item: (item.location[1] or 0, item.name))
        for place, item in zip(of_module, ordered, strict=True):
            items[place] = item


def _shares(test: pytest.Function) -> bool:
    found = test._fixtureinfo.name2fixturedefs
    return any(definition.scope == "module" for definitions in found.values() for definition in definitions)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage() -> AsyncIterator[Stage]:
    """The module's stage."""
    async with open_stage() as stage:
        yield stage


@pytest.fixture
def stage(shared_stage: Stage) -> Iterator[Stage]:
    """The module's stage, quiet at the beginning and at the end of each test."""
    shared_stage.clear()
    yield shared_stage
    shared_stage.clear()

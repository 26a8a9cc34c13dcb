from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import pytest

from daemon.kernel.trace import (
    SHORT_CHARS,
    current_trace_id,
    name_of,
    new_trace_id,
    record_with,
    short,
    span,
    start_trace,
    traced,
)


@pytest.fixture
def recorded() -> Iterator[list[tuple[str, str, dict[str, object]]]]:
    seen: list[tuple[str, str, dict[str, object]]] = []

    @contextmanager
    def record(name: str, trace_id: str, attributes: Mapping[str, object]) -> Iterator[None]:
        seen.append((name, trace_id, dict(attributes)))
        yield

    record_with(record)
    yield seen
    record_with(None)


def test_an_id_is_that_of_w3c_trace_context() -> None:
    ids = {new_trace_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in ids)
    assert len(short(ids.pop())) == SHORT_CHARS


def test_an_id_holds_for_a_block_and_the_one_before_comes_back() -> None:
    with traced("a" * 32) as outer:
        with traced("") as inner:
            assert current_trace_id() == inner != outer
        assert current_trace_id() == outer
    assert current_trace_id() == ""


async def test_a_task_inherits_its_makers_id_and_keeps_its_own_to_itself() -> None:
    async def work() -> tuple[str, str]:
        return current_trace_id(), start_trace()

    with traced("") as mine:
        inherited, fresh = await asyncio.create_task(work())
        assert await asyncio.to_thread(current_trace_id) == mine
        assert current_trace_id() == mine
    assert inherited == mine
    assert fresh != mine


def test_a_span_is_recorded_for_a_traced_task_only(recorded: list[tuple[str, str, dict[str, object]]]) -> None:
    with span("alone"):
        pass
    with traced("") as trace_id, span("plex.get", server="attic"):
        pass
    assert recorded == [("plex.get", trace_id, {"server": "attic"})]


def test_nobody_records_by_default() -> None:
    with traced(""), span("quiet") as nothing:
        assert nothing is None


def test_functions_have_names() -> None:
    assert name_of(partial(new_trace_id)) == "new_trace_id"
    assert name_of(test_functions_have_names) == "test_functions_have_names"
    assert name_of(object()) == "object"

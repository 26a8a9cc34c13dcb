from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.limits import QUEUE_HINTS_MAX
from daemon.services.queue import SWEEP, Hint
from daemon.services.queue.lane import Entry, Lane, to_entry


def lane_with(*entries: tuple[int, ...], is_more: bool = False) -> Lane:
    lane = Lane("work")
    lane.add([Entry(f"{number}-0".encode(), ids) for number, ids in enumerate(entries)], is_more=is_more)
    return lane


def test_what_fits_is_handed_out_by_id() -> None:
    lane = lane_with((1, 2), (3,))
    assert lane.take(3).hint == Hint((1, 2, 3))
    assert lane.take(3).hint == Hint(())


def test_what_does_not_fit_is_a_sweep_and_the_rest_is_for_others() -> None:
    taken = lane_with((1, 2), (3,)).take(2)
    assert (taken.hint, taken.let_go, taken.left) == (SWEEP, (1, 2, 3), (3,))


def test_a_backlog_and_an_empty_entry_are_sweeps() -> None:
    assert lane_with((1,), is_more=True).take(5).hint == SWEEP
    lane = lane_with(())
    assert lane.take(5).hint == SWEEP
    assert lane.settle_empty() == [b"0-0"]
    assert lane.is_settled


def test_an_entry_ends_when_all_of_it_is_settled() -> None:
    lane = lane_with((1, 2), (2, 3))
    assert lane.settle([1, 7]) == []
    assert lane.settle([2]) == [b"0-0"]
    assert lane.settle([3, 3]) == [b"1-0"]
    assert lane.is_settled


def test_hints_of_this_process_are_bounded() -> None:
    lane = Lane("work")
    lane.add_here(range(QUEUE_HINTS_MAX + 1))
    assert lane.take(10).hint == SWEEP
    assert not lane.is_holding


def test_as_many_entries_are_read_as_there_is_room_for() -> None:
    lane = Lane("work")
    lane.wanted = 1
    assert lane.count_entries() >= 2
    lane.wanted = 256
    assert lane.count_entries() >= 256
    for number in range(100):
        lane.add([Entry(str(number).encode(), tuple(range(16)))], is_more=False)
    assert 15 <= lane.count_entries() <= 20


@pytest.mark.parametrize(
    ("fields", "ids"),
    [
        ([b"ids", b"1,22,333"], (1, 22, 333)),
        ({b"ids": b"7"}, (7,)),
        ([b"ids", b""], ()),
        ([b"ids", b"1,x"], ()),
        ([b"\xff\xfe", b"1"], ()),
        ([b"ids", b"\xff"], ()),
        ([b"ids", b"1,-2"], ()),
        ([b"ids", b"99999999999999999999"], ()),
        (None, ()),
    ],
)
def test_entries_are_read_whatever_they_hold(fields: Any, ids: tuple[int, ...]) -> None:
    assert to_entry(b"1-0", fields) == Entry(b"1-0", ids)


@given(
    st.lists(st.lists(st.integers(1, 20), max_size=5), min_size=1, max_size=10),
    st.lists(st.integers(1, 12), min_size=1, max_size=60),
)
def test_every_entry_ends_once_whatever_the_order(entries: list[list[int]], counts: list[int]) -> None:
    lane = Lane("work")
    for number, ids in enumerate(entries):
        lane.add([Entry(str(number).encode(), tuple(ids))], is_more=False)
    ended: list[bytes] = []
    for count in [*counts, 100]:
        taken = lane.take(count)
        assert taken.hint.ids is None or len(taken.hint.ids) <= count
        ended += lane.settle(taken.hint.ids or ())
        ended += lane.settle(taken.let_go)
    ended += lane.settle_empty()
    assert sorted(ended) == sorted(str(number).encode() for number in range(len(entries)))
    assert lane.is_settled

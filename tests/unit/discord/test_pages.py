from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.ids import ModuleId
from integrations.discord.components import ComponentSet, component
from integrations.discord.custom_ids import Signer
from integrations.discord.ui.paginator import page_number, page_of, pager
from integrations.discord.ui.pick import option, pick


class Lists(ComponentSet):
    @component("page")
    async def page(self, interaction: Any, ids: tuple[str, ...], values: tuple[str, ...]) -> None: ...


@pytest.fixture
def lists() -> Lists:
    made = Lists()
    made.bind(ModuleId("demo"), Signer(b"k" * 32))
    return made


@settings(deadline=None)
@given(st.lists(st.integers(), max_size=60), st.integers(-5, 100), st.integers(1, 10))
def test_the_pages_together_are_the_list(items: list[int], number: int, size: int) -> None:
    pages = page_of(items, 1, size).pages
    assert [item for n in range(1, pages + 1) for item in page_of(items, n, size).items] == items
    page = page_of(items, number, size)
    assert 1 <= page.number <= page.pages
    assert list(page.items) == items[page.first_index : page.first_index + size]


@pytest.mark.parametrize(("ids", "number"), [((), 1), (("a",), 1), (("7", "3"), 3), (("-1",), 1), (("9" * 30,), 1)])
def test_the_page_is_read_from_the_last_id(ids: tuple[str, ...], number: int) -> None:
    assert page_number(ids) == number


def test_one_page_needs_no_buttons(lists: Lists) -> None:
    assert pager(lists, "page", page=page_of([1, 2], 1, 5)) == ()


@pytest.mark.parametrize(
    ("number", "disabled"), [(1, [True, True, False]), (2, [False, True, False]), (9, [False, True, True])]
)
def test_paging_ends_at_both_ends(lists: Lists, number: int, disabled: list[bool]) -> None:
    (row,) = pager(lists, "page", ("now",), page=page_of(range(9), number, 1))
    buttons = [child.to_component_dict() for child in row.children]
    assert [button["disabled"] for button in buttons] == disabled
    assert buttons[1]["label"] == f"Page {number}/9"
    assert len({button["custom_id"] for button in buttons}) == 3


def test_a_pick_has_25_options_at_most_and_none_twice(lists: Lists) -> None:
    options = [option(f"Title {n}", f"t:attic:{n % 40}") for n in range(60)]
    menu: Any = pick(lists, "page", options=options, placeholder="Which one?").children[0].to_component_dict()
    assert len(menu["options"]) == 25
    assert len({choice["value"] for choice in menu["options"]}) == 25


def test_a_pick_has_one_default_at_most(lists: Lists) -> None:
    options = [option(name, name, is_default=name != "a") for name in "abc"]
    menu: Any = pick(lists, "page", options=options, placeholder="Audio").children[0].to_component_dict()
    assert [choice["default"] for choice in menu["options"]] == [False, True, False]


@settings(deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_options_always_fit(label: str, description: str) -> None:
    made = option(label, "v", description=description)
    assert 1 <= len(made.label) <= 100
    assert made.description is None or 1 <= len(made.description) <= 100

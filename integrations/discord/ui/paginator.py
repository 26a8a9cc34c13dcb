"""Lists in pages. The page stands in the buttons' custom ids, so paging works for ever and after a restart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import discord

from integrations.discord.components import ComponentSet
from integrations.discord.ui.layout import row

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list: its `items`, its `number` from 1, and how many pages there are (1 for an empty list)."""

    items: Sequence[T]
    number: int
    pages: int
    first_index: int  # of items[0] in the whole list, from 0


def page_of(items: Sequence[T], number: int, size: int) -> Page[T]:
    """Page `number` of `items`; a number beyond either end gives the nearest page, because lists grow and shrink.

    Seven items in pages of 3: number 3 is (items[6:7], 3, 3), and so is number 9.
    """
    pages = max(1, -(-len(items) // size))
    number = min(max(1, number), pages)
    first = (number - 1) * size
    return Page(items[first : first + size], number, pages, first)


def page_number(ids: Sequence[str]) -> int:
    """The page that a press asks for: the last of its ids; 1 when it is not a number."""
    return int(ids[-1]) if ids and ids[-1].isascii() and ids[-1].isdigit() and len(ids[-1]) <= 6 else 1


def pager(
    components: ComponentSet, action: str, ids: Iterable[object] = (), *, page: Page[Any]
) -> tuple[discord.ui.ActionRow[Any], ...]:
    """A row of back, "Page 2/9" and forward; none when one page holds it all.

    A press runs the `@component(action)` handler with `ids` and, last, the number of the page: see `page_number`.
    """
    if page.pages == 1:
        return ()
    ids = tuple(ids)

    def step(label: str, number: int, *, disabled: bool) -> discord.ui.Item[Any]:
        return components.button(action, (*ids, number), label=label, disabled=disabled)

    return (
        row(
            step("Back", page.number - 1, disabled=page.number == 1),
            step(f"Page {page.number}/{page.pages}", page.number, disabled=True),
            step("Forward", page.number + 1, disabled=page.number == page.pages),
        ),
    )

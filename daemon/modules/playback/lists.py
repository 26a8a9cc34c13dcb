"""Long lists, a page at a time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Part of a list. `number` counts from 0, `first` is the place of its first item in the whole, from 0."""

    items: tuple[T, ...]
    number: int
    count: int  # of pages, at least 1
    first: int
    total: int


def page_of(items: Sequence[T], number: int, size: int) -> Page[T]:
    """Page `number`, or the nearest there is: a list may have become shorter since its buttons were made.

    Of 11 items in pages of 5, page 9 is the third one with one item.
    """
    count = max(1, -(-len(items) // size))
    number = max(0, min(number, count - 1))
    first = number * size
    return Page(tuple(items[first : first + size]), number, count, first, len(items))


def parse_page(text: str) -> int:
    """The page number in a button's id; 0 for anything that is not a number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else 0

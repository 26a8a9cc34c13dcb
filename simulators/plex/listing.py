"""Filtering, sorting and cutting lists of titles as `/library/sections/N/all` does."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from simulators.plex.filters import matches_words, test_of
from simulators.plex.items import Item
from simulators.plex.world import Account, World

__all__ = ["matches_words", "select", "sort_title"]

_ARTICLE = re.compile(r"^(?:the|an?)\s+", re.IGNORECASE)
DEFAULT_SORT = "titleSort"


def sort_title(item: Item) -> str:
    """What a title is sorted by: without its article, whatever its case."""
    return _ARTICLE.sub("", str(item.given.get("title_sort") or item.title)).casefold()


def select(
    world: World, items: Iterable[Item], query: Iterable[tuple[str, str]], account: Account, sort: str = DEFAULT_SORT
) -> list[Item]:
    """Those of `items` that pass every filter in `query`, sorted by its `sort`, at most `limit`.

    Filters are the fields of `filters._FILTERS` with the operators `=`, `!=`, `==`, `>>=`, `<<=`, `>=`, `<=`, and
    groups of them between `push=1` and `pop=1`. Other parameters change nothing.
    """
    query, limit = list(query), None
    test = test_of(world, account, query)
    chosen = [item for item in items if test(item)] if test else list(items)
    for name, value in query:
        if name == "sort":
            sort = value
        elif name == "limit" and value.isdigit():
            limit = int(value)
    for part in reversed(sort.split(",")):
        _sort(world, chosen, part, account)
    return chosen[:limit]


def _sort(world: World, items: list[Item], part: str, account: Account) -> None:
    name, _, direction = part.rpartition(".")[2].partition(":")
    if name == "random":
        random.Random(world.revision).shuffle(items)
        return
    key = _SORTS.get(name)
    if key is not None:
        items.sort(key=lambda item: key(world, account, item), reverse=direction == "desc")


_SORTS: Mapping[str, Callable[[World, Account, Item], Any]] = {
    "titleSort": lambda world, account, item: sort_title(item),
    "title": lambda world, account, item: item.title.casefold(),
    "addedAt": lambda world, account, item: item.added_at,
    "updatedAt": lambda world, account, item: item.updated_at,
    "year": lambda world, account, item: item.year or 0,
    "index": lambda world, account, item: item.index or 0,
    "duration": lambda world, account, item: item.duration_ms or 0,
    "originallyAvailableAt": lambda world, account, item: world.facts(item).released or "",
    "rating": lambda world, account, item: world.facts(item).rating or 0.0,
    "audienceRating": lambda world, account, item: world.facts(item).audience_rating or 0.0,
    "userRating": lambda world, account, item: world.view(account.id, item).user_rating or 0.0,
    "viewCount": lambda world, account, item: world.view(account.id, item).count,
    "lastViewedAt": lambda world, account, item: world.view(account.id, item).last_viewed_at,
    "mediaSize": lambda world, account, item: world.files(item)[1],
    "mediaBitrate": lambda world, account, item: max((each.bitrate for each in world.facts(item).media), default=0),
    "mediaHeight": lambda world, account, item: max((each.height for each in world.facts(item).media), default=0),
}

"""Filtering, sorting and cutting lists of titles as `/library/sections/N/all` does."""

from __future__ import annotations

import operator
import random
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from simulators.plex.details import tag_id
from simulators.plex.items import Item
from simulators.plex.world import Account, World

_FIELD = re.compile(r"^(?:(?P<kind>\w+)\.)?(?P<field>\w+?)(?P<op>>>|<<|>|<|!=|!|=)?$")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">>": operator.gt,
    "<<": operator.lt,
    ">": operator.ge,
    "<": operator.le,
}
_ARTICLE = re.compile(r"^(?:the|an?)\s+", re.IGNORECASE)
DEFAULT_KINDS = {"movie": "movie", "show": "show", "artist": "artist", "photo": "photo"}


def sort_title(item: Item) -> str:
    """What a title is sorted by: without its article, whatever its case."""
    return _ARTICLE.sub("", str(item.given.get("title_sort") or item.title)).casefold()


def matches_words(title: str, text: str) -> bool:
    """Whether every word of `text` begins somewhere in a word of `title`, or the text stands in it as it is."""
    low, wanted = title.casefold(), text.casefold().strip()
    if wanted in low:
        return True
    parts = re.split(r"[\W_]+", low)
    return all(any(part.startswith(word) for part in parts) for word in re.split(r"[\W_]+", wanted) if word)


def select(world: World, items: Iterable[Item], query: Iterable[tuple[str, str]], account: Account) -> list[Item]:
    """Those of `items` that pass every filter in `query`, sorted by its `sort`, at most `limit`.

    Filters: title, year, decade, genre, actor, director, writer, country, unwatched, inProgress, addedAt, guid,
    viewCount, lastViewedAt, duration, studio, contentRating, userRating, resolution, collection, duplicate, each with
    the operators `=`, `!=`, `>>=`, `<<=`, `>=`, `<=`. Other parameters change nothing.
    """
    chosen = list(items)
    sort, limit = "titleSort", None
    for name, value in query:
        if name == "sort":
            sort = value
        elif name == "limit" and value.isdigit():
            limit = int(value)
        elif (match := _FIELD.match(name)) and match["field"] in _FILTERS:
            passes = _filter(world, account, match["field"], match["op"] or "=", value, of_kind=match["kind"])
            chosen = [item for item in chosen if passes(item)]
    for part in reversed(sort.split(",")):
        _sort(world, chosen, part, account)
    return chosen[:limit]


def _filter(
    world: World, account: Account, field: str, op: str, value: str, *, of_kind: str | None
) -> Callable[[Item], bool]:
    """A test of one field: `artist.id` asks the artist of an album or a track, `id` and `album.id` the album itself."""

    def read(world: World, account: Account, item: Item) -> Iterable[Any]:
        asked: Item | None = item
        while asked is not None and of_kind is not None and asked.kind != of_kind:
            asked = asked.parent
        return _FILTERS[field](world, account, asked or item)

    wanted = [_number(part) for part in value.split(",")]
    if op in _COMPARE:
        compare, bound = _COMPARE[op], wanted[0]
        return lambda item: any(
            compare(have, bound) for have in read(world, account, item) if isinstance(have, type(bound))
        )
    is_negative = op.startswith("!")
    if field in ("title", "studio"):
        return lambda item: (
            any(matches_words(str(have), value) for have in read(world, account, item)) is not is_negative
        )
    strings = {str(part) for part in wanted}
    return lambda item: any(str(have) in strings for have in read(world, account, item)) is not is_negative


def _number(text: str) -> int | str:
    return int(text) if re.fullmatch(r"-?\d+", text) else text


Reader = Callable[[World, Account, Item], Iterable[Any]]


def _tags(kind: str, names: Callable[[World, Item], Iterable[str]]) -> Reader:
    return lambda world, account, item: [part for name in names(world, item) for part in (tag_id(kind, name), name)]


def _unwatched(world: World, account: Account, item: Item) -> tuple[int]:
    leaves = world.leaves(item)
    return (int(any(not world.view(account.id, leaf).count for leaf in leaves)),)


def _in_progress(world: World, account: Account, item: Item) -> tuple[int]:
    return (int(any(world.view(account.id, leaf).offset_ms for leaf in world.leaves(item))),)


_FILTERS: Mapping[str, Reader] = {
    "title": lambda world, account, item: [item.title],
    "year": lambda world, account, item: [item.year],
    "decade": lambda world, account, item: [item.year // 10 * 10 if item.year else None],
    "id": lambda world, account, item: [item.key],
    "guid": lambda world, account, item: [world.facts(item).guid],
    "genre": _tags("Genre", lambda world, item: item.genres),
    "actor": _tags("Role", lambda world, item: [name for name, _ in world.facts(item).roles]),
    "director": _tags("Director", lambda world, item: world.facts(item).directors),
    "writer": _tags("Writer", lambda world, item: world.facts(item).writers),
    "country": _tags("Country", lambda world, item: world.facts(item).countries),
    "studio": lambda world, account, item: [world.facts(item).studio or ""],
    "contentRating": lambda world, account, item: [world.facts(item).content_rating],
    "resolution": lambda world, account, item: [media.resolution for media in world.facts(item).media],
    "duplicate": lambda world, account, item: [int(len(world.facts(item).media) > 1)],
    "unwatched": _unwatched,
    "unwatchedLeaves": _unwatched,
    "inProgress": _in_progress,
    "addedAt": lambda world, account, item: [item.added_at],
    "duration": lambda world, account, item: [item.duration_ms],
    "index": lambda world, account, item: [item.index],
    "viewCount": lambda world, account, item: [world.view(account.id, item).count],
    "lastViewedAt": lambda world, account, item: [world.view(account.id, item).last_viewed_at],
    "userRating": lambda world, account, item: [world.view(account.id, item).user_rating],
    "collection": lambda world, account, item: [
        part
        for shelf in world.listed(item.section, "collection")
        if any(member is item for _, member in shelf.members)
        for part in (shelf.key, shelf.title)
    ],
}


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
    "viewCount": lambda world, account, item: world.view(account.id, item).count,
    "lastViewedAt": lambda world, account, item: world.view(account.id, item).last_viewed_at,
}

"""The filters of listings: which titles pass `genre=12`, `year>>=2000`, `label!=7` or several with and/or between."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulators.plex.details import tag_id
from simulators.plex.items import Item
from simulators.plex.world import Account, World

_FIELD = re.compile(r"^(?:(?P<kind>\w+)\.)?(?P<field>\w+?)(?P<op>>>|<<|>|<|!=|!|=|&)?$")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">>": operator.gt,
    "<<": operator.lt,
    ">": operator.ge,
    "<": operator.le,
}
_TEXTS: dict[str, Callable[[str, str], bool]] = {
    "=": operator.eq,
    "!=": operator.eq,
    "<": str.startswith,
    ">": str.endswith,
}
SHELF_TAGS_FROM = 1_000_000  # tag ids of collections, apart from those of genres and people
Test = Callable[[Item], bool]
Reader = Callable[[World, Account, Item], Iterable[Any]]


def shelf_tag(shelf: Item) -> int:
    """The tag id of a collection: its `index`, and what `collection=` takes; it is not the rating key."""
    return SHELF_TAGS_FROM + shelf.serial


def matches_words(title: str, text: str) -> bool:
    """Whether every word of `text` begins somewhere in a word of `title`, or the text stands in it as it is."""
    low, wanted = title.casefold(), text.casefold().strip()
    if wanted in low:
        return True
    parts = re.split(r"[\W_]+", low)
    return all(any(part.startswith(word) for part in parts) for word in re.split(r"[\W_]+", wanted) if word)


@dataclass(slots=True)
class _Group:
    """Tests between `push=1` and `pop=1`; `or=1` among them makes one of them enough."""

    is_any: bool = False
    tests: list[Test] = field(default_factory=list)

    def test(self) -> Test:
        """All of them as one."""
        tests, judge = tuple(self.tests), any if self.is_any else all
        return lambda item: judge(test(item) for test in tests)


def test_of(world: World, account: Account, query: Iterable[tuple[str, str]]) -> Test | None:
    """One test for every filter in `query`; None when there is none. Parameters that are no filters change nothing."""
    stack = [_Group()]
    for name, value in query:
        if name == "push":
            stack.append(_Group())
        elif name == "pop" and len(stack) > 1:
            closed = stack.pop()
            stack[-1].tests.append(closed.test())
        elif name == "or":
            stack[-1].is_any = True
        elif (match := _FIELD.match(name)) and match["field"] in _FILTERS:
            stack[-1].tests.append(_filter(world, account, match["field"], match["op"] or "", value, match["kind"]))
    while len(stack) > 1:
        closed = stack.pop()
        stack[-1].tests.append(closed.test())
    return stack[0].test() if stack[0].tests else None


def _filter(world: World, account: Account, field: str, op: str, value: str, of_kind: str | None) -> Test:
    """A test of one field: `artist.id` asks the artist of an album or a track, `id` and `album.id` the album itself."""

    def read(item: Item) -> Iterable[Any]:
        asked: Item | None = item
        while asked is not None and of_kind is not None and asked.kind != of_kind:
            asked = asked.parent
        return _FILTERS[field](world, account, asked or item)

    wanted = [_number(part) for part in value.split(",")]
    is_negative = op.startswith("!")
    if field in ("title", "studio", "originalTitle"):
        if op in _TEXTS:
            compare, text = _TEXTS[op], value.casefold()
            return lambda item: any(compare(str(have).casefold(), text) for have in read(item)) is not is_negative
        return lambda item: any(matches_words(str(have), value) for have in read(item)) is not is_negative
    if op in _COMPARE:
        compare, bound = _COMPARE[op], wanted[0]
        return lambda item: any(compare(have, bound) for have in read(item) if isinstance(have, type(bound)))
    if field == "guid":  # never at commas: some guids have them
        return lambda item: any(have == value for have in read(item)) is not is_negative
    strings = {str(part) for part in wanted}
    return lambda item: any(str(have) in strings for have in read(item)) is not is_negative


def _number(text: str) -> int | str:
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def _tags(kind: str, names: Callable[[World, Item], Iterable[str]]) -> Reader:
    return lambda world, account, item: [part for name in names(world, item) for part in (tag_id(kind, name), name)]


def _unwatched(world: World, account: Account, item: Item) -> tuple[int]:
    leaves = world.leaves(item)
    return (int(any(not world.view(account.id, leaf).count for leaf in leaves)),)


def _in_progress(world: World, account: Account, item: Item) -> tuple[int]:
    return (int(any(world.view(account.id, leaf).offset_ms for leaf in world.leaves(item))),)


def is_unmatched(world: World, item: Item) -> bool:
    """Whether no agent knows what it is."""
    return str(item.given.get("guid", "")).startswith(("local://", "com.plexapp.agents.none://"))


_FILTERS: Mapping[str, Reader] = {
    "title": lambda world, account, item: [item.title],
    "originalTitle": lambda world, account, item: [world.facts(item).original_title or ""],
    "year": lambda world, account, item: [item.year],
    "decade": lambda world, account, item: [item.year // 10 * 10 if item.year else None],
    "id": lambda world, account, item: [item.key],
    "guid": lambda world, account, item: [world.guid(item)],
    "genre": _tags("Genre", lambda world, item: item.genres),
    "label": _tags("Label", lambda world, item: world.labels(item)),
    "actor": _tags("Role", lambda world, item: [name for name, _ in world.facts(item).roles]),
    "director": _tags("Director", lambda world, item: world.facts(item).directors),
    "writer": _tags("Writer", lambda world, item: world.facts(item).writers),
    "producer": _tags("Producer", lambda world, item: world.facts(item).producers),
    "country": _tags("Country", lambda world, item: world.facts(item).countries),
    "studio": lambda world, account, item: [world.facts(item).studio or ""],
    "contentRating": lambda world, account, item: [world.facts(item).content_rating],
    "resolution": lambda world, account, item: [media.resolution for media in world.facts(item).media],
    "mediaSize": lambda world, account, item: [media.size_bytes for media in world.facts(item).media],
    "mediaBitrate": lambda world, account, item: [media.bitrate for media in world.facts(item).media],
    "duplicate": lambda world, account, item: [int(world.files(item)[0] > 1)],
    "unmatched": lambda world, account, item: [int(is_unmatched(world, item))],
    "trash": lambda world, account, item: [int(item.deleted_at > 0)],
    "unwatched": _unwatched,
    "unwatchedLeaves": _unwatched,
    "inProgress": _in_progress,
    "addedAt": lambda world, account, item: [item.added_at],
    "updatedAt": lambda world, account, item: [item.updated_at],
    "originallyAvailableAt": lambda world, account, item: [world.facts(item).released],
    "duration": lambda world, account, item: [item.duration_ms],
    "index": lambda world, account, item: [item.index],
    "viewCount": lambda world, account, item: [world.view(account.id, item).count],
    "lastViewedAt": lambda world, account, item: [world.view(account.id, item).last_viewed_at],
    "userRating": lambda world, account, item: [world.view(account.id, item).user_rating],
    "rating": lambda world, account, item: [world.facts(item).rating],
    "audienceRating": lambda world, account, item: [world.facts(item).audience_rating],
    "collection": lambda world, account, item: [
        part for shelf in world.shelves(item) for part in (shelf_tag(shelf), shelf.title)
    ],
}

"""What the simulated server holds: libraries, titles, accounts and what each account has watched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from simulators.plex.details import Facts, draw_facts
from simulators.plex.items import LEAF_KINDS, Item

FACTS_CACHED_MAX = 20_000


@dataclass(slots=True)
class Section:
    """A library. `changed` counts changes of its content (contentChangedAt)."""

    id: int
    kind: str
    title: str
    uuid: str
    folder: str
    agent: str
    scanner: str
    created_at: int
    changed: int
    scanned_at: int
    is_refreshing: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody with a token. `id` is the server's (1: owner), `remote_id` the one at plex.tv; sections None: all."""

    id: int
    name: str
    remote_id: int
    email: str
    token: str
    uuid: str
    sections: frozenset[int] | None = None
    is_managed: bool = False

    @property
    def is_owner(self) -> bool:
        """Whether this account may read sessions, accounts and settings."""
        return self.id == 1

    def may_see(self, section: int) -> bool:
        """Whether the section is shared with this account."""
        return self.sections is None or section in self.sections


@dataclass(slots=True)
class View:
    """What one account has seen of one title."""

    count: int = 0
    offset_ms: int = 0
    last_viewed_at: int = 0
    user_rating: float | None = None


class Origin(NamedTuple):
    """What a world was made of; its titles are those of every world made of the same until `revision` moves."""

    seed: int
    size: str
    now: int
    revision: int


class World:
    """All titles by rating key and by (section, kind); every change of them moves `revision`."""

    def __init__(self, seed: int, now: int) -> None:
        self.seed = seed
        self.now = now  # the instant the library was made for: nothing in it is younger
        self.revision = 0
        self.origin: Origin | None = None  # unless it was put together by hand
        self.sections: dict[int, Section] = {}
        self.items: dict[int, Item] = {}
        self.accounts: dict[int, Account] = {}
        self.views: dict[tuple[int, int], View] = {}
        self.selections: dict[tuple[int, int], dict[int, int]] = {}  # (account, part) -> stream type -> stream id
        self._lists: dict[tuple[int, str], list[Item]] = {}
        self._facts: dict[int, Facts] = {}
        self._view_changes: dict[int, int] = {}
        self._next_key = 1001

    def add(self, item: Item) -> Item:
        """Take in a title, with a fresh rating key when it has none (0), below its parent when it has one."""
        if not item.key:
            item.key = self._next_key
        self._next_key = max(self._next_key, item.key + 1)
        item.serial = item.serial or item.key
        item.updated_at = item.updated_at or item.added_at
        self.items[item.key] = item
        self._lists.setdefault((item.section, item.kind), []).append(item)
        if item.parent is not None and item not in item.parent.children[-1:]:
            item.parent.children.append(item)
        self.touch(item.section)
        return item

    def remove(self, item: Item) -> None:
        """Forget a title and all below it; playlists and collections lose it too."""
        for child in list(item.children):
            self.remove(child)
        self.items.pop(item.key, None)
        self._lists[(item.section, item.kind)].remove(item)
        if item.parent is not None and item in item.parent.children:
            item.parent.children.remove(item)
        for holder in (*self.listed(None, "playlist"), *self.listed(None, "collection")):
            holder.members = [member for member in holder.members if member[1] is not item]
        self.touch(item.section)

    def rekey(self, item: Item) -> int:
        """Give a title a new rating key, as a replaced file or a rebuilt library does; returns it."""
        del self.items[item.key]
        item.key = self._next_key
        self._next_key += 1
        self.items[item.key] = item
        self.touch(item.section)
        return item.key

    def edit(self, item: Item, now: int, **changes: Any) -> None:
        """Change fields of a title (`title`, `year`) or its drawn facts (`summary`, ...)."""
        for name, value in changes.items():
            if name in ("title", "year", "duration_ms", "genres"):
                setattr(item, name, value)
            else:
                item.given[name] = value
        item.updated_at = now
        self._facts.pop(item.serial, None)
        self.touch(item.section)

    def touch(self, section: int) -> None:
        """Note that a section's content changed."""
        self.revision += 1
        if section in self.sections:
            self.sections[section].changed += 1

    def listed(self, section: int | None, kind: str) -> list[Item]:
        """Titles of one kind in the order they came, of one section or of all (None)."""
        if section is not None:
            return self._lists.get((section, kind), [])
        return [item for (_, of_kind), items in self._lists.items() if of_kind == kind for item in items]

    def facts(self, item: Item) -> Facts:
        """The small print of a title: drawn on demand from the seed, the same each time."""
        found = self._facts.get(item.serial)
        if found is None:
            if len(self._facts) >= FACTS_CACHED_MAX:
                self._facts.clear()
            found = self._facts[item.serial] = draw_facts(self.seed, item)
        return found

    def leaves(self, item: Item) -> list[Item]:
        """What really plays: the title itself, or everything playable below it in order."""
        if item.kind in LEAF_KINDS:
            return [item]
        below: Iterable[Item] = item.children or [member for _, member in item.members]
        return [leaf for child in below for leaf in self.leaves(child)]

    def view(self, account: int, item: Item) -> View:
        """What the account has seen of a title; an empty one when nothing."""
        return self.views.get((account, item.serial)) or View()

    def state(self, account: int) -> tuple[int, int]:
        """Differs whenever something changed that a listing shows to this account."""
        return (self.revision, self._view_changes.get(account, 0))

    def change_view(self, account: int, item: Item) -> View:
        """The view to write to; cached pages of this account are out of date."""
        self._view_changes[account] = self._view_changes.get(account, 0) + 1
        return self.views.setdefault((account, item.serial), View())

    def viewed_leaves(self, account: int, item: Item) -> int:
        """How many playable titles below have been watched to the end."""
        return sum(1 for leaf in self.leaves(item) if self.view(account, leaf).count)

    def visible(self, account: Account, items: Iterable[Item]) -> Iterator[Item]:
        """Those of `items` whose section is shared with the account; playlists (section 0) are."""
        return (item for item in items if item.section == 0 or account.may_see(item.section))

    def by_serial(self, serial: int) -> Item | None:
        """A title by what never changes about it; None when it is gone."""
        item = self.items.get(serial)
        if item is not None and item.serial == serial:
            return item
        return next((item for item in self.items.values() if item.serial == serial), None)

    def find(self, title: str, kind: str | None = None) -> Item:
        """The first title of exactly this name (and kind); LookupError when there is none. For tests and demos."""
        for item in self.items.values():
            if item.title == title and kind in (None, item.kind):
                return item
        raise LookupError(f"no {kind or 'title'} named {title!r}")

    def by_token(self, token: str) -> Account | None:
        """Whose token this is."""
        return next((account for account in self.accounts.values() if account.token == token), None)

"""What the simulated server holds: libraries, titles, accounts and what each account has watched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from simulators.plex.details import Facts, draw_facts, drawn_guid
from simulators.plex.items import LEAF_KINDS, Item
from simulators.plex.restrictions import OPEN, Filters

FACTS_CACHED_MAX = 20_000
SIGN_INS_MAX = 1_000


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
    """Somebody with a token. `id` is the server's (1: owner), `remote_id` the one at plex.tv; sections None: all.

    `token` is of plex.tv. The server takes that of its owner; everybody else has another for it, which plex.tv tells
    them beside the server's name.
    """

    id: int
    name: str
    remote_id: int
    email: str
    token: str
    uuid: str
    sections: frozenset[int] | None = None
    is_managed: bool = False
    filters: Filters = OPEN
    is_shared: bool = True  # False: it has a token of plex.tv, and none that this server takes
    pin: str = ""  # of a managed account: what it takes to become it
    access_token: str = ""  # what this server takes; "" for its owner: the one of plex.tv

    @property
    def server_token(self) -> str:
        """The token that this server takes."""
        return self.access_token or self.token

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
    rated_at: int = 0


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
        self.changes: dict[int, int] = {}  # serial -> revision at which what a listing shows of it changed
        self._lists: dict[tuple[int, str], list[Item]] = {}
        self._serials: dict[int, Item] = {}
        self._guids: dict[str, list[Item]] | None = None  # made when somebody asks
        self._shelves: tuple[int, dict[int, list[Item]]] = (-1, {})
        self._facts: dict[int, Facts] = {}
        self._view_changes: dict[int, int] = {}
        self._view_marks: dict[tuple[int, int], int] = {}
        self._files: dict[int, tuple[int, int]] = {}
        self.sign_ins: dict[str, int] = {}  # tokens that PINs gave -> account; the owner's the server takes, too
        self.put_aside: dict[tuple[int, int], int] = {}  # (account, serial) -> when it was taken off what to go on with
        self._next_key = 1001

    def add(self, item: Item) -> Item:
        """Take in a title, with a fresh rating key when it has none (0), below its parent when it has one."""
        if not item.key:
            item.key = self._next_key
        self._next_key = max(self._next_key, item.key + 1)
        item.serial = item.serial or item.key
        item.updated_at = item.updated_at or item.added_at
        self.items[item.key] = self._serials[item.serial] = item
        self._lists.setdefault((item.section, item.kind), []).append(item)
        if item.parent is not None and item not in item.parent.children[-1:]:
            item.parent.children.append(item)
        self._guids = None
        self.touch(item.section)
        self.mark(item)
        return item

    def remove(self, item: Item) -> None:
        """Forget a title and all below it; playlists and collections lose it too."""
        for child in list(item.children):
            self.remove(child)
        for holder in (*self.listed(None, "playlist"), *self.listed(None, "collection")):
            if any(member is item for _, member in holder.members):
                holder.members = [member for member in holder.members if member[1] is not item]
                self.changes[holder.serial] = self.revision + 1
        self.mark(item)
        self.items.pop(item.key, None)
        self._serials.pop(item.serial, None)
        self._lists[(item.section, item.kind)].remove(item)
        if item.parent is not None and item in item.parent.children:
            item.parent.children.remove(item)
        self._guids = None
        self.touch(item.section)

    def remove_section(self, section: int) -> Section:
        """Forget a library with all that is in it; KeyError when there is none."""
        gone = self.sections.pop(section)
        for place in [place for place in self._lists if place[0] == section]:
            for item in self._lists.pop(place):
                del self.items[item.key], self._serials[item.serial]
        for playlist in self.listed(None, "playlist"):
            if any(member.section == section for _, member in playlist.members):
                playlist.members = [row for row in playlist.members if row[1].section != section]
                self.changes[playlist.serial] = self.revision + 1
        self._guids = None
        self.touch(section)
        return gone

    def rekey(self, item: Item) -> int:
        """Give a title a new rating key, as a replaced file or a rebuilt library does; returns it."""
        del self.items[item.key]
        item.key = self._next_key
        self._next_key += 1
        self.items[item.key] = item
        self.touch(item.section)
        self.mark(item)
        return item.key

    def edit(self, item: Item, now: int, **changes: Any) -> None:
        """Change fields of a title (`title`, `year`) or its drawn facts (`summary`, ...)."""
        for name, value in changes.items():
            if name in ("title", "year", "duration_ms", "genres", "added_at", "deleted_at", "index"):
                setattr(item, name, value)
            else:
                item.given[name] = value
        item.updated_at = now
        self._facts.pop(item.serial, None)
        self._files.pop(item.serial, None)
        if "guid" in changes:
            self._guids = None
        self.touch(item.section)
        self.mark(item)

    def touch(self, section: int) -> None:
        """Note that a section's content changed."""
        self.revision += 1
        if section in self.sections:
            self.sections[section].changed += 1

    def mark(self, item: Item) -> None:
        """Note that listings show this title, and those above and below it, differently from now on."""
        above: Item | None = item
        while above is not None:
            self.changes[above.serial] = self.revision
            above = above.parent
        for child in item.children:
            self._mark_below(child)

    def _mark_below(self, item: Item) -> None:
        self.changes[item.serial] = self.revision
        for child in item.children:
            self._mark_below(child)

    def set_members(self, holder: Item, members: list[tuple[int, Item]], now: int) -> None:
        """Put other titles into a playlist or collection."""
        before, after = ({member.serial: member for _, member in rows} for rows in (holder.members, members))
        holder.members, holder.updated_at = members, now
        self.touch(holder.section)
        self.mark(holder)
        if holder.kind == "collection":  # its titles carry its name
            for serial in before.keys() ^ after.keys():
                self.changes[serial] = self.revision

    def members(self, holder: Item) -> list[tuple[int, Item]]:
        """(member id, title) of what a playlist or collection holds now."""
        if holder.rule is None:
            return holder.members
        return [(item.key, item) for item in holder.rule()]

    def shelves(self, item: Item) -> list[Item]:
        """The collections that a title was put into; smart ones do not count."""
        if self._shelves[0] != self.revision:
            found: dict[int, list[Item]] = {}
            for shelf in self.listed(None, "collection"):
                for _, member in shelf.members if shelf.rule is None else ():
                    found.setdefault(member.serial, []).append(shelf)
            self._shelves = (self.revision, found)
        return self._shelves[1].get(item.serial, [])

    def guid(self, item: Item) -> str:
        """Its plex:// (or local://, collection://) guid, without drawing the rest of its facts."""
        return str(item.given.get("guid") or drawn_guid(self.seed, item))

    def by_guid(self, guid: str) -> list[Item]:
        """Every title with this guid: two libraries may hold the same film."""
        if self._guids is None:
            self._guids = {}
            for item in self.items.values():
                self._guids.setdefault(self.guid(item), []).append(item)
        return self._guids.get(guid, [])

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
        below: Iterable[Item] = item.children or [member for _, member in self.members(item)]
        return [leaf for child in below for leaf in self.leaves(child)]

    def view(self, account: int, item: Item) -> View:
        """What the account has seen of a title; an empty one when nothing."""
        return self.views.get((account, item.serial)) or View()

    def state(self, account: int) -> tuple[int, int]:
        """Differs whenever something changed that a listing shows to this account."""
        return (self.revision, self._view_changes.get(account, 0))

    def marks(self, account: Account, item: Item) -> tuple[int, int]:
        """Differ whenever what a listing shows of a title to this account may differ; zeros: as it was made."""
        if item.kind == "collection":  # what a smart one holds, and how much of it somebody sees, nobody notes
            return (self.revision, self._view_changes.get(account.id, 0))
        return (self.changes.get(item.serial, 0), self._view_marks.get((account.id, item.serial), 0))

    def files(self, item: Item) -> tuple[int, int]:
        """(versions, bytes) of a title; remembered, for drawing the facts of a whole library takes long."""
        found = self._files.get(item.serial)
        if found is None:
            media = self.facts(item).media
            found = self._files[item.serial] = (len(media), sum(each.size_bytes for each in media))
        return found

    def change_view(self, account: int, item: Item) -> View:
        """The view to write to; cached pages of this account are out of date."""
        number = self._view_changes[account] = self._view_changes.get(account, 0) + 1
        above: Item | None = item
        while above is not None:  # a series shows how many of its episodes were seen
            self._view_marks[(account, above.serial)] = number
            above = above.parent
        return self.views.setdefault((account, item.serial), View())

    def viewed_leaves(self, account: int, item: Item) -> int:
        """How many playable titles below have been watched to the end."""
        return sum(1 for leaf in self.leaves(item) if self.view(account, leaf).count)

    def may_see(self, account: Account, item: Item) -> bool:
        """Whether the library of a title is shared with the account and its filters let the title through."""
        if item.section == 0:
            return item.owner == account.id
        if not account.may_see(item.section):
            return False
        if account.filters.is_open:
            return True
        if item.kind == "collection":
            return any(self.may_see(account, member) for _, member in self.members(item))
        top = item.top
        return account.filters.allow(top, lambda field: self._filtered_by(top, field))

    def _filtered_by(self, item: Item, field: str) -> Iterable[str]:
        if field == "label":
            return self.labels(item)
        return item.genres if field == "genre" else [self.facts(item).content_rating or ""]

    def labels(self, item: Item) -> tuple[str, ...]:
        """What the owner wrote on a title; no agent ever gives any."""
        return tuple(item.given.get("labels", ()))

    def visible(self, account: Account, items: Iterable[Item]) -> Iterator[Item]:
        """Those of `items` that the account may see; of playlists its own."""
        if account.sections is None and account.filters.is_open:
            return (item for item in items if item.section or item.owner == account.id)
        return (item for item in items if self.may_see(account, item))

    def by_serial(self, serial: int) -> Item | None:
        """A title by what never changes about it; None when it is gone."""
        return self._serials.get(serial)

    def find(self, title: str, kind: str | None = None) -> Item:
        """The first title of exactly this name (and kind); LookupError when there is none. For tests and demos."""
        for item in self.items.values():
            if item.title == title and kind in (None, item.kind):
                return item
        raise LookupError(f"no {kind or 'title'} named {title!r}")

    def by_server_token(self, token: str) -> Account | None:
        """Whose token of this server this is."""
        found = next((account for account in self.accounts.values() if account.server_token == token), None)
        signed_in = self.accounts.get(self.sign_ins.get(token, 0))
        return found or (signed_in if signed_in is not None and signed_in.is_owner else None)

    def sign_in(self, account: Account, token: str) -> None:
        """Give an account another token of plex.tv, as each approved PIN does; the oldest of too many ends."""
        self.sign_ins[token] = account.id
        if len(self.sign_ins) > SIGN_INS_MAX:
            del self.sign_ins[next(iter(self.sign_ins))]

    def by_token(self, token: str) -> Account | None:
        """Whose token of plex.tv this is."""
        found = next((account for account in self.accounts.values() if account.token == token), None)
        return found or self.accounts.get(self.sign_ins.get(token, 0))

    def change_account(self, account: Account) -> None:
        """Put `account` in place of the one with its id: it may see other things, or has another token."""
        self.accounts[account.id] = account
        self._view_changes[account.id] = self._view_changes.get(account.id, 0) + 1

"""Single titles brought up to date after their server said that something happened to them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from sqlalchemy import Connection

from daemon.core.library import Located, LocatedTitle, TagKind
from daemon.core.limits import MIRROR_CHECKED_AT_ONCE
from daemon.data.library import libraries, passes, tags, titles
from daemon.data.library.libraries import Library
from daemon.data.library.passes import PassLost
from daemon.data.library.titles import Candidate, Taken
from daemon.services.library.reading import Workshop, count_titles
from daemon.services.library.source import Source
from daemon.services.library.tagging import TAGGED, Tagging


class Delta:
    """What was named is read by its key, a hundred titles a request; what is not there any more is taken out.

    Only titles of libraries that have been read whole, or are being read, are taken in: the first reading of a library
    finds them anyway.
    """

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop

    async def run(self, source: Source, rating_keys: Sequence[int]) -> int:
        """How many titles were added, changed, removed or healed."""
        listed = await self._shop.patiently(source.libraries)
        known = {
            library.ref.key: library
            for library in await self._shop.store.read(lambda tx: libraries.listing(tx, source.server))
        }
        stamps = {facts.key: facts.stamp for facts in listed}
        keys = list(dict.fromkeys(rating_keys))
        total = 0
        touched: set[str] = set()
        at = 0
        while at < len(keys):
            changes, sections = await self._step(source, known, keys[at : at + MIRROR_CHECKED_AT_ONCE])
            total += changes
            touched |= sections
            at = min(at + MIRROR_CHECKED_AT_ONCE, len(keys))
            if at == len(keys):  # of a show that is gone a server need not name the episodes
                below = await self._shop.store.read(partial(titles.orphans, server=source.server, rating_keys=keys))
                keys += [key for key in below if key not in set(keys)]
        for key in touched & stamps.keys():
            library = known[key]
            if library.stamp is not None:
                follow = partial(libraries.follow, library_id=library.library_id, before=library.stamp, now=stamps[key])
                await self._shop.store.write(follow)
        return total

    async def _step(self, source: Source, known: dict[str, Library], keys: list[int]) -> tuple[int, set[str]]:
        """A hundred titles: first what is there, then what is gone, which may have come back under another key."""
        store, server = self._shop.store, source.server
        located = await self._shop.patiently(lambda: source.located(keys))
        by_library: dict[str, list[LocatedTitle]] = {}
        for each in located.titles:
            if each.library_key in known:
                by_library.setdefault(each.library_key, []).append(each)
        changes = 0
        for key, listed in by_library.items():
            changes += await self._take_in(source, known[key], listed)
        there = {each.title.rating_key for each in located.titles}
        shelves = await self._follow_collections(source, known, located, [key for key in keys if key not in there])
        namesakes = await store.read(lambda tx: titles.namesakes(tx, server, sorted(there)))
        doubtful = [key for key in dict.fromkeys([*keys, *namesakes[:MIRROR_CHECKED_AT_ONCE]]) if key not in there]
        if namesakes:
            again = await self._shop.patiently(lambda: source.by_keys(namesakes[:MIRROR_CHECKED_AT_ONCE]))
            there |= {located.title.rating_key for located in again}
            doubtful = [key for key in doubtful if key not in there]
        gone = await store.read(lambda tx: titles.by_keys(tx, server, doubtful))
        changes += await self._take_out(source, gone)
        refs = {library.library_id: library.ref.key for library in known.values()}
        touched = {*by_library, *shelves, *(refs[library_id] for library_id, _ in gone if library_id in refs)}
        return changes + len(shelves), touched

    async def _take_in(self, source: Source, library: Library, located: list[LocatedTitle]) -> int:
        """Titles, and what those that are tagged at all are tagged with: by their labels people see them."""
        tagged = {kind.value for kind in TAGGED[library.kind]}
        words = {
            each.title.rating_key: each.tags
            for each in located
            if each.tags is not None and each.title.kind in tagged
        }  # fmt: skip

        def unit(tx: Connection) -> tuple[Taken, int]:
            last = passes.current(tx, library.library_id)
            listed = [each.title for each in located]
            taken = titles.take_in(
                tx, library.library_id, source.server, listed, last.number if last else 0, is_pass=False
            )
            if taken is None:
                return Taken(), 0
            return taken, tags.retag(tx, library.library_id, source.server, words)

        taken, marks = await self._shop.store.write(unit)
        count_titles(self._shop.metrics, source.server, taken)
        return taken.added + taken.changed + marks

    async def _follow_collections(
        self, source: Source, known: dict[str, Library], located: Located, others: list[int]
    ) -> set[str]:
        """Collections as they are now; those of `others` that were some are taken out. Keys of their libraries."""
        touched = set()
        with suppress(PassLost):  # the library is gone: with it goes all of this
            for collection in located.collections:
                if (library := known.get(collection.library_key)) is not None:
                    await Tagging(self._shop.store, source, library, self._shop.patiently).take_in(collection.tag)
                    touched.add(collection.library_key)
            there = {collection.tag.key for collection in located.collections}
            keys = [str(key) for key in others if str(key) not in there]
            by_id = {library.library_id: library for library in known.values()}
            find = partial(tags.by_keys, server=source.server, kind=TagKind.COLLECTION, keys=keys)
            for library_id, tag_id in await self._shop.store.read(find):
                if (library := by_id.get(library_id)) is not None:
                    tagging = Tagging(self._shop.store, source, library, self._shop.patiently)
                    await tagging.take_out(tag_id, TagKind.COLLECTION)
                    touched.add(library.ref.key)
        return touched

    async def _take_out(self, source: Source, gone: list[tuple[int, Candidate]]) -> int:
        total = 0
        for library_id in {library_id for library_id, _ in gone}:
            mine = [candidate for of, candidate in gone if of == library_id]

            def unit(tx: Connection, library_id: int = library_id, mine: list[Candidate] = mine) -> tuple[int, int]:
                return titles.take_out(tx, library_id, mine)

            removed, healed = await self._shop.store.write(unit)
            count_titles(self._shop.metrics, source.server, Taken(), removed, healed)
            total += removed + healed
        return total

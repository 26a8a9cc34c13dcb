"""Single titles brought up to date after their server said that something happened to them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection

from daemon.core.library import ListedTitle
from daemon.core.limits import MIRROR_CHECKED_AT_ONCE
from daemon.data.library import libraries, passes, titles
from daemon.data.library.libraries import Library
from daemon.data.library.titles import Candidate, Taken
from daemon.services.library.reading import Workshop, count_titles
from daemon.services.library.source import Source


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
        found = await self._shop.patiently(lambda: source.by_keys(keys))
        by_library: dict[str, list[ListedTitle]] = {}
        for located in found:
            if located.library_key in known:
                by_library.setdefault(located.library_key, []).append(located.title)
        changes = 0
        for key, listed in by_library.items():
            changes += await self._take_in(source, known[key], listed)
        there = {located.title.rating_key for located in found}
        namesakes = await store.read(lambda tx: titles.namesakes(tx, server, sorted(there)))
        doubtful = [key for key in dict.fromkeys([*keys, *namesakes[:MIRROR_CHECKED_AT_ONCE]]) if key not in there]
        if namesakes:
            again = await self._shop.patiently(lambda: source.by_keys(namesakes[:MIRROR_CHECKED_AT_ONCE]))
            there |= {located.title.rating_key for located in again}
            doubtful = [key for key in doubtful if key not in there]
        gone = await store.read(lambda tx: titles.by_keys(tx, server, doubtful))
        changes += await self._take_out(source, gone)
        refs = {library.library_id: library.ref.key for library in known.values()}
        return changes, {*by_library, *(refs[library_id] for library_id, _ in gone if library_id in refs)}

    async def _take_in(self, source: Source, library: Library, listed: list[ListedTitle]) -> int:
        def unit(tx: Connection) -> Taken | None:
            last = passes.current(tx, library.library_id)
            number = last.number if last else 0
            return titles.take_in(tx, library.library_id, source.server, listed, number, is_pass=False)

        taken = await self._shop.store.write(unit) or Taken()
        count_titles(self._shop.metrics, source.server, taken)
        return taken.added + taken.changed

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

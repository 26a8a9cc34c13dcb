"""Search over all libraries, in a file of its own that is made again from the database whenever it is lost."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from daemon.core.errors import UpstreamError
from daemon.core.ids import ServerId
from daemon.core.limits import (
    SEARCH_BATCH,
    SEARCH_FIND_S,
    SEARCH_LOOK_S,
    SEARCH_OPTIMIZE_MIN,
    SEARCH_RETRY_S,
    SEARCH_SETTLE_S,
)
from daemon.core.media import Found, Title, TitleKind
from daemon.core.visibility import LibraryRef, Visibility
from daemon.data.library import feed, libraries
from daemon.data.library.libraries import Library
from daemon.data.search import file
from daemon.data.search.file import Known
from daemon.data.store import Store
from daemon.kernel.health import Check, Status
from daemon.kernel.tasks import Supervisor
from daemon.services.library.finder import Finder

log = structlog.get_logger(__name__)

T = TypeVar("T")

_OWNER = "search"
_READERS = 2
_EVERYTHING = Visibility()


class Search:
    """The search file of this process. Nobody waits for it on the event loop, and no member meets its failures.

    While it is being made, what it holds so far is found, and `is_complete` says that this is not all.
    """

    def __init__(self, store: Store, path: Path, supervisor: Supervisor, *, look_s: float = SEARCH_LOOK_S) -> None:
        self._store = store
        self._path = path
        self._supervisor = supervisor
        self._look_s = look_s
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="search")
        self._writers = ThreadPoolExecutor(1, thread_name_prefix="search-write")
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._generation = 0  # of the file: readers of an older one open it again
        self._writer: sqlite3.Connection | None = None
        self._wake = asyncio.Event()
        self._forget: Callable[[], None] = lambda: None
        self._held: dict[int, int] = {}  # titles by library, at the last look
        self._read: dict[ServerId, bool] = {}  # whether all of a server's libraries had been read by then
        self.is_complete = False  # whether it held all that the database did at the last look

    async def start(self) -> None:
        """Begin to bring the file up to date, and to keep it so."""
        self._forget = self._store.on_commit(libraries.TOPIC, lambda _: self._wake.set())
        self._supervisor.start("search", self._run, owner=_OWNER)

    async def stop(self) -> None:
        """End, and close the file."""
        self._forget()
        await self._supervisor.cancel(_OWNER)
        await asyncio.to_thread(self._close)

    def holds(self, server: ServerId) -> bool:
        """Whether every title of a server can be found: its libraries have been read, and are in the file."""
        return self.is_complete and self._read.get(server, False)

    async def check(self) -> Check:
        """For the health page: how many titles can be found, once these are all."""
        count, libraries_held = sum(self._held.values()), len(self._held)
        if not self.is_complete or not all(self._read.values()):
            return Check(Status.PASS, f"being prepared: {count:,} titles so far")
        return Check(Status.PASS, f"{count:,} titles of {libraries_held:,} libraries", count, "titles")

    async def suggest(
        self, text: str, visibility: Visibility = _EVERYTHING, *, kinds: Collection[TitleKind] | None = None,
        only: LibraryRef | None = None, limit: int = 25,
    ) -> list[Title]:  # fmt: skip
        """Titles for what somebody is typing, best first; none of what they may not see. Without a word, the newest.

        In order: the very name; names that begin so, with or without their article; titles with all the words
        (beginnings count, also of the show's or artist's name, the year, `s02e04`), the more whole words the better.
        Only when there is none of these, names that begin nearly so. Within each, films and shows come first.
        """
        return await self._ask(lambda finder: finder.suggest(text), visibility, kinds, only, limit)

    async def find(
        self, text: str, visibility: Visibility = _EVERYTHING, *, kinds: Collection[TitleKind] | None = None,
        only: LibraryRef | None = None, limit: int = 25,
    ) -> Found:  # fmt: skip
        """Titles for a whole query, slips of the finger put right; none of what they may not see."""
        titles = await self._ask(lambda finder: finder.find(text), visibility, kinds, only, limit)
        return Found(tuple(titles), self.is_complete)

    async def nearest(
        self, text: str, visibility: Visibility = _EVERYTHING, *, kinds: Collection[TitleKind] | None = None,
        limit: int = 5,
    ) -> list[Title]:  # fmt: skip
        """Titles whose names are most like it."""
        return await self._ask(lambda finder: finder.nearest(text), visibility, kinds, None, limit)

    async def catch_up(self) -> int:
        """Bring the file up to date now; how many titles were written or forgotten. UpstreamError of the database."""
        found = await self._store.read(libraries.listing)
        held = await self._write(file.known)
        changes = 0
        for gone in held.keys() - {library.library_id for library in found}:
            changes += await self._forget_library(gone)
        for library in found:
            known = held.get(library.library_id) or Known(library.library_id, library.ref, library.name)
            if known.name != library.name:
                known = replace(known, name=library.name, at_revision=known.at_revision)
                await self._write(partial(file.put, library=known, docs=()))
            if known.at_revision < library.revision:
                changes += await self._follow(library, known)
        if changes or not self.is_complete:
            self._held = await self._write(file.counts)
        self._read = {
            server: all(one.read_at is not None for one in found if one.ref.server == server)
            for server in {one.ref.server for one in found}
        }
        self.is_complete = True
        if changes >= SEARCH_OPTIMIZE_MIN:
            await self._write(file.optimize)
        return changes

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                changes = await self.catch_up()
                if changes:
                    log.debug("search_caught_up", titles=changes)
            except UpstreamError as error:
                log.warning("search_waits", problem=str(error))
                await asyncio.sleep(SEARCH_RETRY_S)
                continue
            except sqlite3.OperationalError as error:  # the disk is full, say
                if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:  # its tables are not ours
                    await self._make_again(str(error))
                    continue
                log.warning("search_file_fails", problem=str(error))
                self.is_complete = False
                await asyncio.sleep(SEARCH_RETRY_S)
                continue
            except sqlite3.DatabaseError as error:
                await self._make_again(str(error))
                continue
            try:
                async with asyncio.timeout(self._look_s):
                    await self._wake.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(SEARCH_SETTLE_S)  # more of the same is on its way

    async def _follow(self, library: Library, known: Known) -> int:
        """Batch by batch, each of its own snapshot and transaction, until the last is not full."""
        changes = 0
        while True:
            batch = await self._store.read(
                partial(
                    feed.changed,
                    library_id=library.library_id,
                    at_revision=known.at_revision,
                    at_id=known.at_id,
                    most=SEARCH_BATCH,
                )
            )
            changes += len(batch.docs)
            at_revision = batch.at_revision if batch.count is None else max(library.revision, batch.at_revision)
            at_id = batch.at_id if at_revision == batch.at_revision else 2**62
            known = replace(known, at_revision=at_revision, at_id=at_id)
            await self._write(partial(file.put, library=known, docs=batch.docs))
            if batch.count is not None:
                return changes + await self._drop_surplus(library.library_id, batch.count)

    async def _drop_surplus(self, library_id: int, count: int) -> int:
        """The file holds every title of the database now: when it holds more, the others are gone."""
        if await self._write(partial(file.count, library_id=library_id)) == count:
            return 0
        surplus = await self._write(partial(file.ids, library_id=library_id))
        after = 0
        while some := await self._store.read(partial(feed.ids, library_id=library_id, after=after, most=10_000)):
            surplus.difference_update(some)
            after = some[-1]
        return await self._drop(sorted(surplus))

    async def _drop(self, title_ids: list[int]) -> int:
        for at in range(0, len(title_ids), SEARCH_BATCH):
            await self._write(partial(file.remove, title_ids=title_ids[at : at + SEARCH_BATCH]))
        return len(title_ids)

    async def _forget_library(self, library_id: int) -> int:
        dropped = await self._drop(sorted(await self._write(partial(file.ids, library_id=library_id))))
        await self._write(partial(file.remove_library, library_id=library_id))
        return dropped

    async def _make_again(self, problem: str) -> None:
        log.warning("search_file_made_again", problem=problem)
        self.is_complete = False

        def start_over() -> None:
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            file.delete_file(self._path)

        await asyncio.get_running_loop().run_in_executor(self._writers, start_over)
        self._generation += 1

    async def _ask(
        self,
        ask: Callable[[Finder], list[Title]],
        visibility: Visibility,
        kinds: Collection[TitleKind] | None,
        only: LibraryRef | None,
        limit: int,
    ) -> list[Title]:
        """Run a search in a thread; nothing when the file cannot be used, which then is made again."""

        def work() -> list[Title]:
            return ask(Finder(self._reader(), visibility, kinds, only, limit))

        try:
            async with asyncio.timeout(SEARCH_FIND_S):
                return await asyncio.get_running_loop().run_in_executor(self._readers, work)
        except sqlite3.OperationalError as error:  # not there yet
            log.info("search_not_ready", problem=str(error))
        except sqlite3.DatabaseError as error:
            await self._make_again(str(error))
        except TimeoutError:
            log.warning("search_slow")
        self.is_complete = False
        self._wake.set()
        return []

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def run() -> T:
            if self._writer is None or not self._path.exists():
                if self._writer is not None:
                    self._writer.close()
                self._writer = file.open_file(self._path)
                self._generation += 1
            return work(self._writer)

        return await asyncio.get_running_loop().run_in_executor(self._writers, run)

    def _reader(self) -> sqlite3.Connection:
        held: tuple[int, sqlite3.Connection] | None = getattr(self._local, "held", None)
        if held is None or held[0] != self._generation:
            if held is not None:
                held[1].close()
                self._opened.remove(held[1])
                self._local.held = None
            generation = self._generation
            self._local.held = held = (generation, file.open_reader(self._path))
            self._opened.append(held[1])
        return held[1]

    def _close(self) -> None:
        self._readers.shutdown()
        self._writers.shutdown()
        for connection in (*self._opened, *(() if self._writer is None else (self._writer,))):
            connection.close()
        self._opened = []
        self._writer = None

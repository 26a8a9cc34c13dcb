"""The trash of a library: what is in it, whether it may be emptied, and emptying it once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from daemon.core.errors import UpstreamError, UserError
from daemon.core.visibility import LibraryRef
from daemon.services.library import Mirroring, Stock
from integrations.plex import Trash, Trashed, Upkeep

from .asking import Chosen

AWAY_MIN = 3  # missing files that are more than half of a folder: its disk is away rather than they are deleted
_PATIENCE_S = 10.0  # real seconds that a server and the mirror get to take in that the trash was emptied
_LOOKS_MAX = 4
_LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class Listed:
    """What an owner was shown: the library and the keys of all that its trash held."""

    library: Chosen
    keys: frozenset[str]

    def to_state(self) -> dict[str, Any]:
        """As JSON."""
        return {"library": str(self.library.ref), "name": self.library.name, "keys": sorted(self.keys)}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Listed:
        """From JSON."""
        ref = LibraryRef.parse(state["library"])
        assert ref is not None, "it was written by `to_state`"
        return cls(Chosen(ref, state["name"]), frozenset(state["keys"]))


@dataclass(frozen=True, slots=True)
class Contents:
    """What the trash holds now. `refusal` says why it is not emptied; "" when it may be."""

    listed: Listed
    trash: Trash
    refusal: str

    @property
    def items(self) -> tuple[Trashed, ...]:
        """What is shown: a show stands for its episodes."""
        return self.trash.shown


@dataclass(frozen=True, slots=True)
class Emptied:
    """What became of what was in the trash. `waiting`: the server has not removed them yet."""

    removed: tuple[Trashed, ...]
    came_back: int
    waiting: int


class TrashCan:
    """Looks before it empties, and empties a library's trash for one owner at a time."""

    def __init__(
        self, upkeep: Upkeep, stock: Stock, mirroring: Mirroring, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._upkeep = upkeep
        self._stock = stock
        self._mirroring = mirroring
        self._sleep = sleep
        self._locks: dict[LibraryRef, asyncio.Lock] = {}

    async def look(self, library: Chosen) -> Contents:
        """What is in it now. UserError `not_read` while the mirror cannot tell how much that is of the whole."""
        kind = await self._stock.kind(library.ref)
        if kind is None:
            raise UserError("That library has not been read yet; try again in a moment.", "not_read")
        trash = await self._upkeep.trash(library.ref, kind)
        listed = Listed(library, frozenset(item.key for item in trash.items))
        return Contents(listed, trash, await self._refusal(library, trash))

    async def empty(self, listed: Listed, take: Callable[[], Awaitable[object]]) -> Emptied | Contents:
        """Empty it, if it holds nothing but what was listed; else what it holds now.

        `take` uses the press up, and raises when somebody else was faster. It is called right before the server is.
        """
        ref = listed.library.ref
        async with self._locks.setdefault(ref, asyncio.Lock()):
            now = await self.look(listed.library)
            if now.refusal or not now.listed.keys <= listed.keys:
                return now
            came_back = len(listed.keys - now.listed.keys)
            await take()
            if not now.listed.keys:
                return Emptied((), came_back, 0)
            return await self._empty(now, came_back)

    async def _empty(self, now: Contents, came_back: int) -> Emptied:
        try:
            await self._upkeep.empty_trash(now.listed.library.ref)
        except UpstreamError as error:
            if error.is_refusal:
                raise
            outcome = await self._outcome(now, came_back)
            if not outcome.removed:
                raise
            return outcome  # it was done, and the answer was lost
        return await self._outcome(now, came_back)

    async def _outcome(self, before: Contents, came_back: int) -> Emptied:
        library = before.listed.library
        left = await self._left(library, before)
        await self._mirroring.catch_up(library.ref.server, _PATIENCE_S)
        titles = {int(item.key) for item in before.items if item.version is None and item.key not in left}
        there = await self._upkeep.still_there(library.ref.server, titles)
        removed = [item for item in before.items if item.key not in left and _number(item) not in there]
        return Emptied(tuple(removed), came_back + len(there), sum(item.key in left for item in before.items))

    async def _left(self, library: Chosen, before: Contents) -> frozenset[str]:
        """What is in the trash still: servers empty it in the background."""
        left = before.listed.keys
        for attempt in range(_LOOKS_MAX):
            if attempt:
                await self._sleep(_LOOK_S)
            left = (await self.look(library)).listed.keys & before.listed.keys
            if not left:
                break
        return left

    async def _refusal(self, library: Chosen, trash: Trash) -> str:
        """Why not: a disk that is away looks like a trash full of titles, and emptying it would lose them all."""
        if trash.is_cut:
            return f"That is more than {len(trash.items):,}: no disk loses so much by tidying up. Look at the server."
        files = [file for item in trash.items for file in item.files]
        folders = {folder: _below(folder) for folder in trash.folders}
        total, below = await self._stock.files_below(library.ref, list(folders.values()))
        for folder, prefix in folders.items():
            gone = sum(file.startswith(prefix) for file in files)
            if _is_away(gone, below.get(prefix, 0)):
                return _away(gone, below[prefix], f"below {folder}", folder)
        if _is_away(len(files), total):
            return _away(len(files), total, f"of {library.name}", library.name)
        return ""


def _number(item: Trashed) -> int | None:
    return int(item.key) if item.version is None else None


def _below(folder: str) -> str:
    separator = "\\" if "\\" in folder and "/" not in folder else "/"
    return folder.rstrip("/\\") + separator


def _is_away(gone: int, total: int) -> bool:
    return gone > 0 and (gone >= total or (gone >= AWAY_MIN and gone * 2 > total))


def _away(gone: int, total: int, where: str, what: str) -> str:
    count = "All" if gone >= total else f"{gone:,} of"
    return (
        f"{count} {total:,} files {where} are missing: it looks as though the disk of {what} were away. "
        "Emptying the trash now would lose these titles with all that is known of them. Bring the disk back and scan; "
        "if the files are really gone, empty the trash in Plex itself."
    )

"""Libraries and their listings, read page by page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from daemon.core.ids import ServerId
from daemon.core.media import Title, TitleKind
from integrations.plex.config import PlexTimeouts
from integrations.plex.http import ServerHttp
from integrations.plex.parse import to_title
from integrations.plex.segment import RECENT_MAX
from integrations.plex.shapes import ItemShape, SectionShape, container, entries, listing, number, text

PAGE = 250  # titles; larger pages hold up the event loop while they are decoded
_PASSES_MAX = 2  # a listing that changed while it was read is read once more
_TITLES_MAX = 5_000_000  # of one listing: a server that never stops is cut off
TYPES = {
    TitleKind.MOVIE: 1,
    TitleKind.SHOW: 2,
    TitleKind.SEASON: 3,
    TitleKind.EPISODE: 4,
    TitleKind.ARTIST: 8,
    TitleKind.ALBUM: 9,
    TitleKind.TRACK: 10,
}  # Plex's numbers, what `type=` means
_KINDS_OF = {
    "movie": (TitleKind.MOVIE,),
    "show": (TitleKind.SHOW, TitleKind.SEASON, TitleKind.EPISODE),
    "artist": (TitleKind.ARTIST, TitleKind.ALBUM, TitleKind.TRACK),
}
# Asked for, not guaranteed: older servers send everything, and the decoder skips it.
_LEAN = {
    "excludeElements": "Media,Guid,Genre,Country,Director,Writer,Role,Collection,Image,UltraBlurColors,Rating",
    "excludeFields": "summary,tagline",
}


@dataclass(frozen=True, slots=True)
class Section:
    """A library. `stamp` differs when its content changed; None when the server does not tell."""

    key: str
    name: str
    kinds: tuple[TitleKind, ...]
    stamp: str | None


@dataclass(slots=True)
class Listing:
    """What was read of one kind: titles without repetition, `recent` (added at, title) newest first."""

    titles: list[Title]
    recent: list[tuple[int, Title]]
    total: int  # what the server says there is
    is_cut: bool = False  # the bound was reached


class Library:
    """The reader of one server's libraries."""

    def __init__(self, server: ServerId, http: ServerHttp, timeouts: PlexTimeouts) -> None:
        self._server = server
        self._http = http
        self._timeouts = timeouts

    async def sections(self) -> tuple[Section, ...]:
        """The libraries that hold something playable, photos left out."""
        answer = await self._http.fetch("/library/sections", decode=container)
        found: list[Section] = []
        for shape in entries(answer.Directory, SectionShape):
            key, kinds = text(shape.key), _KINDS_OF.get(text(shape.type) or "")
            if key is not None and kinds is not None:
                stamp = text(shape.contentChangedAt) or text(shape.updatedAt)
                found.append(Section(key, text(shape.title) or key, kinds, stamp))
        return tuple(found)

    async def read(
        self, section: Section, kind: TitleKind, titles_max: int, note: Callable[[int, int], None]
    ) -> Listing:
        """Every title of a kind in a library, at most `titles_max`; `note(read, total)` hears of each step."""
        path = f"/library/sections/{section.key}/all"
        return await self._read_all(path, {"type": TYPES[kind], **_LEAN}, section.name, titles_max, note)

    async def playlists(self, titles_max: int, note: Callable[[int, int], None]) -> Listing:
        """Every playlist that plays films, episodes or music."""
        return await self._read_all("/playlists", {}, None, titles_max, note, accept=_is_playable_playlist)

    async def _read_all(
        self,
        path: str,
        params: dict[str, str | int],
        library: str | None,
        titles_max: int,
        note: Callable[[int, int], None],
        accept: Callable[[ItemShape], bool] = lambda item: True,
    ) -> Listing:
        """Read pages two at a time until the end.

        There is no snapshot: what is added or deleted meanwhile shifts the pages. Repeated titles are dropped by
        rating key; when the total changed, a second pass finds what a shift has hidden. Without room for any title
        only the total is asked for.
        """
        if titles_max <= 0:
            _, total = await self._page(path, params, 0, size=0)
            return Listing([], [], total, is_cut=total > 0)
        found: dict[str, tuple[int, Title]] = {}
        total = 0
        for _ in range(_PASSES_MAX):
            totals: set[int] = set()
            start, is_over = 0, False
            while not is_over:
                starts = (start, start + PAGE) if start and start + PAGE < total else (start,)
                for items, page_total in await asyncio.gather(*(self._page(path, params, at) for at in starts)):
                    total = page_total
                    totals.add(page_total)
                    for item in items:
                        title = to_title(self._server, item, library) if accept(item) else None
                        if title is not None:
                            found[title.ref.rating_key] = (number(item.addedAt) or 0, title)
                    is_over = is_over or not items
                start += PAGE * len(starts)
                is_over = is_over or start >= min(total, _TITLES_MAX) or len(found) >= titles_max
                note(min(len(found), titles_max), total)
            if len(totals) <= 1:
                break
        recent = sorted(found.values(), key=lambda pair: (-pair[0], pair[1].ref.rating_key))[:RECENT_MAX]
        titles = [title for _, title in found.values()]
        return Listing(
            titles[:titles_max], recent, total, len(titles) > titles_max or total > len(titles) >= titles_max
        )

    async def _page(
        self, path: str, params: dict[str, str | int], start: int, *, size: int = PAGE
    ) -> tuple[list[ItemShape], int]:
        """Entries from `start` on, and the listing's total; a listing without a total is one page."""
        head, items = await self._http.fetch(
            path,
            params,
            decode=listing,
            headers={"X-Plex-Container-Start": str(start), "X-Plex-Container-Size": str(size)},
            timeout_s=self._timeouts.page_s,
        )
        total = number(head.totalSize)
        return items, total if total is not None else start + len(items)


def _is_playable_playlist(item: ItemShape) -> bool:
    return text(item.playlistType) in ("video", "audio")

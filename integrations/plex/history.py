"""What was played on a server, by all accounts: when each title was played last, and when each account played last.

By whom a title was played is not read at all.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from daemon.core.ids import AccountId
from daemon.core.library import LibraryKind
from daemon.core.media import TitleKind
from integrations.plex.http import Params, ServerHttp, paging
from integrations.plex.mirror import TYPES
from integrations.plex.shapes import Loose, Shape, entries, number, text

ROWS_MAX = 200_000  # of one reading, the newest
_PAGE = 500
_PATH = "/status/sessions/history/all"
_KEY = re.compile(r"/library/metadata/(\d{1,18})")
_NOTHING = "Media,Guid,Genre,Country,Director,Writer,Role,Collection,Image,UltraBlurColors,Rating"
_LEAN: Params = {"excludeElements": "Media,Image,UltraBlurColors", "excludeFields": "thumb,art,summary"}


@dataclass(frozen=True, slots=True)
class LastPlays:
    """When each film, show or album of a library was played last, by rating key, in seconds since 1970.

    `since`: plays from then on are known, None: all that the server remembers.
    """

    at: dict[int, int]
    since: int | None
    rows: int


class _PlayShape(Shape):
    ratingKey: Loose = None
    parentKey: Loose = None
    grandparentKey: Loose = None
    viewedAt: Loose = None


class _SeenShape(Shape):
    ratingKey: Loose = None
    parentRatingKey: Loose = None
    grandparentRatingKey: Loose = None
    lastViewedAt: Loose = None


class _PageShape(Shape):
    totalSize: Loose = None
    Metadata: list[msgspec.Raw] | None = None


class _AnswerShape(Shape):
    MediaContainer: _PageShape | None = None


_pages = msgspec.json.Decoder(_AnswerShape, strict=False)


async def last_plays(http: ServerHttp, section: str, kind: LibraryKind, *, rows_max: int = ROWS_MAX) -> LastPlays:
    """The last play of everything that the server remembers to have played in a library. UpstreamError.

    What the account of the server's token has seen counts as well where the history has no row of it (somebody may
    have cleared that).
    """
    at: dict[int, int] = {}
    oldest, rows = None, 0
    query: Params = {"librarySectionID": section, "sort": "viewedAt:desc", **_LEAN}
    async for raw in _rows(http, _PATH, query, rows_max):
        rows += 1
        for play in entries([raw], _PlayShape):
            when = number(play.viewedAt)
            key = _unit(kind, play)
            if when is not None and (oldest is None or when < oldest):
                oldest = when
            if key is not None and when is not None and when > at.get(key, 0):
                at[key] = when
    await _add_seen(http, section, kind.kinds[-1], at)
    return LastPlays(at, oldest if rows >= rows_max else None, rows)


async def _add_seen(http: ServerHttp, section: str, leaf: TitleKind, at: dict[int, int]) -> None:
    query: Params = {"type": TYPES[leaf], "lastViewedAt>": 1, "excludeElements": _NOTHING, "excludeFields": "summary"}
    async for raw in _rows(http, f"/library/sections/{section}/all", query, ROWS_MAX):
        for title in entries([raw], _SeenShape):
            above = {TitleKind.MOVIE: title.ratingKey, TitleKind.EPISODE: title.grandparentRatingKey}
            when, key = number(title.lastViewedAt), number(above.get(leaf, title.parentRatingKey))
            if key is not None and when is not None and when > at.get(key, 0):
                at[key] = when


async def last_play_of(http: ServerHttp, account_id: AccountId) -> datetime | None:
    """When an account played anything on the server last; None when it never did.

    A server numbers accounts as plex.tv does, but for its owner, who is 1.
    """
    query: Params = {"accountID": account_id, "sort": "viewedAt:desc", **_LEAN}
    async for raw in _rows(http, _PATH, query, 1):
        for play in entries([raw], _PlayShape):
            when = number(play.viewedAt)
            if when is not None and when > 0:
                return datetime.fromtimestamp(when, UTC)
    return None


async def _rows(http: ServerHttp, path: str, query: Params, rows_max: int) -> AsyncIterator[msgspec.Raw]:
    """Rows of a listing, page by page, at most `rows_max`."""
    start = 0
    while start < rows_max:
        size = min(_PAGE, rows_max - start)
        headers = paging(start, size)
        answer = await http.fetch(path, query, decode=_pages.decode, headers=headers, timeout_s=http.page_s)
        page = answer.MediaContainer or _PageShape()
        rows = (page.Metadata or [])[:size]
        for row in rows:
            yield row
        start += len(rows)
        total = number(page.totalSize)
        if not rows or (total is not None and start >= total):
            return


def _unit(kind: LibraryKind, play: _PlayShape) -> int | None:
    """What a play counts for: the film, the show of the episode, the album of the track."""
    if kind is LibraryKind.MOVIE:
        return number(play.ratingKey)
    match = _KEY.match(text(play.grandparentKey if kind is LibraryKind.SHOW else play.parentKey) or "")
    return int(match[1]) if match else None

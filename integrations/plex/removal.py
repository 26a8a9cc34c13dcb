"""Deleting titles for good: what a title is at this moment, who played it, and the deletion itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec

from daemon.core.errors import UpstreamError, UpstreamKind, UserError
from daemon.core.ids import RatingKey, ServerId
from daemon.core.leaving import Standing
from daemon.core.library import LibraryKind, ListedTitle
from daemon.core.media import TitleKind, TitleRef
from daemon.core.visibility import LibraryRef
from integrations.plex.history import last_plays
from integrations.plex.http import paging
from integrations.plex.mirror_shapes import decode_located, decode_page, to_listed
from integrations.plex.plex import Plex
from integrations.plex.removal_values import Deletion
from integrations.plex.server import Server
from integrations.plex.shapes import Loose, Shape, container, entries, flag, number, text

_PAGE = 500
_PAGES_MAX = 4_000  # of a history or of a show: a server that never stops is cut off
_SECONDS_MAX = 253_370_764_800  # the year 9999
_HISTORY = "/status/sessions/history/all"


class _PlayShape(Shape):
    """A row of the history, or an entry of what plays. Keys of what is above come as paths or as numbers."""

    ratingKey: Loose = None
    grandparentRatingKey: Loose = None
    grandparentKey: Loose = None
    viewedAt: Loose = None
    lastViewedAt: Loose = None


class _RootShape(Shape):
    allowMediaDeletion: Loose = None


class _AnswerShape(Shape):
    MediaContainer: _RootShape | None = None


_ROOT = msgspec.json.Decoder(_AnswerShape, strict=False)


class Removal:
    """Titles of all servers. Every method raises UpstreamError when the server fails, UserError `server_unknown`."""

    def __init__(self, plex: Plex) -> None:
        self._plex = plex

    async def may_delete(self, server: ServerId) -> bool:
        """Whether the server lets media be deleted at all; it does not tell a token that may not anyway."""
        answer = await self._plex.server(server).http.fetch("/", decode=_ROOT.decode)
        return answer.MediaContainer is not None and flag(answer.MediaContainer.allowMediaDeletion)

    async def look(self, ref: TitleRef) -> Standing | None:
        """What the server has under that key now, read afresh; None when there is nothing."""
        server = self._plex.server(ref.server)
        try:
            path = f"/library/metadata/{ref.rating_key}"
            found = await server.http.fetch(path, decode=decode_located, timeout_s=server.http.page_s)
        except UpstreamError as error:
            if error.kind is UpstreamKind.NOT_FOUND:
                return None
            raise
        if not found.titles:  # an empty answer is no word that the title is gone
            raise UpstreamError(server.http.service, UpstreamKind.BROKEN, "a title without content")
        library, title = found.titles[0].library_key, found.titles[0].title
        leaves = [title]
        if title.kind == TitleKind.SHOW.value:
            leaves = await self._episodes(server, ref.rating_key)
        parts = {part.part_id: part for leaf in leaves for version in leaf.versions for part in version.parts}
        size_bytes = sum(part.size_bytes or 0 for part in parts.values())
        return Standing(library, title.guid or "", title.name, size_bytes, len(parts))

    async def last_played(self, ref: TitleRef, kind: TitleKind) -> datetime | None:
        """When any account played the title, or an episode of it, last.

        What the account of the server's token has seen counts as well where the history has no row of it.
        """
        http = self._plex.server(ref.server).http
        params = {"metadataItemID": ref.rating_key, "sort": "viewedAt:desc"}
        path = f"/library/metadata/{ref.rating_key}" + ("/allLeaves" if kind is TitleKind.SHOW else "")
        answers = [
            await http.fetch(_HISTORY, params, decode=container, headers=paging(0, 1)),
            await http.fetch(path, decode=container, timeout_s=http.page_s),
        ]
        rows = [row for answer in answers for row in entries(answer.Metadata, _PlayShape)]
        times = [_instant(value) for row in rows for value in (row.viewedAt, row.lastViewedAt)]
        return max((at for at in times if at is not None), default=None)

    async def played(self, library: LibraryRef, kind: LibraryKind, since: datetime) -> dict[int, datetime]:
        """When any account played each film or show of a library last, by rating key.

        UserError `history_short` when the server has more history than is read, and that does not reach back to
        `since`: what was played between cannot be told then.
        """
        found = await last_plays(self._plex.server(library.server).http, library.key, kind)
        if found.since is not None and datetime.fromtimestamp(found.since, UTC) > since:
            known = f"<t:{found.since}:d>"
            raise UserError(
                f"Plex server {library.server} has played so much that its history is known since {known} only; ask "
                "for fewer days.", "history_short",
            )  # fmt: skip
        return {key: at for key, seconds in found.at.items() if (at := _instant(seconds)) is not None}

    async def is_playing(self, ref: TitleRef) -> bool:
        """Whether somebody plays the title, or an episode of it, at this moment."""
        answer = await self._plex.server(ref.server).http.fetch("/status/sessions", decode=container)
        return any(int(ref.rating_key) in _keys(row) for row in entries(answer.Metadata, _PlayShape))

    async def delete(self, ref: TitleRef, guid: str) -> Deletion:
        """Delete a title with its files, when it still has that guid.

        UpstreamError FORBIDDEN: the server does not let media be deleted. After any other it is not known whether the
        title was deleted: `look` tells.
        """
        work = partial(_delete, rating_key=int(ref.rating_key), guid=guid)
        return await self._plex.server(ref.server).adapter().on_server(work)

    async def _episodes(self, server: Server, rating_key: RatingKey) -> list[ListedTitle]:
        path, found = f"/library/metadata/{rating_key}/allLeaves", dict[int, ListedTitle]()
        for page in range(_PAGES_MAX):
            try:
                shapes, total, count = await server.http.fetch(
                    path, decode=decode_page, headers=paging(page * _PAGE, _PAGE)
                )
            except UpstreamError as error:
                if error.kind is UpstreamKind.NOT_FOUND:  # gone since the request before
                    break
                raise
            before = len(found)
            found |= {title.rating_key: title for shape in shapes if (title := to_listed(shape)) is not None}
            # Some servers send everything at once, whatever page was asked for.
            if len(found) == before or len(found) >= (total or count):
                break
        return list(found.values())


def _delete(server: Any, rating_key: int, guid: str) -> Deletion:
    from integrations.plex.adapter_removal import delete_title  # imports plexapi: in the thread

    return delete_title(server, rating_key, guid)


def _keys(row: _PlayShape) -> Iterator[int]:
    for value in (row.ratingKey, row.grandparentRatingKey, (text(row.grandparentKey) or "").rpartition("/")[2]):
        if (key := number(value)) is not None:
            yield key


def _instant(value: Loose) -> datetime | None:
    seconds = number(value)
    if seconds is None or not 0 < seconds < _SECONDS_MAX:
        return None
    return datetime.fromtimestamp(seconds, UTC)

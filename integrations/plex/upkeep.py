"""Looking after libraries: scans, refreshes, analyses, the trash, and what the servers do in the background."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import msgspec

import integrations.plex.adapter_upkeep as calls
from daemon.core.errors import UpstreamError, UpstreamKind, UserError
from daemon.core.ids import AccountId, ServerId
from daemon.core.library import LibraryKind
from daemon.core.text import plain
from daemon.core.visibility import LibraryRef
from integrations.plex.history import LastPlays, last_play_of, last_plays
from integrations.plex.plex import Plex
from integrations.plex.shapes import Loose, Shape, entries, flag, number, text
from integrations.plex.trash import Trash, read_trash

SCAN = "library.update.section"
"""The kind of the activity that is a scan; a server says that it cannot be cancelled, and cancels it by another way."""

_ACTIVITIES_MAX = 200
_ASKED_MAX, _AT_ONCE = 1_000, 100  # titles by their keys
_UUID = re.compile(r"[0-9A-Za-z-]{1,60}")
_KEY = re.compile(r"/library/metadata/(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Activity:
    """Something that a server does in the background.

    `percent` None: the server cannot say how far it is. `library` and `rating_key` are what it is about, where told:
    some servers name the library, some the title only, some neither.
    """

    server: ServerId
    uuid: str
    kind: str  # "library.update.section", "butler.BackupDatabase": Plex's own words
    title: str
    detail: str
    percent: int | None
    is_cancellable: bool
    library: str | None
    rating_key: int | None


class _ContextShape(Shape):
    librarySectionID: Loose = None
    key: Loose = None


class _ActivityShape(Shape):
    uuid: Loose = None
    type: Loose = None
    cancellable: Loose = None
    title: Loose = None
    subtitle: Loose = None
    progress: Loose = None
    Context: _ContextShape | list[_ContextShape] | None = None


class _ContainerShape(Shape):
    Activity: list[msgspec.Raw] | None = None


class _AnswerShape(Shape):
    MediaContainer: _ContainerShape | None = None


_answers = msgspec.json.Decoder(_AnswerShape, strict=False)


class Upkeep:
    """What owners have done to libraries. UserError `not_the_owners`, `library_gone`; UpstreamError as everywhere."""

    def __init__(self, plex: Plex) -> None:
        self._plex = plex

    async def scan(self, library: LibraryRef) -> None:
        """Have the server look for new files; returns when it has begun. A scan under way is left as it is."""
        async with _allowed(library):
            await self._plex.server(library.server).adapter().on_server(calls.scan(library.key))

    async def refresh(self, library: LibraryRef) -> None:
        """Have the server fetch the metadata of every title again; returns when it has begun."""
        async with _allowed(library):
            await self._plex.server(library.server).adapter().on_server(calls.scan(library.key, force=True))

    async def analyze(self, library: LibraryRef) -> None:
        """Have the server look into every file again; returns when it has begun."""
        async with _allowed(library):
            await self._plex.server(library.server).adapter().on_server(calls.analyze(library.key))

    async def trash(self, library: LibraryRef, kind: LibraryKind) -> Trash:
        """What has no file any more."""
        async with _allowed(library):
            return await read_trash(self._plex.server(library.server).http, library, kind)

    async def empty_trash(self, library: LibraryRef) -> None:
        """Have the server forget all that is in the trash; when it answers that may not have happened yet."""
        async with _allowed(library):
            await self._plex.server(library.server).adapter().on_server(calls.empty_trash(library.key))

    async def still_there(self, server: ServerId, rating_keys: Collection[int]) -> frozenset[int]:
        """Those of these titles that the server has; at most a thousand are asked for."""
        keys, found = list(rating_keys)[:_ASKED_MAX], set[int]()
        async with _allowed(server):
            for at in range(0, len(keys), _AT_ONCE):
                some = await self._plex.server(server).mirror.by_keys(keys[at : at + _AT_ONCE])
                found |= {located.title.rating_key for located in some}
        return frozenset(found)

    async def last_plays(self, library: LibraryRef, kind: LibraryKind) -> LastPlays:
        """When each film, show or album of a library was played last, by whomever."""
        async with _allowed(library):
            return await last_plays(self._plex.server(library.server).http, library.key, kind)

    async def last_play_of(self, server: ServerId, account_id: AccountId) -> datetime | None:
        """When an account that is not the server's owner played anything there last; None: never."""
        async with _allowed(server):
            return await last_play_of(self._plex.server(server).http, account_id)

    async def activities(self, server: ServerId) -> tuple[Activity, ...]:
        """What the server does in the background, in its own order; 200 at most."""
        async with _allowed(server):
            found = await self._plex.server(server).http.fetch("/activities", decode=_answers.decode)
        container = found.MediaContainer or _ContainerShape()
        made = (_to_activity(server, shape) for shape in entries(container.Activity, _ActivityShape))
        by_uuid = {activity.uuid: activity for activity in made if activity is not None}
        return tuple(by_uuid.values())[:_ACTIVITIES_MAX]

    async def cancel(self, activity: Activity) -> bool:
        """End an activity; False when it had ended by itself. UserError `not_cancellable`."""
        adapter = self._plex.server(activity.server).adapter()
        is_scan = activity.kind == SCAN and activity.library is not None
        work = calls.cancel_scan(activity.library or "") if is_scan else calls.cancel(activity.uuid)
        try:
            async with _allowed(activity.server):
                await adapter.on_server(work)
        except UpstreamError as error:
            if error.kind is UpstreamKind.NOT_FOUND:
                return False
            if error.detail == "HTTP 400":
                raise UserError("Plex does not let that be cancelled.", "not_cancellable") from None
            raise
        return True


@asynccontextmanager
async def _allowed(what: LibraryRef | ServerId) -> AsyncIterator[None]:
    """Turn what a server refuses into a sentence for whoever can put it right."""
    try:
        yield
    except UpstreamError as error:
        if error.kind in (UpstreamKind.FORBIDDEN, UpstreamKind.UNAUTHORIZED):
            # Older servers say 401 where newer ones say 403.
            reason = "its token in the settings is not that of the server's owner"
            if error.kind is UpstreamKind.UNAUTHORIZED:
                reason += ", or is not valid any more"
            raise UserError(f"{error.service} does not allow that: {reason}.", "not_the_owners") from error
        if error.kind is UpstreamKind.NOT_FOUND and isinstance(what, LibraryRef):
            raise UserError(f"{error.service} has that library no more.", "library_gone") from error
        raise


def _to_activity(server: ServerId, shape: _ActivityShape) -> Activity | None:
    uuid = text(shape.uuid)
    if uuid is None or _UUID.fullmatch(uuid) is None:
        return None
    context = shape.Context[0] if isinstance(shape.Context, list) and shape.Context else shape.Context
    about = context if isinstance(context, _ContextShape) else _ContextShape()
    kind, section = text(shape.type) or "", text(about.librarySectionID)
    library = section if section is not None and section.isascii() and section.isdigit() else None
    title = _KEY.match(text(about.key) or "")
    percent = number(shape.progress)
    return Activity(
        server,
        uuid,
        kind,
        plain(text(shape.title) or kind) or "Something",
        plain(text(shape.subtitle) or ""),
        None if percent is None or not 0 <= percent <= 100 else percent,
        flag(shape.cancellable) or (kind == SCAN and library is not None),
        library,
        int(title[1]) if title else None,
    )

"""What of a library has no file any more: titles and versions that go for good when its trash is emptied."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec

from daemon.core.ids import ServerId
from daemon.core.library import LibraryKind
from daemon.core.media import Title, TitleKind
from daemon.core.visibility import LibraryRef
from integrations.plex.http import Params, ServerHttp, paging
from integrations.plex.mirror import TYPES
from integrations.plex.parse import to_title
from integrations.plex.shapes import ItemShape, Loose, Shape, container, entries, number, text

TRASH_MAX = 10_000  # titles and versions; of more it is only known that there are more
_PAGE = 250
_LISTING_MAX = 5_000_000
_LEAN: Params = {
    "excludeElements": "Guid,Genre,Country,Director,Writer,Role,Collection,Image,UltraBlurColors,Rating,Stream",
    "excludeFields": "summary,tagline",
}
_PLAYABLE = (TitleKind.MOVIE, TitleKind.EPISODE, TitleKind.TRACK)


@dataclass(frozen=True, slots=True)
class Trashed:
    """A title without files, or a version without (`version`: "720p"). `key` names it within its server.

    `above` are the keys of what the title is part of: the season and the show of an episode.
    """

    key: str  # "4711", of a version "4711/12"
    title: Title
    version: str | None
    files: tuple[str, ...]
    size_bytes: int
    above: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trash:
    """All that a library's trash holds, and the folders that the library is made of."""

    items: tuple[Trashed, ...]
    folders: tuple[str, ...]
    is_cut: bool  # there is more than `TRASH_MAX`

    @property
    def shown(self) -> tuple[Trashed, ...]:
        """Those that are not part of another: a show stands for its episodes."""
        keys = {item.key for item in self.items}
        return tuple(item for item in self.items if not keys.intersection(item.above))


class _FileShape(Shape):
    file: Loose = None
    size: Loose = None


class _VersionShape(Shape):
    id: Loose = None
    videoResolution: Loose = None
    deletedAt: Loose = None
    Part: list[_FileShape] | None = None


class _TrashedShape(ItemShape):
    deletedAt: Loose = None
    parentRatingKey: Loose = None
    grandparentRatingKey: Loose = None
    Media: list[_VersionShape] | None = None


class _FolderShape(Shape):
    path: Loose = None


class _SectionShape(Shape):
    key: Loose = None
    Location: list[_FolderShape] | None = None


class _PageShape(Shape):
    totalSize: Loose = None
    Metadata: list[msgspec.Raw] | None = None


class _AnswerShape(Shape):
    MediaContainer: _PageShape | None = None


_pages = msgspec.json.Decoder(_AnswerShape, strict=False)


async def read_trash(http: ServerHttp, library: LibraryRef, kind: LibraryKind) -> Trash:
    """The trash of a library. UpstreamError.

    Servers that do not know the filter list everything: what is not in the trash is passed over here, too.
    """
    found: dict[str, Trashed] = {}
    is_cut = False
    for of in kind.kinds:
        filters = ({"trash": 1}, {"duplicate": 1}) if of in _PLAYABLE else ({"trash": 1},)
        for narrow in filters:
            async for shape in _listed(http, library.key, {"type": TYPES[of], **narrow, **_LEAN}):
                for item in _trashed(library.server, shape):
                    found[item.key] = item
                if len(found) > TRASH_MAX:
                    is_cut = True
                    break
    return Trash(tuple(found.values())[:TRASH_MAX], await _folders(http, library.key), is_cut)


async def _listed(http: ServerHttp, section: str, query: Params) -> AsyncIterator[_TrashedShape]:
    start = 0
    while start < _LISTING_MAX:
        headers = paging(start, _PAGE)
        answer = await http.fetch(
            f"/library/sections/{section}/all", query, decode=_pages.decode, headers=headers, timeout_s=http.page_s
        )
        page = answer.MediaContainer or _PageShape()
        for shape in entries(page.Metadata, _TrashedShape):
            yield shape
        count, total = len(page.Metadata or ()), number(page.totalSize)
        start += count
        if not count or start >= (start if total is None else total):
            return


async def _folders(http: ServerHttp, section: str) -> tuple[str, ...]:
    answer = await http.fetch("/library/sections", decode=container)
    for shape in entries(answer.Directory, _SectionShape):
        if text(shape.key) == section:
            return tuple(path for each in shape.Location or () if (path := text(each.path)))
    return ()


def _trashed(server: ServerId, shape: _TrashedShape) -> list[Trashed]:
    """The title when all of it is in the trash, else those of its versions that are."""
    title = to_title(server, shape)
    if title is None:
        return []
    key = str(title.ref.rating_key)
    if number(shape.deletedAt):
        above = tuple(
            name for value in (shape.parentRatingKey, shape.grandparentRatingKey) if (name := text(value)) is not None
        )
        media = shape.Media or []
        files = tuple(file for version in media for file in _files(version))
        return [Trashed(key, title, None, files, sum(map(_size, media)), above)]
    return [
        Trashed(
            f"{key}/{text(version.id)}", title, text(version.videoResolution) or "", _files(version), _size(version)
        )
        for version in shape.Media or ()
        if number(version.deletedAt)
    ]


def _files(version: _VersionShape) -> tuple[str, ...]:
    return tuple(file for part in version.Part or () if (file := text(part.file)))


def _size(version: _VersionShape) -> int:
    return sum(number(part.size) or 0 for part in version.Part or ())

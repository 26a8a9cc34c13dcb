"""The libraries of all servers, remembered for a day: a server that is away keeps its libraries."""

from __future__ import annotations

from collections.abc import Mapping

from daemon.core.errors import UpstreamError
from daemon.core.ids import ServerId
from daemon.core.media import TitleKind
from daemon.core.visibility import LibraryRef
from daemon.services.cache import Cache
from daemon.services.visibility import KnownLibrary
from integrations.plex.library import Library, Section

_FRESH_S = 60.0  # how soon a new library is noticed
_KEPT_S = 23 * 3600.0
_PATIENCE_S = 1.0  # members wait for the answer
_KINDS = {TitleKind.MOVIE: "movie", TitleKind.SHOW: "show", TitleKind.ARTIST: "artist"}


class LibraryMemory:
    """Libraries by server, from the server's own list."""

    def __init__(self, cache: Cache) -> None:
        self._region = cache.region(
            "plex.libraries", tuple[tuple[str, str, str], ...], ttl_s=_FRESH_S, stale_s=_KEPT_S, patience_s=_PATIENCE_S
        )

    async def all_of(self, readers: Mapping[ServerId, Library]) -> tuple[KnownLibrary, ...]:
        """Every library, servers in their order; of a server that was never reached, none."""
        found: list[KnownLibrary] = []
        for server, reader in readers.items():
            try:
                rows = await self._region.get(server, lambda reader=reader: _rows(reader))  # type: ignore[misc]
            except UpstreamError:
                continue
            found += [KnownLibrary(LibraryRef(server, key), name, kind) for key, name, kind in rows]
        return tuple(found)


async def _rows(reader: Library) -> tuple[tuple[str, str, str], ...]:
    return tuple(_row(section) for section in await reader.sections())


def _row(section: Section) -> tuple[str, str, str]:
    return section.key, section.name, _KINDS[section.kinds[0]]

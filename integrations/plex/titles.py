"""Single titles read fresh from their server: details, streams, what to watch next, live search."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from daemon.core.errors import UpstreamError, UpstreamKind, UserError
from daemon.core.ids import RatingKey, ServerId
from daemon.core.media import Title, TitleKind, TitleRef
from daemon.core.query import NONE, Query, tier_of
from integrations.plex.bounded import Recent
from integrations.plex.http import Params, ServerHttp, paging
from integrations.plex.parse import Streams, all_streams, media_type, to_title
from integrations.plex.shapes import (
    ContainerShape,
    DetailShape,
    ItemShape,
    container,
    entries,
    first,
    listing,
    number,
    text,
)

_LEAVES_PAGE = 250
_LEAVES_MAX = 20_000  # episodes of one show that are looked through
_SEARCH_REASONS = frozenset({None, "section", "originalTitle"})  # others: by an actor, of a genre


@dataclass(frozen=True, slots=True)
class Detail:
    """A title with what playing it needs: its key on the server and the media type that queues and players want."""

    title: Title
    key: str
    media_type: str  # "video" or "music"
    parts: tuple[Streams, ...] = ()  # of each file, the one played by default first
    on_deck: Title | None = None


class Titles:
    """The reader of one server's titles. A missing title is a UserError `title_gone`."""

    def __init__(self, server: ServerId, http: ServerHttp) -> None:
        self._server = server
        self._http = http
        self._details: Recent[RatingKey, Detail] = Recent(256, 300.0)

    async def detail(self, ref: TitleRef) -> Detail:
        """A title as it is now, its resume position included."""
        paths = [f"/library/metadata/{ref.rating_key}", f"/playlists/{ref.rating_key}"]
        known = self._details.get(ref.rating_key)
        if known is not None and known.title.kind is TitleKind.PLAYLIST:
            paths.reverse()
        for path in paths:
            try:
                answer = await self._http.fetch(path, {"includeOnDeck": 1}, decode=container)
            except UpstreamError as error:
                if error.kind is UpstreamKind.NOT_FOUND:
                    continue
                raise
            for shape in entries(answer.Metadata, DetailShape):
                detail = self._to_detail(shape, answer)
                if detail is not None:
                    self._details.put(ref.rating_key, detail)
                    return detail
        raise UserError("That title is no longer on the server.", "title_gone")

    async def known_detail(self, ref: TitleRef) -> Detail:
        """As `detail`, a few minutes old at most: good for names and streams, not for resume positions."""
        return self._details.get(ref.rating_key) or await self.detail(ref)

    async def children(self, ref: TitleRef) -> tuple[Title, ...]:
        """Seasons of a show, episodes of a season, albums of an artist, tracks of an album, in their order."""
        return tuple([title for title, _ in await self._walk(f"/library/metadata/{ref.rating_key}/children")])

    async def next_unwatched(self, detail: Detail) -> Title:
        """The episode to go on with, for the account of the server's token.

        For a show what the server has on deck; else (and whenever that is a special) an episode begun, else the first
        not seen. Regular seasons come before specials. When all is seen, the first regular episode.
        `nothing_to_play` when there is no episode.
        """
        on_deck = detail.on_deck
        if detail.title.kind is TitleKind.SHOW:
            if on_deck is not None and on_deck.kind is TitleKind.EPISODE and on_deck.parent_index != 0:
                return on_deck
            path = f"/library/metadata/{detail.title.ref.rating_key}/allLeaves"
        else:
            path = f"/library/metadata/{detail.title.ref.rating_key}/children"
        episodes = await self._walk(path, stop_at_first_unseen=True)
        regular = [(title, is_seen) for title, is_seen in episodes if title.parent_index != 0]
        for group in (regular, episodes):
            begun = next((title for title, _ in group if title.view_offset_ms), None)
            unseen = next((title for title, is_seen in group if not is_seen), None)
            if (going_on := begun or unseen) is not None:
                return going_on
        if not episodes:
            raise UserError(f"There is nothing to play in {detail.title}.", "nothing_to_play")
        return (regular or episodes)[0][0]

    async def search(self, query_text: str, kinds: Collection[TitleKind] | None, limit: int) -> list[Title]:
        """What the server itself finds by title, in its order; results by actor or genre are left out."""
        query = Query.parse(query_text)
        params: Params = {"query": query_text, "limit": limit, "includeCollections": 0}
        try:
            answer = await self._http.fetch("/hubs/search", params, decode=container)
        except UpstreamError as error:
            if error.kind is UpstreamKind.NOT_FOUND:  # its way to say that nothing can be found
                return []
            raise
        found: list[Title] = []
        for hub in answer.Hub or []:
            for item in entries(hub.Metadata, ItemShape):
                title = to_title(self._server, item)
                if title is None or (kinds is not None and title.kind not in kinds):
                    continue
                if text(item.reason) in _SEARCH_REASONS or tier_of(query, title)[0] != NONE:
                    found.append(title)
        return found

    async def playlists(self, limit: int) -> list[Title]:
        """Playlists of the account whose token this is, of films, episodes or music; the first `limit`."""
        headers = paging(0, limit)
        _, items = await self._http.fetch("/playlists", decode=listing, headers=headers)
        playable = (item for item in items if text(item.playlistType) in ("video", "audio"))
        found = (to_title(self._server, item) for item in playable)
        return [title for title in found if title is not None][:limit]

    def _to_detail(self, shape: DetailShape, within: ContainerShape) -> Detail | None:
        title = to_title(self._server, shape, text(within.librarySectionTitle), text(within.librarySectionID))
        if title is None:
            return None
        on_deck = first(shape.OnDeck.Metadata) if shape.OnDeck else None
        key = text(shape.key) or f"/library/metadata/{title.ref.rating_key}"
        return Detail(
            title,
            key.removesuffix("/children").removesuffix("/items"),
            media_type(title, text(shape.playlistType)),
            all_streams(shape.Media),
            to_title(self._server, on_deck) if on_deck else None,
        )

    async def _walk(self, path: str, *, stop_at_first_unseen: bool = False) -> list[tuple[Title, bool]]:
        """Titles below another with whether each was seen, page by page."""
        found: dict[RatingKey, tuple[Title, bool]] = {}
        for start in range(0, _LEAVES_MAX, _LEAVES_PAGE):
            headers = paging(start, _LEAVES_PAGE)
            head, items = await self._http.fetch(path, decode=listing, headers=headers)
            is_over = not items
            for item in items:
                title = to_title(self._server, item)
                if title is None:
                    continue
                is_seen = bool(number(item.viewCount))
                found[title.ref.rating_key] = (title, is_seen)
                is_over = is_over or (stop_at_first_unseen and not is_seen and title.parent_index != 0)
            total = number(head.totalSize)
            if is_over or start + len(items) >= (total if total is not None else 0):
                break
        return list(found.values())

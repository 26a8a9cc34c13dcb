"""Playing: queues, sessions, history, view state, stream choice, and commands handed on to players."""

from __future__ import annotations

from aiohttp import web

from simulators.plex.answers import (
    NotThere,
    Refused,
    account_of,
    container,
    flag,
    found_item,
    library_container,
    nothing,
    number,
    reply,
)  # fmt: skip
from simulators.plex.companion import Companion
from simulators.plex.elements import element, section_attrs
from simulators.plex.files import AUDIO, SUBTITLE
from simulators.plex.queues import PlayQueue
from simulators.plex.render import Value
from simulators.plex.server import Server
from simulators.plex.sessions import session_element, session_id_of, transcode_element

TARGET = "X-Plex-Target-Client-Identifier"
WINDOW = 50


class PlaybackRoutes:
    """`/playQueues`, `/status/sessions`, `/:/...`, `/player/...` and `/transcode/sessions`."""

    def __init__(self, server: Server, companion: Companion) -> None:
        self._server = server
        self._companion = companion

    def table(self) -> list[web.RouteDef]:
        """Routes for the application."""
        made = [
            web.post("/playQueues", self.create_queue),
            web.get("/playQueues/{id}", self.queue),
            web.put("/playQueues/{id}", self.add_to_queue),
            web.delete("/playQueues/{id}/items", self.clear_queue),
            web.delete("/playQueues/{id}/items/{item}", self.remove_from_queue),
            web.put("/playQueues/{id}/items/{item}/move", self.move_in_queue),
            web.put("/playQueues/{id}/{change:shuffle|unshuffle|reset}", self.change_queue),
            web.get("/status/sessions", self.sessions),
            web.get("/status/sessions/background", self.background),
            web.get("/transcode/sessions", self.transcodes),
            web.put("/library/parts/{part}", self.select_streams),
            web.get("/player/{command:.+}", self.proxied),
            web.post("/player/{command:.+}", self.proxied),
        ]
        made.append(web.put("/actions/removeFromContinueWatching", self.put_aside))
        for path, handler in (
            ("/status/sessions/terminate", self.terminate), ("/:/timeline", self.timeline),
            ("/:/scrobble", self.scrobble), ("/:/unscrobble", self.unscrobble), ("/:/progress", self.progress),
            ("/:/rate", self.rate),
        ):  # fmt: skip
            made += [web.get(path, handler), web.post(path, handler), web.put(path, handler)]
        return made

    # Play queues

    def _queue(self, request: web.Request) -> PlayQueue:
        text = request.match_info["id"]
        queue = self._server.queues.get(int(text)) if text.isascii() and text.isdigit() else None
        if queue is None or not (account_of(request).is_owner or queue.account == account_of(request).id):
            raise NotThere
        return queue

    async def create_queue(self, request: web.Request) -> web.Response:
        """A queue from a uri or a playlist."""
        query = request.query
        playlist = query.get("playlistID")
        uri = f"/playlists/{playlist}/items" if playlist else query.get("uri") or query.get("key") or ""
        queue = self._server.queues.create(
            uri, query.get("type", "video"), account_of(request).id, key=query.get("key"),
            shuffle=flag(request, "shuffle"), continuous=flag(request, "continuous"), seen_by=account_of(request),
        )  # fmt: skip
        return self._show(request, queue)

    async def queue(self, request: web.Request) -> web.Response:
        """A window of a queue around `center` or the selected entry."""
        return self._show(request, self._queue(request))

    async def add_to_queue(self, request: web.Request) -> web.Response:
        """Add at the end or, with next=1, right after what plays."""
        queue = self._queue(request)
        playlist = request.query.get("playlistID")
        uri = f"/playlists/{playlist}/items" if playlist else request.query.get("uri", "")
        self._server.queues.add(queue, uri, play_next=flag(request, "next"), seen_by=account_of(request))
        return self._show(request, queue)

    async def clear_queue(self, request: web.Request) -> web.Response:
        """Leave only what plays."""
        queue = self._queue(request)
        self._server.queues.clear(queue)
        return self._show(request, queue)

    async def remove_from_queue(self, request: web.Request) -> web.Response:
        """Take one entry out."""
        queue = self._queue(request)
        if not self._server.queues.remove(queue, number_of(request.match_info["item"])):
            raise NotThere
        return self._show(request, queue)

    async def move_in_queue(self, request: web.Request) -> web.Response:
        """Put one entry behind another."""
        queue = self._queue(request)
        after = number(request, "after") or None
        if not self._server.queues.move(queue, number_of(request.match_info["item"]), after):
            raise NotThere
        return self._show(request, queue)

    async def change_queue(self, request: web.Request) -> web.Response:
        """Shuffle, unshuffle or start over."""
        queue = self._queue(request)
        getattr(self._server.queues, request.match_info["change"])(queue)
        return self._show(request, queue)

    def _show(self, request: web.Request, queue: PlayQueue) -> web.Response:
        total = len(queue.entries)
        size = max(1, number(request, "window", WINDOW))
        center = max(0, queue.place(number(request, "center") or queue.selected_id))
        low = 0 if total <= size * 2 + 1 else max(0, center - size)
        shown = queue.entries[low : max(center + size + 1, size)]
        rows = []
        for entry in shown:
            row = element(self._server.world, entry.item, account_of(request), full=flag(request, "includeChapters"))
            row.attrs = {"playQueueItemID": entry.id, **row.attrs, **section_attrs(self._server.world, entry.item)}
            rows.append(row)
        selected = queue.selected
        attrs: dict[str, Value] = {
            "playQueueID": queue.id,
            "playQueueLastAddedItemID": str(queue.last_added_id) if queue.last_added_id else None,
            "playQueueSelectedItemID": queue.selected_id if selected else None,
            "playQueueSelectedItemOffset": max(0, queue.place(queue.selected_id)) if selected else None,
            "playQueueSelectedMetadataItemID": str(selected.item.key) if selected else None,
            "playQueueShuffled": queue.is_shuffled,
            "playQueueSourceURI": queue.source_uri,
            "playQueueTotalCount": total,
            "playQueueVersion": queue.version,
        }
        return reply(request, library_container(rows, **attrs))

    # Sessions

    async def sessions(self, request: web.Request) -> web.Response:
        """What plays now."""
        now = self._server.clock.now()
        rows = [session_element(self._server, player, now) for player in self._server.sessions()]
        return reply(request, container(rows))

    async def background(self, request: web.Request) -> web.Response:
        """No conversions in the background."""
        return reply(request, container([]))

    async def terminate(self, request: web.Request) -> web.Response:
        """End somebody's session; the owner's own too."""
        wanted = request.query.get("sessionId")
        for player in self._server.sessions():
            if session_id_of(player) == wanted:
                player.stop(self._server.clock.now())
                return nothing()
        raise NotThere

    async def transcodes(self, request: web.Request) -> web.Response:
        """Conversions under way."""
        now = self._server.clock.now()
        return reply(request, container([
            transcode_element(player, now) for player in self._server.sessions() if player.spec.transcodes
        ]))  # fmt: skip

    # View state

    async def timeline(self, request: web.Request) -> web.Response:
        """A client that is no player of ours reports where it is; its account's view state follows."""
        item = found_item(self._server, request, request.query.get("ratingKey", ""))
        view = self._server.world.change_view(account_of(request).id, item)
        view.offset_ms = number(request, "time") if request.query.get("state") != "stopped" else view.offset_ms
        view.last_viewed_at = int(self._server.clock.now())
        attrs: dict[str, Value] = {
            "playbackState": "progress", "skipCount": 0, "viewCount": view.count, "viewOffset": view.offset_ms,
        }  # fmt: skip
        return reply(request, container([], **attrs))

    async def scrobble(self, request: web.Request) -> web.Response:
        """Mark as watched."""
        item = found_item(self._server, request, request.query.get("key", ""))
        self._server.scrobble(account_of(request), item, self._server.clock.now())
        return nothing()

    async def unscrobble(self, request: web.Request) -> web.Response:
        """Mark as not watched."""
        item = found_item(self._server, request, request.query.get("key", ""))
        self._server.unscrobble(account_of(request), item)
        return nothing()

    async def progress(self, request: web.Request) -> web.Response:
        """Set where to resume."""
        item = found_item(self._server, request, request.query.get("key", ""))
        view = self._server.world.change_view(account_of(request).id, item)
        view.offset_ms, view.last_viewed_at = number(request, "time"), int(self._server.clock.now())
        return nothing()

    async def put_aside(self, request: web.Request) -> web.Response:
        """Take a film or a series off what the account would go on with, until it is watched again."""
        item = found_item(self._server, request, request.query.get("ratingKey", ""))
        self._server.world.put_aside[(account_of(request).id, item.top.serial)] = int(self._server.clock.now())
        return nothing()

    async def rate(self, request: web.Request) -> web.Response:
        """Rate from 0 to 10; a negative rating takes it away, anything else is the 400 page."""
        item = found_item(self._server, request, request.query.get("key", ""))
        try:
            given = float(request.query.get("rating", "-1"))
        except ValueError as error:
            raise Refused from error
        if not given <= 10:  # nan too
            raise Refused
        view = self._server.world.change_view(account_of(request).id, item)
        view.user_rating = given if given >= 0 else None
        view.rated_at = int(self._server.clock.now()) if given >= 0 else 0
        return nothing()

    async def select_streams(self, request: web.Request) -> web.Response:
        """Choose audio or subtitles of a file for this account, from now on."""
        part = number_of(request.match_info["part"])
        choices: dict[int, int] = {}
        for name, kind in (("audioStreamID", AUDIO), ("subtitleStreamID", SUBTITLE)):
            if name in request.query:
                choices[kind] = number(request, name)
        self._server.select_streams(account_of(request), part, choices)
        return nothing()

    # Remote control

    async def proxied(self, request: web.Request) -> web.Response:
        """Hand a command on to the player named in the header; 404 when it cannot be reached from here."""
        player = self._server.players.get(request.headers.get(TARGET, ""))
        if player is None or not player.spec.is_proxied or not player.is_online:
            raise NotThere
        return await self._companion.handle(player, request, request.match_info["command"])


def number_of(text: str) -> int:
    """A number in a path; the 400 page for anything else."""
    if not (text.isascii() and text.isdigit()):
        raise Refused
    return int(text)

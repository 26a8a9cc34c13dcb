"""The play queue of a player: read as JSON, changed through the adapter, and the player told to look again."""

from __future__ import annotations

from daemon.core.errors import UpstreamError, UpstreamKind, UserError
from daemon.core.ids import PlayerId, ServerId
from daemon.core.limits import QUEUE_WINDOW
from daemon.core.media import PlayQueue, TitleKind, TitleRef
from integrations.plex.adapter import Adapter
from integrations.plex.http import ServerHttp
from integrations.plex.parse import to_queue_item
from integrations.plex.playbacks import Playbacks, PlayerMemory
from integrations.plex.remote import Remote
from integrations.plex.shapes import ItemShape, container, entries, flag, number
from integrations.plex.titles import Titles


class Queues:
    """Queues of one server's players. Without one, changes are a UserError `no_queue`."""

    def __init__(
        self,
        server: ServerId,
        http: ServerHttp,
        titles: Titles,
        playbacks: Playbacks,
        remote: Remote,
        memory: PlayerMemory,
    ) -> None:
        self._server = server
        self._http = http
        self._titles = titles
        self._playbacks = playbacks
        self._remote = remote
        self._memory = memory

    async def of(self, player_id: PlayerId) -> PlayQueue | None:
        """What the player plays from; None when it plays from no queue that the server knows."""
        queue_id = await self._queue_id(player_id)
        if queue_id is None:
            return None
        params = {"own": 1, "window": QUEUE_WINDOW, "includeBefore": 1, "includeAfter": 1}
        try:
            answer = await self._http.fetch(f"/playQueues/{queue_id}", params, decode=container)
        except UpstreamError as error:
            if error.kind is UpstreamKind.NOT_FOUND:
                self._memory.queues.drop(player_id)
                return None
            raise
        items = (to_queue_item(self._server, shape) for shape in entries(answer.Metadata, ItemShape))
        held = tuple(item for item in items if item is not None)[:QUEUE_WINDOW]
        return PlayQueue(
            queue_id,
            held,
            number(answer.playQueueSelectedItemID),
            number(answer.playQueueTotalCount) or len(held),
            flag(answer.playQueueShuffled),
        )

    async def add(self, player_id: PlayerId, ref: TitleRef, adapter: Adapter, machine_id: str) -> None:
        """Put a title at the end of what was added."""
        queue_id = await self._needed_queue_id(player_id)
        detail = await self._titles.detail(ref)
        params: dict[str, str | int] = {"uri": f"server://{machine_id}/com.plexapp.plugins.library{detail.key}"}
        if detail.title.kind is TitleKind.PLAYLIST:
            params["playlistID"] = ref.rating_key
        await adapter.edit_queue("PUT", f"/playQueues/{queue_id}", params)
        await self._tell(player_id, queue_id)

    async def remove(self, player_id: PlayerId, item_id: int, adapter: Adapter) -> None:
        """Take one entry out; UserError `not_in_queue` when it is not there (any more)."""
        queue_id = await self._needed_queue_id(player_id)
        try:
            await adapter.edit_queue("DELETE", f"/playQueues/{queue_id}/items/{item_id}")
        except UpstreamError as error:
            if error.kind is UpstreamKind.NOT_FOUND:
                raise UserError("That is not in the queue any more.", "not_in_queue") from None
            raise
        await self._tell(player_id, queue_id)

    async def clear(self, player_id: PlayerId, adapter: Adapter) -> None:
        """Take out everything that has not begun."""
        queue_id = await self._needed_queue_id(player_id)
        await adapter.edit_queue("DELETE", f"/playQueues/{queue_id}/items")
        await self._tell(player_id, queue_id)

    async def shuffle(self, player_id: PlayerId, adapter: Adapter) -> None:
        """Mix what comes next."""
        queue_id = await self._needed_queue_id(player_id)
        await adapter.edit_queue("PUT", f"/playQueues/{queue_id}/shuffle")
        await self._tell(player_id, queue_id)

    async def _tell(self, player_id: PlayerId, queue_id: int) -> None:
        """The player reads its queue again; one that does not know the command will at the next title."""
        try:
            await self._remote.send(player_id, "refreshPlayQueue", {"playQueueID": queue_id})
        except UserError as error:
            if error.code != "player_refused":
                raise

    async def _queue_id(self, player_id: PlayerId) -> int | None:
        """From the player itself, else what notices and our own commands told."""
        for line in await self._playbacks.timelines(player_id):
            if line.queue_id is not None and line.state != "stopped":
                self._memory.queues.put(player_id, line.queue_id)
                return line.queue_id
        return self._memory.queues.get(player_id)

    async def _needed_queue_id(self, player_id: PlayerId) -> int:
        queue_id = await self._queue_id(player_id)
        if queue_id is None:
            raise UserError("Nothing is queued on that player; play something first.", "no_queue")
        return queue_id

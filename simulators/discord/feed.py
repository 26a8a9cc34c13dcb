"""The change feed: whatever happens in the world, told to listeners at once and to subscribers in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

QUEUE_MAX = 10_000  # changes a slow subscriber may lag behind before the oldest are dropped


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened.

    Kinds: message_created, message_edited, message_deleted, reaction_changed, typing, commands_changed,
    channel_created, channel_changed, channel_deleted, role_created, member_joined, member_changed, member_left,
    interaction_created, interaction_answered, interaction_failed.
    `data` is Discord's JSON of the thing itself (a whole message, a whole channel; for interactions
    `{"id", "application_id", "user_id", "kind", ...}`). `only_for` names the one user who may know (ephemeral
    messages, interactions); None means everybody who can see the channel.
    """

    kind: str
    channel_id: int | None = None
    guild_id: int | None = None
    only_for: int | None = None
    data: dict[str, Any] = field(default_factory=dict)


class Feed:
    """Hands every change to synchronous listeners first, then to the queues of subscribers."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Change], None]] = []
        self._queues: set[asyncio.Queue[Change]] = set()

    def listen(self, listener: Callable[[Change], None]) -> None:
        """Call `listener` for every change, in the moment it happens; it must not raise or block."""
        self._listeners.append(listener)

    def tell(self, change: Change) -> None:
        """Publish one change."""
        for listener in self._listeners:
            listener(change)
        for queue in self._queues:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(change)

    def subscribe(self) -> Subscription:
        """Everything that happens from this call on; close it (or use it as a context manager) when done."""
        queue: asyncio.Queue[Change] = asyncio.Queue(QUEUE_MAX)
        self._queues.add(queue)
        return Subscription(queue, self._queues)


class Subscription(AsyncIterator[Change]):
    """An endless async iterator of changes. Nothing is lost between `subscribe()` and the first iteration."""

    def __init__(self, queue: asyncio.Queue[Change], queues: set[asyncio.Queue[Change]]) -> None:
        self._queue = queue
        self._queues = queues

    async def __anext__(self) -> Change:
        return await self._queue.get()

    def close(self) -> None:
        """Stop receiving."""
        self._queues.discard(self._queue)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

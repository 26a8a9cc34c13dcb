"""What the server tells those who listen on its websocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from simulators.plex.world import Account

KEYS = {
    "playing": "PlaySessionStateNotification",
    "timeline": "TimelineEntry",
    "activity": "ActivityNotification",
    "status": "StatusNotification",
    "progress": "ProgressNotification",
    "transcodeSession.start": "TranscodeSession",
    "transcodeSession.end": "TranscodeSession",
}
BACKLOG_MAX = 1_000  # messages waiting for one slow listener before it is cut off


class Listener:
    """One open websocket: its account and the messages it has not read yet."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._waiting: asyncio.Queue[str | None] = asyncio.Queue(BACKLOG_MAX)

    def put(self, text: str) -> None:
        """Queue a message; a listener that does not keep up is closed."""
        try:
            self._waiting.put_nowait(text)
        except asyncio.QueueFull:
            self.close()

    def close(self) -> None:
        """End the stream after what is queued, or at once when the queue is full."""
        while self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(None)

    async def next(self) -> str | None:
        """The next message; None when the stream has ended."""
        return await self._waiting.get()


class Notifications:
    """Everybody who listens, and what was sent last (for tests and the state dump)."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self.sent_total = 0
        self.muted = False  # a half-open connection: nothing arrives, nothing is closed

    @property
    def listeners(self) -> int:
        """How many websockets are open."""
        return len(self._listeners)

    def join(self, account: Account) -> Listener:
        """Begin to listen."""
        listener = Listener(account)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Stop listening."""
        self._listeners.discard(listener)

    def send(self, kind: str, entries: Sequence[Mapping[str, Any]], *, account: int | None = None) -> None:
        """Tell everybody; with `account`, only the owner and that account."""
        container = {"type": kind, "size": len(entries), KEYS[kind]: entries}
        self.send_text(json.dumps({"NotificationContainer": container}, ensure_ascii=False), account=account)

    def send_text(self, text: str, *, account: int | None = None) -> None:
        """Tell everybody something raw: what a real server sends on a bad day too."""
        self.sent_total += 1
        for listener in () if self.muted else tuple(self._listeners):
            if listener.account.is_owner or account == listener.account.id:
                listener.put(text)

    def drop(self, account: int) -> None:
        """Close the websockets of one account."""
        for listener in tuple(self._listeners):
            if listener.account.id == account:
                listener.close()

    def drop_all(self) -> None:
        """Close every websocket, as a restart does."""
        for listener in tuple(self._listeners):
            listener.close()

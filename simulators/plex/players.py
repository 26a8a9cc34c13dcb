"""Players: state machines whose position is a function of the clock."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from simulators.plex.items import Item
from simulators.plex.queues import Entry, PlayQueue
from simulators.plex.world import Account

STOPPED, BUFFERING, PLAYING, PAUSED = "stopped", "buffering", "playing", "paused"
REPORT_S = 10.0  # a player tells the server where it is this often
SCROBBLE_AT = 0.9
STEP_FORWARD_MS, STEP_BACK_MS = 30_000, 10_000
REPEAT_OFF, REPEAT_ONE, REPEAT_ALL = 0, 1, 2
LONGEST_SETTLE = 10_000  # titles played through in one jump of the clock


@dataclass(frozen=True, slots=True)
class PlayerSpec:
    """What a device is. `reply` is what it answers to a command: `xml`, or `text` (a bare OK)."""

    id: str
    title: str
    product: str
    platform: str
    device: str
    device_class: str
    version: str = "10.2.1"
    platform_version: str = "12"
    is_direct: bool = False  # its own port answers
    is_proxied: bool = False  # the server hands commands on to it
    is_listed: bool = False  # in /clients
    plays: tuple[str, ...] = ("video", "audio")
    reply: str = "xml"
    address: str = "127.0.0.1"
    location: str = "lan"
    transcodes: bool = False
    is_dlna: bool = False

    @property
    def capabilities(self) -> str:
        """What it says it can do (`protocolCapabilities`)."""
        return "timeline,playback,navigation,mirror,playqueues,provider-playback"


class Stage(Protocol):
    """What happens around a player; the server implements it."""

    def on_state(self, player: Player, at: float) -> None:
        """State, title or stream changed at this instant."""

    def on_report(self, player: Player, at: float) -> None:
        """The regular word of where it is."""

    def on_scrobble(self, player: Player, at: float) -> None:
        """Nine tenths were seen."""

    def on_leave(self, player: Player, at: float, position_ms: int) -> None:
        """It left its present title (end, skip or stop) at this position."""


@dataclass(eq=False)
class Player:
    """One device. Call `settle(now)` before reading it: that plays everything up to `now` through."""

    spec: PlayerSpec
    stage: Stage
    buffering_s: float = 0.5
    state: str = STOPPED
    item: Item | None = None
    entry: Entry | None = None
    queue: PlayQueue | None = None
    account: Account | None = None
    session_key: int = 0
    volume: int = 100
    is_muted: bool = False
    shuffle: bool = False
    repeat: int = REPEAT_OFF
    is_online: bool = True
    is_killed: bool = False  # the app died: its session stays as it was until the server gives it up
    killed_at: float = 0.0
    last_commands: dict[str, int] = field(default_factory=dict)  # controller -> highest commandID
    stale_commands: int = 0
    ended_at: float = 0.0
    _base_ms: float = 0.0
    _since: float = 0.0
    _ready_at: float = 0.0
    _reported_at: float = 0.0
    _is_scrobbled: bool = False
    next_session: Callable[[], int] = lambda: 1

    @property
    def duration_ms(self) -> int:
        """Length of what plays; 0 when nothing does."""
        return (self.item.duration_ms or 0) if self.item else 0

    def position_ms(self, now: float) -> int:
        """Where it is at `now`, between 0 and the duration."""
        moved = (now - self._since) * 1000 if self.state == PLAYING and not self.is_killed else 0.0
        return int(min(max(0.0, self._base_ms + moved), self.duration_ms))

    def next_event(self) -> float:
        """Instant at which something will happen by itself; infinity when nothing will."""
        if self.is_killed:
            return math.inf
        if self.state == BUFFERING:
            return self._ready_at
        if self.state == PAUSED:
            return self._reported_at + REPORT_S
        if self.state != PLAYING:
            return math.inf
        return min(self._reported_at + REPORT_S, self._crossing())

    def settle(self, now: float) -> None:
        """Live through everything up to `now`: buffered, scrobbled, ended, next title, reports (one for a long gap)."""
        for _ in range(LONGEST_SETTLE):
            if self.is_killed:
                return
            if self.state == BUFFERING and self._ready_at <= now:
                self.state, self._since = PLAYING, self._ready_at
                self._reported_at = self._ready_at
                self.stage.on_state(self, self._ready_at)
                continue
            if self.state == PLAYING and (at := self._crossing()) <= now:
                self._cross(at)
                continue
            break
        if self.state in (PLAYING, PAUSED) and now - self._reported_at >= REPORT_S:
            self._reported_at = now - (now - self._reported_at) % REPORT_S
            self.stage.on_report(self, now)

    def _at(self, position_ms: float) -> float:
        return self._since + (position_ms - self._base_ms) / 1000

    def _crossing(self) -> float:
        return self._at(self.duration_ms if self._is_scrobbled else self.duration_ms * SCROBBLE_AT)

    def _cross(self, at: float) -> None:
        if not self._is_scrobbled:
            self._is_scrobbled = True
            self.stage.on_scrobble(self, at)
            return
        following = self._following()
        self.stage.on_leave(self, at, self.duration_ms)
        if following is None:
            self._halt(at)
        else:
            self._load(following, at, 0)

    def _following(self) -> Entry | None:
        if self.repeat == REPEAT_ONE or self.queue is None:
            return self.entry if self.repeat == REPEAT_ONE else None
        following = self.queue.step(1)
        if following is None and self.repeat == REPEAT_ALL and self.queue.entries:
            return self.queue.entries[0]
        return following

    def _halt(self, at: float) -> None:
        self._base_ms, self._since = float(self.position_ms(at)), at
        self.state, self.ended_at = STOPPED, at
        self.stage.on_state(self, at)
        self.item = self.entry = self.queue = self.account = None
        self.session_key, self._base_ms = 0, 0.0

    def _load(self, entry: Entry, at: float, offset_ms: int) -> None:
        self.entry, self.item = entry, entry.item
        if self.queue is not None and self.queue.place(entry.id) >= 0:
            self.queue.selected_id = entry.id
        self._base_ms, self._since = float(min(offset_ms, self.duration_ms)), at
        self._is_scrobbled = self._base_ms >= self.duration_ms * SCROBBLE_AT
        self._ready_at, self._reported_at = at + self.buffering_s, at
        self.state = BUFFERING
        self.stage.on_state(self, at)
        if self.buffering_s <= 0:
            self.settle(at)

    # Commands; all expect a settled player.

    def play_queue(self, queue: PlayQueue, account: Account, now: float, offset_ms: int = 0) -> bool:
        """Start what the queue has selected; False for an empty queue."""
        entry = queue.selected
        if entry is None:
            return False
        if self.item is not None:
            self.stage.on_leave(self, now, self.position_ms(now))
        self.is_killed = False
        self.queue, self.account, self.shuffle = queue, account, queue.is_shuffled
        self.session_key = self.session_key or self.next_session()
        self._load(entry, now, offset_ms)
        return True

    def pause(self, now: float) -> None:
        """Hold still; nothing when it does not play."""
        if self.state in (PLAYING, BUFFERING):
            self._base_ms, self._since = float(self.position_ms(now)), now
            self.state = PAUSED
            self.stage.on_state(self, now)

    def resume(self, now: float) -> None:
        """Go on from a pause."""
        if self.state == PAUSED:
            self._since, self.state = now, PLAYING
            self.stage.on_state(self, now)

    def stop(self, now: float) -> None:
        """End the session."""
        if self.item is not None:
            self.stage.on_leave(self, now, self.position_ms(now))
            self._halt(now)

    def seek(self, position_ms: int, now: float) -> None:
        """Jump inside the title; beyond the end counts as the end."""
        if self.item is None:
            return
        self._base_ms, self._since = float(min(max(0, position_ms), self.duration_ms)), now
        self._is_scrobbled = self._is_scrobbled and self._base_ms >= self.duration_ms * SCROBBLE_AT
        self.stage.on_state(self, now)
        self.settle(now)

    def skip(self, by: int, now: float) -> None:
        """Next (+1) or previous (-1) of the queue; next after the last stops, previous of the first starts it over."""
        entry = self.queue.step(by) if self.queue else None
        if self.item is None:
            return
        if entry is None and by > 0 and self.repeat == REPEAT_ALL and self.queue:
            entry = self.queue.entries[0]
        if entry is None and by < 0:
            self.seek(0, now)
            return
        self.stage.on_leave(self, now, self.position_ms(now))
        if entry is None:
            self._halt(now)
        else:
            self._load(entry, now, 0)

    def skip_to(self, entry: Entry, now: float) -> None:
        """Play another entry of the queue."""
        if self.item is not None:
            self.stage.on_leave(self, now, self.position_ms(now))
            self._load(entry, now, 0)

    def kill(self, now: float) -> None:
        """The app dies without a word: its session goes on showing the last thing the server heard."""
        self._base_ms, self._since = float(self.position_ms(now)), now
        self.is_killed, self.is_online, self.killed_at = True, False, now

    def bury(self, now: float) -> None:
        """The server gives up a session of which nothing was heard."""
        self.stop(now)
        self.is_killed = False

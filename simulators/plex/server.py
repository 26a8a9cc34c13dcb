"""The state of one simulated Plex Media Server, without HTTP."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from simulators.clock import SimClock
from simulators.plex import household
from simulators.plex.details import digest
from simulators.plex.disk import Disk
from simulators.plex.faults import Faults
from simulators.plex.items import KIND_NUMBERS, Item
from simulators.plex.notifications import Notifications
from simulators.plex.players import STOPPED, Player, PlayerSpec
from simulators.plex.queues import PlayQueues
from simulators.plex.render import Value
from simulators.plex.turns import Turns
from simulators.plex.world import Account, World

VERSION = "1.42.1.10060-4e8b05daf"
GHOST_S = 180.0  # a session of which nothing is heard is kept this long
REQUESTS_KEPT_MAX = 10_000
# Settings that change what the server does; `allowMediaDeletion` off refuses to delete files.
PREFS: dict[str, Value] = {
    "allowMediaDeletion": True, "autoEmptyTrash": False, "GdmEnabled": True, "LogVerbose": False,
    "TranscoderQuality": 0,
}  # fmt: skip
RESUME_FROM_MS = 60_000  # less than a minute in is not worth resuming


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """One request as it came in. `headers` keep their names as sent; `where` is server, account or player:<id>."""

    at: float
    where: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    status: int
    is_unknown: bool = False

    def header(self, name: str) -> str | None:
        """The value of a header, whatever its case; None when it was not sent."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Play:
    """A row of the play history."""

    id: int
    item: Item
    account: int
    player: PlayerSpec
    viewed_at: int
    position_ms: int


@dataclass(slots=True)
class Activity:
    """Something that runs in the background of the server, such as a scan."""

    uuid: str
    kind: str
    title: str
    subtitle: str
    progress: int = 0
    is_cancellable: bool = False
    context: dict[str, Value] = field(default_factory=dict)


@dataclass(eq=False)
class Server:
    """Everything the routes read and change. Times are those of `clock`."""

    world: World
    clock: SimClock
    name: str
    buffering_s: float
    machine_id: str = ""
    version: str = VERSION
    queues: PlayQueues = field(init=False)
    players: dict[str, Player] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)  # of the players' own doors
    history: list[Play] = field(default_factory=list)
    activities: dict[str, Activity] = field(default_factory=dict)
    activities_begun: int = 0
    disk: Disk = field(default_factory=Disk)
    prefs: dict[str, Value] = field(default_factory=lambda: dict(PREFS))
    turns: Turns = field(default_factory=Turns)
    siblings: list[Server] = field(default_factory=list)  # the owner's other servers
    requests: deque[SeenRequest] = field(default_factory=lambda: deque(maxlen=REQUESTS_KEPT_MAX))
    unknown_routes: list[str] = field(default_factory=list)
    tokens_revoked: int = 0
    plays_total: int = 0
    transient_tokens: dict[str, int] = field(default_factory=dict)  # token -> account
    boots: int = 1
    starting_until: float = 0.0
    changed: asyncio.Event = field(default_factory=asyncio.Event)  # wakes who polls a player
    stirred: asyncio.Event = field(default_factory=asyncio.Event)  # wakes who waits for the next event
    watchers: list[Callable[[Player], None]] = field(default_factory=list)  # called when a player changes state
    tasks: asyncio.TaskGroup | None = None
    notifications: Notifications = field(default_factory=Notifications)
    faults: Faults = field(init=False)
    _side_work: set[asyncio.Task[None]] = field(default_factory=set)
    _sessions: int = 0

    def __post_init__(self) -> None:
        self.machine_id = self.machine_id or digest(self.world.seed, "machine")
        self.queues = PlayQueues(self.world, self.machine_id)
        self.faults = Faults(self.world.seed)
        self._life = random.Random(f"life:{self.world.seed}")
        for spec in household.specs(self.world):
            player = Player(spec, self, self.buffering_s, next_session=self._next_session)
            self.players[spec.id] = player

    @property
    def owner(self) -> Account:
        """The account whose server it is."""
        return self.world.accounts[1]

    def player(self, name: str) -> Player:
        """A player by title or id; LookupError when there is none."""
        for player in self.players.values():
            if name in (player.spec.title, player.spec.id):
                return player
        raise LookupError(f"no player named {name!r}")

    def account(self, name: str | int) -> Account:
        """An account by name or id; LookupError when there is none."""
        for account in self.world.accounts.values():
            if name in (account.name, account.id):
                return account
        raise LookupError(f"no account named {name!r}")

    def account_of(self, token: str) -> Account | None:
        """Whose (perhaps transient) token this is."""
        return self.world.by_server_token(token) or self.world.accounts.get(self.transient_tokens.get(token, 0))

    def settle(self) -> float:
        """Bring every player up to the present; returns the present."""
        now = self.clock.now()
        for player in self.players.values():
            if player.is_killed and now - player.killed_at >= GHOST_S:
                player.bury(now)
            player.settle(now)
        return now

    def sessions(self) -> list[Player]:
        """Players with something on, in the order in which they began."""
        busy = [player for player in self.players.values() if player.item is not None and player.state != STOPPED]
        return sorted(busy, key=lambda player: player.session_key)

    def next_event(self) -> float:
        """Instant of the next thing that happens by itself."""
        ghosts = [player.killed_at + GHOST_S for player in self.players.values() if player.is_killed]
        return min([player.next_event() for player in self.players.values()] + ghosts)

    def start(
        self, player: Player, items: str, account: Account, *, offset_ms: int = 0, shuffle: bool = False,
        continuous: bool = False,
    ) -> bool:  # fmt: skip
        """Play what a uri or path stands for, as if somebody chose it on the player."""
        queue = self.queues.create(
            items, player.spec.plays[0], account.id, key=None, shuffle=shuffle, continuous=continuous
        )
        return player.play_queue(queue, account, self.settle(), offset_ms)

    def run(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside the requests; it ends with the simulator."""
        if self.tasks is None:
            work.close()
            raise RuntimeError("the simulator is not running")
        task = self.tasks.create_task(work, name=name)
        self._side_work.add(task)
        task.add_done_callback(self._side_work.discard)

    def close(self) -> None:
        """End what runs beside the requests."""
        for task in tuple(self._side_work):
            task.cancel()

    # What players report (players.Stage)

    def on_state(self, player: Player, at: float) -> None:
        """Tell listeners; remember the position of whoever paused."""
        self.changed.set()
        self.stirred.set()
        self._keep_offset(player, at)
        self._announce(player, at)
        for watcher in self.watchers:
            watcher(player)

    def on_report(self, player: Player, at: float) -> None:
        """The 10-second word of a player."""
        self._keep_offset(player, at)
        self._announce(player, at)

    def on_scrobble(self, player: Player, at: float) -> None:
        """Count a view for the account."""
        if player.item is not None and player.account is not None:
            self.scrobble(player.account, player.item, at)

    def on_leave(self, player: Player, at: float, position_ms: int) -> None:
        """Write history for whoever saw more than a minute."""
        if player.item is None or player.account is None:
            return
        if position_ms >= min(RESUME_FROM_MS, player.duration_ms * 0.5):
            self.plays_total += 1
            play = Play(self.plays_total, player.item, player.account.id, player.spec, int(at), position_ms)
            self.history.append(play)

    def scrobble(self, account: Account, item: Item, at: float) -> None:
        """Mark a title (or all below it) as watched by an account."""
        for leaf in self.world.leaves(item):
            view = self.world.change_view(account.id, leaf)
            view.count, view.offset_ms, view.last_viewed_at = view.count + 1, 0, int(at)

    def unscrobble(self, account: Account, item: Item) -> None:
        """Mark a title (or all below it) as not watched."""
        for leaf in self.world.leaves(item):
            view = self.world.change_view(account.id, leaf)
            view.count, view.offset_ms, view.last_viewed_at = 0, 0, 0

    def select_streams(self, account: Account, part: int, choices: dict[int, int]) -> None:
        """Remember which streams of a file an account plays: stream type -> stream id, 0 for no subtitles."""
        self.world.selections.setdefault((account.id, part), {}).update(choices)

    def tell_timeline(self, item: Item, state: int, change: str) -> None:
        """A title came (0 then 5), changed (5) or went (9): tell listeners."""
        entry = {
            "identifier": "com.plexapp.plugins.library", "sectionID": str(item.section), "itemID": str(item.key),
            "type": KIND_NUMBERS[item.kind], "title": item.title, "state": state, "metadataState": change,
            "updatedAt": int(self.clock.now()),
        }  # fmt: skip
        self.notifications.send("timeline", [entry])

    def restart(self, *, down_s: float = 0.0) -> None:
        """Boot again: websockets drop, sessions get new keys from 1, 503 for `down_s` simulated seconds."""
        self.boots += 1
        self._sessions = 0
        self.transient_tokens.clear()
        self.notifications.drop_all()
        self.starting_until = self.clock.now() + down_s
        for player in self.sessions():
            player.session_key = self._next_session()

    def change_identity(self) -> str:
        """Come back as another server, as after a new installation; returns the new machine identifier."""
        self.machine_id = digest(self.world.seed, "machine", self.boots, self.machine_id)
        self.queues.machine_id = self.machine_id
        return self.machine_id

    def _keep_offset(self, player: Player, at: float) -> None:
        if player.item is None or player.account is None or player.item.kind == "track":
            return
        position = player.position_ms(at)
        is_between = RESUME_FROM_MS <= position < player.duration_ms * 0.9
        view = self.world.change_view(player.account.id, player.item)
        view.offset_ms, view.last_viewed_at = position if is_between else 0, int(at)

    def _announce(self, player: Player, at: float) -> None:
        if player.item is None or player.account is None:
            return
        entry: dict[str, Any] = {
            "sessionKey": str(player.session_key), "clientIdentifier": player.spec.id,
            "guid": self.world.facts(player.item).guid, "ratingKey": str(player.item.key), "url": "",
            "key": f"/library/metadata/{player.item.key}", "viewOffset": player.position_ms(at), "state": player.state,
        }  # fmt: skip
        if player.queue is not None and player.entry is not None:
            entry |= {"playQueueItemID": player.entry.id, "playQueueID": player.queue.id}
        if player.spec.transcodes:
            entry["transcodeSession"] = digest(player.spec.id, player.session_key)[:24]
        self.notifications.send("playing", [entry], account=player.account.id)

    def _next_session(self) -> int:
        self._sessions += 1
        return self._sessions

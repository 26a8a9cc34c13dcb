"""An installation with something of everything in it, and what a restored one must still know."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import func, select, text

from daemon.core.events import ServerLost
from daemon.core.ids import AppId, ChannelId, GuildId, MemberId, MessageId, ModuleId, PanelId, PlayerId, ServerId
from daemon.data import people
from daemon.data.columns import metadata
from daemon.data.queue.tables import dead_letters, queue_messages
from daemon.data.store import Store
from daemon.kernel.clock import SystemClock
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.audit import Audit
from daemon.services.backup import Place
from daemon.services.events import CATALOG, Events
from daemon.services.guilds import Guilds
from daemon.services.keys import Keys
from daemon.services.panels import Panels
from daemon.services.profiles import Profiles
from daemon.services.queue import (
    ClaimStore,
    DatabaseClaims,
    DatabaseTransport,
    FileClaims,
    Message,
    Queue,
    QueueSpec,
    Reject,
)
from daemon.services.servers import Capability, Route, Servers

T = TypeVar("T")

AT = datetime(2026, 11, 20, 4, 30, tzinfo=UTC)
LARGE = random.Random(7).randbytes(1_000_000)
PLAYBACK = ModuleId("playback")
MEMBER, GUILD, SERVER = MemberId(42), GuildId(7), ServerId("attic")
SPEC = QueueSpec("films", attempts_max=1, retry_first_s=0.01)


def silent(*_: object) -> None:
    """Nobody watches the progress."""


def place_of(url: str, folder: Path, *, passphrase: str | None = None, in_database: bool = False) -> Place:
    return Place(url, folder, folder / "backups", passphrase, folder / "claims", in_database)


def claims_of(place: Place, store: Store) -> ClaimStore:
    clock = SystemClock()
    return DatabaseClaims(store, clock) if place.claims_in_database else FileClaims(place.claims, store, clock)


@dataclass(frozen=True)
class House:
    """Services on a store, and a queue that handles nothing until it is started."""

    store: Store
    queue: Queue
    events: Events
    panels: Panels
    profiles: Profiles
    guilds: Guilds
    keys: Keys
    servers: Servers
    audit: Audit


@asynccontextmanager
async def open_house(place: Place) -> AsyncIterator[House]:
    store = await Store.open(place.database_url, metrics=Metrics())
    metrics, clock = Metrics(), SystemClock()
    supervisor = Supervisor(log=structlog.get_logger("test"), metrics=metrics)
    queue = Queue(
        store, clock, claims=claims_of(place, store), transport=DatabaseTransport(), supervisor=supervisor,
        metrics=metrics, rng=random.Random(1),
    )  # fmt: skip
    queue.declare(SPEC)
    events = Events(store, queue, clock, CATALOG, metrics)
    try:
        yield House(
            store, queue, events, Panels(store, clock, process="test", has_gateway=True), Profiles(store, clock),
            Guilds(store, clock), Keys(store, clock), Servers(store, clock, events), Audit(store, clock),
        )  # fmt: skip
    finally:
        await queue.stop()
        await supervisor.drain(0.0)
        await store.close()


def in_house(place: Place, visit: Callable[[House], Coroutine[Any, Any, T]]) -> T:
    """What `visit` finds in the house at `place`, on an event loop of its own: most of a drill is not asynchronous."""

    async def stay() -> T:
        async with open_house(place) as house:
            return await visit(house)

    return asyncio.run(stay())


@dataclass(frozen=True)
class Known:
    """What was there when the backup began."""

    component_key: bytes
    panel_id: PanelId
    removed_panel_id: PanelId
    waiting_id: int


async def fill(house: House) -> Known:
    """Something in every corner: people, cards, keys, an audit trail, a large message, dead letters, an event."""
    profile = await house.store.write(lambda tx: people.ensure_member(tx, MEMBER, "Erika", AT))
    await house.profiles.set_preference(profile, "playback.player", "Living Room ☂")
    await house.guilds.set_setting(GUILD, "playback.channel", "99")
    await house.servers.remember_machine_id(SERVER, "abc")
    await house.servers.remember_capability(SERVER, PlayerId("tv"), Capability(Route.DIRECT, "", AT))
    for number in range(300):
        await house.audit.record(profile, "command play", f"title {number}", {"number": number}, "t")
    kept, removed = [await add_panel(house) for _ in range(2)]
    await house.store.write(lambda tx: tx.execute(text("DELETE FROM panels WHERE id = :id"), {"id": removed}))
    lost = ServerLost(server="attic", problem="is unreachable", occurred_at=AT)
    assert await house.store.write(lambda tx: house.events.publish(tx, lost, source="test"))
    for data in (b"small", LARGE[::-1]):
        await house.queue.send("films", "die", data)
    await _let_them_die(house)
    waiting = await house.queue.send("films", "watch", LARGE, source="test")
    assert waiting is not None
    return Known(await house.keys.component_key(), kept, removed, waiting)


async def add_panel(house: House) -> PanelId:
    panel = await house.panels.add(
        module=PLAYBACK, kind="card", app_id=AppId(1), guild_id=GUILD, channel_id=ChannelId(5),
        message_id=MessageId(6), state={"title": "Café"},
    )  # fmt: skip
    return panel.panel_id


async def _let_them_die(house: House) -> None:
    async def refuse(message: Message) -> None:
        raise Reject("not today")

    undo = house.queue.handle("films", "die", refuse)
    await house.queue.start(["films"])
    await until(lambda: _are_dead(house))
    await house.queue.stop()
    undo()


async def _are_dead(house: House) -> bool:
    return await count(house.store, "dead_letters") == 2


async def until(is_so: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    """Return when `is_so()` is true; TimeoutError after a while."""
    async with asyncio.timeout(30):
        while True:
            if await is_so():
                return
            await asyncio.sleep(0.01)


async def count(store: Store, table: str) -> int:
    return await store.read(
        lambda tx: tx.execute(select(func.count()).select_from(metadata.tables[table])).scalar_one()
    )


async def check(house: House, place: Place, known: Known) -> None:
    """Everything that `fill` left is there, and works."""
    assert await house.keys.component_key() == known.component_key
    profile = await house.store.write(lambda tx: people.ensure_member(tx, MEMBER, "Erika", AT))
    assert await house.profiles.preference(profile, "playback.player") == "Living Room ☂"
    assert await house.guilds.setting(GUILD, "playback.channel") == "99"
    assert await house.servers.machine_id(SERVER) == "abc"
    found = await house.panels.get(known.panel_id)
    assert found is not None
    assert found.state == {"title": "Café"}
    assert await house.panels.get(known.removed_panel_id) is None
    assert await add_panel(house) > known.removed_panel_id, "a number was given twice"
    claims = claims_of(place, house.store)
    rows = await house.store.read(
        lambda tx: tx.execute(
            select(queue_messages.c.digest, queue_messages.c.size_bytes).where(queue_messages.c.body.is_(None)).union(
                select(dead_letters.c.digest, dead_letters.c.size_bytes).where(dead_letters.c.body.is_(None))
            )
        ).all()
    )  # fmt: skip
    bodies = {await claims.get(digest, size) for digest, size in rows}
    assert {LARGE, LARGE[::-1]} <= bodies
    await _handle(house, known.waiting_id)


async def _handle(house: House, message_id: int) -> None:
    """The message that waited in the backup is handled, with the body it was put in with."""
    handled: dict[int, str] = {}
    done = asyncio.Event()

    async def watch(message: Message) -> None:
        handled[message.message_id] = hashlib.sha256(message.body).hexdigest()
        if message.message_id == message_id:
            done.set()

    house.queue.handle("films", "watch", watch)
    await house.queue.start(["films"])
    await asyncio.wait_for(done.wait(), 30)
    await house.queue.stop()
    assert handled[message_id] == hashlib.sha256(LARGE).hexdigest()

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from daemon.core.events import ServerBack, ServerLost
from daemon.core.ids import (
    AppId,
    ChannelId,
    GuildId,
    MemberId,
    MessageId,
    ModuleId,
    PanelId,
    PlayerId,
    ProfileId,
    ServerId,
)
from daemon.data import people
from daemon.data.store import Store
from daemon.services.audit import Audit
from daemon.services.events import CATALOG
from daemon.services.guilds import Guilds
from daemon.services.keys import Keys
from daemon.services.panels import Panel, Panels
from daemon.services.profiles import Profiles
from daemon.services.servers import Capability, Route, Servers
from tests.integration.events.bus import make_bus

BODIES = "SELECT body FROM events ORDER BY seq"
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


class SetClock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.at = AT

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


async def test_preferences(store: Store, clock: SetClock) -> None:
    profiles = Profiles(store, clock)
    alice = await store.write(lambda tx: people.ensure_member(tx, MemberId(1), "alice", AT))
    bob = await store.write(lambda tx: people.ensure_member(tx, MemberId(2), "bob", AT))
    assert await profiles.preference(alice, "playback.player") is None
    await profiles.set_preference(alice, "playback.player", "p:attic:1")
    await profiles.set_preference(alice, "playback.player", "p:attic:2")
    assert await profiles.preference(alice, "playback.player") == "p:attic:2"
    assert await profiles.preference(bob, "playback.player") is None
    with pytest.raises(IntegrityError):
        await profiles.set_preference(ProfileId(99), "k", "v")


async def test_guild_settings(store: Store, clock: SetClock) -> None:
    guilds = Guilds(store, clock)
    assert await guilds.setting(GuildId(1), "playback.channel") is None
    await guilds.set_setting(GuildId(1), "playback.channel", "5")
    await guilds.set_setting(GuildId(1), "playback.channel", "6")
    assert await guilds.setting(GuildId(1), "playback.channel") == "6"
    assert await guilds.setting(GuildId(2), "playback.channel") is None


async def test_audit(store: Store, clock: SetClock) -> None:
    await Audit(store, clock).record(None, "panel posted", "panel\n7", {"channel": "5"}, "trace")
    sql = text("SELECT actor_profile_id, action, target, detail, trace_id FROM audit_log")
    rows = await store.read(lambda tx: [tuple(row) for row in tx.execute(sql)])
    assert rows == [(None, "panel posted", "panel 7", '{"channel":"5"}', "trace")]


async def new_panel(panels: Panels, module: str = "playback", guild_id: int | None = 3) -> Panel:
    return await panels.add(
        module=ModuleId(module),
        kind="card",
        app_id=AppId(2),
        guild_id=None if guild_id is None else GuildId(guild_id),
        channel_id=ChannelId(4),
        state={"player": "p:attic:1"},
    )


async def test_a_panel_from_first_to_last(store: Store, clock: SetClock) -> None:
    panels = Panels(store, clock, process="one", has_gateway=True)
    panel = await new_panel(panels)
    assert (panel.created_at, panel.message_id, panel.ended_at) == (AT, None, None)
    assert await panels.get(panel.panel_id) == panel
    await clock.sleep(10)
    assert await panels.set_message(panel.panel_id, ChannelId(5), MessageId(6))
    assert await panels.update_state(panel.panel_id, {"position_ms": 1})
    changed = await panels.get(panel.panel_id)
    assert changed is not None
    assert (changed.channel_id, changed.message_id, changed.state) == (5, 6, {"position_ms": 1})
    assert (changed.created_at, changed.updated_at) == (AT, AT + timedelta(seconds=10))
    assert await panels.end(panel.panel_id)
    ended = await panels.get(panel.panel_id)
    assert ended is not None
    assert ended.ended_at == clock.at


async def test_an_ended_panel_is_not_changed_again(store: Store, clock: SetClock) -> None:
    panels = Panels(store, clock, process="one", has_gateway=True)
    panel = await new_panel(panels)
    await panels.end(panel.panel_id)
    ended = await panels.get(panel.panel_id)
    assert not await panels.end(panel.panel_id)
    assert not await panels.update_state(panel.panel_id, {})
    assert not await panels.set_message(panel.panel_id, ChannelId(1), MessageId(1))
    assert await panels.get(panel.panel_id) == ended
    assert not await panels.end(PanelId(999))
    assert await panels.get(PanelId(999)) is None


async def test_open_panels_of_a_module(store: Store, clock: SetClock) -> None:
    panels = Panels(store, clock, process="one", has_gateway=True)
    mine = [await new_panel(panels, guild_id=None) for _ in range(3)]
    await new_panel(panels, module="other")
    await panels.end(mine[1].panel_id)
    assert await panels.open_panels(ModuleId("playback")) == (mine[0], mine[2])


async def test_keys_are_made_once(store: Store, clock: SetClock) -> None:
    several = await asyncio.gather(*(Keys(store, clock).component_key() for _ in range(20)))
    assert len(set(several)) == 1
    assert len(several[0]) == 32
    identifier = await Keys(store, clock).plex_client_identifier()
    assert identifier == await Keys(store, clock).plex_client_identifier()
    assert len(identifier) == 36
    assert await Keys(store, clock).component_key() == several[0]


async def test_servers_and_players(store: Store, clock: SetClock) -> None:
    servers = Servers(store, clock, make_bus(store).events)
    attic, cellar, player = ServerId("attic"), ServerId("cellar"), PlayerId("p1")
    assert await servers.machine_id(attic) is None
    assert await servers.capability(attic, player) is None
    proxied = Capability(Route.PROXIED, "", AT)
    await servers.remember_capability(attic, player, proxied)  # before the server told who it is
    assert await servers.machine_id(attic) is None
    await servers.remember_machine_id(attic, "abc")
    assert await servers.machine_id(attic) == "abc"
    assert await servers.capability(attic, player) == proxied
    none = Capability(Route.NONE, "The player does not answer.", AT + timedelta(seconds=1))
    await servers.remember_capability(attic, player, none)
    assert await servers.capability(attic, player) == none
    assert await servers.capability(cellar, player) is None


async def test_another_server_under_the_same_name_has_other_players(store: Store, clock: SetClock) -> None:
    servers = Servers(store, clock, make_bus(store).events)
    attic, player = ServerId("attic"), PlayerId("p1")
    await servers.remember_machine_id(attic, "abc")
    await servers.remember_capability(attic, player, Capability(Route.DIRECT, "", AT))
    await servers.remember_machine_id(attic, "abc")
    assert await servers.capability(attic, player) is not None
    await servers.remember_machine_id(attic, "def")
    assert await servers.machine_id(attic) == "def"
    assert await servers.capability(attic, player) is None


async def test_a_server_is_lost_and_back_once_whoever_notices(store: Store, clock: SetClock) -> None:
    bus, attic = make_bus(store), ServerId("attic")
    servers = Servers(store, clock, bus.events)
    await servers.mark_lost(attic, AT, "is unreachable")  # never reached: nothing to lose
    await servers.remember_machine_id(attic, "abc")
    await servers.mark_back(attic, AT)
    assert await bus.count("events") == 0
    lost_at, back_at = AT + timedelta(seconds=10), AT + timedelta(seconds=70)
    await asyncio.gather(*(servers.mark_lost(attic, lost_at + timedelta(seconds=n), "is busy") for n in range(5)))
    await asyncio.gather(*(servers.mark_back(attic, back_at) for _ in range(5)))
    await servers.mark_lost(attic, back_at + timedelta(seconds=5), "is unreachable")
    events = await store.read(lambda tx: [CATALOG.decode(row[0]) for row in tx.execute(text(BODIES))])
    assert [type(event) for event in events] == [ServerLost, ServerBack, ServerLost]
    first, back, second = events
    assert isinstance(first, ServerLost)
    assert back == ServerBack(server="attic", lost_at=first.occurred_at, occurred_at=back_at)
    assert second == ServerLost(server="attic", problem="is unreachable", occurred_at=back_at + timedelta(seconds=5))

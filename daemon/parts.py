"""The wiring of the edges and of the module host, built from settings on an open store. Nothing here starts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from daemon.backbone import Backbone, Kernel, compose_backbone
from daemon.core.ids import MemberId, ServerId
from daemon.core.roles import Role
from daemon.data.store import Store
from daemon.host.host import Host
from daemon.services.accounts import Accounts
from daemon.services.audit import Audit
from daemon.services.bindings import Bindings
from daemon.services.cache import Cache
from daemon.services.dead_letters import DeadLetters
from daemon.services.guilds import Guilds
from daemon.services.intake import Intake
from daemon.services.keys import Keys
from daemon.services.last_players import LastPlayers
from daemon.services.leaving import Leaving
from daemon.services.library import SEARCH_FILE, Mirror, Mirroring, Search, Shelves, Stock
from daemon.services.owners import Owners
from daemon.services.panels import Panels
from daemon.services.plays import Plays
from daemon.services.privacy import Privacy
from daemon.services.profiles import Profiles
from daemon.services.sealing import Marks, Sealing, load_keys
from daemon.services.servers import Servers
from daemon.services.stories import Stories
from daemon.services.visibility import VisibilityService
from daemon.settings.model import Settings
from integrations.discord.fleet import Fleet
from integrations.plex import (
    Collections,
    Editing,
    LiveTitles,
    Personal,
    PersonalAccess,
    Playlists,
    Plex,
    PlexTv,
    Removal,
    Upkeep,
)
from integrations.plex.config import PlexServerConfig, PlexTimeouts


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that is started and stopped, wired."""

    backbone: Backbone
    plex: Plex
    plex_tv: PlexTv
    fleet: Fleet
    host: Host
    mirroring: Mirroring
    search: Search


async def compose(settings: Settings, kernel: Kernel, store: Store, role: Role) -> Parts:
    """Build services, edges and host on an open store. Starts nothing."""
    clock, keys = kernel.clock, Keys(store, kernel.clock)
    backbone = await compose_backbone(settings, kernel, store, keys)
    plex = await _plex(settings, kernel, keys, Servers(store, clock, backbone.events), backbone.cache)
    plex_tv = await _plex_tv(settings, kernel, keys)
    people, accounts = await _people(settings, kernel, store, backbone)
    fleet = Fleet(
        {name: bot.token.get_secret_value() for name, bot in settings.discord.bots.items()},
        modules={name: bot.modules for name, bot in settings.discord.bots.items()},
        gateway=role.has_gateway,
        connect=settings.discord.address,
        ca_file=settings.discord.ca_file,
        guilds=settings.discord.guilds,
        owners=settings.owners,
        intake=Intake(store),
        rate_limits=backbone.rate_limits,
        keys=keys,
        supervisor=kernel.supervisor,
        health=kernel.health,
        metrics=kernel.metrics,
        clock=clock,
    )
    mirroring = _mirroring(settings, kernel, store, plex)
    search = Search(store, settings.data_dir / SEARCH_FILE, kernel.supervisor)
    catalog = {
        **_libraries(store, plex, mirroring, search),
        "plex_tv": plex_tv,
        **_personal(plex, plex_tv, accounts, Profiles(store, clock)),
        **people,
        "leaving": Leaving(store, clock, process=kernel.process),
        "messages": fleet.messages,
        "guilds": Guilds(store, clock),
        "panels": Panels(store, clock, process=kernel.process, has_gateway=role.has_gateway),
        "audit": Audit(store, clock),
        "cache": backbone.cache,
        "events": backbone.events,
        "notify": backbone.notify,
        "queue": backbone.queue,
        "schedules": backbone.schedules,
        "dead_letters": DeadLetters(store, clock),
        "stories": Stories(store),
        "health": kernel.health,
        "owners": Owners(tuple(MemberId(member_id) for member_id in sorted(settings.owners))),
    }
    host = Host(
        catalog,
        fleet.surface,
        backbone.events,
        backbone.schedules,
        kernel.supervisor,
        kernel.health,
        clock,
        settings.modules,
        settings.module_folders,
    )
    return Parts(backbone, plex, plex_tv, fleet, host, mirroring, search)


def _libraries(store: Store, plex: Plex, mirroring: Mirroring, search: Search) -> dict[str, object]:
    """The servers, what the mirror holds of them, and what is done to them."""
    return {
        "plex": plex,
        "live_titles": LiveTitles(plex),
        "search": search,
        "shelves": Shelves(store),
        "mirroring": mirroring,
        "stock": Stock(store),
        "upkeep": Upkeep(plex),
        "editing": Editing(plex),
        "collections": Collections(plex),
        "removal": Removal(plex),
    }


def _personal(plex: Plex, plex_tv: PlexTv, accounts: Accounts, profiles: Profiles) -> dict[str, object]:
    """What people do on their own Plex accounts, and what they chose last."""
    access = PersonalAccess(plex, plex_tv, accounts)
    return {
        "personal": Personal(access),
        "playlists": Playlists(plex, access),
        "profiles": profiles,
        "last_players": LastPlayers(profiles),
    }


def _mirroring(settings: Settings, kernel: Kernel, store: Store, plex: Plex) -> Mirroring:
    return Mirroring(
        Mirror(store, kernel.clock, kernel.metrics, process=kernel.process),
        plex,
        kernel.clock,
        kernel.supervisor,
        kernel.health,
        every_s=settings.plex.refresh_interval_s,
    )


async def _people(
    settings: Settings, kernel: Kernel, store: Store, backbone: Backbone
) -> tuple[dict[str, object], Accounts]:
    """Who people are on Plex, what they may see, and what is known of them; and their accounts once more."""
    clock, events = kernel.clock, backbone.events
    sealing = Sealing(await asyncio.to_thread(load_keys, settings.secret_keys, settings.data_dir))
    marks = Marks(store, clock, sealing)
    visibility = VisibilityService(store, backbone.cache)
    visibility.listen(events)
    accounts = Accounts(store, clock, events, sealing, marks, visibility)
    return {
        "visibility": visibility,
        "bindings": Bindings(store, clock, events, visibility),
        "accounts": accounts,
        "privacy": Privacy(store, clock, events, marks, visibility),
        "plays": Plays(store, marks, visibility),
    }, accounts


def _timeouts(settings: Settings) -> PlexTimeouts:
    plex = settings.plex
    return PlexTimeouts(
        connect_s=plex.connect_timeout_s,
        request_s=plex.request_timeout_s,
        page_s=plex.page_timeout_s,
        probe_every_s=plex.check_interval_s,
    )


def _plex_servers(settings: Settings) -> dict[ServerId, PlexServerConfig]:
    found = settings.plex.servers.items()
    return {ServerId(name): PlexServerConfig(s.url, s.token.get_secret_value()) for name, s in found}


async def _plex_tv(settings: Settings, kernel: Kernel, keys: Keys) -> PlexTv:
    return PlexTv(
        settings.plex.account_url,
        _plex_servers(settings),
        await keys.plex_client_identifier(),
        kernel.health,
        kernel.metrics,
        _timeouts(settings),
    )


async def _plex(settings: Settings, kernel: Kernel, keys: Keys, servers: Servers, cache: Cache) -> Plex:
    return Plex(
        _plex_servers(settings),
        registry=servers,
        client_identifier=await keys.plex_client_identifier(),
        supervisor=kernel.supervisor,
        health=kernel.health,
        metrics=kernel.metrics,
        clock=kernel.clock,
        cache=cache,
        timeouts=_timeouts(settings),
    )

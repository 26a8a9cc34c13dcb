"""The wiring: services, edges and the module host, built from settings on an open store. Nothing here starts."""

from __future__ import annotations

from dataclasses import dataclass

from daemon.core.clock import Clock
from daemon.core.ids import ServerId
from daemon.data.store import Store
from daemon.host.host import Host
from daemon.kernel.health import Health
from daemon.kernel.identity import process_name
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.audit import Audit
from daemon.services.guilds import Guilds
from daemon.services.intake import Intake
from daemon.services.keys import Keys
from daemon.services.panels import Panels
from daemon.services.profiles import Profiles
from daemon.services.rate_limits import MemoryBuckets, Rate, RateLimits, Totals
from daemon.services.servers import Servers
from daemon.settings.model import Settings
from integrations.discord.fleet import Fleet
from integrations.plex import Plex
from integrations.plex.config import PlexServerConfig, PlexTimeouts


@dataclass(frozen=True, slots=True)
class Kernel:
    """What every part is built on."""

    supervisor: Supervisor
    health: Health
    metrics: Metrics
    clock: Clock


@dataclass(frozen=True, slots=True)
class Parts:
    """The edges and the module host, wired but not started."""

    plex: Plex
    fleet: Fleet
    host: Host


async def compose(settings: Settings, kernel: Kernel, store: Store) -> Parts:
    """Build services, edges and host on an open store. Starts nothing."""
    clock = kernel.clock
    keys, servers = Keys(store, clock), Servers(store, clock)
    plex = Plex(
        {
            ServerId(name): PlexServerConfig(s.url, s.token.get_secret_value())
            for name, s in settings.plex.servers.items()
        },
        registry=servers,
        client_identifier=await keys.plex_client_identifier(),
        supervisor=kernel.supervisor,
        health=kernel.health,
        metrics=kernel.metrics,
        clock=clock,
        timeouts=PlexTimeouts(
            connect_s=settings.plex.connect_timeout_s,
            request_s=settings.plex.request_timeout_s,
            page_s=settings.plex.page_timeout_s,
            probe_every_s=settings.plex.check_interval_s,
            refresh_every_s=settings.plex.refresh_interval_s,
        ),
        titles_max=settings.plex.titles_max,
    )
    fleet = Fleet(
        {name: bot.token.get_secret_value() for name, bot in settings.discord.bots.items()},
        modules={name: bot.modules for name, bot in settings.discord.bots.items()},
        gateway=True,
        connect=settings.discord.address,
        ca_file=settings.discord.ca_file,
        guilds=settings.discord.guilds,
        owners=settings.owners,
        intake=Intake(store),
        rate_limits=RateLimits(MemoryBuckets(), None, totals=_totals(settings), metrics=kernel.metrics),
        keys=keys,
        supervisor=kernel.supervisor,
        health=kernel.health,
        metrics=kernel.metrics,
        clock=clock,
    )
    catalog = {
        "plex": plex,
        "messages": fleet.messages,
        "profiles": Profiles(store, clock),
        "guilds": Guilds(store, clock),
        "panels": Panels(store, clock, process=process_name(), has_gateway=True),
        "audit": Audit(store, clock),
    }
    host = Host(
        catalog, fleet.surface, kernel.supervisor, kernel.health, clock, settings.modules, settings.module_folders
    )
    return Parts(plex, fleet, host)


def _totals(settings: Settings) -> Totals:
    limits = settings.limits
    return Totals(Rate(limits.member_burst, limits.member_per_s), Rate(limits.guild_burst, limits.guild_per_s))

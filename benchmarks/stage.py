"""The daemon as a process on simulators that live in the benchmark's own event loop."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp

from benchmarks.process import ROOT, running
from simulators.clock import SimClock
from simulators.discord.sim import DiscordSim
from simulators.discord.user import User
from simulators.plex.sim import PlexSim

READY_S = 30.0
MODULES = ROOT / "benchmarks" / "modules"


@dataclass(frozen=True)
class Stage:
    """Both simulators, running."""

    plex: PlexSim
    discord: DiscordSim

    @property
    def alice(self) -> User:
        """A member who may control players."""
        return self.discord.user("alice")


@dataclass(frozen=True)
class Daemon:
    """A running daemon: process id, HTTP port, seconds from spawn to ready."""

    pid: int
    port: int
    ready_s: float


@asynccontextmanager
async def stage(size: str = "small") -> AsyncIterator[Stage]:
    clock = SimClock(start=time.time())
    async with PlexSim(seed=7, size=size, clock=clock) as plex, DiscordSim(clock=clock) as discord:
        discord.limits.is_on = False  # Discord's own limits would be measured instead of the bots
        yield Stage(plex, discord)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def daemon(
    on: Stage, *, modules: Path | None = None, folder: Path | None = None, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Daemon]:
    """The ordinary `marquee run`, ready; its data in `folder` or a fresh one; `settings` are variables it finds."""
    port = free_port()
    with TemporaryDirectory(prefix="marquee-bench-") as fresh:
        start = time.perf_counter()
        env = {**_settings(on, port, folder or Path(fresh), modules), **(settings or {})}
        async with running("-m", "daemon", "run", env=env) as process:
            await answers(f"http://127.0.0.1:{port}/health/ready")
            yield Daemon(process.pid, port, time.perf_counter() - start)


def _settings(on: Stage, port: int, folder: Path, modules: Path | None) -> Mapping[str, str]:
    roles = ",".join(str(role.role_id) for role in on.discord.guild.roles.values() if role.name == "Controllers")
    return {
        "MARQUEE_DATA_DIR": str(folder),
        "MARQUEE_HTTP__PORT": str(port),
        "MARQUEE_LOG__LEVEL": "warning",
        "MARQUEE_LIMITS__MEMBER_BURST": "1000000",  # the commands of a round are one member's
        "MARQUEE_LIMITS__GUILD_BURST": "1000000",
        "MARQUEE_PLEX__SERVERS__CINEMA__URL": on.plex.url,
        "MARQUEE_PLEX__SERVERS__CINEMA__TOKEN": on.plex.token,
        "MARQUEE_PLEX__ACCOUNT_URL": on.plex.account_url,
        "MARQUEE_DISCORD__BOTS__MARQUEE__TOKEN": on.discord.tokens["marquee"],
        "MARQUEE_DISCORD__CONNECT": on.discord.connect,
        "MARQUEE_DISCORD__CA_FILE": str(on.discord.ca_file),
        "MARQUEE_MODULES__PLAYBACK__CONTROLLER_ROLES": roles,
        **({"MARQUEE_MODULE_FOLDERS": str(modules)} if modules else {}),
    }


async def answers(url: str) -> None:
    """Wait until `url` answers 200."""
    async with asyncio.timeout(READY_S), aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(url) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.005)


async def offers(on: Stage, command: str) -> None:
    """Wait until a bot has synchronised `command` and is on the gateway to hear of it."""
    async with asyncio.timeout(READY_S):
        while not any(offered["name"] == command for offered in on.alice.commands()) or not on.discord.sessions.all():
            await asyncio.sleep(0.01)

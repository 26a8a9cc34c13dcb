"""A whole evening in one process: both simulators, the daemon as a subprocess, and people who type and click."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from simulators.clock import SimClock
from simulators.discord.objects import Role
from simulators.discord.sim import DiscordSim
from simulators.discord.user import Shown, User
from simulators.plex.items import Item
from simulators.plex.players import Player
from simulators.plex.sim import PlexSim
from tests import nursery
from tests.blocking import TOLD

PROJECT = Path(__file__).resolve().parents[2]
SPEC = PROJECT.parent / "shared" / "discord-api-spec" / "openapi.json"
READY_S = 60.0
STOP_S = 20.0
POLL_S = 0.05
LIVING_ROOM, SHIELD, ROKU = "Living Room TV", "Bedroom Shield", "Guest Room Roku"
TABLET = "Old Tablet"  # the one that vanishes: it takes the daemon some seconds to believe that a player is back


async def answered(shown: Shown) -> Shown:
    """Wait for the answer itself: neither the placeholder nor the moment between it and a private one."""
    return await shown.until(lambda there: bool(there.messages) and not there.is_loading)


@dataclass(eq=False)
class Daemon:
    """One run of `python -m daemon run`, under the detector of blocking calls."""

    process: nursery.Child
    log_file: Path
    url: str = ""  # of its HTTP server, once it has said so

    async def logs(self) -> list[dict[str, Any]]:
        """What it has logged so far, oldest first; a line that is not JSON is an `event` by itself."""
        text = await asyncio.to_thread(self.log_file.read_text, encoding="utf-8", errors="replace")
        return [_parse(line) for line in text.splitlines() if line.strip()]

    async def find_url(self) -> bool:
        """Whether it listens for HTTP by now; sets `url`."""
        told = [str(line["url"]) for line in await self.logs() if line["event"] == "http_listening"]
        self.url = told[0] if told else ""
        return bool(told)

    async def health(self) -> dict[str, Any]:
        """The document at /health."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/health") as answer:
            return json.loads(await answer.text())  # type: ignore[no-any-return]

    async def stop(self, sign: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit code. Killed after 20 s, which is an exit code of -9."""
        if self.process.returncode is None:
            self.process.send_signal(sign)
        try:
            async with asyncio.timeout(STOP_S):
                return await self.process.wait()
        except TimeoutError:
            self.process.kill()
            return await self.process.wait()


def _parse(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {"event": line, "level": "raw"}
    return found if isinstance(found, dict) else {"event": line, "level": "raw"}


@dataclass(frozen=True)
class Member:
    """Somebody in a channel of their own, so that Discord's limits on a channel do not slow the next test down."""

    user: User
    channel: int

    async def slash(self, command: str, /, **options: Any) -> Shown:
        """As `User.slash`."""
        return await self.user.slash(command, **{"channel": self.channel, **options})

    async def type_in(self, command: str, option: str, text: str, /, **options: Any) -> list[dict[str, Any]]:
        """As `User.type_in`."""
        return await self.user.type_in(command, option, text, **{"channel": self.channel, **options})

    def sees(self) -> list[Shown]:
        """All messages of the channel that the member sees, oldest first."""
        return self.user.sees(self.channel)


@dataclass(eq=False)
class Stage:
    """What a test sees. `clock` moves both simulators and the daemon; `settings` are more MARQUEE_* variables."""

    clock: SimClock
    plex: PlexSim
    lab: DiscordSim
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    titles_min: int = 400  # that the daemon must be able to find before the evening begins
    daemon: Daemon | None = None
    exit_codes: list[int] = field(default_factory=list)
    runs: list[Daemon] = field(default_factory=list)
    _people: int = 0

    # ---------------------------------------------------------------- people

    @property
    def controllers(self) -> Role:
        """The role whose members may control players."""
        return next(role for role in self.lab.guild.roles.values() if role.name == "Controllers")

    def controller(self, channel: int | None = None) -> Member:
        """A new member who may control players; new, so that nothing is remembered of them."""
        return self._join([self.controllers], channel)

    def guest(self, channel: int | None = None) -> Member:
        """A new member without rights."""
        return self._join([], channel)

    def _join(self, roles: list[Role], channel: int | None) -> Member:
        self._people += 1
        name = f"person{self._people}"
        world, guild = self.lab.world, self.lab.guild
        world.join(guild, world.add_person(name), roles)
        place = channel or world.add_channel(guild, f"corner-{self._people}").channel_id
        return Member(self.lab.user(name), place)

    # ---------------------------------------------------------------- what there is to see

    def named_once(self, kind: str) -> list[Item]:
        """Titles of a kind whose name no other title has or contains, so that the name alone means them."""
        names = [item.title.casefold() for item in self.plex.world.items.values()]
        return [
            item
            for item in self.plex.world.listed(None, kind)
            if item.title.isascii() and sum(item.title.casefold() in name for name in names) == 1
        ]

    def player(self, name: str) -> Player:
        """A player of the simulated house, brought up to the present."""
        return self.plex.players[name]

    def watch(self, name: str, *, kind: str = "movie", number: int = 0, offset_ms: int = 600_000) -> Item:
        """Somebody of the house begins a title on a player by hand, ten minutes in."""
        item = self.named_once(kind)[number]
        self.plex.play(name, item, offset_ms=offset_ms)
        return item

    # ---------------------------------------------------------------- the daemon

    def environment(self) -> dict[str, str]:
        """How the daemon finds the simulators."""
        ours = {
            "MARQUEE_CONFIG": str(self.folder / "empty.toml"),
            "MARQUEE_DATA_DIR": str(self.folder / "data"),
            "MARQUEE_HTTP__PORT": "0",  # any free one; the log says which
            "MARQUEE_PLEX__SERVERS__ATTIC__URL": self.plex.url,
            "MARQUEE_PLEX__SERVERS__ATTIC__TOKEN": self.plex.token,
            "MARQUEE_PLEX__ACCOUNT_URL": self.plex.account_url,
            "MARQUEE_DISCORD__BOTS__MARQUEE__TOKEN": self.lab.tokens["marquee"],
            "MARQUEE_DISCORD__CONNECT": self.lab.connect,
            "MARQUEE_DISCORD__CA_FILE": str(self.lab.ca_file),
            "MARQUEE_CLOCK__URL": f"{self.plex.control_url}/clock",
            "MARQUEE_LOG__FORMAT": "json",
            "MARQUEE_LOG__LEVEL": "debug",
            "MARQUEE_MODULES__PLAYBACK__CONTROLLER_ROLES": str(self.controllers.role_id),
            **self.settings,
        }
        others = {name: value for name, value in os.environ.items() if not name.startswith("MARQUEE_")}
        return {**others, **ours}

    async def launch(self, *arguments: str) -> Daemon:
        """Start the daemon, with arguments of `run`, and return at once."""
        environment = self.environment()
        log_file = self.folder / f"daemon-{len(self.runs)}.log"
        log = await asyncio.to_thread(log_file.open, "wb")
        try:
            process = await nursery.spawn(
                "tests.blocking", "run", *arguments, environ=environment, stdout=log, stderr=log
            )
        finally:
            log.close()
        self.daemon = Daemon(process, log_file)
        self.runs.append(self.daemon)
        return self.daemon

    async def start(self) -> None:
        """Start the daemon; returns when it is ready, its commands are in Discord and the titles are read."""
        daemon = await self.launch()
        await self.wait_for(self.is_up, "the daemon to be up")
        assert daemon.process.returncode is None

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.daemon is not None
        code = await self.daemon.stop()
        self.exit_codes.append(code)
        return code

    async def restart(self) -> None:
        """Stop and start again with the same data."""
        await self.stop()
        await self.start()

    async def wait_for(self, is_so: Callable[[], Any], what: str, timeout_s: float = READY_S) -> None:
        """Ask again and again until `is_so()` (plain or async) is true; AssertionError with the log's end when not."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    found = is_so()
                    if asyncio.iscoroutine(found):
                        found = await found
                    if found:
                        return
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            found = await self.checks() if self.daemon and self.daemon.url else {}
            raise AssertionError(f"waited in vain for {what}\n{found}\n{await self.log_tail()}") from None

    async def log_tail(self) -> str:
        """The last lines of the daemon's log, for the message of a failed test."""
        if self.daemon is None:
            return "(no daemon)"
        return "\n".join(json.dumps(line) for line in (await self.daemon.logs())[-15:])

    async def suggested(self, member: Member, command: str, option: str, text: str, **options: Any) -> Any:
        """What is offered once there is something: players are remembered, and looked up anew while one types."""
        found: list[dict[str, Any]] = []

        async def is_there() -> bool:
            found[:] = await member.type_in(command, option, text, **options)
            return bool(found)

        await self.wait_for(is_there, f"anything to choose for {option} of /{command}", 15)
        return found

    async def checks(self) -> dict[str, str]:
        """Status of each health check by name: pass, warn or fail."""
        assert self.daemon is not None
        found = (await self.daemon.health())["checks"]
        return {name: entries[0]["status"] for name, entries in found.items()}

    async def is_up(self) -> bool:
        assert self.daemon is not None
        assert self.daemon.process.returncode is None, f"the daemon ended\n{await self.log_tail()}"
        if not self.daemon.url and not await self.daemon.find_url():
            return False
        try:
            async with aiohttp.ClientSession() as http, http.get(f"{self.daemon.url}/health/ready") as answer:
                if answer.status != 200:
                    return False
            checks = (await self.daemon.health())["checks"]
        except aiohttp.ClientError:
            return False
        wanted = {name: found[0] for name, found in checks.items() if name.startswith(("plex:", "discord:"))}
        is_up = {"plex:attic", "discord:marquee"} <= set(wanted)
        is_up = is_up and all(found["status"] == "pass" for found in wanted.values())
        # It tells a number once all libraries have been read and every title of them can be found.
        is_up = is_up and checks["search"][0].get("observedValue", 0) >= self.titles_min
        return is_up and bool(self.lab.user("olivia").commands())

    # ---------------------------------------------------------------- afterwards

    def clear(self) -> None:
        """Nobody plays anything and nothing is broken: for the next test."""
        self.plex.faults.clear()
        self.lab.faults.clear()
        now = self.plex.server.settle()
        for player in self.plex.players.values():
            player.is_online = True
            player.stop(now)
            player.volume = 100
        self.clock.jump(8)  # the daemon looks again, and is sure that what played has ended

    async def check_end(self) -> None:
        """What must be true of every evening; called when the daemon has stopped."""
        assert self.plex.unknown_routes == []
        assert list(map(str, self.lab.problems)) == []
        assert self.exit_codes
        assert set(self.exit_codes) == {0}, f"exit codes {self.exit_codes}\n{await self.log_tail()}"
        secrets = [self.plex.token, *self.lab.tokens.values()]
        for run in self.runs:
            lines = await run.logs()
            assert [line for line in lines if any(secret in json.dumps(line) for secret in secrets)] == []
            assert [line for line in lines if line["level"] == "raw"] == []
            assert [line for line in lines if line["event"] in ("interaction_failed", TOLD)] == []


@asynccontextmanager
async def open_stage(*, is_started: bool = True, life: bool = False, **settings: str) -> AsyncIterator[Stage]:
    """Both simulators and a running daemon; everything is stopped and judged at the end of the block."""
    async with AsyncExitStack() as stack:
        folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="marquee-stage-")
        stack.push_async_callback(asyncio.to_thread, folder.cleanup)
        await asyncio.to_thread((Path(folder.name) / "empty.toml").touch)
        clock = SimClock()
        plex = await stack.enter_async_context(PlexSim(clock=clock, life=life, buffering_s=0.1))
        spec = SPEC if await asyncio.to_thread(SPEC.is_file) else None
        lab = await stack.enter_async_context(DiscordSim(spec, clock))
        stage = Stage(clock, plex, lab, Path(folder.name), settings)
        try:
            if is_started:
                await stage.start()
            yield stage
        finally:
            if stage.daemon is not None and stage.daemon.process.returncode is None:
                await stage.stop()
        await stage.check_end()


@asynccontextmanager
async def open_owned_stage() -> AsyncIterator[Stage]:
    """A stage whose daemon belongs to olivia."""
    async with open_stage(is_started=False) as stage:
        stage.settings["MARQUEE_OWNERS"] = str(stage.lab.user("olivia").user_id)
        await stage.start()
        yield stage

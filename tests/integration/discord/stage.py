"""The Discord edge as the daemon builds it, against the simulator: real discord.py, real SQLite, real services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import discord
import structlog
from discord import app_commands
from discord.ext import commands

from daemon.core.access import Access
from daemon.core.ids import AppId, ChannelId, ModuleId
from daemon.data import schema
from daemon.data.store import Store
from daemon.kernel.health import Health
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.services.intake import Intake
from daemon.services.keys import Keys
from daemon.services.rate_limits import MemoryBuckets, Rate, RateLimits, Totals
from integrations.discord.components import ComponentSet, Field, component, modal
from integrations.discord.fleet import Fleet
from integrations.discord.policy import policy
from integrations.discord.replies import open_modal, reply, update
from integrations.discord.ui import layout
from integrations.discord.ui.paginator import page_number, page_of, pager
from integrations.discord.ui.pick import option, pick
from simulators.discord.sim import DiscordSim
from tests.simtime import SimTime

DEMO = ModuleId("demo")
MANY = Totals(Rate(10_000, 100.0), Rate(10_000, 100.0))  # tests that are about other things never get there
_DOCUMENT = Path(__file__).parents[4] / "shared" / "discord-api-spec" / "openapi.json"
SPEC = _DOCUMENT if _DOCUMENT.exists() else None  # Discord's OpenAPI document
Act = Callable[[discord.Interaction[Any]], Awaitable[Any]]


@dataclass
class Script:
    """What the demo's handlers do: set by the test, and a diary of what they were given."""

    act: Act | None = None
    suggest: Callable[[str], Awaitable[list[app_commands.Choice[str]]]] | None = None
    diary: list[Any] = field(default_factory=list)

    async def play(self, interaction: discord.Interaction[Any], *, otherwise: str) -> None:
        if self.act is not None:
            await self.act(interaction)
        else:
            await reply(interaction, otherwise)


class DemoPanel(ComponentSet):
    def __init__(self, script: Script) -> None:
        self.script = script

    @component("press")
    async def press(self, interaction: Any, ids: tuple[str, ...], values: tuple[str, ...]) -> None:
        self.script.diary.append((ids, values))
        if self.script.act is not None:
            await self.script.act(interaction)

    @component("guarded", access=Access.CONTROLLER, audited=True)
    async def guarded(self, interaction: Any, ids: tuple[str, ...], values: tuple[str, ...]) -> None:
        await self.press(interaction, ids, values)

    @component("alone", exclusive=True)
    async def alone(self, interaction: Any, ids: tuple[str, ...], values: tuple[str, ...]) -> None:
        await self.press(interaction, ids, values)

    @component("loud", private=False)
    async def loud(self, interaction: Any, ids: tuple[str, ...], values: tuple[str, ...]) -> None:
        await self.press(interaction, ids, values)

    @component("ask")
    async def ask(self, interaction: Any, ids: tuple[str, ...], values: tuple[str, ...]) -> None:
        if self.script.act is not None:
            await self.script.act(interaction)
        await open_modal(interaction, self.form("name", ids, title="Your name", fields=[Field("name", "Name")]))

    @modal("name")
    async def name(self, interaction: Any, ids: tuple[str, ...], fields: Mapping[str, str]) -> None:
        self.script.diary.append((ids, dict(fields)))
        await reply(interaction, f"Hello {fields['name']}")

    @component("page")
    async def page(self, interaction: Any, ids: tuple[str, ...], values: tuple[str, ...]) -> None:
        await update(interaction, view=self.pages(page_number(ids)))

    def panel(self, title: str = "Panel") -> discord.ui.LayoutView:
        options = [option(name, name.lower()) for name in ("English", "German")]
        return layout.card(
            layout.text(title),
            layout.row(
                self.button("press", (7,), label="Press"),
                self.button("guarded", (7,), label="Guarded"),
                self.button("alone", (7,), label="Alone"),
                self.button("loud", (7,), label="Loud"),
                self.button("ask", (7,), label="Ask"),
            ),
            pick(self, "press", (8,), options=options, placeholder="Audio"),
        )

    def pages(self, number: int) -> discord.ui.LayoutView:
        page = page_of([f"item {n}" for n in range(9)], number, 4)
        return layout.layout(layout.text("\n".join(page.items)), *pager(self, "page", page=page))


class DemoCog(commands.Cog):
    queue = app_commands.Group(name="queue", description="Queue", extras=policy(Access.CONTROLLER))

    def __init__(self, script: Script, panel: DemoPanel) -> None:
        self.script = script
        self.panel = panel

    @app_commands.command(description="Answers in public")
    async def say(self, interaction: Any) -> None:
        await self.script.play(interaction, otherwise="said")

    @app_commands.command(description="Answers in private", extras=policy(private=True))
    async def whisper(self, interaction: Any) -> None:
        await self.script.play(interaction, otherwise="whispered")

    @app_commands.command(description="For controllers", extras=policy(Access.CONTROLLER, audited=True))
    async def control(self, interaction: Any) -> None:
        await self.script.play(interaction, otherwise="controlled")

    @app_commands.command(description="For owners", extras=policy(Access.OWNER))
    async def own(self, interaction: Any) -> None:
        await self.script.play(interaction, otherwise="owned")

    @app_commands.command(description="Seldom", extras=policy(burst=1, per_s=0.01))
    async def seldom(self, interaction: Any) -> None:
        await self.script.play(interaction, otherwise="seldom")

    @app_commands.command(description="Finds")
    async def find(self, interaction: Any, title: str, year: int | None = None) -> None:
        await reply(interaction, f"found {layout.safe(title)}")

    @find.autocomplete("title")
    async def suggest_title(self, interaction: Any, typed: str) -> list[app_commands.Choice[str]]:
        assert self.script.suggest is not None
        return await self.script.suggest(typed)

    @app_commands.command(description="A panel")
    async def show(self, interaction: Any) -> None:
        await reply(interaction, view=self.panel.panel())

    @app_commands.command(description="Pages")
    async def pages(self, interaction: Any) -> None:
        await reply(interaction, view=self.panel.pages(1))

    @queue.command(description="Clear", name="clear")
    async def clear(self, interaction: Any) -> None:
        await reply(interaction, "cleared")


@dataclass
class Stage:
    """A running fleet with the demo module on it."""

    lab: DiscordSim
    fleet: Fleet
    store: Store
    supervisor: Supervisor
    health: Health
    metrics: Metrics
    clock: SimTime
    script: Script = field(default_factory=Script)
    panel: DemoPanel = field(init=False)

    async def add_demo(self) -> None:
        self.panel = self.fleet.surface.add_components(DEMO, DemoPanel, (self.script,))
        await self.fleet.surface.add_cog(DEMO, DemoCog, (self.script, self.panel))

    async def add_demo_and_start(self) -> None:
        """Start, with the commands wished for and not waited for."""
        await self.fleet.start()
        await self.add_demo()
        await self.fleet.sync_commands()

    async def until(self, is_so: Callable[[], bool], *, within_s: float = 10.0) -> None:
        """Wait for something that no feed tells; ends as soon as it is so."""
        async with asyncio.timeout(within_s):
            while not is_so():  # noqa: ASYNC110  nothing tells
                await asyncio.sleep(0.005)

    async def up(self) -> None:
        """Wait until every bot is connected and its commands are in step."""
        await self.fleet.sync_commands()
        names = self.lab.tokens
        await self.until(lambda: all(self.status(name) == "pass" for name in names))
        await self.until(lambda: all(self.status(f"{name}:commands") == "pass" for name in names))

    def status(self, name: str) -> str:
        check = self.health.report().checks.get(f"discord:{name}")
        return check.status.value if check is not None else ""

    def output(self, name: str = "marquee") -> str:
        check = self.health.report().checks.get(f"discord:{name}")
        return check.output if check is not None else ""

    @property
    def app_id(self) -> AppId:
        return AppId(next(iter(self.lab.world.apps)))

    @property
    def general(self) -> ChannelId:
        return ChannelId(self.lab.channel("general").channel_id)

    def ops(self, name: str) -> list[Any]:
        """The REST requests of one operation, oldest first."""
        return [seen for seen in self.lab.requests if seen.op == name]

    def units(self) -> float:
        """Units of work that were written so far."""
        return sum(
            sample.value
            for metric in self.metrics.store_units_total.collect()
            for sample in metric.samples
            if sample.name.endswith("_total") and sample.labels.get("kind") == "write"
        )


@asynccontextmanager
async def stage_at(lab: DiscordSim, folder: Path, **more: Any) -> AsyncIterator[Stage]:
    """A fleet on `lab`, not started; its database is in `folder` and may be used again by a second one."""
    clock = SimTime(lab.clock)
    metrics = Metrics()
    supervisor = Supervisor(log=structlog.get_logger("test"), metrics=metrics, backoff_first_s=0.01, backoff_max_s=0.05)
    health = Health(supervisor, clock)
    url = f"sqlite:///{folder}/marquee.sqlite3"
    await schema.ensure_head(url, folder)
    store = await Store.open(url, metrics=metrics)
    host, port = lab.connect.split(":")
    arguments: dict[str, Any] = {
        "modules": {},
        "gateway": True,
        "connect": (host, int(port)),
        "ca_file": lab.ca_file,
        "guilds": None,
        "owners": frozenset({lab.user("olivia").user_id}),
        "intake": Intake(store),
        "rate_limits": RateLimits(MemoryBuckets(), None, totals=MANY, metrics=metrics),
        "keys": Keys(store, clock),
        "supervisor": supervisor,
        "health": health,
        "metrics": metrics,
        "clock": clock,
        "defer_after_s": 2.0,  # so that a slow machine defers nothing; tests of the deferral take a short one
        "backoff_first_s": 0.01,
    } | more
    fleet = Fleet(arguments.pop("bots", lab.tokens), **arguments)
    stage = Stage(lab, fleet, store, supervisor, health, metrics, clock)
    try:
        yield stage
    finally:
        await fleet.stop_intake()
        await fleet.close()
        await supervisor.drain(1.0)
        await store.close()


@asynccontextmanager
async def running(lab: DiscordSim, folder: Path, **more: Any) -> AsyncIterator[Stage]:
    """A started fleet with the demo module, connected and in step."""
    async with stage_at(lab, folder, **more) as stage:
        await stage.fleet.start()
        await stage.add_demo()
        await stage.up()
        yield stage

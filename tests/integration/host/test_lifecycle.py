from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import discord
import pytest
import structlog
from discord.ext import commands

from daemon.core.errors import ModuleError
from daemon.core.events import Event
from daemon.core.ids import ModuleId
from daemon.host.context import task_owner
from daemon.host.host import Host, ModuleState
from daemon.host.loader import discover
from daemon.kernel.clock import SystemClock
from daemon.kernel.health import Health, Status
from daemon.kernel.tasks import Supervisor
from daemon.services.events import Handler
from daemon.services.schedule import Job, Missed, Schedule
from integrations.discord.custom_ids import Signer
from integrations.discord.routes import Routes
from integrations.discord.surface import DiscordSurface
from tests.integration.host.folders import write_module

DAILY = ModuleId("daily")
BUILT_IN = frozenset(discover([]).modules)  # none of them runs here
E = TypeVar("E", bound=Event)

PARTS = """
import asyncio
from discord import app_commands
from discord.ext import commands
from integrations.discord.components import ComponentSet, component, modal

class Cog(commands.Cog):
    def __init__(self, greeting):
        self.greeting = greeting

    @app_commands.command(description="Hello")
    async def daily(self, interaction): ...

    @commands.Cog.listener()
    async def on_guild_join(self, guild): ...

class Parts(ComponentSet):
    @component("press")
    async def press(self, interaction, ids, values): ...

    @modal("form")
    async def form(self, interaction, ids, fields): ...

class Feed:
    listeners = []

async def sleep_for_ever():
    await asyncio.sleep(3600)

async def tell(event): ...
"""

REGISTER = """from daemon.core.events import ServerBack, ServerLost
    from daemon.kernel.health import Check, Status
    from .parts import Cog, Parts, Feed, sleep_for_ever, tell
    async def fine(): return Check(Status.PASS)
    feed = ctx.service(list)
    await ctx.cog(Cog, "hello")
    ctx.components(Parts)
    ctx.controller_roles([1, 2])
    ctx.task("watch", sleep_for_ever)
    ctx.every(3600, sleep_for_ever, name="hourly")
    ctx.health("pulse", fine)
    feed.append("listener")
    ctx.on_stop(lambda: feed.remove("listener"))
    ctx.on(ServerLost, tell)
    ctx.on(ServerBack, tell)
    ctx.on(ServerLost, tell, name="again")
    await ctx.schedule("sleep", sleep_for_ever, cron="30 4 * * *", timezone="Europe/Berlin")
    await ctx.schedule("wake", sleep_for_ever, every_s=60)
"""


class LoneBot:
    """A discord.py bot that is never connected: what cogs leave in it is counted."""

    def __init__(self) -> None:
        self.bot = commands.Bot((), intents=discord.Intents.none(), help_command=None)

    def serves(self, module: ModuleId) -> bool:
        return True

    async def adopt(self, owner: ModuleId, make: type[commands.Cog], args: Sequence[Any]) -> commands.Cog:
        cog = make(*args)
        await self.bot.add_cog(cog)
        return cog

    async def release(self, cog: commands.Cog) -> None:
        await self.bot.remove_cog(cog.qualified_name)

    def counts(self) -> dict[str, int]:
        return {
            "cogs": len(self.bot.cogs),
            "commands": len(self.bot.tree.get_commands()),
            "listeners": sum(len(found) for found in self.bot.extra_events.values()),
        }


class Subscriptions:
    """Who is subscribed, as the service of events would know it."""

    def __init__(self) -> None:
        self.names: list[tuple[str, str]] = []

    def subscribe(self, subscription: str, event_type: type[E], handler: Handler[E]) -> Callable[[], None]:
        name = (subscription, event_type.TYPE)
        if name in self.names:
            raise ValueError(f"{subscription} is there already")
        self.names.append(name)
        return lambda: self.names.remove(name)


class Slots:
    """Which schedules there are, as the service of schedules would know them."""

    def __init__(self) -> None:
        self.added: list[Schedule] = []

    async def add(self, schedule: Schedule, job: Job) -> Callable[[], None]:
        if schedule.name in [other.name for other in self.added]:
            raise ValueError(f"there is a schedule {schedule.name} already")
        self.added.append(schedule)
        return lambda: self.added.remove(schedule)


class Stand:
    """A host over real parts, and everything a module could leave behind in them."""

    def __init__(self, folder: Path, settings: dict[str, dict[str, Any]]) -> None:
        clock = SystemClock()
        self.supervisor = Supervisor(log=structlog.get_logger())
        self.health = Health(self.supervisor, clock)
        self.surface = DiscordSurface(Routes(Signer(b"key")))
        self.bot = LoneBot()
        self.feed: list[str] = []
        catalog = {"feed": self.feed, "word": "hello"}
        self.events = Subscriptions()
        self.slots = Slots()
        self.host = Host(
            catalog,
            self.surface,
            self.events,
            self.slots,
            self.supervisor,
            self.health,
            clock,
            settings,
            [folder],
        )

    def counts(self, module: ModuleId = DAILY) -> dict[str, int]:
        owner = task_owner(module)
        return {
            **self.surface.counts(module),
            **self.bot.counts(),
            "tasks": self.supervisor.count(owner),
            "checks": self.health.count(owner),
            "feed": len(self.feed),
            "subscriptions": len(self.events.names),
            "schedules": len(self.slots.added),
            "loop": len(asyncio.all_tasks()),
            "imports": sum("marquee_module_daily" in name for name in sys.modules),
        }

    def states(self) -> dict[str, tuple[str, str | None]]:
        return {s.module: (s.state.value, s.problem) for s in self.host.states() if s.module not in BUILT_IN}


@asynccontextmanager
async def stand(folder: Path, **settings: dict[str, Any]) -> AsyncIterator[Stand]:
    made = Stand(folder, {**{module: {"enabled": False} for module in BUILT_IN}, **settings})
    await made.surface.attach(made.bot)
    try:
        yield made
    finally:
        await made.host.stop()
        await made.supervisor.drain(1.0)


async def test_everything_registered_is_taken_back_on_stop(tmp_path: Path) -> None:
    await asyncio.to_thread(
        write_module, tmp_path, "daily", manifest='needs = ["feed"]\n', before=REGISTER, files={"parts.py": PARTS}
    )
    async with stand(tmp_path) as made:
        before = made.counts()
        assert not any(count for name, count in before.items() if name != "loop")
        await made.host.start()
        await asyncio.sleep(0)  # the first measuring of the health check
        during = made.counts()
        assert made.states() == {"daily": ("started", None)}
        assert {name for name, count in during.items() if count > before[name]} == set(before), during
        await made.host.stop()
        assert made.counts() == before
        assert made.states() == {"daily": ("stopped", None)}


async def test_everything_is_taken_back_when_setup_fails_half_way(tmp_path: Path) -> None:
    failing = REGISTER + "    raise RuntimeError('half way')"
    await asyncio.to_thread(
        write_module, tmp_path, "daily", manifest='needs = ["feed"]\n', before=failing, files={"parts.py": PARTS}
    )
    await asyncio.to_thread(write_module, tmp_path, "weekly", manifest='requires = ["daily"]\n')
    await asyncio.to_thread(write_module, tmp_path, "yearly", manifest='after = ["daily"]\n')
    async with stand(tmp_path) as made:
        before = made.counts()
        await made.host.start()
        assert made.counts() == before
        assert made.states() == {
            "daily": ("failed", "failed to start: RuntimeError: half way"),
            "weekly": ("blocked", "requires daily, which is failed: failed to start: RuntimeError: half way"),
            "yearly": ("started", None),
        }


async def test_registrations_are_undone_in_reverse_and_before_the_modules_own_end(tmp_path: Path) -> None:
    before = 'feed = ctx.service(list)\n    for n in "12": ctx.on_stop(lambda n=n: feed.append(n))'
    await asyncio.to_thread(
        write_module, tmp_path, "daily", manifest='needs = ["feed"]\n', before=before, after='feed.append("end")'
    )
    async with stand(tmp_path) as made:
        await made.host.start()
        await made.host.stop()
        assert made.feed == ["2", "1", "end"]


async def test_an_error_while_stopping_stops_nothing_else(tmp_path: Path) -> None:
    before = 'feed = ctx.service(list)\n    ctx.on_stop(lambda: feed.append("1"))\n    ctx.on_stop(lambda: 1 / 0)'
    await asyncio.to_thread(
        write_module, tmp_path, "daily", manifest='needs = ["feed"]\n', before=before, after='feed.append("end"); 1 / 0'
    )
    await asyncio.to_thread(write_module, tmp_path, "weekly", manifest='needs = ["feed"]\n', before=before)
    async with stand(tmp_path) as made:
        await made.host.start()
        await made.host.stop()
        assert made.feed == ["1", "1", "end"]
        assert {state for state, _ in made.states().values()} == {"stopped"}


async def test_modules_stop_in_reverse_order(tmp_path: Path) -> None:
    for name, manifest in (("aa", 'requires = ["zz"]\n'), ("zz", "")):
        words = f'feed = ctx.service(list); feed.append("{name}")'
        await asyncio.to_thread(
            write_module,
            tmp_path,
            name,
            manifest=manifest + 'needs = ["feed"]\n',
            before=words,
            after=f'feed.append("-{name}")',
        )
    async with stand(tmp_path) as made:
        await made.host.start()
        await made.host.stop()
        assert made.feed == ["zz", "aa", "-aa", "-zz"]


async def test_what_is_wrong_is_told_and_the_rest_runs(tmp_path: Path) -> None:
    await asyncio.to_thread(write_module, tmp_path, "fine")
    await asyncio.to_thread(write_module, tmp_path, "greedy", before="ctx.service(list)")
    await asyncio.to_thread(write_module, tmp_path, "hasty", manifest='needs = ["fed"]\n')
    await asyncio.to_thread(
        write_module, tmp_path, "idle", manifest="commands = ['idle']\n", before="import nowhere_at_all"
    )
    await asyncio.to_thread(write_module, tmp_path, "messy", manifest="colour = 1\n")
    await asyncio.to_thread(
        write_module,
        tmp_path,
        "never",
        before="from daemon.core.errors import ModuleError; raise ModuleError('x', 'is shy')",
    )
    await asyncio.to_thread(write_module, tmp_path, "off")
    await asyncio.to_thread(write_module, tmp_path, "plain", files={"__init__.py": "x = 1"})
    await asyncio.to_thread(write_module, tmp_path, "wrong", files={"__init__.py": "def setup(ctx): return 3"})
    async with stand(tmp_path, off={"enabled": "no"}) as made:
        await made.host.start()
        assert made.states() == {
            "fine": ("started", None),
            "greedy": ("failed", 'asks for the service list; its manifest must list "feed" in needs'),
            "hasty": ("failed", 'needs the service "fed", which does not exist (did you mean "feed"?)'),
            "idle": ("failed", "failed to start: ModuleNotFoundError: No module named 'nowhere_at_all'"),
            "messy": (
                "invalid",
                f'has a bad manifest.toml (folder {tmp_path}): unknown key "colour"',
            ),
            "never": ("failed", "is shy"),
            "off": ("disabled", None),
            "plain": ("failed", "its package has no setup(ctx)"),
            "wrong": ("failed", "its setup is not an async context manager"),
        }
        checks = made.health.report().checks
        assert checks["module:fine"].status is Status.PASS
        assert checks["module:idle"].status is Status.WARN
        assert checks["module:messy"].status is Status.WARN
        assert "module:off" not in checks
        assert made.health.ready() == (True, ())
        assert made.host.commands_to_keep() == {"idle"}


async def test_a_required_module_that_fails_makes_the_daemon_unready(tmp_path: Path) -> None:
    await asyncio.to_thread(write_module, tmp_path, "daily", manifest="required = true\n", before="1 / 0")
    async with stand(tmp_path) as made:
        await made.host.start()
        is_ready, reasons = made.health.ready()
        assert not is_ready
        assert reasons == ("module:daily: failed to start: ZeroDivisionError: division by zero",)


async def test_a_bad_setting_is_the_operators_and_the_module_stays_out(tmp_path: Path) -> None:
    config = (
        "from pydantic import BaseModel, ConfigDict\n"
        "class Config(BaseModel):\n    model_config = ConfigDict(frozen=True, extra='forbid')\n    reward: int\n"
    )
    manifest = 'needs = ["feed"]\n[config]\nreward = 1\n'
    await asyncio.to_thread(
        write_module,
        tmp_path,
        "daily",
        manifest=manifest,
        before="ctx.service(list).append(ctx.config.reward)",
        files={"config.py": config},
    )
    async with stand(tmp_path, daily={"reward": "much"}) as made:
        await made.host.start()
        (state, problem) = made.states()["daily"]
        assert state == ModuleState.INVALID
        assert problem is not None
        assert problem.startswith("modules.daily.reward: ")
    async with stand(tmp_path, daily={"reward": "7"}) as made:
        await made.host.start()
        assert made.feed == [7]


async def test_a_context_kept_beyond_setup_refuses(tmp_path: Path) -> None:
    await asyncio.to_thread(
        write_module, tmp_path, "daily", manifest='needs = ["feed"]\n', before="ctx.service(list).append(ctx)"
    )
    async with stand(tmp_path) as made:
        await made.host.start()
        kept: Any = made.feed[0]
        made.feed.clear()
        with pytest.raises(ModuleError, match="uses its context after setup"):
            kept.on_stop(made.feed.clear)


async def test_a_component_that_exists_already_fails_the_second_module_only(tmp_path: Path) -> None:
    twice = "from .parts import Cog, Parts\n    ctx.components(Parts); ctx.components(Parts)"
    await asyncio.to_thread(write_module, tmp_path, "daily", before=twice, files={"parts.py": PARTS})
    async with stand(tmp_path) as made:
        before = made.counts()
        await made.host.start()
        assert made.states()["daily"] == ("failed", "declares the component form, press twice")
        assert made.counts() == before


async def test_a_module_listens_under_its_own_name(tmp_path: Path) -> None:
    await asyncio.to_thread(
        write_module, tmp_path, "daily", manifest='needs = ["feed"]\n', before=REGISTER, files={"parts.py": PARTS}
    )
    twice = "from daemon.core.events import ServerLost\n    async def tell(event): ...\n    "
    twice += "ctx.on(ServerLost, tell); ctx.on(ServerLost, tell)"
    await asyncio.to_thread(write_module, tmp_path, "echo", before=twice)
    nameless = "from functools import partial; from daemon.core.events import ServerLost\n    "
    nameless += "ctx.on(ServerLost, partial(print))"
    await asyncio.to_thread(write_module, tmp_path, "nobody", before=nameless)
    await asyncio.to_thread(write_module, tmp_path, "off")
    await asyncio.to_thread(write_module, tmp_path, "rests", manifest='requires = ["echo"]\n')
    async with stand(tmp_path, off={"enabled": False}) as made:
        await made.host.start()
        assert made.events.names == [
            ("daily.tell", "server_lost"),
            ("daily.tell", "server_back"),
            ("daily.again", "server_lost"),
        ]
        states = made.states()
        assert states["echo"] == ("failed", "echo.tell is there already")
        assert states["nobody"] == ("failed", "listens to server_lost with something that has no name; give it one")
        assert made.host.subscriptions_to_keep() == {"echo", "nobody", "rests"}


async def test_a_module_has_schedules_under_its_own_name(tmp_path: Path) -> None:
    await asyncio.to_thread(
        write_module, tmp_path, "daily", manifest='needs = ["feed"]\n', before=REGISTER, files={"parts.py": PARTS}
    )
    no_time = 'async def job(): ...\n    await ctx.schedule("x", job, cron="99")'
    await asyncio.to_thread(write_module, tmp_path, "late", before=no_time)
    async with stand(tmp_path) as made:
        await made.host.start()
        assert made.slots.added == [
            Schedule("daily.sleep", cron="30 4 * * *", timezone="Europe/Berlin", missed=Missed.ONCE),
            Schedule("daily.wake", every_s=60),
        ]
        assert made.states()["late"] == ("failed", "schedule late.x: cron has five fields, not 1: '99'")

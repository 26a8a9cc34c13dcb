"""Starting and stopping modules so that one that fails takes down nothing but what depends on it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import structlog

from daemon.core.clock import Clock
from daemon.core.errors import ModuleError
from daemon.core.ids import ModuleId
from daemon.core.limits import DRAIN_S
from daemon.host.context import (
    DiscordSurface,
    EventSource,
    ModuleContext,
    ScheduleSource,
    task_owner,
    unknown_services,
)
from daemon.host.graph import resolve
from daemon.host.loader import Discovered, Discovery, SettingError, discover, is_enabled, load, unload
from daemon.kernel.health import Check, Health, Status
from daemon.kernel.tasks import Supervisor

log = structlog.get_logger(__name__)

SETUP_S = 30.0
"""A module whose `setup` has not reached its `yield` after this long has failed."""


class ModuleState(StrEnum):
    """Where a module is in its life."""

    WAITING = "waiting"  # known, not started yet
    STARTING = "starting"
    STARTED = "started"
    STOPPED = "stopped"
    DISABLED = "disabled"  # by the operator
    INVALID = "invalid"  # its manifest or its settings cannot be used
    BLOCKED = "blocked"  # something it requires is missing or has failed
    FAILED = "failed"  # its own code failed


PROBLEMS = frozenset({ModuleState.INVALID, ModuleState.BLOCKED, ModuleState.FAILED})


@dataclass(frozen=True, slots=True)
class ModuleStatus:
    """One module, for people: `problem` is a sentence when something is wrong with it."""

    module: ModuleId
    state: ModuleState
    problem: str | None = None
    name: str = ""
    version: str = ""
    source: str = ""
    is_required: bool = False
    commands: tuple[str, ...] = ()


@dataclass(slots=True)
class _Running:
    registered: AsyncExitStack  # takes back what the module registered
    setup: AbstractAsyncContextManager[None] | None = None  # once it has reached its `yield`


class Host:
    """Owner of all modules of one daemon."""

    def __init__(
        self,
        catalog: Mapping[str, object],
        surface: DiscordSurface,
        events: EventSource,
        schedules: ScheduleSource,
        supervisor: Supervisor,
        health: Health,
        clock: Clock,
        settings_modules: Mapping[str, Mapping[str, Any]],
        folders: Sequence[Path] = (),
    ) -> None:
        self._catalog = catalog
        self._surface = surface
        self._events = events
        self._schedules = schedules
        self._supervisor = supervisor
        self._health = health
        self._clock = clock
        self._settings = settings_modules
        self._folders = folders
        self._found: dict[ModuleId, Discovered] = {}
        self._states: dict[ModuleId, ModuleStatus] = {}
        self._running: dict[ModuleId, _Running] = {}  # in order of starting

    async def start(self) -> None:
        """Start every module in order; returns when each has started or is known not to. Raises nothing of theirs."""
        discovery = await asyncio.to_thread(discover, self._folders)
        self._found = discovery.modules
        self._take_stock(discovery)
        wanted = {m: found.manifest for m, found in self._found.items() if self._is_wanted(m)}
        unusable = {m: "is disabled" for m in self._found if m not in wanted} | discovery.broken
        order = resolve(wanted, unusable)
        for module, reason in sorted(order.blocked.items()):
            self._move(module, ModuleState.BLOCKED, reason)
        for module in order.start:
            await self._start_one(self._found[module])

    async def stop(self) -> None:
        """Stop the running modules in reverse order; an error of one is logged and stops no other."""
        for module in reversed(list(self._running)):
            await self._stop_one(module)

    def states(self) -> tuple[ModuleStatus, ...]:
        """Every module known, by id."""
        return tuple(status for _, status in sorted(self._states.items()))

    def commands_to_keep(self) -> frozenset[str]:
        """Commands of modules that should run but do not: Discord must not be told to forget them."""
        return frozenset(
            name for status in self._states.values() if status.state in PROBLEMS for name in status.commands
        )

    def subscriptions_to_keep(self) -> frozenset[ModuleId]:
        """Modules that should run but do not: their events wait until they do. What is disabled or gone waits not."""
        return frozenset(module for module, status in self._states.items() if status.state in PROBLEMS)

    def _take_stock(self, discovery: Discovery) -> None:
        for line in (*discovery.mistakes, *discovery.shadowed):
            log.warning("modules_discovery", problem=line)
        for module, found in discovery.modules.items():
            manifest = found.manifest
            self._states[module] = ModuleStatus(
                module,
                ModuleState.WAITING,
                name=manifest.name,
                version=manifest.version,
                source=found.source,
                is_required=manifest.required,
                commands=tuple(manifest.commands),
            )
        for module, reason in discovery.broken.items():
            self._states[module] = ModuleStatus(module, ModuleState.WAITING, name=module)
            self._move(module, ModuleState.INVALID, reason)

    def _is_wanted(self, module: ModuleId) -> bool:
        if is_enabled(self._settings.get(module, {})):
            if self._states[module].is_required:
                self._health.require(task_owner(module))
            return True
        self._move(module, ModuleState.DISABLED)
        return False

    async def _start_one(self, found: Discovered) -> None:
        module = found.manifest.module
        for name in found.manifest.requires:
            if self._states[ModuleId(name)].state is not ModuleState.STARTED:
                self._move(module, ModuleState.BLOCKED, f"requires {name}, which {self._tell(ModuleId(name))}")
                return
        if missing := unknown_services(found.manifest, self._catalog):
            self._move(module, ModuleState.FAILED, "; ".join(missing))
            return
        self._move(module, ModuleState.STARTING)
        running = _Running(AsyncExitStack())
        try:
            async with asyncio.timeout(SETUP_S):
                await self._set_up(found, running)
        except (Exception, SystemExit) as error:  # noqa: BLE001  a named border: whatever a module does, the rest runs
            await self._undo(module, running)
            unload(found)
            self._report_failure(module, error)
        except BaseException:
            await self._undo(module, running)
            raise
        else:
            self._running[module] = running
            self._move(module, ModuleState.STARTED)

    async def _set_up(self, found: Discovered, running: _Running) -> None:
        module = found.manifest.module
        loaded = await asyncio.to_thread(load, found, self._settings.get(module, {}))
        context = ModuleContext(
            found.manifest,
            loaded.config,
            catalog=self._catalog,
            surface=self._surface,
            events=self._events,
            schedules=self._schedules,
            supervisor=self._supervisor,
            health=self._health,
            clock=self._clock,
            undo=running.registered,
        )
        setup = loaded.setup(context)
        if not isinstance(setup, AbstractAsyncContextManager):
            raise ModuleError(module, "its setup is not an async context manager")
        try:
            await setup.__aenter__()
        finally:
            context.close()
        running.setup = setup

    def _report_failure(self, module: ModuleId, error: Exception | SystemExit) -> None:
        match error:
            case SettingError():
                self._move(module, ModuleState.INVALID, "; ".join(error.mistakes))
            case ModuleError():
                self._move(module, ModuleState.FAILED, error.problem)
            case TimeoutError():
                self._move(module, ModuleState.FAILED, f"did not start within {SETUP_S:.0f} s")
            case _:
                log.error("module_setup_failed", module=module, exc_info=error)
                self._move(module, ModuleState.FAILED, f"failed to start: {type(error).__name__}: {error}")

    async def _stop_one(self, module: ModuleId) -> None:
        await self._undo(module, self._running.pop(module))
        unload(self._found[module])
        self._move(module, ModuleState.STOPPED)

    async def _undo(self, module: ModuleId, running: _Running) -> None:
        # Registrations first: what stands after the module's `yield` may close what its tasks and commands use.
        try:
            async with asyncio.timeout(DRAIN_S):
                await running.registered.aclose()
        except Exception:
            log.exception("module_stop_failed", module=module)
        if running.setup is None:
            return
        try:
            async with asyncio.timeout(DRAIN_S):
                await running.setup.__aexit__(None, None, None)
        except Exception:
            log.exception("module_stop_failed", module=module)

    def _tell(self, module: ModuleId) -> str:
        status = self._states[module]
        return f"is {status.state}" + (f": {status.problem}" if status.problem else "")

    def _move(self, module: ModuleId, state: ModuleState, problem: str | None = None) -> None:
        old = self._states[module]
        self._states[module] = ModuleStatus(
            module, state, problem, old.name, old.version, old.source, old.is_required, old.commands
        )
        (log.error if problem else log.info)("module_state", module=module, state=state.value, problem=problem)
        if state is ModuleState.DISABLED:
            return
        status = Status.PASS if state is ModuleState.STARTED else Status.FAIL if old.is_required else Status.WARN
        self._health.set(task_owner(module), Check(status, problem or state.value))

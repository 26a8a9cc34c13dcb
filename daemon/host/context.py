"""What a module is given while it starts. Whatever it registers here, the host takes back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from typing import Any, Generic, Protocol, TypeVar

import structlog
from pydantic import BaseModel

from daemon.core.clock import Clock
from daemon.core.errors import ModuleError
from daemon.core.events import Event
from daemon.core.ids import ModuleId, RoleId
from daemon.host.manifest import Manifest, did_you_mean
from daemon.kernel.health import Check, Health
from daemon.kernel.tasks import Supervisor
from daemon.services.events import Handler
from daemon.services.schedule import Job, Missed, Schedule

ConfigT = TypeVar("ConfigT", bound=BaseModel)
ServiceT = TypeVar("ServiceT")
EventT = TypeVar("EventT", bound=Event)


class DiscordSurface(Protocol):
    """What the host may do in Discord, for every bot that serves the module."""

    async def add_cog(self, owner: ModuleId, cls: type[Any], args: tuple[object, ...]) -> None:
        """Make one instance of the cog class a bot and add its commands and listeners."""
        ...

    def add_components(self, owner: ModuleId, cls: type[Any], args: tuple[object, ...]) -> Any:
        """Make one instance of the class and route presses, choices and sent forms of the owner's panels to it."""
        ...

    def set_controller_roles(self, owner: ModuleId, ids: Iterable[RoleId]) -> None:
        """Members with one of these roles may use what the owner marks as for controllers."""
        ...

    async def remove_owner(self, owner: ModuleId) -> None:
        """Take back everything of the owner."""
        ...

    def counts(self, owner: ModuleId) -> Mapping[str, int]:
        """How many of each thing the owner has registered: all zero or missing when nothing is left."""
        ...


class EventSource(Protocol):
    """Who delivers events: `services.events.Events`."""

    def subscribe(self, subscription: str, event_type: type[EventT], handler: Handler[EventT]) -> Callable[[], None]:
        """Have the handler called for what is delivered to the subscription; the result ends that. ValueError."""
        ...


class ScheduleSource(Protocol):
    """Who runs things at set times: `services.schedule.Schedules`."""

    async def add(self, schedule: Schedule, job: Job) -> Callable[[], None]:
        """Run the job at the slots of the schedule; the result ends that. ValueError for what is no schedule."""
        ...


def task_owner(module: ModuleId) -> str:
    """The name under which the supervisor and the health registry know what belongs to a module."""
    return f"module:{module}"


class ModuleContext(Generic[ConfigT]):
    """The host as one module sees it, for as long as its `setup` runs up to `yield`; never to be stored."""

    def __init__(
        self,
        manifest: Manifest,
        config: ConfigT,
        *,
        catalog: Mapping[str, object],
        surface: DiscordSurface,
        events: EventSource,
        schedules: ScheduleSource,
        supervisor: Supervisor,
        health: Health,
        clock: Clock,
        undo: AsyncExitStack,
    ) -> None:
        self.module = manifest.module
        self.config = config
        self.clock = clock
        self.log = structlog.get_logger(f"daemon.modules.{manifest.id}").bind(module=manifest.id)
        self._manifest = manifest
        self._catalog = catalog
        self._surface = surface
        self._events = events
        self._schedules = schedules
        self._supervisor = supervisor
        self._health = health
        self._undo = undo
        self._has_tasks = self._has_surface = False
        self._is_open = True

    def service(self, kind: type[ServiceT]) -> ServiceT:
        """The service of class `kind`; only one that the manifest lists in `needs`."""
        self._check_open()
        for name in self._manifest.needs:
            found = self._catalog.get(name)
            if isinstance(found, kind):
                return found
        offered = next((name for name, found in self._catalog.items() if isinstance(found, kind)), None)
        hint = f'; its manifest must list "{offered}" in needs' if offered else ""
        raise ModuleError(self.module, f"asks for the service {kind.__name__}{hint}")

    async def cog(self, cls: type[Any], *args: object) -> None:
        """Add a discord.py cog class: one instance, made with `args`, for each bot."""
        self._use_surface()
        await self._surface.add_cog(self.module, cls, args)

    def components(self, cls: type[ServiceT], *args: object) -> ServiceT:
        """Add a set of persistent components, made with `args`: presses come to it, after a restart as well."""
        self._use_surface()
        made: ServiceT = self._surface.add_components(self.module, cls, args)
        return made

    def controller_roles(self, ids: Iterable[RoleId]) -> None:
        """Name the Discord roles whose members are controllers for this module."""
        self._use_surface()
        self._surface.set_controller_roles(self.module, ids)

    def on(self, event_type: type[EventT], handler: Handler[EventT], *, name: str | None = None) -> None:
        """Have `handler` called for each event of this type that is published while the module is enabled.

        It reads what it needs and returns its effect as a unit of work, which happens once; it is tried again when it
        raises. Published while the module does not run, an event waits. What is waited for goes by `name` (the
        handler's, by default), so a handler that is renamed begins anew. Only under one name do events of different
        types keep their order: give what belongs together ("lost", "back") the same.
        """
        self._check_open()
        name = name or getattr(handler, "__name__", None)
        if name is None:
            raise ModuleError(self.module, f"listens to {event_type.TYPE} with something that has no name; give it one")
        subscription = f"{self.module}.{name}"
        try:
            self._undo.callback(self._events.subscribe(subscription, event_type, handler))
        except ValueError as error:
            raise ModuleError(self.module, str(error)) from error

    async def schedule(
        self,
        name: str,
        job: Job,
        *,
        cron: str | None = None,
        every_s: int | None = None,
        timezone: str = "UTC",
        missed: Missed = Missed.ONCE,
    ) -> None:
        """Run `job` at set times, once for each in all processes together; what was missed is made up for as told.

        It is known as `<module>.<name>`; see `Schedule` for the rest. The job reads what it needs and returns its
        effect as a unit of work, or None; it is tried again when it raises. For what need not survive a restart there
        is `every`.
        """
        self._check_open()
        try:
            full_name = f"{self.module}.{name}"
            schedule = Schedule(full_name, cron=cron, every_s=every_s, timezone=timezone, missed=missed)
            self._undo.callback(await self._schedules.add(schedule, job))
        except ValueError as error:
            raise ModuleError(self.module, str(error)) from error

    def task(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run `run` for as long as the module runs; restarted with back-off when it crashes."""
        self._use_tasks()
        self._supervisor.start(f"{self.module}.{name}", run, owner=task_owner(self.module))

    def every(self, seconds: float, job: Callable[[], Awaitable[None]], *, name: str | None = None) -> None:
        """Run `job` again and again with `seconds` of the clock between the end of one and the start of the next."""
        clock = self.clock

        async def run() -> None:
            while True:
                await clock.sleep(seconds)
                await job()

        self.task(name or f"every.{getattr(job, '__name__', 'job')}", run)

    def health(self, name: str, check: Callable[[], Awaitable[Check]], *, every_s: float = 30.0) -> None:
        """Show a check on the health page, asked again each `every_s` seconds."""
        self._use_tasks()
        owner = task_owner(self.module)
        self._health.register(f"{owner}:{name}", check, every_s, owner=owner)

    def on_stop(self, undo: Callable[[], object]) -> None:
        """Have `undo` called when the module stops: for what a service gives back on registering a listener."""
        self._check_open()
        self._undo.callback(undo)

    def close(self) -> None:
        """Refuse everything from now on; called by the host when `setup` has reached its `yield`."""
        self._is_open = False

    def _use_surface(self) -> None:
        self._check_open()
        if not self._has_surface:
            self._has_surface = True
            self._undo.push_async_callback(self._surface.remove_owner, self.module)

    def _use_tasks(self) -> None:
        self._check_open()
        if not self._has_tasks:
            self._has_tasks = True
            # Undone from the bottom: a health check is measured by a task, which has to end before it is forgotten.
            self._undo.callback(self._health.remove, owner=task_owner(self.module))
            self._undo.push_async_callback(self._supervisor.cancel, task_owner(self.module))

    def _check_open(self) -> None:
        if not self._is_open:
            raise ModuleError(self.module, "uses its context after setup; keep the services, not the context")


def unknown_services(manifest: Manifest, catalog: Mapping[str, object]) -> list[str]:
    """One sentence for each service in `needs` that does not exist, with the nearest known name."""
    return [
        f'needs the service "{name}", which does not exist{did_you_mean(name, catalog)}'
        for name in manifest.needs
        if name not in catalog
    ]

"""Health registry: checks are pushed or measured in the background, reports only read what is known."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from daemon.core.clock import Clock
from daemon.core.limits import HEARTBEAT_S, HEARTBEAT_STALE_S
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor


class Status(StrEnum):
    """The three words of `application/health+json`."""

    PASS = "pass"  # noqa: S105  a status, not a password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """Outcome of one check. `output` is a sentence for the operator; `observed` a measured value in `unit`."""

    status: Status
    output: str = ""
    observed: float | str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything known, by check name in order of the alphabet; `changed_at` is when a status last changed."""

    status: Status
    is_ready: bool
    reasons: tuple[str, ...]  # why not ready; empty when ready
    has_started: bool  # once true it stays so
    is_draining: bool
    checks: dict[str, Check]
    changed_at: dict[str, datetime]


@dataclass(slots=True)
class _Known:
    check: Check
    owner: str
    changed_at: datetime


@dataclass(slots=True)
class _State:
    checks: dict[str, _Known] = field(default_factory=dict)
    required: dict[str, str] = field(default_factory=dict)  # name -> owner
    has_started: bool = False
    is_draining: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)  # a new one after each change


class Health:
    """Named checks (`database`, `plex:attic`, `discord:marquee`, `module:playback`) and readiness.

    A check that is not required never makes the daemon unready: its `fail` counts as a warning in the whole.
    `version` rises whenever a report would read differently, so that a reader can keep what it rendered.
    """

    def __init__(
        self, supervisor: Supervisor, clock: Clock, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._supervisor = supervisor
        self._clock = clock
        self._monotonic = monotonic
        self._state = _State()
        self._beaten_at_s = monotonic()
        self.version = 0

    def now(self) -> datetime:
        """Wall time by the registry's clock, for outputs that name an hour."""
        return self._clock.now()

    def set(self, name: str, check: Check, *, owner: str = "app") -> None:
        """Push the outcome of a check; the name stays until `remove`."""
        known = self._state.checks.get(name)
        if known is not None and known.check == check:
            return
        now = self._clock.now()
        changed_at = known.changed_at if known is not None and known.check.status is check.status else now
        self._state.checks[name] = _Known(check, owner, changed_at)
        self._note_change()

    def register(self, name: str, probe: Callable[[], Awaitable[Check]], every_s: float, *, owner: str = "app") -> None:
        """Measure a check in the background every `every_s` seconds of real time, at once for the first time.

        An exception of the probe is a `fail` with its text; the probing goes on.
        """

        async def measure() -> None:
            while True:
                try:
                    check = await probe()
                except Exception as error:
                    self.set(name, Check(Status.FAIL, f"{type(error).__name__}: {error}"), owner=owner)
                    raise  # the supervisor logs it and starts the probe again
                self.set(name, check, owner=owner)
                await asyncio.sleep(every_s)

        self._supervisor.start(f"health:{name}", measure, owner=owner)

    def require(self, name: str, *, owner: str = "app") -> None:
        """From now on the daemon is ready only while the check `name` exists and does not fail."""
        self._state.required[name] = owner
        self._note_change()

    def remove(self, name: str | None = None, *, owner: str | None = None) -> None:
        """Forget one check by name, or everything of an owner, requirements included.

        A background probe ends with the tasks of its owner (`Supervisor.cancel`), which is to be done first.
        """
        state = self._state
        state.checks = {n: k for n, k in state.checks.items() if n != name and (owner is None or k.owner != owner)}
        state.required = {n: o for n, o in state.required.items() if n != name and (owner is None or o != owner)}
        self._note_change()

    def count(self, owner: str) -> int:
        """How many checks belong to `owner`."""
        return sum(1 for known in self._state.checks.values() if known.owner == owner)

    def ready(self) -> tuple[bool, tuple[str, ...]]:
        """Whether work may be sent here, and the reasons why not."""
        if self._state.is_draining:
            return False, ("draining: the daemon is stopping",)
        reasons = tuple(reason for name in sorted(self._state.required) if (reason := self._why_not(name)))
        return not reasons, reasons

    def report(self) -> Report:
        """What is known now. No I/O."""
        is_ready, reasons = self.ready()
        names = sorted(self._state.checks)
        checks = {name: self._state.checks[name].check for name in names}
        if not is_ready and not self._state.is_draining:
            status = Status.FAIL
        elif self._state.is_draining or any(check.status is not Status.PASS for check in checks.values()):
            status = Status.WARN
        else:
            status = Status.PASS
        changed_at = {name: self._state.checks[name].changed_at for name in names}
        state = self._state
        return Report(status, is_ready, reasons, state.has_started, state.is_draining, checks, changed_at)

    async def wait_until(self, is_so: Callable[[Report], bool]) -> Report:
        """The first report for which `is_so` holds, at once when it holds now; asked again after each change."""
        while not is_so(report := self.report()):
            await self._state.changed.wait()
        return report

    async def wait_changed(self, seen: int) -> None:
        """Return once `version` is another than `seen`."""
        while self.version == seen:
            await self._state.changed.wait()

    def heartbeat(self) -> None:
        """The event loop turns; said by `keep_beating` once a second."""
        self._beaten_at_s = self._monotonic()

    def is_alive(self) -> bool:
        """Whether the loop has beaten within `core.limits.HEARTBEAT_STALE_S`."""
        return self._monotonic() - self._beaten_at_s <= HEARTBEAT_STALE_S

    def note_started(self) -> None:
        """Everything has been started once; what fails later is no longer a matter of starting."""
        self._state.has_started = True
        self._note_change()

    def start_draining(self) -> None:
        """From now on not ready, whatever the checks say."""
        self._state.is_draining = True
        self._note_change()

    def _note_change(self) -> None:
        self.version += 1
        self._state.changed.set()
        self._state.changed = asyncio.Event()

    def _why_not(self, name: str) -> str | None:
        known = self._state.checks.get(name)
        if known is None:
            return f"{name}: not up yet"
        if known.check.status is Status.FAIL:
            return f"{name}: {known.check.output or 'failed'}"
        return None


async def keep_beating(health: Health, metrics: Metrics, *, every_s: float = HEARTBEAT_S) -> None:
    """Beat every `every_s` seconds for ever and measure how late the loop woke. For the supervisor."""
    loop = asyncio.get_running_loop()
    while True:
        due_s = loop.time() + every_s
        await asyncio.sleep(every_s)
        metrics.loop_lag_seconds.observe(max(0.0, loop.time() - due_s))
        health.heartbeat()

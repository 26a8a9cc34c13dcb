"""The one way of every interaction: commands, autocomplete, components and modals alike.

Order: trace id, deferral armed, draining, guild allow-list, access, rate limit, intake (profile, idempotency, audit: at
most one unit of work), handler, errors to sentences, metrics. Autocomplete writes nothing and answers with choices.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import discord
import structlog
from discord import app_commands
from prometheus_client import Counter, Histogram

from daemon.core.clock import Clock
from daemon.core.errors import TooFast, UserError
from daemon.core.ids import AppId, GuildId, InteractionId, MemberId, ModuleId
from daemon.core.limits import (
    AUTOCOMPLETE_BUDGET_S,
    AUTOCOMPLETE_CHOICES_MAX,
    CHOICE_CHARS_MAX,
    DEFER_AFTER_S,
)
from daemon.core.text import clamp
from daemon.kernel.metrics import Metrics
from daemon.kernel.tasks import Supervisor
from daemon.kernel.trace import short, span, start_trace
from daemon.services.intake import Arrival, Intake
from daemon.services.rate_limits import Bucket, Rate, RateLimits, Refusal
from integrations.discord.access import Doorkeeper
from integrations.discord.calls import AnyInteraction, Call, Stage, begin
from integrations.discord.delivery import LOST_ON_THE_WAY
from integrations.discord.errors import explain
from integrations.discord.policy import Policy
from integrations.discord.replies import defer, reply

log = structlog.get_logger(__name__)

TASK_OWNER = "discord"
AnyChoice = app_commands.Choice[Any]

_INTERRUPTED = "Marquee is restarting and could not wait for this; see whether it happened before you try again."


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked. `name` is the bounded label of the metrics and the log: "play", "playback.pause"."""

    kind: str  # "command", "component", "modal", "autocomplete"
    name: str
    policy: Policy
    module: ModuleId | None

    @property
    def what(self) -> str:
        """For the audit and the log: "command play"."""
        return f"{self.kind} {self.name}"


@dataclass(slots=True)
class _Running:
    """Handlers that have not ended, so that a stop can wait for them, and after a while interrupt them."""

    tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    is_interrupted: bool = False


class Pipeline:
    """Shared by all bots. `defer_after_s` is real time: Discord's 3 seconds are."""

    def __init__(
        self,
        *,
        intake: Intake,
        rate_limits: RateLimits,
        doorkeeper: Doorkeeper,
        supervisor: Supervisor,
        metrics: Metrics,
        clock: Clock,
        defer_after_s: float = DEFER_AFTER_S,
    ) -> None:
        self._intake = intake
        self._rate_limits = rate_limits
        self._doorkeeper = doorkeeper
        self._supervisor = supervisor
        self._meters = Meters(metrics)
        self._clock = clock
        self._defer_after_s = defer_after_s
        self._running = _Running()
        self._is_open = True

    async def run(self, interaction: AnyInteraction, job: Job, handler: Callable[[], Awaitable[Any]]) -> None:
        """Take one command, press or form from arrival to answer. Raises nothing but cancellation."""
        call = self._begin(interaction, job)
        with span("interaction", what=job.what):
            await self._run(interaction, job, handler, call)

    async def _run(
        self, interaction: AnyInteraction, job: Job, handler: Callable[[], Awaitable[Any]], call: Call
    ) -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        timer = loop.call_later(self._defer_after_s, self._defer_soon, interaction, call)
        task = self._begin_one()
        outcome = "ok"
        try:
            self._check(interaction, call, job)
            if (limiting := self._limit(call, job)) is not None:
                await limiting
            if await self._admit(interaction, call, job):
                await handler()
                await self._close(interaction, call)
            else:
                outcome = "duplicate"
        except asyncio.CancelledError:
            if not self._running.is_interrupted:
                raise
            task.uncancel()
            outcome = await self._explain(interaction, call, UserError(_INTERRUPTED, "restarting"))
        except Exception as error:  # noqa: BLE001  the named border: whatever a handler raises becomes a sentence
            outcome = await self._explain(interaction, call, error)
        finally:
            timer.cancel()
            self._end_one(task)
            self._measure(job, call, outcome, began_s)

    async def refuse(self, interaction: AnyInteraction, job: Job, error: UserError) -> None:
        """Answer privately with `error` without any unit of work: for panels nobody knows any more."""
        call = self._begin(interaction, job)
        began_s = asyncio.get_running_loop().time()
        outcome = "refused"
        try:
            self._doorkeeper.check_guild(interaction.guild_id)
            raise error
        except Exception as raised:  # noqa: BLE001  the named border
            outcome = await self._explain(interaction, call, raised)
        finally:
            self._measure(job, call, outcome, began_s)

    async def complete(
        self, interaction: AnyInteraction, job: Job, suggest: Callable[[], Awaitable[Sequence[AnyChoice]]]
    ) -> None:
        """Answer an autocomplete question: at most 25 choices, none when it may not, cannot or takes too long."""
        call = self._begin(interaction, job)
        began_s = asyncio.get_running_loop().time()
        outcome = "ok"
        choices: Sequence[AnyChoice] = ()
        try:
            self._check(interaction, call, job)
            if (limiting := self._limit(call, job)) is not None:
                await limiting
            with span("autocomplete", what=job.what):
                async with asyncio.timeout(AUTOCOMPLETE_BUDGET_S):
                    choices = await suggest()
        except TimeoutError:
            outcome = "timed_out"
        except Exception as error:  # there is no way to show an error here
            explained = explain(error, call.trace_id)
            outcome = explained.outcome
            if explained.is_incident:
                log.exception("autocomplete_failed", command=job.name)
        await self._answer_choices(interaction, call, choices)
        self._measure(job, call, outcome, began_s)

    def stop_intake(self) -> None:
        """From now on every interaction is refused with a friendly sentence; what runs goes on."""
        self._is_open = False

    async def wait_idle(self, timeout_s: float) -> bool:
        """Wait until no handler runs; False when some still did after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                while self._running.tasks:
                    self._running.idle.clear()
                    await self._running.idle.wait()
        except TimeoutError:
            return False
        return True

    async def interrupt(self, timeout_s: float) -> None:
        """End the handlers that still run; their members are told, which may take up to `timeout_s`."""
        self._running.is_interrupted = True
        for task in self._running.tasks:
            task.cancel()
        await self.wait_idle(timeout_s)

    def _begin(self, interaction: AnyInteraction, job: Job) -> Call:
        call = Call(
            trace_id=start_trace(),
            what=job.what,
            policy=job.policy,
            member_id=MemberId(interaction.user.id),
            guild_id=GuildId(interaction.guild_id) if interaction.guild_id is not None else None,
            locale=interaction.locale.value,
            at=self._clock.now(),
            clock=self._clock,
        )
        begin(interaction, call)
        return call

    def _check(self, interaction: AnyInteraction, call: Call, job: Job) -> None:
        if not self._is_open:
            raise UserError("Marquee is restarting; please try again in a minute.", "restarting")
        self._doorkeeper.check_guild(interaction.guild_id)
        self._doorkeeper.check_access(interaction, job.policy.access, job.module)

    def _limit(self, call: Call, job: Job) -> Awaitable[None] | None:
        """TooFast for who asks too often. What is returned has to be awaited: Redis is asked, too."""
        limits = self._rate_limits
        if job.kind == "autocomplete":
            buckets = limits.for_typing(call.member_id)
        else:
            rate = Rate(job.policy.burst, job.policy.per_s)
            buckets = limits.for_command(call.member_id, call.guild_id, job.name, rate)
        if limits.is_shared:
            return self._limit_shared(buckets)
        self._refuse(limits.take(buckets))
        return None

    async def _limit_shared(self, buckets: Sequence[Bucket]) -> None:
        self._refuse(await self._rate_limits.take_shared(buckets))

    def _refuse(self, refusal: Refusal | None) -> None:
        if refusal is not None:
            # Rounded up, so that whoever waits for the shown time is let in.
            raise TooFast(int(self._clock.now().timestamp() + refusal.wait_s) + 1)

    async def _admit(self, interaction: AnyInteraction, call: Call, job: Job) -> bool:
        guild = interaction.guild
        admission = await self._intake.admit(
            Arrival(
                interaction_id=InteractionId(interaction.id),
                member_id=call.member_id,
                member_name=interaction.user.display_name,
                guild_id=call.guild_id,
                guild_name=(guild.name or None) if guild is not None else None,
                app_id=AppId(interaction.application_id),
                what=call.what,
                at=call.at,
                audited=job.policy.audited,
                trace_id=call.trace_id,
            )
        )
        call.profile_id = admission.profile_id
        return not admission.is_duplicate

    async def _close(self, interaction: AnyInteraction, call: Call) -> None:
        """A handler that said nothing: a press is acknowledged, a command has a bug."""
        if call.stage is Stage.NEW and interaction.message is not None:
            call.policy = _QUIET
            await defer(interaction)
        elif call.stage in (Stage.NEW, Stage.THINKING):
            async with call.lock:
                pass  # a deferral under way ends first
            raise RuntimeError(f"{call.what} ended without an answer")

    def _defer_soon(self, interaction: AnyInteraction, call: Call) -> None:
        if call.stage is Stage.NEW:
            self._supervisor.spawn("defer", defer(interaction), owner=TASK_OWNER)

    async def _explain(self, interaction: AnyInteraction, call: Call, error: Exception) -> str:
        explained = explain(error, call.trace_id)
        if explained.is_incident:
            log.error("interaction_failed", what=call.what, incident=short(call.trace_id), exc_info=error)
        else:
            log.info("interaction_refused", what=call.what, error=str(error))
        try:
            await reply(interaction, explained.text, private=True)
        except (discord.DiscordException, *LOST_ON_THE_WAY) as failure:
            log.warning("refusal_not_delivered", what=call.what, error=f"{type(failure).__name__}: {failure}")
        return explained.outcome

    async def _answer_choices(self, interaction: AnyInteraction, call: Call, choices: Sequence[AnyChoice]) -> None:
        try:
            await interaction.response.autocomplete(presentable(choices))
            call.mark(Stage.ANSWERED)
        except (discord.DiscordException, *LOST_ON_THE_WAY) as error:
            # Typing on asks again, so nothing is lost that anyone will miss.
            log.debug("autocomplete_not_delivered", error=type(error).__name__)

    def _measure(self, job: Job, call: Call, outcome: str, began_s: float) -> None:
        self._meters.count(job.name, outcome)
        if call.first_answer_s is not None:
            self._meters.time(job.name, max(0.0, call.first_answer_s - began_s))

    def _begin_one(self) -> asyncio.Task[Any]:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("interactions are handled in tasks")
        self._running.tasks.add(task)
        return task

    def _end_one(self, task: asyncio.Task[Any]) -> None:
        self._running.tasks.discard(task)
        if not self._running.tasks:
            self._running.idle.set()


class Meters:
    """The metrics of commands; each child is looked up once, because the lookup costs more than the counting."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._totals: dict[tuple[str, str], Counter] = {}
        self._seconds: dict[str, Histogram] = {}

    def count(self, command: str, outcome: str) -> None:
        """One interaction ended so."""
        total = self._totals.get((command, outcome))
        if total is None:
            self._totals[command, outcome] = total = self._metrics.commands_total.labels(command, outcome)
        total.inc()

    def time(self, command: str, seconds: float) -> None:
        """The first answer was given after so long."""
        histogram = self._seconds.get(command)
        if histogram is None:
            self._seconds[command] = histogram = self._metrics.command_seconds.labels(command)
        histogram.observe(seconds)


_QUIET = Policy(private=None)


def presentable(choices: Sequence[AnyChoice]) -> list[AnyChoice]:
    """The first 25 choices Discord takes: names cut to 100 characters, those with an unusable value left out."""
    usable = (c for c in choices if c.name.strip() and (not isinstance(c.value, str) or _is_value(c.value)))
    first = [choice for choice, _ in zip(usable, range(AUTOCOMPLETE_CHOICES_MAX), strict=False)]
    for choice in first:
        choice.name = clamp(choice.name, CHOICE_CHARS_MAX)
    return first


def _is_value(value: str) -> bool:
    return 1 <= len(value) <= CHOICE_CHARS_MAX

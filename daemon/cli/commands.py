from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from daemon.cli.configuration import settings_or_exit
from daemon.cli.outcome import FAILED, leave

if TYPE_CHECKING:
    from integrations.discord.sync import Plan

_SIGNS = {"create": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red"), "kept": ("=", "blue")}


@click.group(short_help="Slash commands: plan, apply, status.")
def commands() -> None:
    """The slash commands that Discord knows, beside those of the modules. Works without a running daemon."""


@commands.command()
def plan() -> None:
    """Show what `apply` would change; changes nothing."""
    with _told(_work(apply=False)) as plans:
        for name, planned in plans.items():
            _show(name, planned, "would change")


@commands.command()
@click.option("--force", is_flag=True, help="Also when many commands, or all, would go.")
def apply(force: bool) -> None:
    """Make Discord's commands those of the modules, with one request a bot, none when nothing differs."""
    with _told(_work(apply=True, force=force)) as plans:
        for name, planned in plans.items():
            _show(name, planned, "changed")


@commands.command()
def status() -> None:
    """One line a bot; exit 1 when one is not in step."""
    with _told(_work(apply=False)) as plans:
        for name, planned in plans.items():
            click.echo(f"{name}: {'in step' if planned.is_empty else 'not in step; `marquee commands plan` shows how'}")
    if not all(planned.is_empty for planned in plans.values()):
        leave(FAILED, [])


@dataclass(frozen=True, slots=True)
class _Outcome:
    """A plan for each bot, and a sentence for each module that should run but does not: its commands are kept."""

    plans: dict[str, Plan]
    problems: list[str]


@contextmanager
def _told(outcome: _Outcome) -> Iterator[dict[str, Plan]]:
    """The plans, to be shown; then the process ends with what is wrong with modules, if anything is."""
    yield outcome.plans
    if outcome.problems:
        leave(FAILED, outcome.problems)


def _work(*, apply: bool, force: bool = False) -> _Outcome:
    import asyncio

    from daemon.core.errors import UpstreamError
    from daemon.kernel import logs
    from integrations.discord.sync import SyncRefused

    settings = settings_or_exit()
    logs.configure("console", "error", settings.secrets())
    if not settings.discord.bots:
        leave(FAILED, ["no bot is configured; set MARQUEE_DISCORD__BOTS__<NAME>__TOKEN"])

    async def work() -> _Outcome:
        from daemon.cli.scratch import scratch
        from daemon.host.host import PROBLEMS
        from integrations.discord.doctor import apply_commands, plan_commands

        async with scratch(settings) as parts:
            await parts.fleet.prepare()
            await parts.host.start()
            keep = parts.host.commands_to_keep()
            done = {}
            for name in settings.discord.bots:
                if apply:
                    done[name] = await apply_commands(parts.fleet, name, keep, force=force)
                else:
                    done[name] = await plan_commands(parts.fleet, name, keep)
            problems = [
                f"module {status.module} {status.problem}; its commands are left as they are"
                for status in parts.host.states()
                if status.state in PROBLEMS
            ]
            await parts.host.stop()
            return _Outcome(done, problems)

    try:
        return asyncio.run(work())
    except UpstreamError as error:
        leave(FAILED, [logs.redact(str(error))])
    except SyncRefused as error:
        leave(FAILED, [f"{error.reason}. `marquee commands plan` shows the changes, --force makes them all the same."])


def _show(name: str, planned: Plan, verb: str) -> None:
    if planned.is_empty:
        click.echo(f"{name}: in step, {len(planned.steps)} commands")
        return
    click.echo(f"{name}: {verb}")
    for step in planned.steps:
        if step.change.value in _SIGNS:
            sign, colour = _SIGNS[step.change.value]
            paths = f"  ({', '.join(step.paths)})" if step.paths else ""
            click.echo(f"  {click.style(f'{sign} {step.name}', fg=colour)}{paths}")
    if planned.objection:
        click.echo(f"  {planned.objection}")

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from daemon.cli.columns import moment, show_json, show_table
from daemon.cli.opened import Opened, with_store

if TYPE_CHECKING:
    from daemon.data.schedules import Known, Run


@click.group(short_help="What runs when: list, history, run.")
def schedules() -> None:
    """What the daemon does at set times. A schedule is known once a daemon has run that declares it."""


@schedules.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
def list_schedules(as_json: bool) -> None:
    """Every schedule: when it is due, what becomes of missed runs, and how the last run went."""
    from daemon.data.schedules import listing

    found = with_store(lambda opened: opened.store.read(listing))
    if as_json:
        show_json(found)
    elif not found:
        click.echo("No schedule is known yet: a running daemon declares them.")
    else:
        headings = ("name", "when", "missed", "next (UTC)", "last run (UTC)", "outcome")
        show_table(headings, map(_row, found), title="Schedules")


@schedules.command()
@click.argument("name")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 200), help="At most this many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
def history(name: str, limit: int, as_json: bool) -> None:
    """The newest runs of a schedule, newest first."""

    async def look(opened: Opened) -> list[Run]:
        from daemon.data.schedules import history, is_known

        if not await opened.store.read(lambda tx: is_known(tx, name)):
            raise _unknown(name)
        return await opened.store.read(lambda tx: history(tx, name, limit))

    runs = with_store(look)
    if as_json:
        show_json(runs)
    elif not runs:
        click.echo(f"{name} has not run yet.")
    else:
        headings = ("slot (UTC)", "begun (UTC)", "took", "outcome", "detail", "trace")
        show_table(headings, map(_run_row, runs), title=name)


@schedules.command()
@click.argument("name")
def run(name: str) -> None:
    """Have a schedule run now, whatever its times are. A running daemon begins within seconds, else the next one."""

    async def ask(opened: Opened) -> str:
        from daemon.kernel.metrics import Metrics
        from daemon.services.queue.inbox import Inbox
        from daemon.services.schedule.runs import JOBS, ask_by_hand

        clock = opened.clock
        inbox = Inbox(clock, Metrics())
        inbox.declare(JOBS)
        try:
            return await opened.store.write(
                lambda tx: ask_by_hand(tx, inbox.put, name, clock.now(), "marquee schedules run")
            )
        except KeyError:
            raise _unknown(name) from None

    trace_id = with_store(ask)
    click.echo(f"Asked for; `marquee trace {trace_id}` and `marquee schedules history {name}` tell what becomes of it.")


def _unknown(name: str) -> Exception:
    from daemon.core.errors import UserError

    return UserError(
        f'There is no schedule "{name}"; `marquee schedules list` shows which there are.', "unknown_schedule"
    )


def _row(known: Known) -> tuple[str, ...]:
    declared, last = known.declared, known.last
    zone = "" if declared.timezone == "UTC" or declared.plan.startswith("every") else f" {declared.timezone}"
    return (
        declared.name, f"{declared.plan}{zone}", declared.missed, moment(known.next_at),
        moment(last.started_at or last.asked_at) if last else "-", last.outcome if last else "-",
    )  # fmt: skip


def _run_row(run: Run) -> tuple[str, ...]:
    took = f"{(run.ended_at - run.started_at).total_seconds():.1f} s" if run.started_at and run.ended_at else "-"
    return (moment(run.slot_at), moment(run.started_at), took, run.outcome, run.detail, run.trace_id[:8])

"""The doctor's report for people."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from daemon.cli.findings import Finding, shown_settings
from daemon.kernel.logs import redact
from daemon.settings.model import Settings


def show(settings: Settings, findings: list[Finding]) -> None:
    """Print settings, findings, what to mend, and the invite links on stdout."""
    console = Console(soft_wrap=False)
    table = Table(title="Settings in effect", title_justify="left", box=box.SIMPLE, show_header=False)
    table.add_column(style="bold")
    for name, value in shown_settings(settings):
        table.add_row(name, Text(redact(value)))
    console.print(table)
    console.print(_findings(findings))
    if wrong := [finding for finding in findings if not finding.is_fine]:
        console.print(Text("What to do", style="bold"))
        for finding in wrong:
            console.print(Text(f"  {finding.subject}: {finding.mend}"))
    if invited := [finding for finding in findings if finding.invite]:
        console.print(Text("Invite links", style="bold"))
        for finding in invited:
            # Never wrapped: a link broken into two lines cannot be clicked.
            console.print(Text(f"  {finding.subject}: {finding.invite}"), soft_wrap=True)
    elif not wrong:
        console.print("All is well.")


def _findings(findings: list[Finding]) -> Table:
    table = Table(title="Tried just now", title_justify="left", box=box.SIMPLE, show_header=False)
    table.add_column()
    table.add_column(style="bold")
    table.add_column()
    for finding in findings:
        sign = Text("fine", style="green") if finding.is_fine else Text("WRONG", style="bold red")
        table.add_row(sign, finding.subject, Text(redact(finding.text)))
    return table

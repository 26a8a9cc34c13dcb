from __future__ import annotations

import os
import sys

import click


@click.command(
    short_help="A simulated Plex server or Discord.",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
)
@click.argument("which", type=click.Choice(["plex", "discord"]))
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def simulate(which: str, options: tuple[str, ...]) -> None:
    """Run a simulated Plex server or a simulated Discord on loopback; OPTIONS are the simulator's own.

    One JSON line on stdout says where it is and which tokens it takes.
    """
    # Replaced, not called: signals and exit code are the simulator's.
    os.execv(sys.executable, [sys.executable, "-m", "simulators", which, *options])  # noqa: S606

"""The `marquee` command. Each subcommand imports what it needs when it runs, so that none pays for another."""

from __future__ import annotations

import click

from daemon.cli.backup import backup, restore
from daemon.cli.check import check
from daemon.cli.commands import commands
from daemon.cli.database import database
from daemon.cli.dead_letters import dead_letters
from daemon.cli.demo import demo
from daemon.cli.healthcheck import healthcheck
from daemon.cli.library import library
from daemon.cli.modules import modules
from daemon.cli.run import run
from daemon.cli.schedules import schedules
from daemon.cli.simulate import simulate
from daemon.cli.trace import trace
from daemon.kernel.release import installed_version


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(installed_version(), prog_name="marquee")
def main() -> None:
    """Marquee: one daemon that joins Plex media servers and a Discord community.

    Settings come from config/marquee.toml, over it config/local.toml or the file in MARQUEE_CONFIG, over it the
    environment (MARQUEE_HTTP__PORT is port in [http]). Exit codes: 0 fine, 1 something does not work or answer,
    69 the database does not answer, 78 wrong configuration.
    """


for command in (
    run,
    demo,
    simulate,
    check,
    healthcheck,
    database,
    commands,
    modules,
    schedules,
    library,
    dead_letters,
    trace,
    backup,
    restore,
):
    main.add_command(command)

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from daemon.cli.configuration import settings_or_exit
from daemon.cli.outcome import FAILED, leave

if TYPE_CHECKING:
    from daemon.app import App
    from daemon.cli.simulation import Simulation
    from daemon.kernel.health import Health, Report

_CONNECTED_S = 5.0  # the greeting waits this long for the bot
_KEPT = ("MARQUEE_HTTP__", "MARQUEE_LOG__", "MARQUEE_MODULES__")
"""What of the operator's environment holds in the demo; tokens and servers of the real world never do."""


@click.command(short_help="The daemon on simulated services, with a page to chat in.")
def demo() -> None:
    """A simulated Plex and Discord, the real daemon, and a page to chat in. Needs no account.

    Data is fresh each time; with KEEP=1 in the environment it stays, in data/demo.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop_early)
    from daemon.cli.ports import PortsTaken, choose_ports
    from daemon.cli.run import run_app
    from daemon.cli.simulation import SimulationFailed, simulation

    kept = {name: value for name, value in os.environ.items() if name.startswith(_KEPT)}
    wanted = settings_or_exit(kept, use_local=False)
    try:
        port, taken = choose_ports(wanted.http.host, wanted.http.port)
    except PortsTaken as error:
        leave(FAILED, [str(error)])
    for sentence in taken:
        click.echo(sentence)
    lost: list[str] = []
    try:
        with _data_dir() as data_dir, simulation(chat_port=port + 1) as simulated:
            environ = _preset(simulated) | kept | _environment(simulated, data_dir, port)
            settings = settings_or_exit(environ, use_local=False)
            run_app(settings, on_started=lambda app, health: _greet(app, health, simulated, lost))
    except SimulationFailed as error:
        leave(FAILED, [str(error)])
    if lost:
        leave(FAILED, lost)
    click.echo("Stopped.")
    sys.exit(0)


def _stop_early(*_: object) -> None:
    """Ctrl-C before the daemon listens to it: everything begun so far is undone on the way out."""
    click.echo("Stopped.")
    sys.exit(0)


@contextmanager
def _data_dir() -> Iterator[Path]:
    if os.environ.get("KEEP", "") not in ("", "0"):
        yield _data_root() / "demo"
        return
    folder = Path(tempfile.mkdtemp(prefix="marquee-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _data_root() -> Path:
    from daemon.settings.layers import PROJECT

    if chosen := os.environ.get("MARQUEE_DATA_DIR"):
        return Path(chosen)
    return (PROJECT if (PROJECT / "config" / "marquee.toml").is_file() else Path.cwd()) / "data"


def _preset(simulated: Simulation) -> dict[str, str]:
    """What the operator's environment may change: alice's role controls players, as its name promises."""
    return {
        "MARQUEE_LOG__LEVEL": "warning",
        "MARQUEE_MODULES__PLAYBACK__CONTROLLER_ROLES": simulated.discord.controller_role_id,
    }


def _environment(simulated: Simulation, data_dir: Path, port: int) -> dict[str, str]:
    """The settings that a person with two tokens would give, for the simulators."""
    plex, discord = simulated.plex, simulated.discord
    bots = {f"MARQUEE_DISCORD__BOTS__{name.upper()}__TOKEN": token for name, token in discord.bots.items()}
    return bots | {
        "MARQUEE_DATA_DIR": str(data_dir),
        "MARQUEE_HTTP__PORT": str(port),
        "MARQUEE_OWNERS": discord.owner_id,
        "MARQUEE_PLEX__SERVERS__CINEMA__URL": plex.url,
        "MARQUEE_PLEX__SERVERS__CINEMA__TOKEN": plex.token,
        "MARQUEE_PLEX__ACCOUNT_URL": plex.account_url,
        "MARQUEE_DISCORD__CONNECT": discord.connect,
        "MARQUEE_DISCORD__CA_FILE": discord.ca_file,
        "MARQUEE_CLOCK__URL": f"{plex.control_url}/clock",
    }


async def _greet(app: App, health: Health, simulated: Simulation, lost: list[str]) -> None:
    """Say where the pages are, once the bot listens: a command sent before that would find nobody."""

    def give_up() -> None:
        lost.append("The simulators have ended, and so the demo ends.")
        app.request_stop()

    simulated.when_it_ends(give_up)
    with suppress(TimeoutError):
        async with asyncio.timeout(_CONNECTED_S):
            await health.wait_until(_is_connected)
    strong = click.style
    click.echo(
        f"""
  {strong("Marquee is running on simulated services.", bold=True)}

    Chat page    {strong(simulated.chat_url, fg="cyan", underline=True)}
    Health page  {strong(app.url, fg="cyan", underline=True)}

  Four things to try on the chat page:

    1. Type /play, then three letters of a title, and pick one and a player. Press Pause on the card.
    2. Type /now to see what is playing everywhere, and /players to see what can be controlled.
    3. Speak as bob, who has no rights, and try to pause it.
    4. As olivia, the owner, type /ops health, and /ops schedules to run a chore now.

  Ctrl-C stops everything.
"""
    )


def _is_connected(report: Report) -> bool:
    """Whether every bot is on Discord with its commands in step."""
    bots = [check for name, check in report.checks.items() if name.startswith("discord:")]
    return bool(bots) and all(check.status == "pass" for check in bots)

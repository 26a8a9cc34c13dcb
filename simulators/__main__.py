"""`python -m simulators --demo | plex | discord`: simulators as a process, described by one JSON line on stdout."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from simulators.clock import SimClock

SIZES = ("small", "20k", "100k")
CHAT_PORT = 8421  # the daemon's HTTP port plus one


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the command line and run until told to end."""
    arguments = _parser().parse_args(argv)
    parts = {"plex", "discord"} if arguments.demo else {arguments.which}
    if arguments.which is None and not arguments.demo:
        _parser().error("say --demo, plex or discord")
    try:
        asyncio.run(_run(parts, arguments))
    except OSError as error:
        # A taken port of Plex or Discord is the caller's to change; only the chat page may move by itself.
        sys.exit(f"The simulators cannot start: {error.strerror or error}.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulators", description=__doc__)
    parser.add_argument("which", nargs="?", choices=("plex", "discord"), help="run only this one")
    parser.add_argument("--demo", action="store_true", help="run both on one clock")
    parser.add_argument("--plex-port", type=int, default=0, help="port of the Plex server (0: any free one)")
    parser.add_argument("--discord-port", type=int, default=0, help="port of Discord's hosts (0: any free one)")
    parser.add_argument("--chat-port", type=int, default=CHAT_PORT, help="port of the chat page (0: any free one)")
    parser.add_argument("--health-url", help="the daemon's health document (default: at the chat port minus one)")
    parser.add_argument("--size", choices=SIZES, default="small", help="how many titles the Plex server has")
    parser.add_argument("--seed", type=int, default=7, help="which titles, players and artwork are made up")
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds a second")
    parser.add_argument("--spec", type=Path, help="Discord's OpenAPI document, to check every request against")
    parser.add_argument("--with-parent", action="store_true", help="end when stdin is closed")
    return parser


async def _run(parts: set[str], arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if arguments.with_parent:
        _watch_stdin(loop, stop)
    clock = SimClock(speed=0.0)
    async with contextlib.AsyncExitStack() as stack:
        told: dict[str, Mapping[str, Any]] = {}
        if "plex" in parts:
            told["plex"] = await _start_plex(stack, clock, arguments)
        if "discord" in parts:
            told["discord"], told["chat"] = await _start_discord(stack, clock, arguments)
        # Until here the clock stood: ids hold the time they were made at, and kept data must fit the next start too.
        clock.set_speed(arguments.speed)
        if not stop.is_set():
            print(json.dumps(told), flush=True)  # noqa: T201  the one line that callers read
        await stop.wait()


async def _start_plex(
    stack: contextlib.AsyncExitStack, clock: SimClock, arguments: argparse.Namespace
) -> Mapping[str, Any]:
    from simulators.plex.sim import PlexSim

    plex = await stack.enter_async_context(
        PlexSim(seed=arguments.seed, size=arguments.size, clock=clock, port=arguments.plex_port)
    )
    return {
        "url": plex.url,
        "token": plex.token,
        "account_url": plex.account_url,
        "control_url": plex.control_url,
    }


async def _start_discord(
    stack: contextlib.AsyncExitStack, clock: SimClock, arguments: argparse.Namespace
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    from simulators.discord.chat import Chat
    from simulators.discord.sim import DiscordSim

    lab = DiscordSim(arguments.spec, clock, port=arguments.discord_port)
    await stack.enter_async_context(lab)
    health_url = arguments.health_url
    if health_url is None and arguments.chat_port > 1:
        health_url = f"http://127.0.0.1:{arguments.chat_port - 1}/health"
    chat = await stack.enter_async_context(
        Chat(lab.world, lab.interactions, lab.guild, clock, port=arguments.chat_port, health_url=health_url)
    )
    if chat.is_elsewhere:
        print(f"Port {arguments.chat_port} is taken; the chat page is at {chat.url} instead.", file=sys.stderr)  # noqa: T201
    discord = {
        "connect": lab.connect,
        "ca_file": str(lab.ca_file),
        "control_url": lab.control_url,
        "bots": lab.tokens,
        "guild_id": str(lab.guild.guild_id),
        "owner_id": str(lab.guild.owner_id),
        "controller_role_id": next(str(r.role_id) for r in lab.guild.roles.values() if r.name == "Controllers"),
    }
    return discord, {"url": chat.url}


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Set `stop` at the end of stdin. A daemon thread, because a blocked read must not hold up the exit."""

    def read() -> None:
        while os.read(0, 4096):  # not sys.stdin: its lock would be held when the interpreter ends
            pass
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=read, name="stdin", daemon=True).start()


if __name__ == "__main__":
    main()

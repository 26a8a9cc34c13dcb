"""The simulators as a child process that never outlives its parent."""

from __future__ import annotations

import asyncio
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

_START_S = 60.0
_STOP_S = 5.0
_LINE_BYTES_MAX = 64 * 1024


class SimulationFailed(Exception):
    """The simulators did not start; the text is a sentence for people."""


@dataclass(frozen=True, slots=True)
class SimulatedPlex:
    """Where the simulated Plex server is."""

    url: str
    token: str
    account_url: str
    control_url: str


@dataclass(frozen=True, slots=True)
class SimulatedDiscord:
    """Where the simulated Discord is; `bots` are tokens by name."""

    connect: str
    ca_file: str
    bots: dict[str, str]
    owner_id: str
    controller_role_id: str


@dataclass(frozen=True, slots=True)
class Simulation:
    """Running simulators, as their first line on stdout describes them."""

    plex: SimulatedPlex
    discord: SimulatedDiscord
    chat_url: str
    output: int  # file descriptor of their stdout: it ends when they do

    def when_it_ends(self, notify: Callable[[], None]) -> None:
        """Call `notify` on the running event loop should the simulators end."""
        loop = asyncio.get_running_loop()

        def read() -> None:
            if not os.read(self.output, 4096):
                loop.remove_reader(self.output)
                notify()

        loop.add_reader(self.output, read)


@contextmanager
def simulation(*, chat_port: int) -> Iterator[Simulation]:
    """Start both simulators, the chat page at `chat_port`; stop them on leaving. Raises SimulationFailed.

    They have a process group of their own, so that Ctrl-C reaches the daemon first, and a pipe as stdin: when this
    process dies, whatever the way, the pipe closes and they end.
    """
    command = [sys.executable, "-m", "simulators", "--demo", "--with-parent", "--chat-port", str(chat_port)]
    child = subprocess.Popen(  # noqa: S603  our own interpreter and module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        yield _describe(child)
    finally:
        _end(child)


def _describe(child: subprocess.Popen[bytes]) -> Simulation:
    assert child.stdout is not None
    output = child.stdout.fileno()
    line = _first_line(output)
    try:
        told = json.loads(line)
        plex, discord = told["plex"], told["discord"]
        return Simulation(
            SimulatedPlex(plex["url"], plex["token"], plex["account_url"], plex["control_url"]),
            SimulatedDiscord(
                discord["connect"],
                discord["ca_file"],
                discord["bots"],
                str(discord["owner_id"]),
                str(discord["controller_role_id"]),
            ),
            told["chat"]["url"],
            output,
        )
    except (ValueError, KeyError, TypeError):
        raise SimulationFailed("The simulators did not start; what they wrote above says why.") from None


def _first_line(output: int) -> bytes:
    """What comes up to the first newline, or up to the end when the child ends before."""
    line = b""
    deadline_s = time.monotonic() + _START_S
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while not line.endswith(b"\n") and len(line) < _LINE_BYTES_MAX:
            if not selector.select(max(0.0, deadline_s - time.monotonic())):
                raise SimulationFailed(f"The simulators did not start within {_START_S:.0f} seconds.")
            chunk = os.read(output, 4096)
            if not chunk:
                break
            line += chunk
    return line


def _end(child: subprocess.Popen[bytes]) -> None:
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, number)
        with suppress(subprocess.TimeoutExpired):
            child.wait(_STOP_S)
            return

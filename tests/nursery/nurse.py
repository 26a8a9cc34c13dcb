"""The process that has imported everything and forks: `python -m tests.nursery.nurse <number of its socket>`."""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
from typing import Any

# What the daemon and its commands import, without what they leave for later on purpose (plexapi, for one).
WARM = (
    "daemon.cli", "daemon.app", "daemon.cli.demo", "daemon.data.migrations.run", "discord.ext.commands",
    "integrations.discord.fleet", "integrations.plex", "blockbuster", "sqlalchemy.dialects.sqlite",
    "sqlalchemy.dialects.postgresql.psycopg", "aiohttp.web", "tests.crash", "tests.blocking",
)  # fmt: skip
FILES = 3  # stdin, stdout, stderr


def receive(caller: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """An order, as JSON after its length, and the files that come with it."""
    head, files, _, _ = socket.recv_fds(caller, 8, FILES)
    body = bytearray()
    while len(body) < int.from_bytes(head, "big"):
        piece = caller.recv(1 << 16)
        if not piece:
            raise EOFError
        body += piece
    order: dict[str, Any] = json.loads(body)
    return order, files


def become(order: dict[str, Any], files: list[int]) -> None:
    """Be the process that was ordered; returns, or raises, when it ends."""
    for number, file in enumerate(files):
        os.dup2(file, number)
    for file in files:
        os.close(file)
    os.environ.clear()
    os.environ.update(order["environ"])
    os.chdir(order["cwd"])
    sys.argv = [order["module"], *order["arguments"]]
    sys.modules.pop(order["module"], None)
    gc.enable()
    runpy.run_module(order["module"], run_name="__main__", alter_sys=True)


def serve(door: socket.socket) -> None:
    """Fork for every caller, and tell each how its child ended; until whoever started this process is gone."""
    callers: dict[int, socket.socket] = {}  # by the file that says that the child has ended
    pids: dict[int, int] = {}
    poll = select.poll()
    poll.register(sys.stdin.fileno(), select.POLLIN | select.POLLHUP)
    poll.register(door.fileno(), select.POLLIN)
    while True:
        for number, _ in poll.poll():
            if number == sys.stdin.fileno():
                return
            if number != door.fileno():
                poll.unregister(number)
                status = os.waitstatus_to_exitcode(os.waitpid(pids.pop(number), 0)[1])
                tell(callers.pop(number), status)
                os.close(number)
                continue
            caller, _ = door.accept()
            order, files = receive(caller)
            assert threading.active_count() == 1, "a process with threads must not be forked"
            pid = os.fork()
            if pid == 0:
                for other in (door, caller, *callers.values()):
                    other.close()
                for other_file in callers:
                    os.close(other_file)
                become(order, files)
                return
            for file in files:
                os.close(file)
            caller.send(f"{pid}\n".encode())
            ended = os.pidfd_open(pid)
            poll.register(ended, select.POLLIN)
            callers[ended], pids[ended] = caller, pid


def tell(caller: socket.socket, status: int) -> None:
    """Say how the child ended, if anybody still listens."""
    with caller:
        try:
            caller.send(f"{status}\n".encode())
        except OSError:
            return


def main() -> None:
    """Import, then fork on demand."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in WARM:
        importlib.import_module(name)
    gc.collect()
    gc.disable()  # a collection would copy the pages that parent and children share
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as door:
        serve(door)


if __name__ == "__main__":
    main()

"""Children of the nursery, for tests: started, signalled and waited for like those of asyncio and of `subprocess`."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import IO

PROJECT = Path(__file__).resolve().parents[2]
PIPE, STDOUT, DEVNULL = subprocess.PIPE, subprocess.STDOUT, subprocess.DEVNULL

Target = IO[bytes] | int


class _Nurse:
    """The process that forks, and the socket at which it takes orders."""

    def __init__(self) -> None:
        with socket.socket(socket.AF_UNIX) as door:
            self._folder = tempfile.TemporaryDirectory(prefix="nursery-")
            self._path = f"{self._folder.name}/door"
            door.bind(self._path)
            door.listen(64)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.nursery.nurse", str(door.fileno())], cwd=PROJECT, stdin=subprocess.PIPE,
                pass_fds=(door.fileno(),),
            )  # fmt: skip
        atexit.register(self._close)

    def order(
        self, module: str, arguments: tuple[str, ...], environ: Mapping[str, str], cwd: Path, files: list[int]
    ) -> tuple[socket.socket, int]:
        """Have a child started; the socket on which its end is told, and its process id."""
        told = {"module": module, "arguments": arguments, "environ": dict(environ), "cwd": str(cwd)}
        body = json.dumps(told).encode()
        caller = socket.socket(socket.AF_UNIX)
        caller.connect(self._path)
        socket.send_fds(caller, [len(body).to_bytes(8, "big")], files)
        caller.sendall(body)
        pid = b""
        while not pid.endswith(b"\n"):
            piece = caller.recv(1)
            if not piece:
                caller.close()
                raise RuntimeError("the nursery is gone")
            pid += piece
        return caller, int(pid)

    def _close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._folder.cleanup()


_nurses: dict[int, _Nurse] = {}
_lock = threading.Lock()


def _order(
    module: str, arguments: tuple[str, ...], environ: Mapping[str, str] | None, cwd: Path, files: list[int]
) -> tuple[socket.socket, int]:
    with _lock:
        nurse = _nurses.get(os.getpid()) or _nurses.setdefault(os.getpid(), _Nurse())
    return nurse.order(module, arguments, os.environ if environ is None else environ, cwd, files)


class Child:
    """A running child, with what tests use of `asyncio.subprocess.Process`. Its input is empty."""

    def __init__(self, caller: socket.socket, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdout: asyncio.StreamReader | None = None
        self.stderr: asyncio.StreamReader | None = None
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self._transports: list[asyncio.BaseTransport] = []
        self._caller = caller
        caller.setblocking(False)
        self._loop.add_reader(caller, self._on_end)
        weakref.finalize(self, caller.close)

    async def wait(self) -> int:
        """The exit code, or minus the number of the signal that ended it."""
        return await asyncio.shield(self._ended)

    async def communicate(self) -> tuple[bytes, bytes]:
        """What it still writes into its pipes, to the end, and its end."""
        out, err = await asyncio.gather(_rest(self.stdout), _rest(self.stderr))
        await self.wait()
        return out, err

    def send_signal(self, sign: int) -> None:
        """Send a signal, unless it has ended."""
        if self.returncode is None:
            os.kill(self.pid, sign)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    async def listen(self, file: int) -> asyncio.StreamReader:
        """What is written into the pipe whose reading end is `file`."""
        reader = asyncio.StreamReader(limit=1 << 20)
        pipe = os.fdopen(file, "rb", 0)
        transport, _ = await self._loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        self._transports.append(transport)
        return reader

    def _on_end(self) -> None:
        told = self._caller.recv(32)
        self._loop.remove_reader(self._caller)
        self._caller.close()
        self.returncode = int(told) if told else -signal.SIGKILL
        if not self._ended.done():
            self._ended.set_result(self.returncode)


async def _rest(reader: asyncio.StreamReader | None) -> bytes:
    return b"" if reader is None else await reader.read()


async def spawn(
    module: str,
    *arguments: str,
    environ: Mapping[str, str] | None = None,
    cwd: Path = PROJECT,
    stdout: Target = DEVNULL,
    stderr: Target = DEVNULL,
) -> Child:
    """`python -m module arguments...`, running; as `asyncio.create_subprocess_exec`."""
    given, ours, readers = _files(stdout, stderr)
    try:
        caller, pid = await asyncio.to_thread(_order, module, arguments, environ, cwd, given)
    finally:
        for file in ours:
            os.close(file)
    child = Child(caller, pid)
    if "stdout" in readers:
        child.stdout = await child.listen(readers["stdout"])
    if "stderr" in readers:
        child.stderr = await child.listen(readers["stderr"])
    return child


def call(
    module: str, *arguments: str, environ: Mapping[str, str] | None = None, cwd: Path = PROJECT
) -> subprocess.CompletedProcess[str]:
    """`python -m module arguments...`, to its end; as `subprocess.run` with its output captured as text."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, open(os.devnull, "rb") as nothing:
        files = [nothing.fileno(), out.fileno(), err.fileno()]
        caller, _ = _order(module, arguments, environ, cwd, files)
        with caller:
            code = int(caller.recv(32) or -signal.SIGKILL)
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess([module, *arguments], code, out.read().decode(), err.read().decode())


def _files(stdout: Target, stderr: Target) -> tuple[list[int], list[int], dict[str, int]]:
    """The files to be given to a child, those of them that are ours to close, and the reading ends of pipes."""
    nothing = os.open(os.devnull, os.O_RDWR)
    given, ours, readers = [nothing], [nothing], {}
    for name, target in (("stdout", stdout), ("stderr", stderr)):
        if target == PIPE:
            readers[name], end = os.pipe()
            ours.append(end)
        elif target == STDOUT:
            end = given[1]
        elif target == DEVNULL:
            end = nothing
        else:
            end = target if isinstance(target, int) else target.fileno()
        given.append(end)
    return given, ours, readers

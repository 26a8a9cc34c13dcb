"""Real PostgreSQL and Redis servers for tests, on free ports of the loopback.

Each test process starts its own when a test first asks for it. A keeper process holds a server: it ends it and removes
its directory as soon as the pipe from the test process closes, so nothing stays behind after Ctrl-C or a kill either.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

_READY_S = 40.0  # PostgreSQL makes its cluster first, on a machine that may be busy
_STOP_S = 20.0
_ATTEMPTS = 3  # another program may take the free port before the server does

# $1 is the directory, $2 its owner, $3 the signal that ends the server in order, the rest the server.
# Everything happens here, so that a test process that is interrupted or killed at any moment leaves nothing: a Ctrl-C
# is for it alone, and its end closes the pipe. The signal is repeated: a server that
# is only starting does not listen to it yet.
_KEEPER = """
trap '' INT TERM HUP
dir=$1; owner=$2; signal=$3; shift 3
mkdir -m 700 "$dir" && chown "$owner" "$dir" && cd "$dir" || exit
"$@" >"$dir/server.log" 2>&1 </dev/null &
cat >/dev/null
while kill -"$signal" $! 2>/dev/null; do sleep 0.05; done
cd / && rm -rf "$dir"
"""


@dataclass
class Server:
    """A server and where it is; what `password` means depends on the server."""

    name: str
    port: int
    folder: Path
    owner: int  # user id of the directory
    signal: str  # INT: PostgreSQL's fast end. TERM: Redis may hang when it gets a second INT
    command: list[str]
    is_ready: Callable[[Server], bool]
    password: str = ""
    _keeper: subprocess.Popen[bytes] | None = None

    def start(self) -> bool:
        """Whether the server answered in time."""
        self._keeper = subprocess.Popen(
            ["/bin/sh", "-c", _KEEPER, "keeper", str(self.folder), str(self.owner), self.signal, *self.command],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline and self._keeper.poll() is None:
            if self.is_ready(self):
                return True
            time.sleep(0.05)
        return False

    def stop(self) -> None:
        """End the server and remove what it wrote."""
        if self._keeper is not None and self._keeper.stdin is not None:
            self._keeper.stdin.close()
            self._keeper.wait(_STOP_S)
            self._keeper = None


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def find_binary(name: str) -> str | None:
    """Where a server program is: Debian keeps PostgreSQL's outside PATH, one folder a version."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return str(debian[-1]) if debian else shutil.which(name)


def missing(what: str) -> NoReturn:
    """Skip the test, or fail it where everything has to be there."""
    reason = f"{what} is not installed"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def start_postgres(*, is_durable: bool = False) -> Server:
    """A fresh cluster that trusts its loopback; its superuser's name is random, so no other server can be mistaken.

    `is_durable`: it waits for the disk at each commit, as in production.
    """
    initdb, postgres = find_binary("initdb"), find_binary("postgres")
    if initdb is None or postgres is None:
        missing("PostgreSQL")
    as_user, owner = _unprivileged()
    for _ in range(_ATTEMPTS):
        folder, port, user = _new_folder("postgres"), free_port(), f"marquee_{secrets.token_hex(4)}"
        data = str(folder / "data")
        cluster = [initdb, "-D", data, "-U", user, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": "",
            **({} if is_durable else {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}),
            "max_connections": 60,
            "shared_buffers": "16MB",
            "dynamic_shared_memory_type": "mmap",  # in the data directory: nothing stays in /dev/shm
            "log_timezone": "UTC",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        script = f"{shlex.join(cluster)} && exec {shlex.join([postgres, '-D', data, *options])}"
        server = Server(user, port, folder, owner, "INT", [*as_user, "/bin/sh", "-c", script], _postgres_answers)
        if server.start():
            return server
        server.stop()
    raise RuntimeError("PostgreSQL did not start")


def start_redis(*, is_durable: bool = False) -> Server:
    """An empty Redis behind a random password; `is_durable`: with its log of writes, as in production."""
    redis = shutil.which("redis-server")
    if redis is None:
        missing("Redis")
    for _ in range(_ATTEMPTS):
        folder, port, password = _new_folder("redis"), free_port(), secrets.token_hex(8)
        options = {"port": port, "bind": "127.0.0.1", "dir": folder, "save": "", "requirepass": password}
        options["appendonly"] = "yes" if is_durable else "no"
        command = [redis, *(part for name, value in options.items() for part in (f"--{name}", str(value)))]
        server = Server("redis", port, folder, os.geteuid(), "TERM", command, _redis_answers, password)
        if server.start():
            return server
        server.stop()
    raise RuntimeError("Redis did not start")


def _new_folder(name: str) -> Path:
    return Path(tempfile.gettempdir()) / f"marquee-{name}-{secrets.token_hex(6)}"


def _unprivileged() -> tuple[list[str], int]:
    """How to run as somebody who is not root, whom PostgreSQL refuses, and who that is."""
    if os.geteuid() != 0:
        return [], os.geteuid()
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = names.get("postgres") or names["nobody"]
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        missing("setpriv (util-linux)")
    return [setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"], user.pw_uid


def _postgres_answers(server: Server) -> bool:
    import psycopg

    try:
        psycopg.connect(f"postgresql://{server.name}@127.0.0.1:{server.port}/postgres", connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _redis_answers(server: Server) -> bool:
    try:
        return _redis_command(server, "PING").startswith(b"+PONG")
    except OSError:
        return False


def _redis_command(server: Server, command: str) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(f"AUTH {server.password}\r\n".encode())
        if not connection.recv(100).startswith(b"+OK"):
            return b""
        connection.sendall(f"{command}\r\n".encode())
        return connection.recv(100)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """This test process's PostgreSQL; `name` is its superuser."""
    server = start_postgres()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """An empty database of its own for this test."""
    import psycopg

    name = f"test_{secrets.token_hex(6)}"
    root = f"postgresql://{postgres_server.name}@127.0.0.1:{postgres_server.port}"
    with psycopg.connect(f"{root}/postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        yield f"{root}/{name}"
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Server]:
    """This test process's Redis."""
    server = start_redis()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def redis_url(redis_server: Server) -> str:
    """Redis, emptied."""
    assert _redis_command(redis_server, "FLUSHALL").startswith(b"+OK")
    return f"redis://:{redis_server.password}@127.0.0.1:{redis_server.port}/0"

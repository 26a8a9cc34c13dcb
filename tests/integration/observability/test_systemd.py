from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import structlog

from daemon.kernel.clock import SystemClock
from daemon.kernel.health import Check, Health, Status
from daemon.kernel.systemd import Systemd
from daemon.kernel.tasks import Supervisor
from tests.integration.cli.marquee import end, environment, running

READ_S = 20.0


class Listener:
    """The other end: what systemd would have been told, one datagram at a time."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self.told: list[str] = []

    async def read(self) -> str:
        """The next datagram."""
        async with asyncio.timeout(READ_S):
            text = (await asyncio.get_running_loop().sock_recv(self._channel, 4096)).decode()
        self.told.append(text)
        return text

    async def until(self, wanted: str) -> None:
        """Read on until a datagram has this line."""
        while wanted not in (await self.read()).split("\n"):
            pass


@contextmanager
def listening(address: str) -> Iterator[Listener]:
    """A socket at `address`, as systemd has one for each service."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as channel:
        channel.setblocking(False)
        channel.bind(address)
        yield Listener(channel)


@pytest.mark.parametrize("is_abstract", [False, True])
async def test_a_service_is_ready_watched_and_stopping(tmp_path: Path, *, is_abstract: bool) -> None:
    name = f"marquee-{secrets.token_hex(8)}"
    path = str(tmp_path / name)
    with listening("\0" + name if is_abstract else path) as systemd:
        spelled = f"@{name}" if is_abstract else path
        environ = environment(tmp_path / "data") | {"NOTIFY_SOCKET": spelled, "WATCHDOG_USEC": "400000"}
        async with running(environ) as process:
            await systemd.until("READY=1")
            for _ in range(3):
                await systemd.until("WATCHDOG=1")
            process.send_signal(signal.SIGTERM)
            await systemd.until("STOPPING=1")
            assert (await end(process)).code == 0
    flat = [line for text in systemd.told for line in text.split("\n")]
    assert flat.count("READY=1") == flat.count("STOPPING=1") == 1
    assert flat.index("READY=1") < flat.index("STOPPING=1")
    assert any(line.startswith("STATUS=not ready: ") for line in flat[: flat.index("READY=1")])
    assert any(line.startswith("STATUS=ready") for line in flat)


async def test_a_loop_that_does_not_beat_is_not_vouched_for(tmp_path: Path) -> None:
    now_s = 0.0
    supervisor = Supervisor(log=structlog.get_logger())
    health = Health(supervisor, SystemClock(), monotonic=lambda: now_s)
    health.note_started()
    path = str(tmp_path / "notify")
    with listening(path) as systemd:
        supervisor.start("systemd", lambda: Systemd(path, watchdog_s=0.02).run(health))
        await systemd.until("WATCHDOG=1")
        now_s = 60.0
        health.set("marker", Check(Status.WARN))
        await systemd.until("STATUS=ready; look at marker")
        health.set("marker", Check(Status.PASS))
        await systemd.until("STATUS=ready")
        assert "WATCHDOG=1" not in systemd.told[-2:]
        health.heartbeat()
        await systemd.until("WATCHDOG=1")
        await supervisor.drain(0.0)


async def test_a_socket_that_nobody_reads_delays_nothing_and_hears_it_later(tmp_path: Path) -> None:
    supervisor = Supervisor(log=structlog.get_logger())
    health = Health(supervisor, SystemClock())
    path = str(tmp_path / "notify")
    with listening(path) as systemd:
        supervisor.start("systemd", lambda: Systemd(path, watchdog_s=0.01).run(health))
        for number in range(2000):  # far more than a socket keeps
            health.set("marker", Check(Status.WARN, observed=number))
            await asyncio.sleep(0)
        health.note_started()
        await asyncio.sleep(0)
        await systemd.until("READY=1")
        await supervisor.drain(0.0)


def test_the_environment_says_where_and_how_often() -> None:
    assert Systemd.of({}) is None
    assert Systemd.of({"NOTIFY_SOCKET": "vsock:2:1234"}) is None
    assert Systemd.of({"NOTIFY_SOCKET": "/run/systemd/notify", "WATCHDOG_USEC": "nonsense"}) is not None
    other = {"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": str(os.getpid() + 1)}
    assert Systemd.of(other) is not None

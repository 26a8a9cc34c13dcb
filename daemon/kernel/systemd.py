"""Telling systemd how we are: ready, stopping, a status line, and that the event loop still turns (sd_notify).

The protocol is a datagram of `NAME=value` lines to the socket that NOTIFY_SOCKET names.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping
from contextlib import suppress

import structlog

from daemon.kernel.health import Health, Report, Status

_LOG = structlog.get_logger(__name__)

_STATUS_CHARS_MAX = 200


class Systemd:
    """Speaks to one socket, which is never waited for: what it does not take at once is said again the next time.

    `address` is a path; that of an abstract socket begins with a null character. With `watchdog_s` systemd ends us
    when it has not heard from us for that long, so it hears twice in that time.
    """

    def __init__(self, address: str, watchdog_s: float | None = None) -> None:
        self._address = address
        self._every_s = watchdog_s / 2 if watchdog_s else None
        self._has_said_ready = False
        self._has_said_stopping = False
        self._status = ""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Systemd | None:
        """From what systemd put into the environment of its services; None when it does not listen."""
        address = environ.get("NOTIFY_SOCKET", "")
        if not address.startswith(("/", "@")):
            return None
        if address.startswith("@"):
            address = "\0" + address[1:]
        usec = environ.get("WATCHDOG_USEC", "")
        is_ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        return cls(address, int(usec) / 1_000_000 if is_ours and usec.isdecimal() else None)

    async def run(self, health: Health) -> None:
        """For ever: READY at the first readiness, STATUS at each change, STOPPING at the drain, WATCHDOG in time.

        The watchdog is fed while the loop beats (`Health.is_alive`), of which this task's own turn is a proof, too.
        """
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.setblocking(False)
            while True:
                seen = health.version
                self._tell(channel, health.report())
                if self._every_s is not None and health.is_alive():
                    self._send(channel, "WATCHDOG=1")
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._every_s):
                        await health.wait_changed(seen)

    def _tell(self, channel: socket.socket, report: Report) -> None:
        if report.is_draining:
            self._has_said_stopping = self._has_said_stopping or self._send(channel, "STOPPING=1\nSTATUS=stopping")
            return
        if report.is_ready and report.has_started and not self._has_said_ready:
            self._has_said_ready = self._send(channel, "READY=1")
        status = _sentence(report)
        if status != self._status and self._send(channel, f"STATUS={status}"):
            self._status = status

    def _send(self, channel: socket.socket, state: str) -> bool:
        """Whether it was taken."""
        try:
            channel.sendto(state.encode(), self._address)
        except OSError as error:  # BlockingIOError, when nobody reads, is one
            _LOG.debug("systemd_unheard", error=type(error).__name__)
            return False
        return True


def _sentence(report: Report) -> str:
    """One line for `systemctl status`."""
    if report.reasons:
        text = f"not ready: {'; '.join(report.reasons)}"
    elif wrong := [name for name, check in report.checks.items() if check.status is not Status.PASS]:
        text = f"ready; look at {', '.join(wrong)}"
    else:
        text = "ready"
    return " ".join(text.split())[:_STATUS_CHARS_MAX]

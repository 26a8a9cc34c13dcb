"""Two neighbouring free ports for the demo: health at one, the chat page at the next."""

from __future__ import annotations

import socket

DEFAULT = 8420
_STEP = 10
_TRIES = 50


class PortsTaken(Exception):
    """No pair of neighbouring ports is free anywhere near the wanted one."""


def choose_ports(host: str, wanted: int) -> tuple[int, list[str]]:
    """The first of two free ports, `wanted` (0: 8420) when it and the next are free; and a sentence for each taken one.

    Whoever takes a port between this look and its use is noticed then.
    """
    wanted = wanted or DEFAULT
    pair = {wanted: "health", wanted + 1: "the chat page"}
    taken = [port for port in pair if not _is_free(host, port)]
    if not taken:
        return wanted, []
    for port in range(wanted + _STEP, wanted + _STEP * _TRIES, _STEP):
        if port + 1 < 65536 and _is_free(host, port) and _is_free(host, port + 1):
            sentences = [f"Port {busy}, meant for {pair[busy]}, is taken by another program." for busy in taken]
            return port, [*sentences, f"Using ports {port} and {port + 1} instead."]
    raise PortsTaken(f"Ports {wanted} and {wanted + 1} are taken, and so is everything near them.")


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do it: a port in TIME_WAIT is free, one that is listened on is not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError):
            return False
    return True

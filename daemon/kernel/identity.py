"""The name of this process among those that share the work."""

from __future__ import annotations

import os
import random
import socket


def process_name() -> str:
    """`host-pid-random`: new with each start, so that a lease of a former life is nobody's."""
    host = socket.gethostname().partition(".")[0][:40] or "host"
    return f"{host}-{os.getpid()}-{random.getrandbits(32):08x}"

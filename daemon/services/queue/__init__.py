"""Durable work: messages of any bytes that survive us, handled in slots, retried, and buried with a reason."""

from daemon.data.queue.messages import Told
from daemon.services.queue.claims import ClaimStore, DatabaseClaims, FileClaims
from daemon.services.queue.message import Handler, Message
from daemon.services.queue.queue import Queue
from daemon.services.queue.settler import DEATHS
from daemon.services.queue.spec import (
    Body,
    Depth,
    Entry,
    LeaseLost,
    Priority,
    Progress,
    QueueFull,
    QueueSpec,
    Reason,
    Reject,
)
from daemon.services.queue.transport import NOTHING, SWEEP, DatabaseTransport, Hint, Transport

__all__ = [
    "DEATHS",
    "NOTHING",
    "SWEEP",
    "Body",
    "ClaimStore",
    "DatabaseClaims",
    "DatabaseTransport",
    "Depth",
    "Entry",
    "FileClaims",
    "Handler",
    "Hint",
    "LeaseLost",
    "Message",
    "Priority",
    "Progress",
    "Queue",
    "QueueFull",
    "QueueSpec",
    "Reason",
    "Reject",
    "Told",
    "Transport",
]

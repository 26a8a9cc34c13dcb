"""The queue's vocabulary: what a queue is, what is put into it, how it refuses."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from daemon.core.errors import MarqueeError, UpstreamError, UpstreamKind
from daemon.core.limits import CLAIM_BYTES_MIN, QUEUE_BODY_BYTES_MAX


class Priority(IntEnum):
    """What is claimed first. Within a priority, what became due first."""

    URGENT = 0
    NORMAL = 1
    LOW = 2


class Reason(StrEnum):
    """Why a message died."""

    FAILED = "failed"  # its handler raised, each time
    TIMED_OUT = "timed-out"
    REJECTED = "rejected"  # by its handler: trying again is no use
    CORRUPT = "corrupt"  # the body is not what was put in
    TRUNCATED = "truncated"  # the body is shorter than it was
    MISSING_BODY = "missing-body"
    CRASHED = "crashed"  # each process that began it died
    UNKNOWN_TOPIC = "unknown-topic"  # nobody handles it


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """How a queue is worked on; `concurrency` is a process.

    After attempt n (from 1) that failed, the next waits `backoff(n - 1)` between `retry_first_s` and `retry_max_s`. A
    lease is renewed while the handler runs, so `lease_s` is how long the messages of a process that died lie still.
    """

    name: str
    concurrency: int = 8
    length_max: int = 100_000
    attempts_max: int = 8
    retry_first_s: float = 1.0
    retry_max_s: float = 300.0
    lease_s: float = 30.0
    timeout_s: float = 300.0  # of one attempt


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes on their way into a queue; `inline` is None when they lie in the claim store."""

    digest: bytes  # SHA-256
    size_bytes: int
    inline: bytes | None

    @classmethod
    def of(cls, data: bytes) -> Body:
        """Small bytes; larger than `CLAIM_BYTES_MIN` they have to go through `Queue.stage` (ValueError)."""
        if len(data) > CLAIM_BYTES_MIN:
            raise ValueError(f"a body of {len(data)} bytes has to be staged first")
        return cls(hashlib.sha256(data).digest(), len(data), data)


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of `Queue.put_many`; see `Queue.put`."""

    topic: str
    body: bytes | Body = b""
    key: str | None = None
    dedupe: str | None = None
    due_at: datetime | None = None
    priority: Priority = Priority.NORMAL
    source: str = ""
    trace_id: str = ""
    event_seq: int | None = None


@dataclass(frozen=True, slots=True)
class Depth:
    """What a queue holds. `oldest_s` is for how long the oldest ready message has been due, 0 when none is."""

    ready: int = 0
    delayed: int = 0
    leased: int = 0
    oldest_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """What a running job reported last."""

    done: int
    total: int
    note: str


class Reject(MarqueeError):
    """Raised by a handler for a message that no further attempt can help: it dies now."""

    def __init__(self, detail: str, reason: Reason = Reason.REJECTED) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class LeaseLost(MarqueeError):
    """The message is somebody else's by now, or was cancelled: what this attempt wrote is undone."""


class QueueFull(UpstreamError):
    """The queue holds as many messages as it may. Nothing was put in, nothing was dropped for it."""

    def __init__(self, queue: str, length_max: int) -> None:
        super().__init__(f"The queue {queue}", UpstreamKind.BUSY, f"it holds {length_max} messages")


def check_size(size_bytes: int) -> None:
    """ValueError for a body that no queue takes."""
    if size_bytes > QUEUE_BODY_BYTES_MAX:
        raise ValueError(f"a body of {size_bytes} bytes is larger than {QUEUE_BODY_BYTES_MAX}")

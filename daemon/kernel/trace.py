"""Trace ids: one word that follows an interaction or a Plex notification through everything it causes.

32 hexadecimal digits, as W3C Trace Context has them. The id lives in structlog's context variables, so that every log
line of the task carries it; whoever stores work for later stores the id with it and binds it again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bound_contextvars, get_contextvars

SHORT_CHARS = 8  # what people are shown and may ask for


def new_trace_id() -> str:
    """A fresh id; unique for all practical purposes, no secret."""
    return f"{random.getrandbits(128):032x}"


def current_trace_id() -> str:
    """The id that this task works for; "" for none."""
    found: str = get_contextvars().get("trace_id", "")
    return found


@contextmanager
def traced(trace_id: str) -> Iterator[str]:
    """Work for `trace_id`, or for a new id when it is ""; gives the id."""
    trace_id = trace_id or new_trace_id()
    with bound_contextvars(trace_id=trace_id):
        yield trace_id

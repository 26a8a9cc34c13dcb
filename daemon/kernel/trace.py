"""Trace ids: one word that follows an interaction or a Plex notification through everything it causes.

32 hexadecimal digits, as W3C Trace Context has them. The id lives in a context variable, so that every log line of the
task, and of the tasks and threads it starts, carries it (`kernel.logs`); whoever stores work for later stores the id
with it and binds it again. People are shown the first `SHORT_CHARS` characters.

`span` says what the time of a traced task goes into. Nobody listens unless `record_with` was called (`kernel.otel`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import TypeAlias

SHORT_CHARS = 8  # what people are shown and may ask for


Recorder: TypeAlias = Callable[[str, str, Mapping[str, object]], AbstractContextManager[object]]
"""Given the name of a span, the trace id and the attributes, what to run the work in."""

_CURRENT: ContextVar[str] = ContextVar("marquee_trace_id", default="")
_NOTHING: AbstractContextManager[object] = nullcontext()
_recorder: Recorder | None = None


def new_trace_id() -> str:
    """A fresh id; unique for all practical purposes, no secret."""
    return f"{random.getrandbits(128):032x}"


def current_trace_id() -> str:
    """The id that this task works for; "" for none."""
    return _CURRENT.get()


def start_trace() -> str:
    """From here to its end the current task works for a new id; gives the id. For tasks that handle one thing."""
    trace_id = new_trace_id()
    _CURRENT.set(trace_id)
    return trace_id


def traced(trace_id: str) -> AbstractContextManager[str]:
    """Work for `trace_id`, or for a new id when it is ""; gives the id."""
    return _Traced(trace_id or new_trace_id())


class _Traced:
    """A class, because a generator would cost every message of a queue a microsecond."""

    __slots__ = ("_before", "_trace_id")

    def __init__(self, trace_id: str) -> None:
        self._trace_id = trace_id

    def __enter__(self) -> str:
        self._before = _CURRENT.set(self._trace_id)
        return self._trace_id

    def __exit__(self, *_: object) -> None:
        _CURRENT.reset(self._before)


def short(trace_id: str) -> str:
    """What people are shown of an id."""
    return trace_id[:SHORT_CHARS]


def span(name: str, /, **attributes: object) -> AbstractContextManager[object]:
    """A context manager for work worth a line in a trace.

    A name is a bounded word, and attributes hold no title, member or secret. Free while nobody records, and in tasks
    that work for no trace. A function as attribute is recorded by its name.
    """
    if _recorder is None or not (trace_id := _CURRENT.get()):
        return _NOTHING
    return _recorder(name, trace_id, attributes)


def is_recording() -> bool:
    """Whether spans go anywhere; asked where even an unrecorded `span` would cost too much."""
    return _recorder is not None


def record_with(recorder: Recorder | None) -> None:
    """From now on spans of the whole process go to `recorder`; None ends that."""
    global _recorder  # noqa: PLW0603  one for the process, as logging is
    _recorder = recorder


def name_of(work: object) -> str:
    """The name of a function, also of one that is wrapped in `partial`: "Panels.add.<locals>.unit"."""
    work = getattr(work, "func", work)
    return str(getattr(work, "__qualname__", type(work).__name__))

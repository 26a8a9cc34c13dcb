"""What a unit of work wants others to know once it has been committed: a message waits, an event was published.

The unit says it in its thread; the store passes it on in the event loop, after the commit and before the caller goes
on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeAlias

Told: TypeAlias = dict[str, list[Any]]
"""Values by topic, in the order in which they were said."""

Listener: TypeAlias = Callable[[list[Any]], None]


class _Current(threading.local):
    told: Told | None = None


_CURRENT = _Current()


def after_commit(topic: str, value: object) -> None:
    """In a unit of work: tell the listeners of `topic` about `value`, if and when the unit is committed."""
    if _CURRENT.told is not None:
        _CURRENT.told.setdefault(topic, []).append(value)


def begin() -> Told:
    """What is said from here on in this thread is kept in the returned value."""
    told: Told = {}
    _CURRENT.told = told
    return told


def merge(into: Told, told: Told) -> None:
    """Append what `told` holds."""
    for topic, values in told.items():
        into.setdefault(topic, []).extend(values)


class Listeners:
    """Who wants to know what, on one event loop."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Listener]] = {}

    def add(self, topic: str, listener: Listener) -> Callable[[], None]:
        """Call `listener` with the values of each commit; call what is returned to end that."""
        self._listeners.setdefault(topic, []).append(listener)
        return lambda: self._listeners[topic].remove(listener)

    def tell(self, told: Told) -> None:
        """Pass on what was committed. Listeners must not raise: they only wake somebody."""
        for topic, values in told.items():
            for listener in tuple(self._listeners.get(topic, ())):
                listener(values)

"""Events as bytes: JSON in an envelope that names type and version, read strictly, old versions lifted to the new."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any, TypeAlias

import msgspec

from daemon.core.errors import MarqueeError
from daemon.core.events import Event
from daemon.core.limits import EVENT_BYTES_MAX

Upcaster: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]
"""From the fields of one version, as JSON has them, to those of the next."""


class Unreadable(MarqueeError):
    """A body is not an event this program knows; trying again will not help."""


class EventTooBig(MarqueeError):
    """An event is a fact and a few words; what is bigger than `EVENT_BYTES_MAX` belongs elsewhere."""

    def __init__(self, event_type: str, size_bytes: int) -> None:
        super().__init__(f"an event {event_type} of {size_bytes} bytes; at most {EVENT_BYTES_MAX} may be published")


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: str
    version: int
    event: dict[str, Any]


class Catalog:
    """The classes of events there are, and how to read what older programs wrote.

    `upcasters[type, version]` makes the fields of version + 1 out of those of `version`; a class with VERSION 3 needs
    one for 1 and one for 2. ValueError for a class that lacks one, or two of one type.
    """

    def __init__(
        self, classes: Iterable[type[Event]], upcasters: Mapping[tuple[str, int], Upcaster] | None = None
    ) -> None:
        self._classes: dict[str, type[Event]] = {}
        self._names: dict[str, frozenset[str]] = {}
        self._upcasters = dict(upcasters or {})
        for cls in classes:
            if cls.TYPE in self._classes:
                raise ValueError(f"two classes of events are called {cls.TYPE}")
            if missing := [v for v in range(1, cls.VERSION) if (cls.TYPE, v) not in self._upcasters]:
                raise ValueError(f"nothing lifts {cls.TYPE} from version {missing[0]}")
            self._classes[cls.TYPE] = cls
            self._names[cls.TYPE] = frozenset(field.name for field in fields(cls))
        self._encoder = msgspec.json.Encoder()
        self._decoder = msgspec.json.Decoder(_Envelope)

    def __contains__(self, cls: type[Event]) -> bool:
        return self._classes.get(cls.TYPE) is cls

    def encode(self, event: Event) -> bytes:
        """The event in its envelope. ValueError for a class not in the catalog, EventTooBig beyond the bound."""
        if type(event) not in self:
            raise ValueError(f"{type(event).__name__} is not in the catalog of events")
        body = self._encoder.encode({"type": event.TYPE, "version": event.VERSION, "event": event})
        if len(body) > EVENT_BYTES_MAX:
            raise EventTooBig(event.TYPE, len(body))
        return body

    def decode(self, body: bytes) -> Event:
        """The event of today's class. Unreadable, with the reason, for anything else."""
        try:
            envelope = self._decoder.decode(body)
        except msgspec.MsgspecError as error:
            raise Unreadable(f"not an event: {error}") from error
        cls = self._classes.get(envelope.type)
        if cls is None:
            raise Unreadable(f"this program knows no event {envelope.type}")
        if not 1 <= envelope.version <= cls.VERSION:
            raise Unreadable(
                f"event {envelope.type} has version {envelope.version}; this program knows it up to {cls.VERSION}"
            )
        found = envelope.event
        for version in range(envelope.version, cls.VERSION):
            found = self._lift(envelope.type, version, found)
        if unknown := found.keys() - self._names[envelope.type]:
            raise Unreadable(f"event {envelope.type} has no field {', '.join(sorted(unknown))}")
        try:
            return msgspec.convert(found, cls)
        except msgspec.ValidationError as error:
            raise Unreadable(f"event {envelope.type}: {error}") from error

    def _lift(self, event_type: str, version: int, found: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._upcasters[event_type, version](found)
        except (KeyError, TypeError, ValueError) as error:  # the old body is not what its version promises
            raise Unreadable(f"event {event_type} of version {version} cannot be lifted: {error!r}") from error

"""Ways in which a server, a player or plex.tv can misbehave, by path, count and chance."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
from dataclasses import dataclass, field
from typing import Any

KINDS = frozenset({
    "status",  # an error status with an HTML body, before anything happens
    "latency",  # `delay_s` real seconds, then the ordinary answer
    "slow_body",  # headers at once, the body in drips over `delay_s`
    "truncate",  # the ordinary answer, cut in the middle of its XML or JSON
    "html",  # 200 with an HTML page instead of the answer
    "empty",  # 200 with no body
    "garbage",  # 200 with control characters where the answer should be
    "drop",  # the connection is cut before anything happens (aiohttp's client asks again by itself after a GET)
    "drop_after",  # the request takes effect, then the connection is cut
    "hold",  # nothing happens until `release()`
})  # fmt: skip
STATUSES = frozenset({400, 401, 403, 404, 406, 429, 498, 500, 502, 503, 504, 520, 522, 530})


@dataclass(slots=True, eq=False)
class Fault:
    """One misbehaviour. `times` counts down (None: for ever), the first `after` matches go by unharmed."""

    id: int
    path: re.Pattern[str]
    kind: str
    status: int = 200
    times: int | None = None
    after: int = 0
    probability: float = 1.0
    delay_s: float = 0.0
    method: str | None = None
    where: str | None = None  # "server", "account", "player", or one player's id
    hits: int = 0
    _released: asyncio.Event = field(default_factory=asyncio.Event)
    _was_hit: asyncio.Event = field(default_factory=asyncio.Event)

    def note_hit(self) -> None:
        """Count a request that it struck."""
        self.hits += 1
        self._was_hit.set()

    def release(self) -> None:
        """Let requests that are held go on; later ones are not held any more."""
        self._released.set()

    async def held(self) -> None:
        """Wait for `release()`."""
        await self._released.wait()

    async def wait_hit(self, timeout: float | None = 10.0) -> None:
        """Return once a request was struck; TimeoutError after `timeout` real seconds."""
        async with asyncio.timeout(timeout):
            await self._was_hit.wait()

    def shown(self) -> dict[str, Any]:
        """For the control API."""
        return {
            "id": self.id, "path": self.path.pattern, "kind": self.kind, "status": self.status, "times": self.times,
            "after": self.after, "probability": self.probability, "delay_s": self.delay_s, "method": self.method,
            "where": self.where, "hits": self.hits,
        }  # fmt: skip


class Faults:
    """All faults in force, asked once a request in the order they were added; the first that matches strikes."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(f"faults:{seed}")
        self._ids = itertools.count(1)
        self._active: list[Fault] = []
        self._held: dict[int, Fault] = {}  # struck for the last time, but still holding requests
        self.sessions_without_user = False
        self.totals_drift = False  # every page of a listing reports another totalSize
        self.overlap = 0  # every page but the first repeats so many titles of the one before
        self.ghosts: set[int] = set()  # rating keys that are listed and have no details any more (404)
        self.unmatchable: set[int] = set()  # rating keys of titles that no agent knows anything of

    def add(self, path: str, what: int | str = "status", **options: Any) -> Fault:
        """Misbehave on paths matching the regex `path` (searched in path and query).

        `what` is a status (503) or one of KINDS; options: status, times, after, probability, delay_s, method, where.
        Example: `faults.add("/status/sessions", 503, times=2)`.
        """
        if isinstance(what, int):
            what, options["status"] = "status", what
        if what not in KINDS:
            raise ValueError(f"no fault {what!r} (one of {', '.join(sorted(KINDS))})")
        if what == "status" and options.get("status") not in STATUSES:
            raise ValueError(f"no fault status {options.get('status')!r} (one of {sorted(STATUSES)})")
        fault = Fault(next(self._ids), re.compile(path), what, **options)
        self._active.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """End a fault; what it holds is released."""
        fault.release()
        self._held.pop(fault.id, None)
        if fault in self._active:
            self._active.remove(fault)

    def clear(self) -> None:
        """End every fault and every oddity."""
        for fault in (*self._active, *self._held.values()):
            self.remove(fault)
        self.sessions_without_user = self.totals_drift = False
        self.overlap = 0
        self.ghosts.clear()
        self.unmatchable.clear()

    def get(self, number: int) -> Fault | None:
        """A fault in force, or one that still holds requests, by its id."""
        return next((fault for fault in (*self._active, *self._held.values()) if fault.id == number), None)

    def strike(self, method: str, target: str, where: str) -> Fault | None:
        """The fault that hits this request, its count taken; `where` is `server`, `account` or `player:<id>`."""
        for fault in self._active:
            if fault.method not in (None, method) or not _is_there(fault.where, where):
                continue
            if not fault.path.search(target):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            if self._rng.random() >= fault.probability:
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self._active.remove(fault)
                    if fault.kind == "hold":
                        self._held[fault.id] = fault
            fault.note_hit()
            return fault
        return None

    def shown(self) -> list[dict[str, Any]]:
        """Faults in force, for the control API."""
        return [fault.shown() for fault in self._active]


def _is_there(wanted: str | None, where: str) -> bool:
    kind, _, player = where.partition(":")
    return wanted is None or wanted in (kind, player)

"""The audit log as a service."""

from __future__ import annotations

from functools import partial
from typing import Any

from daemon.core.clock import Clock
from daemon.core.ids import ProfileId
from daemon.core.limits import NAME_CHARS_MAX
from daemon.core.text import clamp, plain
from daemon.data import audit
from daemon.data.store import Store


class Audit:
    """Records what was done, by whom, to what. What is recorded can be neither changed nor removed."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def record(
        self, actor: ProfileId | None, action: str, target: str, detail: dict[str, Any], trace_id: str
    ) -> None:
        """Append one entry. `actor` None is Marquee itself; `detail` is JSON and must not hold secrets."""
        add = partial(
            audit.add,
            at=self._clock.now(),
            actor=actor,
            action=clamp(action, NAME_CHARS_MAX),
            target=plain(target),
            detail=detail,
            trace_id=trace_id,
        )
        await self._store.write(add)

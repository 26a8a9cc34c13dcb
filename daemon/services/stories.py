"""The story of a trace id, for people who have seen its first digits."""

from __future__ import annotations

import re

from daemon.core.errors import UserError
from daemon.core.text import plain
from daemon.data import stories
from daemon.data.store import Store
from daemon.data.stories import Happening
from daemon.kernel.logs import redact
from daemon.kernel.trace import SHORT_CHARS

__all__ = ["Happening", "Stories"]

_ID = re.compile(rf"[0-9a-f]{{{SHORT_CHARS},32}}")
_CANDIDATES_MAX = 5


class Stories:
    """Reads the audit log, events, queues, dead letters, notices and runs of schedules."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def tell(self, prefix: str) -> tuple[str, list[Happening]]:
        """The whole trace id that begins with `prefix`, and what is known of it in order of time, without secrets.

        UserError for what is no beginning of a trace id, fits several, or is not known.
        """
        prefix = prefix.strip().lower()
        if not _ID.fullmatch(prefix):
            raise UserError(f"A trace id has 32 hexadecimal digits; give {SHORT_CHARS} of them at least.", "bad_trace")
        found = await self._store.read(lambda tx: stories.ids(tx, prefix, _CANDIDATES_MAX))
        if not found:
            raise UserError(f"Nothing is known of {prefix}.", "unknown_trace")
        if len(found) > 1:
            raise UserError(f"Several trace ids begin with {prefix}: {', '.join(found)}.", "many_traces")
        happenings = await self._store.read(lambda tx: stories.story(tx, found[0]))
        return found[0], [Happening(h.at, h.what, redact(plain(h.detail))) for h in happenings]

"""Plays as a service: recording them, and giving each viewer those they may see."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from daemon.core.ids import AccountId, GuildId, MemberId, ProfileId, RatingKey, ServerId
from daemon.data.plays import NewPlay, Play, Viewer, record, visible_plays
from daemon.data.store import Store, Unit
from daemon.services.sealing import Marks
from daemon.services.visibility import VisibilityService

__all__ = ["Play", "Plays"]


class Plays:
    """The one way to plays; see `daemon.data.plays` for who may see what."""

    def __init__(self, store: Store, marks: Marks, visibility: VisibilityService) -> None:
        self._store = store
        self._marks = marks
        self._visibility = visibility

    async def recording(
        self,
        *,
        source: str,
        account_id: AccountId,
        server: ServerId,
        library: str,
        rating_key: RatingKey,
        kind: str,
        title: str,
        started_at: datetime,
        watched_ms: int,
        duration_ms: int,
    ) -> Unit[bool]:
        """A unit of work that keeps the play; its result is False when it is known or not to be kept."""
        play = NewPlay(
            source,
            account_id,
            await self._marks.of("account", account_id),
            server,
            library,
            rating_key,
            kind,
            title,
            started_at,
            watched_ms,
            duration_ms,
        )
        return partial(record, play=play)

    async def visible(
        self,
        profile_id: ProfileId,
        member_id: MemberId,
        guild_id: GuildId | None,
        *,
        of: ProfileId | None = None,
        since: datetime | None = None,
        limit: int = 1000,
    ) -> list[Play]:
        """Plays that this viewer may see from there, newest first; of one person, or of all."""
        viewer = Viewer(profile_id, guild_id, await self._visibility.of(member_id, guild_id))
        return await self._store.read(lambda tx: visible_plays(tx, viewer, of=of, since=since, limit=limit))

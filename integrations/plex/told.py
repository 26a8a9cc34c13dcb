"""What servers told of their sessions: it stands in for them for a while when they do not answer."""

from __future__ import annotations

from collections.abc import Mapping

from daemon.core.errors import UpstreamError
from daemon.core.ids import ServerId
from daemon.core.media import NowPlaying, Playback
from daemon.services.cache import Cache

_KEPT_S = 600.0


class Told:
    """By server. Loading is not its business: servers are asked in any case."""

    def __init__(self, cache: Cache) -> None:
        self.region = cache.region("plex.sessions", tuple[Playback, ...], ttl_s=0.0, stale_s=_KEPT_S)

    async def complete(self, answers: Mapping[ServerId, tuple[Playback, ...] | UpstreamError]) -> NowPlaying:
        """What the servers answered, and for those that failed what they told before.

        That nothing played a while ago is worth no more than the failure.
        """
        playbacks: list[Playback] = []
        failures: dict[ServerId, UpstreamError] = {}
        ages_s: dict[ServerId, float] = {}
        for server, answer in answers.items():
            if not isinstance(answer, UpstreamError):
                await self.region.remember(server, answer)
                playbacks += answer
                continue
            failures[server] = answer
            before = None if answer.is_refusal else await self.region.recall(server)
            if before is not None and before.value:
                playbacks += before.value
                ages_s[server] = before.age_s
        is_blind = bool(failures) and len(failures) == len(answers) and not ages_s
        return NowPlaying(tuple(playbacks), failures, is_blind, ages_s)

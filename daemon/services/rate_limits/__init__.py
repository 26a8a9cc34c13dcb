"""Rate limits: how often a member may use a command, all commands, and a guild all commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daemon.core.ids import GuildId, MemberId
from daemon.kernel.metrics import Metrics
from daemon.services.rate_limits.buckets import Bucket, Rate, Refusal
from daemon.services.rate_limits.memory import MemoryBuckets

if TYPE_CHECKING:  # it brings the Redis driver with it
    from daemon.services.rate_limits.shared import SharedBuckets

__all__ = ["Bucket", "MemoryBuckets", "Rate", "RateLimits", "Refusal", "Totals"]

_TYPING = Rate(20, 10.0)  # keystrokes that ask for suggestions


@dataclass(frozen=True, slots=True)
class Totals:
    """Over all commands, presses and forms: of one member wherever they are, and of one guild's members together."""

    member: Rate
    guild: Rate


class RateLimits:
    """Counts in `memory` or, with `shared`, in Redis for all processes.

    In memory a decision is a few look-ups in dictionaries, so it is not awaited: every command pays for it.
    """

    def __init__(
        self,
        memory: MemoryBuckets,
        shared: SharedBuckets | None,
        *,
        totals: Totals,
        metrics: Metrics,
    ) -> None:
        self._memory = memory
        self._shared = shared
        self._totals = totals
        self._refused = {
            scope: metrics.rate_limited_total.labels(scope) for scope in ("command", "member", "guild", "typing")
        }

    @property
    def is_shared(self) -> bool:
        """Whether to ask `take_shared` instead of `take`."""
        return self._shared is not None

    def take(self, buckets: Sequence[Bucket]) -> Refusal | None:
        """None when a token was taken from each of `buckets`, those of this process; else how long to wait."""
        return self._counted(self._memory.take(buckets))

    async def take_shared(self, buckets: Sequence[Bucket]) -> Refusal | None:
        """As `take`, from the buckets of all processes."""
        return self._counted(self._memory.take(buckets) if self._shared is None else await self._shared.take(buckets))

    def for_command(self, member_id: MemberId, guild_id: GuildId | None, name: str, rate: Rate) -> tuple[Bucket, ...]:
        """What a command, a press or a form takes from; `rate` is its own, for each member."""
        command = Bucket("command", (member_id, name), rate)
        member = Bucket("member", (member_id,), self._totals.member)
        if guild_id is None:
            return command, member
        return command, member, Bucket("guild", (guild_id,), self._totals.guild)

    def for_typing(self, member_id: MemberId) -> tuple[Bucket, ...]:
        """What a request for suggestions takes from."""
        return (Bucket("typing", (member_id,), _TYPING),)

    def _counted(self, refusal: Refusal | None) -> Refusal | None:
        if refusal is not None:
            self._refused[refusal.scope].inc()
        return refusal

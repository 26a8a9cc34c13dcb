"""Token buckets in Redis, for all processes together."""

from __future__ import annotations

from collections.abc import Sequence

from daemon.core.errors import UpstreamError
from daemon.core.limits import RATE_LIMIT_REDIS_S
from daemon.services.rate_limits.buckets import Bucket, Refusal
from daemon.services.rate_limits.memory import MemoryBuckets
from daemon.services.redis import Redis, Script

# As `MemoryBuckets.take`, by Redis's own clock in microseconds, in one step. A bucket that claims to be emptier than
# empty (the clock was set back, somebody else wrote there) is empty. ARGV: burst and tokens a second, for each key.
# Answers: the number of the bucket that refuses and the microseconds to wait, or 0.
_TAKE = Script("""
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local full, worst, wait_us = {}, 0, 1
for i, key in ipairs(KEYS) do
  local burst, token = tonumber(ARGV[2 * i - 1]), 1000000 / tonumber(ARGV[2 * i])
  local known = redis.pcall('GET', key)
  local at = type(known) == 'string' and tonumber(known) or now
  at = math.min(math.max(at, now), now + burst * token)
  local wait = at - now - (burst - 1) * token
  if wait > wait_us then worst, wait_us = i, wait end
  full[i] = at + token
end
if worst > 0 then return {worst, math.ceil(wait_us)} end
for i, key in ipairs(KEYS) do
  redis.call('SET', key, string.format('%.0f', full[i]), 'PX', math.ceil((full[i] - now) / 1000))
end
return {0, 0}
""")


class SharedBuckets:
    """While Redis is away each process counts for itself, in `memory`, beginning with full buckets."""

    def __init__(self, redis: Redis, memory: MemoryBuckets) -> None:
        self._redis = redis
        self._memory = memory

    async def take(self, buckets: Sequence[Bucket]) -> Refusal | None:
        """Take a token from each of `buckets`, or from none."""
        keys = [self._redis.key("rate", bucket.scope, *map(str, bucket.owner)) for bucket in buckets]
        rates = [number for bucket in buckets for number in bucket.rate]
        try:
            number, wait_us = await self._redis.run(_TAKE, keys, rates, within_s=RATE_LIMIT_REDIS_S)
        except UpstreamError:
            return self._memory.take(buckets)
        return Refusal(wait_us / 1e6, buckets[number - 1].scope) if number else None

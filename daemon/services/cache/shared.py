"""Cached values in Redis, for all processes; while it is away, a little memory of this process."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from daemon.core.errors import UpstreamError
from daemon.core.limits import CACHE_OWED_TAGS_MAX, CACHE_REDIS_S, CACHE_TAG_KEPT_S
from daemon.services.cache.backend import Looked, region_tag
from daemon.services.cache.memory import MemoryBackend
from daemon.services.redis import Redis, Script, execute

# Ages are Redis's own, so that the clocks of the processes do not matter. A tag that is not there, because it was never
# bumped or because Redis was short of memory, gets a version that no value can remember. A key of another type reads as
# an unusable value. KEYS: the value, then its tags. ARGV: for how many seconds a tag is kept. Answers: versions of the
# tags, the value or nil, its age in ms.
_GET = Script("""
local now = redis.call('TIME')
local versions = {}
for i = 2, #KEYS do
  local version = redis.call('GET', KEYS[i])
  if not version then
    version = now[1] .. string.format('%06d', now[2])
    redis.call('SET', KEYS[i], version, 'EX', ARGV[1])
  end
  versions[i - 1] = version
end
local known = table.concat(versions, ',')
local found = redis.pcall('HMGET', KEYS[1], 'data', 'versions', 'made')
if found.err then return {known, '', 0} end
if not found[1] or found[2] ~= known then return {known, false, 0} end
return {known, found[1], now[1] * 1000 + math.floor(now[2] / 1000) - (tonumber(found[3]) or 0)}
""")

# KEYS: the value. ARGV: data, versions of its tags, for how many ms.
_PUT = Script("""
local now = redis.call('TIME')
redis.call('DEL', KEYS[1])
local made = string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000))
redis.call('HSET', KEYS[1], 'data', ARGV[1], 'versions', ARGV[2], 'made', made)
return redis.call('PEXPIRE', KEYS[1], ARGV[3])
""")

# A version is the microsecond of the bump: scripts run one after the other, so none comes twice. KEYS: tags.
_BUMP = Script("""
local now = redis.call('TIME')
for i = 1, #KEYS do redis.call('SET', KEYS[i], now[1] .. string.format('%06d', now[2]), 'EX', ARGV[1]) end
return #KEYS
""")

_RELEASE = Script("""
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
""")


class SharedBackend:
    """`memory` stands in while Redis is away and forgets everything when it is back.

    What this process bumps meanwhile is bumped in Redis before anything of it is used again. A process that ends
    before that owes it for good: then old values live until their time is up.
    """

    def __init__(self, redis: Redis, memory: MemoryBackend) -> None:
        self._redis = redis
        self._memory = memory
        self._regions: dict[str, None] = {}
        self._owed: dict[str, None] = {}  # tags, in the order of their bumps
        self._is_away = False

    def bound(self, region: str, items_max: int) -> None:
        """For the memory alone: Redis has its own bound (maxmemory), and values there end with their time."""
        self._regions[region] = None
        self._memory.bound(region, items_max)

    async def get(self, region: str, key: str, tags: Sequence[str]) -> Looked:
        """See `Backend`."""
        keys = [self._value(region, key), *(self._tag(tag) for tag in tags)]
        try:
            await self._settle()
            versions, data, age_ms = await self._redis.run(_GET, keys, [CACHE_TAG_KEPT_S], within_s=CACHE_REDIS_S)
        except UpstreamError:
            self._is_away = True
            return await self._memory.get(region, key, tags)
        return Looked(data, max(0.0, age_ms / 1000), versions)

    async def put(
        self, region: str, key: str, data: bytes, *, tags: Sequence[str], versions: bytes, keep_s: float
    ) -> None:
        """See `Backend`."""
        try:
            await self._settle()
            kept_ms = max(1, int(keep_s * 1000))
            await self._redis.run(_PUT, [self._value(region, key)], [data, versions, kept_ms], within_s=CACHE_REDIS_S)
        except UpstreamError:
            self._is_away = True
            await self._memory.put(region, key, data, tags=tags, versions=versions, keep_s=keep_s)

    async def bump(self, tags: Sequence[str]) -> None:
        """See `Backend`."""
        try:
            await self._settle()
            await self._bump(tags)
        except UpstreamError:
            self._is_away = True
            self._owe(tags)
            await self._memory.bump(tags)

    async def claim(self, region: str, key: str, for_s: float) -> str | None:
        """See `Backend`. Granted while Redis is away."""
        name, word = self._claim(region, key), secrets.token_hex(8)
        try:
            granted = await self._redis.call(
                lambda client: execute(client, "SET", name, word, "NX", "PX", int(for_s * 1000)),
                within_s=CACHE_REDIS_S,
            )
        except UpstreamError:
            return word
        return word if granted else None

    async def release(self, region: str, key: str, claim: str) -> None:
        """See `Backend`."""
        try:
            await self._redis.run(_RELEASE, [self._claim(region, key)], [claim], within_s=CACHE_REDIS_S)
        except UpstreamError:
            return  # it ends by itself

    async def _settle(self) -> None:
        """After an absence: bump what is owed, then forget what stood in."""
        while self._owed:
            owed = list(self._owed)
            await self._bump(owed)
            for tag in owed:
                self._owed.pop(tag, None)
        if self._is_away and self._redis.is_up:
            self._is_away = False
            self._memory.clear()

    async def _bump(self, tags: Sequence[str]) -> None:
        keys = [self._tag(tag) for tag in tags]
        await self._redis.run(_BUMP, keys, [CACHE_TAG_KEPT_S], within_s=CACHE_REDIS_S)

    def _owe(self, tags: Sequence[str]) -> None:
        self._owed |= dict.fromkeys(tags)
        if len(self._owed) > CACHE_OWED_TAGS_MAX:
            self._owed = {region_tag(region): None for region in self._regions}  # everything, then

    def _value(self, region: str, key: str) -> str:
        return self._redis.key("cache", region, key)

    def _claim(self, region: str, key: str) -> str:
        return self._redis.key("cache-claim", region, key)

    def _tag(self, tag: str) -> str:
        return self._redis.key("cache-tag", tag)

"""What was expensive to find out is remembered for a while: in memory, or in Redis for several processes.

`shared.SharedBackend` is imported by its own name: it brings the Redis driver with it.
"""

from daemon.services.cache.backend import Backend
from daemon.services.cache.cache import Cache
from daemon.services.cache.memory import MemoryBackend
from daemon.services.cache.region import Aged, Missing, Region

__all__ = ["Aged", "Backend", "Cache", "MemoryBackend", "Missing", "Region"]

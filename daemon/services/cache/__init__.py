"""What was expensive to find out is remembered for a while: in memory, or in Redis for several processes."""

from daemon.services.cache.backend import Backend
from daemon.services.cache.cache import Cache
from daemon.services.cache.memory import MemoryBackend
from daemon.services.cache.region import Aged, Missing, Region
from daemon.services.cache.shared import SharedBackend

__all__ = ["Aged", "Backend", "Cache", "MemoryBackend", "Missing", "Region", "SharedBackend"]

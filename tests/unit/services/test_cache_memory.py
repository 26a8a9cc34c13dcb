from __future__ import annotations

from daemon.core.limits import CACHE_TAGS_MAX
from daemon.services.cache import MemoryBackend


class FakeTime:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


async def put(backend: MemoryBackend, region: str, key: str, data: bytes, *, keep_s: float = 60.0) -> None:
    await backend.put(region, key, data, tags=(), versions=b"", keep_s=keep_s)


async def held(backend: MemoryBackend, region: str, keys: str) -> str:
    return "".join([key for key in keys if (await backend.get(region, key, ())).data is not None])


async def test_the_least_recently_used_go_first() -> None:
    backend = MemoryBackend()
    backend.bound("a", 3)
    for key in "xyz":
        await put(backend, "a", key, b"1")
    await backend.get("a", "x", ())
    await put(backend, "a", "w", b"1")
    assert await held(backend, "a", "wxyz") == "wxz"


async def test_bytes_are_bounded_over_all_regions_at_the_cost_of_the_fullest() -> None:
    backend = MemoryBackend(bytes_max=100_000)
    for region in "ab":
        backend.bound(region, 1_000)
    for key in "xyz":
        await put(backend, "a", key, bytes(1_000))
    for number in range(500):
        await put(backend, "b", str(number), bytes(5_000))
        assert backend.weight_bytes <= 100_000
    assert await held(backend, "a", "xyz") == "xyz"
    assert (await backend.get("b", "499", ())).data is not None


async def test_a_value_larger_than_everything_is_not_kept() -> None:
    backend = MemoryBackend(bytes_max=1_000)
    backend.bound("a", 10)
    await put(backend, "a", "x", bytes(2_000))
    assert await held(backend, "a", "x") == ""
    assert backend.weight_bytes == 0


async def test_age_and_end_go_by_the_given_time() -> None:
    time = FakeTime()
    backend = MemoryBackend(monotonic=time)
    backend.bound("a", 10)
    await put(backend, "a", "x", b"1", keep_s=5.0)
    time.now += 4.5
    assert (await backend.get("a", "x", ())).age_s == 4.5
    time.now += 0.5
    assert (await backend.get("a", "x", ())).data is None
    assert backend.weight_bytes == 0


async def test_what_was_loaded_before_a_forgotten_bump_is_not_used() -> None:
    backend = MemoryBackend()
    backend.bound("a", 10)
    before = (await backend.get("a", "x", ("t",))).versions
    await backend.bump(["t"])
    for number in range(CACHE_TAGS_MAX + 1):
        await backend.bump([str(number)])
    await backend.put("a", "x", b"old", tags=("t",), versions=before, keep_s=60)
    assert (await backend.get("a", "x", ("t",))).data is None

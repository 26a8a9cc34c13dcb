"""What a region promises, wherever its values lie."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from daemon.core.errors import UpstreamError, UpstreamKind
from daemon.core.limits import CACHE_VALUE_BYTES_MAX
from daemon.services.cache import Aged, Missing
from tests.integration.cache.conftest import CacheStage, Source

DOWN = UpstreamError("Plex", UpstreamKind.UNREACHABLE)
BRIEF_S = 0.02


async def eventually(ask: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await ask():  # noqa: ASYNC110  any condition, not only one that could set an event
            await asyncio.sleep(0.005)


async def test_a_value_is_loaded_once_and_kept(stage: CacheStage, source: Source) -> None:
    region = stage.cache.region("titles", str, ttl_s=60)
    assert [await region.get("a", source) for _ in range(3)] == ["one"] * 3
    assert await region.get("b", source) == "one"
    assert source.loads == 2
    assert stage.counted("titles") == {"miss": 2, "hit": 2}


async def test_many_waiters_share_one_load(stage: CacheStage, source: Source) -> None:
    region = stage.cache.region("titles", str, ttl_s=60)
    gate = asyncio.Event()
    source.gate = gate.wait()
    waiters = [asyncio.create_task(region.get("a", source)) for _ in range(50)]
    await eventually(lambda: answer(source.loads == 1))
    gate.set()
    assert await asyncio.gather(*waiters) == ["one"] * 50
    assert source.loads == 1


async def answer(value: bool) -> bool:
    return value


async def test_a_waiter_that_gives_up_does_not_stop_the_load(stage: CacheStage, source: Source) -> None:
    region = stage.cache.region("titles", str, ttl_s=60)
    gate = asyncio.Event()
    source.gate = gate.wait()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await region.get("a", source)
    gate.set()
    await eventually(lambda: answer(stage.supervisor.count("cache") == 0))
    assert await region.get("a", source) == "one"
    assert source.loads == 1


async def test_values_end_with_their_time(stage: CacheStage, source: Source) -> None:
    region = stage.cache.region("titles", str, ttl_s=BRIEF_S)
    await region.get("a", source)
    source.value = "two"
    await eventually(lambda: is_now(region.get("a", source), "two"))
    assert source.loads >= 2


async def is_now(asked: Awaitable[str], wanted: str) -> bool:
    return await asked == wanted


async def test_an_old_value_is_the_answer_while_a_new_one_is_loaded_behind_it(
    stage: CacheStage, source: Source
) -> None:
    region = stage.cache.region("titles", str, ttl_s=BRIEF_S, stale_s=600)
    await region.get("a", source)
    await eventually(lambda: answer(stage.supervisor.count("cache") == 0))
    gate = asyncio.Event()
    source.value, source.gate = "two", gate.wait()

    async def is_stale() -> bool:
        found = await region.get_aged("a", source)
        assert found.value == "one"
        assert not found.is_stale or found.age_s >= BRIEF_S * 0.9
        return found.is_stale

    await eventually(is_stale)
    for _ in range(3):
        assert (await region.get_aged("a", source)).is_stale
    await eventually(lambda: answer(source.loads == 2))
    assert (await region.get_aged("a", source)).is_stale
    assert source.loads == 2
    gate.set()
    source.gate = None
    await eventually(lambda: is_now(region.get("a", source), "two"))


async def test_who_is_patient_gets_the_new_value(stage: CacheStage, source: Source) -> None:
    region = stage.cache.region("sessions", str, ttl_s=BRIEF_S, stale_s=600, patience_s=20)
    await region.get("a", source)
    source.value = "two"
    await eventually(lambda: is_now(region.get("a", source), "two"))
    assert "stale" not in stage.counted("sessions")


async def test_patience_ends_and_the_load_goes_on(stage: CacheStage, source: Source) -> None:
    region = stage.cache.region("sessions", str, ttl_s=BRIEF_S, stale_s=600, patience_s=0.05)
    await region.get("a", source)
    gate = asyncio.Event()
    source.value, source.gate = "two", gate.wait()

    async def is_stale() -> bool:
        found = await region.get_aged("a", source)
        return found.is_stale and found.value == "one"

    await eventually(is_stale)
    gate.set()
    source.gate = None
    await eventually(lambda: is_now(region.get("a", source), "two"))


async def test_when_the_source_is_down_the_answer_is_old_and_says_so(stage: CacheStage, source: Source) -> None:
    region = stage.cache.region("sessions", str, ttl_s=BRIEF_S, stale_s=600, patience_s=20)
    await region.get("a", source)
    source.error = DOWN

    async def is_stale() -> bool:
        return (await region.get_aged("a", source)).is_stale

    await eventually(is_stale)
    found = await region.get_aged("a", source)
    assert (found.value, found.is_stale) == ("one", True)
    assert 0 < found.age_s < 60
    with pytest.raises(UpstreamError) as raised:
        await region.get("b", source)
    assert raised.value is DOWN
    assert stage.counted("sessions")["error"] == 1


async def test_a_refusal_is_an_answer_and_no_reason_for_an_old_one(stage: CacheStage, source: Source) -> None:
    region = stage.cache.region("sessions", str, ttl_s=0.0, stale_s=600, patience_s=20)
    assert await region.get("a", source) == "one"
    source.error = UpstreamError("Plex", UpstreamKind.FORBIDDEN)
    with pytest.raises(UpstreamError):
        await region.get("a", source)
    source.error = DOWN
    assert await region.get("a", source) == "one"


async def test_what_was_found_out_elsewhere_can_be_recalled_with_its_age(stage: CacheStage) -> None:
    region = stage.cache.region("sessions", str, ttl_s=0.0, stale_s=600)
    assert await region.recall("a", tags=("x",)) is None
    await region.remember("a", "one", tags=("x",))
    found = await region.recall("a", tags=("x",))
    assert found is not None
    assert (found.value, found.is_stale) == ("one", True)
    assert 0 <= found.age_s < 60
    await stage.cache.invalidate("x")
    assert await region.recall("a", tags=("x",)) is None
    assert stage.counted("sessions") == {"miss": 2, "stale": 1}


async def test_that_there_is_none_is_remembered(stage: CacheStage, source: Source) -> None:
    region = stage.cache.region("posters", str, ttl_s=60, negative_ttl_s=60)
    source.error = Missing("a")
    for _ in range(3):
        with pytest.raises(Missing):
            await region.get("a", source)
    assert source.loads == 1
    assert stage.counted("posters") == {"negative": 3}


async def test_what_is_gone_is_not_answered_from_memory(stage: CacheStage, source: Source) -> None:
    region = stage.cache.region("posters", str, ttl_s=BRIEF_S, stale_s=600)
    await region.get("a", source)
    source.error = Missing("a")

    async def is_gone() -> bool:
        try:
            await region.get("a", source)
        except Missing:
            return True
        return False

    await eventually(is_gone)
    with pytest.raises(Missing):
        await region.get("a", source)


async def test_a_bug_of_the_loader_reaches_everybody_who_waits(stage: CacheStage, source: Source) -> None:
    region = stage.cache.region("titles", str, ttl_s=60, stale_s=60)
    source.error = KeyError("ours")
    found = await asyncio.gather(*(region.get("a", source) for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in found] == [KeyError] * 3
    source.error = None
    assert await region.get("a", source) == "one"


async def test_a_tag_ends_what_bears_it(stage: CacheStage, source: Source) -> None:
    region = stage.cache.region("queues", str, ttl_s=60, stale_s=600)
    await region.get("a", source, tags=("player:1", "server:attic"))
    await region.get("b", source, tags=("player:2", "server:attic"))
    source.value = "two"
    await stage.cache.invalidate("player:1")
    assert await region.get("a", source, tags=("player:1", "server:attic")) == "two"
    assert await region.get("b", source, tags=("player:2", "server:attic")) == "one"
    source.value = "three"
    await stage.cache.invalidate("server:attic", "player:9")
    assert await region.get("a", source, tags=("player:1", "server:attic")) == "three"
    assert await region.get("b", source, tags=("player:2", "server:attic")) == "three"
    source.value = "four"
    await region.clear()
    assert await region.get("b", source, tags=("player:2", "server:attic")) == "four"


async def test_what_was_being_loaded_when_its_tag_ended_is_not_kept(stage: CacheStage, source: Source) -> None:
    region = stage.cache.region("queues", str, ttl_s=60)
    gate = asyncio.Event()
    source.gate = gate.wait()
    asked = asyncio.create_task(region.get("a", source, tags=("player:1",)))
    await eventually(lambda: answer(source.loads == 1))
    await stage.cache.invalidate("player:1")
    gate.set()
    await asked
    source.value, source.gate = "two", None
    assert await region.get("a", source, tags=("player:1",)) == "two"


@dataclass(frozen=True, slots=True)
class Fact:
    name: str
    at: datetime
    numbers: tuple[int, ...] = ()
    note: str | None = None


async def test_values_come_back_as_they_were(stage: CacheStage) -> None:
    fact = Fact("Ö\x00", datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC), (1, -2, 2**60))
    for name, kind, value in (
        ("facts", Fact, fact),
        ("many", tuple[Fact, ...], (fact, fact)),
        ("raw", bytes, b"\0\xff"),
    ):
        region = stage.cache.region(name, kind, ttl_s=60)

        async def load(value: object = value) -> object:
            return value

        assert [await region.get("a", load) for _ in range(2)] == [value, value]
        assert stage.counted(name) == {"miss": 1, "hit": 1}


@pytest.mark.parametrize(
    "data",
    [b"", b"nonsense", b"mqc1" + bytes(12), b"mqc1" + bytes(200)],
    ids=["empty", "foreign", "no checksum", "garbage"],
)
async def test_an_unusable_value_is_a_miss(stage: CacheStage, source: Source, data: bytes) -> None:
    region = stage.cache.region("titles", str, ttl_s=60)
    tags = ("region:titles",)
    looked = await stage.backend.get("titles", "a", tags)
    await stage.backend.put("titles", "a", data, tags=tags, versions=looked.versions, keep_s=60)
    assert await region.get("a", source) == "one"
    assert await region.get("a", source) == "one"
    assert stage.counted("titles") == {"corrupt": 1, "hit": 1}


async def test_every_cut_and_every_flipped_bit_is_a_miss(stage: CacheStage, source: Source) -> None:
    region = stage.cache.region("titles", str, ttl_s=60)
    await region.get("a", source)
    tags = ("region:titles",)
    whole = await stage.backend.get("titles", "a", tags)
    assert whole.data is not None
    broken = [whole.data[:n] for n in range(len(whole.data))]
    broken += [
        bytes(b ^ (1 << bit) if i == n else b for i, b in enumerate(whole.data))
        for n in range(len(whole.data))
        for bit in (0, 7)
    ]
    for data in broken:
        await stage.backend.put("titles", "a", data, tags=tags, versions=whole.versions, keep_s=60)
        assert await region.get("a", source) == "one"
    assert stage.counted("titles") == {"miss": 1, "corrupt": len(broken)}


async def test_another_version_or_type_of_value_is_a_miss(stage: CacheStage, source: Source) -> None:
    await stage.cache.region("titles", str, ttl_s=60).get("a", source)
    assert await stage.cache.region("titles", str, ttl_s=60, version=2).get("a", source) == "one"
    assert source.loads == 2

    async def number() -> int:
        return 7

    assert await stage.cache.region("titles", int, ttl_s=60, version=2).get("a", number) == 7
    assert stage.counted("titles") == {"miss": 1, "corrupt": 2}


async def test_long_keys_and_foreign_signs_are_keys(stage: CacheStage, source: Source) -> None:
    region = stage.cache.region("titles", str, ttl_s=60)
    keys = ["", "a b\nc", "ö:*?[]", "x" * 10_000, "x" * 10_001]
    for number, key in enumerate(keys):
        source.value = str(number)
        await region.get(key, source)
    assert [await region.get(key, source) for key in keys] == ["0", "1", "2", "3", "4"]
    assert source.loads == len(keys)


async def test_a_huge_value_is_answered_and_not_kept(stage: CacheStage, source: Source) -> None:
    region = stage.cache.region("titles", str, ttl_s=60)
    source.value = "x" * (CACHE_VALUE_BYTES_MAX + 1)
    for _ in range(2):
        assert await region.get("a", source) == source.value
    assert source.loads == 2


async def test_warming_waits_for_the_start_and_minds_no_failure(stage: CacheStage, source: Source) -> None:
    region = stage.cache.region("titles", str, ttl_s=60)

    async def load(key: str) -> str:
        if key == "b":
            raise DOWN
        return await source()

    region.warm(["a", "b", "c"], load)
    assert source.loads == 0
    await stage.cache.start()
    await eventually(lambda: answer(source.loads == 2 and stage.supervisor.count("cache") == 0))
    assert await region.get_aged("c", source) == Aged("one", pytest.approx(0, abs=60), False)
    assert source.loads == 2
    region.warm(["d"], load)  # of a module that started later
    await eventually(lambda: answer(source.loads == 3))

"""Search at 100,000 and 1,000,000 titles: suggestions while somebody types, and names with one mistake."""

from __future__ import annotations

import asyncio
import json
import tempfile

from benchmarks.process import running
from benchmarks.rows import Row, alone

SAMPLES = 2_000
_PATIENCE_S = 1_800


async def measure() -> list[Row]:
    return [
        *await _at("100k", 100_000, suggest_ms=5, recall=0.95),
        *await _at("1m", 1_000_000, suggest_ms=25, recall=0.90),
    ]


async def _at(name: str, titles: int, *, suggest_ms: float, recall: float) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="marquee-bench-") as folder:
        async with running("-m", "benchmarks.ours.search", folder, str(titles), str(SAMPLES)) as child:
            assert child.stdout is not None
            async with asyncio.timeout(_PATIENCE_S):
                line = await child.stdout.readline()
    if not line:
        raise RuntimeError("the search ended early; build/bench.log says why")
    told = json.loads(line)
    return [
        alone(f"search.{name}_suggest_p99", told["one_p99_ms"], "ms", at_most=suggest_ms),
        alone(f"search.{name}_suggest_p50", told["one_p50_ms"], "ms"),
        alone(f"search.{name}_suggest_p99_8_at_once", told["eight_p99_ms"], "ms"),
        alone(f"search.{name}_typo_p99", told["typo_p99_ms"], "ms"),
        alone(f"search.{name}_typo_recall", told["recall"], "of 1", at_least=recall),
        alone(f"search.{name}_lag_p99", told["lag_p99_ms"], "ms", at_most=20),
        alone(f"search.{name}_build_cpu", told["build_cpu_s"], "CPU s"),
        alone(f"search.{name}_file", told["file_mb"], "MB"),
    ]

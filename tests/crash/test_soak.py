"""A million messages: memory and file handles are flat after the warm-up, and the event loop answers throughout."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.stage import PROJECT

MESSAGES = int(os.environ.get("MESSAGES", "1000000"))
MIB = 1024 * 1024
GROWTH_BYTES_MAX = 24 * MIB  # of memory between the second fifth of the run and the last: two of the largest bodies
HANDLES_MORE_MAX = 4  # sockets and files open at once come and go
LAG_MS_MAX = 50.0  # 99 of 100 times
WINDOW = 1_000  # looks at the loop, some 5 to 10 s, of which the lag is told by itself

pytestmark = [pytest.mark.soak, pytest.mark.timeout(0)]


@dataclass
class Course:
    """What was seen of the child; see `load.py` for the lags."""

    memory_bytes: list[int] = field(default_factory=list)
    handles: list[int] = field(default_factory=list)
    lags_ms: list[float] = field(default_factory=list)
    busy_ms: list[float] = field(default_factory=list)
    seconds: float = 0.0
    last: dict[str, Any] = field(default_factory=dict)

    def fifth(self, of: Sequence[int], number: int) -> Sequence[int]:
        """Of what was seen, the part `number` of 5, from 0."""
        size = len(of) // 5
        return of[number * size : (number + 1) * size]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Removed afterwards, unlike pytest's own: it grows to gigabytes."""
    with tempfile.TemporaryDirectory(prefix="marquee-soak-") as path:
        yield Path(path)


async def test_a_million_messages_of_all_sizes(folder: Path) -> None:
    course = await run(folder)
    tell(course)
    assert course.last["done"]
    assert course.last["handled"] == MESSAGES
    assert course.last["once"] == MESSAGES
    assert course.last["largest"] > 0
    assert course.last["claims"] == 0
    assert len(course.memory_bytes) >= 10, "too few messages for a course; give more in MESSAGES"
    before, after = (course.fifth(course.memory_bytes, number) for number in (1, 4))
    assert statistics.median(after) - statistics.median(before) < GROWTH_BYTES_MAX
    before, after = (course.fifth(course.handles, number) for number in (1, 4))
    assert max(after) <= max(before) + HANDLES_MORE_MAX
    assert percentile(course.busy_ms, 0.99) < LAG_MS_MAX


async def run(folder: Path) -> Course:
    """Let a child work, and look at it from outside each time it says something."""
    settings = {
        "MARQUEE_CONFIG": os.devnull,
        "MARQUEE_DATA_DIR": str(folder),
        "MARQUEE_DATABASE__URL": f"sqlite:///{folder}/load.db",
    }
    others = {name: value for name, value in os.environ.items() if not name.startswith("MARQUEE_")}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.crash.load", str(MESSAGES),
        cwd=PROJECT, env=others | settings, stdout=asyncio.subprocess.PIPE, limit=16 * MIB,
    )  # fmt: skip
    assert child.stdout is not None
    course, began_s = Course(), time.monotonic()
    async for line in child.stdout:
        course.last = json.loads(line)
        course.lags_ms += course.last["lags_ms"]
        course.busy_ms += course.last["busy_ms"]
        if "done" not in course.last:
            memory_bytes, handles = await asyncio.to_thread(look_at, child.pid)
            course.memory_bytes.append(memory_bytes)
            course.handles.append(handles)
    course.seconds = time.monotonic() - began_s
    assert await child.wait() == 0
    return course


def look_at(pid: int) -> tuple[int, int]:
    """Resident memory of its own (what the kernel could take back not counted), and open handles."""
    status = Path(f"/proc/{pid}/status").read_text()
    (anonymous,) = (line.split()[1] for line in status.splitlines() if line.startswith("RssAnon:"))
    return int(anonymous) * 1024, len(os.listdir(f"/proc/{pid}/fd"))


def percentile(values: Sequence[float], part: float) -> float:
    """The value that `part` of all do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def tell(course: Course) -> None:
    """The figures."""
    rate = MESSAGES / course.seconds
    memory = [round(statistics.median(course.fifth(course.memory_bytes, number)) / MIB, 1) for number in range(5)]
    handles = [max(course.fifth(course.handles, number)) for number in range(5)]
    print(f"\n{MESSAGES} messages in {course.seconds:.0f} s, {rate:.0f} a second, {course.last['largest']} of 10 MB")
    print(f"memory by fifths (median, MiB): {memory}, highest {max(course.memory_bytes) / MIB:.1f}")
    print(f"handles by fifths (highest): {handles}")
    for name, lags in (("lag of the event loop", course.lags_ms), ("when the machine let it run", course.busy_ms)):
        windows = [percentile(lags[at : at + WINDOW], 0.99) for at in range(0, len(lags), WINDOW)]
        print(
            f"{name}: p50 {percentile(lags, 0.5):.1f} ms, p99 {percentile(lags, 0.99):.1f} ms, longest "
            f"{max(lags):.1f} ms, of {len(lags)} looks; worst p99 of {WINDOW} looks {max(windows):.1f} ms"
        )

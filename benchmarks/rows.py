"""Rows of the benchmark table: ours beside a peer, the aim, and whether it was met."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RESULT = Path(__file__).resolve().parents[1] / "build" / "bench.json"


@dataclass(frozen=True)
class Row:
    """One measured line. `ratio` is ours divided by the peer's; `aim` says in words what `met` decides."""

    id: str
    ours: float
    unit: str
    peer: str | None
    peer_value: float | None
    ratio: float | None
    aim: str | None
    met: bool | None


def beside(id: str, ours: float, unit: str, peer: str, peer_value: float, *, at_most: float | None = None,
           at_least: float | None = None) -> Row:  # fmt: skip
    """A row judged by its ratio to a peer measured in the same run."""
    ratio = ours / peer_value
    if at_most is not None:
        return Row(id, ours, unit, peer, peer_value, ratio, f"ratio <= {at_most}", ratio <= at_most)
    if at_least is not None:
        return Row(id, ours, unit, peer, peer_value, ratio, f"ratio >= {at_least}", ratio >= at_least)
    return Row(id, ours, unit, peer, peer_value, ratio, None, None)


def alone(id: str, ours: float, unit: str, *, at_most: float | None = None, at_least: float | None = None) -> Row:
    """A row judged by itself, or only told."""
    if at_most is not None:
        return Row(id, ours, unit, None, None, None, f"<= {at_most:,g} {unit}", ours <= at_most)
    if at_least is not None:
        return Row(id, ours, unit, None, None, None, f">= {at_least:,g} {unit}", ours >= at_least)
    return Row(id, ours, unit, None, None, None, None, None)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` of the sorted values lie; the last one for 100."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def as_table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    head = "| id | ours | unit | peer | peer's | ratio | aim | met |\n|---|---:|---|---|---:|---:|---|---|"
    return "\n".join([head, *(_line(row) for row in rows)])


def _line(row: Row) -> str:
    def number(value: float | None) -> str:
        return "" if value is None else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"

    met = {None: "", True: "yes", False: "**no**"}[row.met]
    cells = [row.id, number(row.ours), row.unit, row.peer or "", number(row.peer_value), number(row.ratio)]
    return "| " + " | ".join([*cells, row.aim or "", met]) + " |"


def save(rows: Sequence[Row]) -> None:
    """Write build/bench.json, replacing rows of the same id and keeping the others."""
    known = {row["id"]: row for row in json.loads(RESULT.read_text("utf-8"))} if RESULT.is_file() else {}
    known.update({row.id: asdict(row) for row in rows})
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(list(known.values()), indent=1) + "\n", "utf-8")

"""In which order modules start, and which cannot, with the whole chain of reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from daemon.core.ids import ModuleId
from daemon.host.manifest import Manifest, did_you_mean


@dataclass(frozen=True, slots=True)
class Order:
    """`start` is the order of starting (stop in reverse); `blocked` says in a sentence why the others cannot."""

    start: tuple[ModuleId, ...]
    blocked: dict[ModuleId, str]


def resolve(manifests: Mapping[ModuleId, Manifest], broken: Mapping[ModuleId, str]) -> Order:
    """Order the modules by `requires` and `after`; ties go by id, so the order is the same each time.

    `broken` names modules that exist but cannot be used, with the reason. Worked example: a requires b, b requires c,
    c is not there: b is blocked by "requires c, which is not installed", a by "requires b, which requires c, which is
    not installed".
    """
    blocked = _find_cycles(manifests)
    for module in sorted(manifests):
        if module not in blocked and (chain := _missing_chain(module, manifests, broken, blocked)):
            blocked[module] = chain
    usable = {module: manifest for module, manifest in manifests.items() if module not in blocked}
    return Order(_sorted(usable), blocked)


def _edges(manifests: Mapping[ModuleId, Manifest]) -> dict[ModuleId, list[ModuleId]]:
    return {
        module: sorted(ModuleId(name) for name in {*manifest.requires, *manifest.after} if ModuleId(name) in manifests)
        for module, manifest in sorted(manifests.items())
    }


def _find_cycles(manifests: Mapping[ModuleId, Manifest]) -> dict[ModuleId, str]:
    found: dict[ModuleId, str] = {}
    edges = _edges(manifests)
    while True:
        try:
            TopologicalSorter(edges).prepare()
        except CycleError as error:
            # graphlib lists a cycle from the one that is needed to the one that needs it, first and last the same.
            cycle: list[ModuleId] = list(reversed(error.args[1]))[:-1]
            for module in cycle:
                found[module] = _tell_cycle(module, cycle, manifests)
            edges = {
                module: [needed for needed in needs if needed not in found]
                for module, needs in edges.items()
                if module not in found
            }
        else:
            return found


def _tell_cycle(first: ModuleId, cycle: list[ModuleId], manifests: Mapping[ModuleId, Manifest]) -> str:
    at = cycle.index(first)
    ring = [*cycle[at:], *cycle[:at], first]
    told = first + "".join(
        f" {'requires' if needed in manifests[module].requires else 'starts after'} {needed}"
        for module, needed in pairwise(ring)
    )
    return f"is part of a cycle: {told}"


# Cycles are in `blocked` before this is called, so it ends.
def _missing_chain(
    module: ModuleId,
    manifests: Mapping[ModuleId, Manifest],
    broken: Mapping[ModuleId, str],
    blocked: Mapping[ModuleId, str],
) -> str | None:
    for name in sorted(manifests[module].requires):
        needed = ModuleId(name)
        if needed in broken:
            return f"requires {needed}, which {broken[needed]}"
        if needed in blocked:
            return f"requires {needed}, which {blocked[needed]}"
        if needed not in manifests:
            return f"requires {needed}, which is not installed{did_you_mean(needed, manifests)}"
        if chain := _missing_chain(needed, manifests, broken, blocked):
            return f"requires {needed}, which {chain}"
    return None


def _sorted(manifests: Mapping[ModuleId, Manifest]) -> tuple[ModuleId, ...]:
    sorter = TopologicalSorter(_edges(manifests))
    sorter.prepare()
    order: list[ModuleId] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return tuple(order)

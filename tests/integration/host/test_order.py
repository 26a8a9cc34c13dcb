from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from daemon.core.ids import ModuleId
from daemon.host.graph import resolve
from daemon.host.manifest import Manifest


def manifests(**edges: str) -> dict[ModuleId, Manifest]:
    """`manifests(aa="bb cc ~dd")`: aa requires bb and cc and starts after dd."""
    return {
        ModuleId(name): Manifest(
            id=name,
            name=name,
            version="1",
            api=1,
            requires=[word for word in words.split() if word[0] != "~"],
            after=[word[1:] for word in words.split() if word[0] == "~"],
        )
        for name, words in edges.items()
    }


def test_needed_modules_start_first_and_ties_go_by_id() -> None:
    order = resolve(manifests(aa="cc", bb="", cc="~dd", dd="", ee="~nowhere"), {})
    assert order.start == ("bb", "dd", "ee", "cc", "aa")
    assert order.blocked == {}


def test_the_whole_missing_chain_is_told() -> None:
    order = resolve(manifests(aa="bb", bb="cc", cc="pants", pets=""), {})
    assert order.start == ("pets",)
    assert order.blocked == {
        "aa": 'requires bb, which requires cc, which requires pants, which is not installed (did you mean "pets"?)',
        "bb": 'requires cc, which requires pants, which is not installed (did you mean "pets"?)',
        "cc": 'requires pants, which is not installed (did you mean "pets"?)',
    }


def test_a_broken_module_blocks_those_that_require_it() -> None:
    order = resolve(manifests(aa="bb", cc="~bb"), {ModuleId("bb"): "has a bad manifest.toml"})
    assert order.start == ("cc",)
    assert order.blocked == {"aa": "requires bb, which has a bad manifest.toml"}


def test_the_whole_cycle_is_told_and_the_rest_starts() -> None:
    order = resolve(manifests(aa="bb", bb="~cc", cc="aa", dd="aa", ee="", ff="ff"), {})
    assert order.start == ("ee",)
    assert order.blocked["aa"] == "is part of a cycle: aa requires bb starts after cc requires aa"
    assert order.blocked["bb"] == "is part of a cycle: bb starts after cc requires aa requires bb"
    assert order.blocked["dd"] == f"requires aa, which {order.blocked['aa']}"
    assert order.blocked["ff"] == "is part of a cycle: ff requires ff"


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sets(st.sampled_from("abcdefghi")), max_size=8))
def test_any_graph_is_sorted_or_explained(graph: dict[str, set[str]]) -> None:
    made = manifests(
        **{f"m{name}": " ".join(sorted(f"m{other}" for other in others)) for name, others in graph.items()}
    )
    order = resolve(made, {})
    assert sorted([*order.start, *order.blocked]) == sorted(made)
    for place, module in enumerate(order.start):
        assert set(made[module].requires) <= set(order.start[:place])

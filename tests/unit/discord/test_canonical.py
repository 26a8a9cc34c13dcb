"""What counts as the same command: Discord's answer differs from what was sent in a dozen ways that mean nothing."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from discord import app_commands
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.discord.canonical import canonical, to_discord
from integrations.discord.sync import Change, differences, plan

names = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
texts = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=12)
locales = st.dictionaries(st.sampled_from(["de", "fr", "en-US", "ja"]), texts, max_size=3)
kinds = st.sampled_from([3, 4, 5, 6, 7, 8, 9, 10, 11])


@st.composite
def leaf_options(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(kinds)
    option: dict[str, Any] = {"type": kind, "name": draw(names), "description": draw(texts)}
    if draw(st.booleans()):
        option["name_localizations"] = draw(locales)
    if kind in (3, 4, 10):
        if draw(st.booleans()):
            value = {3: texts, 4: st.integers(-9, 9), 10: st.floats(-9, 9)}[kind]
            option["choices"] = [{"name": draw(texts), "value": draw(value)} for _ in range(draw(st.integers(1, 3)))]
        elif draw(st.booleans()):
            option["autocomplete"] = True
    if kind in (4, 10) and draw(st.booleans()):
        option["min_value"] = draw(st.integers(-9, 9))
    if kind == 7:
        option["channel_types"] = draw(st.lists(st.sampled_from([0, 2, 5, 15]), unique=True))
    if draw(st.booleans()):
        option["required"] = draw(st.booleans())
    return option


@st.composite
def payloads(draw: st.DrawFn) -> dict[str, Any]:
    options = draw(st.lists(leaf_options(), max_size=4, unique_by=lambda option: option["name"]))
    if draw(st.booleans()):
        options = [{"type": 1, "name": draw(names), "description": draw(texts), "options": options}]
    return {
        "name": draw(names),
        "description": draw(texts),
        "type": 1,
        "options": options,
        "contexts": draw(st.lists(st.sampled_from([0, 1, 2]), min_size=1, unique=True)),
        "integration_types": [0],
        "default_member_permissions": draw(st.none() | st.integers(0, 2**40)),
        "description_localizations": draw(st.none() | locales),
    }


def as_discord_says_it(payload: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """The same command as Discord's GET gives it: ids and defaults added, maps in another order."""
    said = copy.deepcopy(payload)
    permissions = said["default_member_permissions"]
    said |= {
        "id": "123",
        "application_id": "9",
        "version": "1",
        "dm_permission": False,
        "nsfw": False,
        "default_permission": True,
        "default_member_permissions": None if permissions is None else str(permissions),
        "name_localizations": None,
        "something_new": {"nobody": "knows"},
        "contexts": rng.sample(said["contexts"], len(said["contexts"])),
    }
    for option in said["options"]:
        for inner in [option, *option.get("options", [])]:
            if inner["type"] in (1, 2):
                continue
            inner.setdefault("required", False)
            inner.setdefault("name_localizations", None)
            inner["description_localizations"] = {"de": inner["description"]}  # equal to the default: ignored
    return dict(rng.sample(list(said.items()), len(said)))


@settings(deadline=None)
@given(payloads(), st.randoms(use_true_random=False))
def test_discords_version_of_a_command_is_unchanged(payload: dict[str, Any], rng: random.Random) -> None:
    remote = as_discord_says_it(payload, rng)
    assert remote != payload
    planned = plan([payload], [remote])
    assert planned.is_empty, planned.steps


@settings(deadline=None)
@given(payloads())
def test_canonical_is_its_own_canonical(payload: dict[str, Any]) -> None:
    once = canonical(payload)
    assert canonical(once) == once


@settings(deadline=None)
@given(payloads(), st.data())
def test_any_single_change_is_seen(payload: dict[str, Any], data: st.DataObject) -> None:
    changed = copy.deepcopy(payload)
    where = data.draw(st.sampled_from(["description", "nsfw", "contexts", "default_member_permissions", "options"]))
    match where:
        case "description":
            changed["description"] += "x"
        case "nsfw":
            changed["nsfw"] = True
        case "contexts":
            changed["contexts"] = sorted({0, 1, 2} - set(payload["contexts"])) or [0]
        case "default_member_permissions":
            changed[where] = 1 if payload[where] != 1 else 2
        case _:
            changed["options"] = [*payload["options"], {"type": 5, "name": "zzzzzzzzz", "description": "more"}]
    assert plan([payload], [changed]).names(Change.UPDATE) == [payload["name"]]
    assert differences(canonical(payload), canonical(changed)) != []


@settings(deadline=None)
@given(st.lists(leaf_options(), min_size=2, max_size=5, unique_by=lambda option: option["name"]), st.randoms())
def test_the_order_of_options_means_something(options: list[dict[str, Any]], rng: random.Random) -> None:
    shuffled = options[:]
    rng.shuffle(shuffled)
    left = {"name": "a", "description": "b", "options": options}
    right = {"name": "a", "description": "b", "options": shuffled}
    assert plan([left], [right]).is_empty == (canonical(left) == canonical(right))
    if [option["name"] for option in shuffled] != [option["name"] for option in options]:
        assert not plan([left], [right]).is_empty


def test_what_is_sent_always_says_contexts_and_integration_types() -> None:
    sent = to_discord({"name": "a", "description": "b", "contexts": None})
    assert (sent["contexts"], sent["integration_types"]) == ([0], [0])


def command(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "description": "d", "type": 1, **more}


def test_a_plan_creates_updates_deletes_and_leaves_alone() -> None:
    remote = [command("same"), command("old", description="before"), command("gone"), command("four")]
    planned = plan([command("same"), command("old"), command("new"), command("four")], remote)
    assert planned.names(Change.CREATE) == ["new"]
    assert planned.names(Change.UPDATE) == ["old"]
    assert planned.names(Change.DELETE) == ["gone"]
    assert planned.names(Change.UNCHANGED) == ["four", "same"]
    assert planned.objection is None
    assert [payload["name"] for payload in planned.payload] == ["four", "new", "old", "same"]
    assert next(step for step in planned.steps if step.name == "old").paths == ("description",)


def test_nothing_registered_here_never_empties_discord() -> None:
    assert "would be deleted" in (plan([], [command("play")]).objection or "")


def test_more_than_three_in_ten_deletes_need_force() -> None:
    remote = [command(f"c{index}") for index in range(10)]
    assert plan(remote[3:], remote).objection is None
    assert "4 of 10" in (plan(remote[4:], remote).objection or "")


def test_commands_of_a_failed_module_are_carried_over_unchanged() -> None:
    stored = command("pets", id="77", version="3", options=[{"type": 3, "name": "who", "description": "x"}])
    planned = plan([command("play")], [command("play"), stored], keep={"pets"})
    assert planned.is_empty
    assert planned.names(Change.KEPT) == ["pets"]
    assert stored in planned.payload


def test_the_entry_point_of_an_activity_is_carried_over() -> None:
    entry = {"name": "launch", "type": 4, "handler": 2, "description": "", "id": "5"}
    planned = plan([command("play"), command("new")], [command("play"), entry])
    assert planned.names(Change.KEPT) == ["launch"]
    assert entry in planned.payload


def test_commands_of_two_types_may_share_a_name() -> None:
    both = [command("info"), {"name": "info", "type": 2, "description": ""}]
    assert plan(both, both).is_empty
    assert plan(both, both[:1]).names(Change.CREATE) == ["info"]


@pytest.mark.parametrize("kind", [app_commands.AppCommandContext, app_commands.AppInstallationType])
def test_discord_py_still_has_what_the_tree_is_made_with(kind: type[Any]) -> None:
    assert kind(guild=True).to_array() == [0]

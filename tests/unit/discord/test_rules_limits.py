"""Whatever a module hands over fits Discord's limits: names, choices, texts, menus, buttons, forms and custom ids."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import discord
import pytest
from discord import app_commands
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.errors import UpstreamError, UpstreamKind, UserError
from daemon.core.ids import ModuleId
from daemon.core.limits import AUTOCOMPLETE_BUDGET_S, DEFER_AFTER_S, FIRST_ANSWER_S, MESSAGE_CHARS_MAX
from daemon.core.text import clamp
from integrations.discord.command_rules import violations
from integrations.discord.components import ComponentSet, Field, component, modal
from integrations.discord.custom_ids import GRAMMAR, CustomId, Signer
from integrations.discord.errors import explain
from integrations.discord.fleet import Fleet
from integrations.discord.pipeline import Pipeline, presentable
from integrations.discord.policy import policy
from integrations.discord.routes import Routes
from integrations.discord.ui.pick import option
from simulators.discord import rules
from tests.discord_documents import openapi

# Long texts are rare in random data, and they are what breaks things.
ANY_TEXT = st.one_of(st.text(max_size=40), st.text(min_size=1, max_size=6).map(lambda text: text * 60))
PARTS = st.text(st.characters(exclude_categories=("Z", "C"), exclude_characters=":."), min_size=1, max_size=12)
WORDS = st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True)


class Panel(ComponentSet):
    @component("press")
    async def press(self, interaction: Any, ids: tuple[str, ...], values: tuple[str, ...]) -> None: ...

    @modal("sheet")
    async def sheet(self, interaction: Any, ids: tuple[str, ...], fields: Mapping[str, str]) -> None: ...


PANEL = Panel()
Routes(Signer(b"k" * 32)).add(ModuleId("demo"), PANEL)


@pytest.mark.parametrize("taker", [Pipeline, Fleet])
def test_a_placeholder_leaves_before_half_of_discords_patience_is_gone(taker: type[Any]) -> None:
    assert inspect.signature(taker).parameters["defer_after_s"].default == DEFER_AFTER_S
    assert DEFER_AFTER_S < 1.5 <= FIRST_ANSWER_S / 2
    assert AUTOCOMPLETE_BUDGET_S < FIRST_ANSWER_S


def test_a_command_says_when_it_is_declared_who_sees_its_answer() -> None:
    """A placeholder's visibility cannot be changed, so a command cannot leave it open as a press can."""
    assert inspect.signature(policy).parameters["private"].default is False
    assert inspect.signature(policy).parameters["private"].annotation == "bool"


@given(st.lists(st.tuples(ANY_TEXT, st.one_of(ANY_TEXT, st.integers())), max_size=60))
def test_any_choices_are_made_presentable(given_choices: list[tuple[str, str | int]]) -> None:
    shown = presentable([app_commands.Choice(name=name, value=value) for name, value in given_choices])
    assert len(shown) <= 25
    for choice in shown:
        assert 1 <= len(choice.name) <= 100
        assert not isinstance(choice.value, str) or 1 <= len(choice.value) <= 100
    usable = [(n, v) for n, v in given_choices if n.strip() and (isinstance(v, int) or 1 <= len(v) <= 100)]
    assert [choice.value for choice in shown] == [value for _, value in usable[:25]]


@settings(max_examples=400)
@given(st.text(st.sampled_from("abzAZ09-_'. ßéñДж名前한ก²½٣ǅ😀"), max_size=40))
def test_a_command_name_that_passes_is_taken_by_discord_and_by_discord_py(name: str) -> None:
    payload = {"type": 1, "name": name, "description": "d"}
    if violations(payload):
        return
    assert rules.check("create_application_command", payload) == []

    async def answer(interaction: discord.Interaction) -> None: ...

    app_commands.Command(name=name, description="d", callback=answer)


@given(ANY_TEXT, st.integers(1, 200))
def test_a_clamped_text_has_at_most_so_many_characters(text: str, chars_max: int) -> None:
    cut = clamp(text, chars_max)
    assert len(cut) <= chars_max
    assert cut == text or cut.endswith("…")


@given(ANY_TEXT.map(lambda text: text * 10))
def test_an_explanation_is_one_message_with_its_code_and_without_a_traceback(text: str) -> None:
    errors = [UserError(text, "code"), UpstreamError(text, UpstreamKind.TIMED_OUT), KeyError(text), ValueError(text)]
    for error in errors:
        said = explain(error, "0badcafe").text
        assert len(said) <= MESSAGE_CHARS_MAX
        assert "\n" not in said
        assert "Traceback" not in said
        assert said.endswith("`)")


@given(st.tuples(WORDS, WORDS, st.lists(PARTS, max_size=4)), st.tuples(WORDS, WORDS, st.lists(PARTS, max_size=4)))
def test_custom_ids_follow_the_grammar_and_no_two_things_share_one(
    one: tuple[str, str, list[str]], other: tuple[str, str, list[str]]
) -> None:
    signer = Signer(b"k" * 32)
    first, second = (CustomId(module, action, tuple(ids)) for module, action, ids in (one, other))
    try:
        texts = signer.write(first), signer.write(second)
    except ValueError:  # longer than Discord takes: refused rather than cut
        return
    assert all(len(text) <= 100 and GRAMMAR.fullmatch(text) for text in texts)
    assert (texts[0] == texts[1]) is (first == second)


@given(ANY_TEXT.filter(bool), st.booleans())
def test_a_button_always_fits(label: str, disabled: bool) -> None:
    button = PANEL.button("press", (2**63, 2**63), label=label, disabled=disabled)
    assert 1 <= len(button.to_component_dict()["label"]) <= 80
    assert judged([{"type": 1, "components": [button.to_component_dict()]}]) == []


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(ANY_TEXT, ANY_TEXT), min_size=1, max_size=25), ANY_TEXT)
def test_a_menu_always_fits(lines: list[tuple[str, str]], placeholder: str) -> None:
    options = [option(label, str(n), description=more) for n, (label, more) in enumerate(lines)]
    menu = PANEL.select("press", (2**63,), options=options, placeholder=placeholder)
    made: dict[str, Any] = menu.to_component_dict()
    assert len(made.get("placeholder") or "") <= 150
    for one in made["options"]:
        assert 1 <= len(one["label"]) <= 100
        assert len(one.get("description") or "") <= 100
    assert judged([{"type": 1, "components": [made]}]) == []


def test_a_menu_begins_with_no_more_choices_than_may_be_made() -> None:
    options = [option(name, name, is_default=True) for name in "abc"]
    menu = PANEL.select("press", options=options, values_max=2).to_component_dict()
    assert [one.get("default", False) for one in menu["options"]] == [True, True, False]


FIELDS = st.builds(
    Field,
    name=WORDS,
    label=ANY_TEXT.filter(bool),
    placeholder=ANY_TEXT,
    value=ANY_TEXT,
    chars_max=st.integers(1, 4_000),
    is_required=st.booleans(),
)


@settings(max_examples=30, deadline=None)
@given(ANY_TEXT.filter(bool), st.lists(FIELDS, min_size=1, max_size=5, unique_by=lambda field: field.name))
def test_a_form_always_fits(title: str, fields: list[Field]) -> None:
    form: dict[str, Any] = PANEL.form("sheet", (2**63,), title=title, fields=fields).to_dict()
    assert len(form["title"]) <= 45
    for label in form["components"]:
        assert len(label["label"]) <= 45
        assert len(label["component"].get("placeholder") or "") <= 100
        assert len(label["component"].get("value") or "") <= label["component"]["max_length"] <= 4_000
    body = {"type": 9, "data": form}
    assert rules.check("create_interaction_response", body) == []
    if (document := openapi()) is not None:
        assert document.request_violations("create_interaction_response", body) == []


@pytest.mark.parametrize("count", [0, 6])
def test_a_form_has_one_to_five_fields(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 5"):
        PANEL.form("sheet", title="t", fields=[Field(f"f{n}", "F") for n in range(count)])


def judged(components: list[Any]) -> list[Any]:
    """What Discord would object to in a message of these components."""
    body = {"flags": 1 << 15, "components": components}
    document = openapi()
    return rules.check("create_message", body) + (
        document.request_violations("create_message", body) if document is not None else []
    )

"""Request bodies against Discord's OpenAPI document and the rules it lacks: right ones pass, each wrong one fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulators.discord.rules import check
from simulators.discord.spec import SpecDocument

SPEC = Path(__file__).resolve().parents[3].parent / "shared" / "discord-api-spec" / "openapi.json"
needs_document = pytest.mark.skipif(not SPEC.exists(), reason=f"Discord's OpenAPI document is not at {SPEC}")

Body = Any
SYNC, POST, ANSWER = "bulk_set_application_commands", "create_message", "create_interaction_response"
V2 = 1 << 15


@pytest.fixture(scope="module")
def document() -> SpecDocument:
    return SpecDocument.load(SPEC)


def command(**changes: Any) -> Body:
    return {"name": "play", "description": "Play something", "type": 1, **changes}


def option(**changes: Any) -> Body:
    return {"type": 3, "name": "title", "description": "What", **changes}


def button(**changes: Any) -> Body:
    return {"type": 2, "style": 1, "label": "Go", "custom_id": "go", **changes}


def select(**changes: Any) -> Body:
    return {"type": 3, "custom_id": "pick", "options": [{"label": "One", "value": "1"}], **changes}


def row(*inner: Body) -> Body:
    return {"type": 1, "components": list(inner)}


def text(content: str = "hello") -> Body:
    return {"type": 10, "content": content}


def modal(**changes: Any) -> Body:
    field = {"type": 18, "label": "Name", "component": {"type": 4, "custom_id": "name", "style": 1}}
    return {"type": 9, "data": {"custom_id": "form", "title": "Form", "components": [field], **changes}}


def many(count: int) -> list[Body]:
    return [row(button(custom_id=f"b{number}")) for number in range(count)]


RIGHT: list[tuple[str, Body]] = [
    (SYNC, [command(), command(name="now"), {"name": "Play this", "type": 3}]),
    (SYNC, [command(options=[option(required=True, autocomplete=True), option(name="loud", type=5)])]),
    (SYNC, [command(name="café-über_1", name_localizations={"de": "spielen"}, contexts=[0], integration_types=[0])]),
    (POST, {"content": "hello", "nonce": "1", "enforce_nonce": True, "allowed_mentions": {"parse": []}}),
    (POST, {"embeds": [{"title": "t", "fields": [{"name": "n", "value": "v"}]}]}),
    (POST, {"components": [row(button(), button(custom_id="b", disabled=True)), row(select())], "content": "x"}),
    (POST, {"flags": V2, "components": [{"type": 17, "components": [text(), {"type": 14}, row(button())]}]}),
    (POST, {"content": "x", "message_reference": {"message_id": 123456789012345678}}),
    ("create_dm", {"recipient_id": 123456789012345678}),
    (ANSWER, {"type": 4, "data": {"content": "x", "flags": 64}}),
    (ANSWER, {"type": 5, "data": {"flags": 64}}),
    (ANSWER, {"type": 6}),
    (ANSWER, {"type": 7, "data": {"components": []}}),
    (ANSWER, {"type": 8, "data": {"choices": [{"name": "Dune", "value": "t:1:2"}]}}),
    (ANSWER, modal()),
]

# Caught by the document itself.
WRONG_BY_DOCUMENT: list[tuple[str, Body]] = [
    (SYNC, [command(name="x" * 33)]),
    (SYNC, [command(description="x" * 101)]),
    (SYNC, [command(options=[option()] * 26)]),
    (SYNC, [command(options=[option(type=99)])]),
    (SYNC, [command(options=[option(description="x" * 101)])]),
    (SYNC, [command(options=[option(choices=[{"name": str(n), "value": str(n)} for n in range(26)])])]),
    (SYNC, [command(options=[option(choices=[{"name": "x" * 101, "value": "1"}])])]),
    (SYNC, [command(options=[option(choices=[{"name": "a", "value": 1}])])]),
    (SYNC, [{"description": "no name"}]),
    (SYNC, [command(contexts=[9])]),
    (POST, {"content": 5}),
    (POST, {"content": "x" * 4001}),
    (POST, {"embeds": [{"title": "t"}] * 11}),
    (POST, {"embeds": [{"title": "x" * 257}]}),
    (POST, {"embeds": [{"description": "x" * 4097}]}),
    (POST, {"embeds": [{"fields": [{"name": "n", "value": "v"}] * 26}]}),
    (POST, {"components": [row(*[button()] * 6)]}),
    (POST, {"components": [row(button(label="x" * 81))]}),
    (POST, {"components": [row(button(custom_id="x" * 101))]}),
    (POST, {"components": [row(button(style=9))]}),
    (POST, {"components": [row(select(options=[{"label": str(n), "value": str(n)} for n in range(26)]))]}),
    (POST, {"components": [row(select(placeholder="x" * 151))]}),
    (POST, {"components": [row(select(options=[{"label": "x" * 101, "value": "1"}]))]}),
    (POST, {"components": [row(select(max_values=26))]}),
    (ANSWER, {"type": 99}),
    (ANSWER, modal(title="x" * 46)),
    (ANSWER, {"type": 8, "data": {"choices": [{"name": str(n), "value": str(n)} for n in range(26)]}}),
]

# Not in the document: our own rules must say no, and each by its own code.
WRONG_BY_RULE: list[tuple[str, Body, str]] = [
    (SYNC, [command(name="Play")], "APPLICATION_COMMAND_INVALID_NAME"),
    (SYNC, [command(name="pl ay")], "APPLICATION_COMMAND_INVALID_NAME"),
    (SYNC, [command(description="")], "BASE_TYPE_REQUIRED"),
    (SYNC, [{"name": "play"}], "BASE_TYPE_REQUIRED"),
    (
        SYNC,
        [command(options=[option(), option(name="b", required=True)])],
        "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
    ),
    (SYNC, [command(name=f"c{number}") for number in range(101)], "APPLICATION_COMMANDS_MAX"),
    (SYNC, [command(), command()], "APPLICATION_COMMANDS_DUPLICATE_NAME"),
    (SYNC, [command(options=[option(), option()])], "APPLICATION_COMMAND_OPTIONS_NAME_INVALID"),
    (SYNC, [command(name_localizations={"xx": "play"})], "ENUM_TYPE_COERCE"),
    (
        SYNC,
        [command(options=[option(autocomplete=True, choices=[{"name": "a", "value": "a"}])])],
        "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID",
    ),
    (
        SYNC,
        [
            command(
                options=[
                    option(name=f"o{n}", choices=[{"name": f"{m:0100}", "value": f"{m:0100}"} for m in range(25)])
                    for n in range(3)
                ]
            )
        ],
        "APPLICATION_COMMAND_TOO_LARGE",
    ),
    (POST, {"components": many(6)}, "BASE_TYPE_BAD_LENGTH"),
    (POST, {"components": [row(button(), button())]}, "COMPONENT_CUSTOM_ID_DUPLICATED"),
    (POST, {"components": [row(button(style=5, custom_id=None))]}, "BUTTON_COMPONENT_LINK"),
    (
        POST,
        {"flags": V2, "content": "x", "components": [text()]},
        "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
    ),
    (
        POST,
        {"flags": V2, "embeds": [{"title": "x"}], "components": [text()]},
        "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
    ),
    (
        ANSWER,
        modal(components=[row({"type": 4, "custom_id": str(n), "style": 1, "label": "x"}) for n in range(6)]),
        "BASE_TYPE_BAD_LENGTH",
    ),
    (POST, {}, "EMPTY_MESSAGE"),
    (ANSWER, {"type": 4}, "BASE_TYPE_REQUIRED"),
    (POST, {"content": "x" * 2001}, "BASE_TYPE_MAX_LENGTH"),
    (
        POST,
        {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
        "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
    ),
    (
        POST,
        {
            "flags": V2,
            "components": [{"type": 17, "components": [text()] * 21}, {"type": 17, "components": [text()] * 20}],
        },
        "BASE_TYPE_BAD_LENGTH",
    ),
    (POST, {"flags": V2, "components": [text("x" * 4000), text("y")]}, "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED"),
    (POST, {"embeds": [{"description": "x" * 3001}, {"description": "x" * 3000}]}, "MAX_EMBED_SIZE_EXCEEDED"),
    (POST, {"components": [text()]}, "BASE_TYPE_CHOICES"),
    (
        POST,
        {"components": [row(select(options=[{"label": "a", "value": "1"}, {"label": "b", "value": "1"}]))]},
        "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
    ),
]


@needs_document
@pytest.mark.parametrize(("op", "body"), RIGHT)
def test_right_bodies_pass_the_document(document: SpecDocument, op: str, body: Body) -> None:
    assert document.request_violations(op, body) == []


@pytest.mark.parametrize(("op", "body"), RIGHT)
def test_right_bodies_pass_the_rules(op: str, body: Body) -> None:
    assert check(op, body) == []


@needs_document
@pytest.mark.parametrize(("op", "body"), WRONG_BY_DOCUMENT)
def test_wrong_bodies_fail_the_document(document: SpecDocument, op: str, body: Body) -> None:
    assert document.request_violations(op, body)


@pytest.mark.parametrize(("op", "body", "code"), WRONG_BY_RULE)
def test_wrong_bodies_fail_the_rules(op: str, body: Body, code: str) -> None:
    assert code in {violation.code for violation in check(op, body)}


def test_a_rule_names_the_place() -> None:
    found = check(SYNC, [command(), command(name="b", options=[option(name="Bad Name")])])
    assert [violation.path for violation in found] == ["1.options.0.name"]

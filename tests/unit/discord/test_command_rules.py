from __future__ import annotations

from typing import Any

import pytest

from integrations.discord.command_rules import violations


def command(**more: Any) -> dict[str, Any]:
    return {"name": "play", "description": "Play a title", "type": 1, **more}


def option(name: str = "title", kind: int = 3, **more: Any) -> dict[str, Any]:
    return {"name": name, "description": "d", "type": kind, **more}


WORDY = [{"name": "n" * 90, "value": "v" * 90}, {"name": "m" * 90, "value": "w" * 90}]


def test_an_ordinary_command_is_fine() -> None:
    nested = option("group", 2, options=[option("add", 1, options=[option(required=True)])])
    assert violations(command(options=[nested])) == []
    assert violations(command(name="spiel_ab", options=[option("größe"), option("名前")])) == []


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (command(name="Play"), "lower-case"),
        (command(name="it's"), "lower-case"),
        (command(name="x" * 33), "1 to 32"),
        (command(description=""), "description"),
        (command(description="x" * 101), "description"),
        (command(options=[option(f"o{n}") for n in range(26)]), "at most 25"),
        (command(options=[option("a"), option("a")]), "two options of one name"),
        (command(options=[option("a"), option("b", required=True)]), "required options come first"),
        (command(options=[option(choices=[{"name": str(n), "value": n} for n in range(26)])]), "at most 25"),
        (command(options=[option(choices=[{"name": "a", "value": "x" * 101}])]), "1 to 100"),
        (command(options=[option(choices=[{"name": "a", "value": "a"}], autocomplete=True)]), "exclude each other"),
        (command(options=[option("g", 2, options=[option("g", 2, options=[option("s", 1)])])]), "nest at most 2"),
        (command(options=[option(f"o{n}", description="x" * 100, choices=WORDY) for n in range(20)]), "8000"),
    ],
)  # fmt: skip
def test_each_rule_of_discord_is_named(payload: dict[str, Any], says: str) -> None:
    found = violations(payload)
    assert any(says in problem for problem in found), found
    assert all(problem.startswith("/") for problem in found)

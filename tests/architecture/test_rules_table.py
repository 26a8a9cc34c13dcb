"""The table of Discord's rules tells the truth: all rules, and only tests and files that exist."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.architecture.source import ROOT

RULES = [f"U{number}" for number in range(1, 38)]
ROWS = {
    cells[0]: cells
    for line in (ROOT / "docs" / "discord-rules.md").read_text("utf-8").splitlines()
    if (cells := [cell.strip() for cell in line.strip().strip("|").split("|")])[0] in RULES
}
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
FILES = re.compile(r"`((?:daemon|integrations|simulators)/[\w/]+\.py)`")


@cache
def named_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    found = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in found if node.name.startswith("test_"))


def test_every_rule_has_its_row() -> None:
    assert list(ROWS) == RULES
    assert {len(cells) for cells in ROWS.values()} == {4}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_names_its_tests_or_says_that_there_is_no_feature(rule: str) -> None:
    _, meaning, where, check = ROWS[rule]
    named = NAMED.findall(check)
    assert named or "no feature yet" in meaning
    assert NAMED.sub("", check).replace("<br>", "").strip() == ""
    missing = [f"{path}::{name}" for path, name in named if not (ROOT / path).is_file() or name not in named_in(path)]
    assert missing == []
    assert [path for path in FILES.findall(where) if not (ROOT / path).is_file()] == []

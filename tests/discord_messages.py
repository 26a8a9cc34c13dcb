"""Whether Discord would take a message."""

from __future__ import annotations

from typing import Any

import discord

from integrations.discord.custom_ids import GRAMMAR
from integrations.discord.ui.layout import fit
from simulators.discord import rules
from simulators.discord.components import ACTION_ROW, BUTTON, STRING_SELECT, TEXT_DISPLAY, walk
from tests.discord_documents import openapi

PRIMARY = discord.ButtonStyle.primary.value


def judge(view: discord.ui.LayoutView) -> None:
    """Hold a message to Discord's limits, as the last step before sending leaves it."""
    fit(view)
    components: list[Any] = view.to_components()  # type: ignore[no-untyped-call]
    body = {"flags": 1 << 15, "components": components}
    assert rules.check("create_message", body) == []
    if (document := openapi()) is not None:
        assert document.request_violations("create_message", body) == []
    parts = list(walk(components))
    assert len(parts) <= 40
    assert sum(len(part["content"]) for part in parts if part["type"] == TEXT_DISPLAY) <= 4_000
    assert sum(part.get("style") == PRIMARY for part in parts if part["type"] == BUTTON) <= 1
    for row in (part for part in parts if part["type"] == ACTION_ROW):
        assert len(row["components"]) <= (1 if row["components"][0]["type"] == STRING_SELECT else 5)
    for part in parts:
        judge_part(part)
    custom_ids = [part["custom_id"] for part in parts if "custom_id" in part]
    assert len(set(custom_ids)) == len(custom_ids)


def judge_part(part: dict[str, Any]) -> None:
    if "custom_id" in part:
        assert len(part["custom_id"]) <= 100
        assert GRAMMAR.fullmatch(part["custom_id"])
    if part["type"] == BUTTON:
        assert 1 <= len(part["label"]) <= 34  # Discord takes 80, but more than this is cut on a telephone
    if part["type"] == STRING_SELECT:
        assert 1 <= len(part["options"]) <= 25
        assert all(1 <= len(option[key]) <= 100 for option in part["options"] for key in ("label", "value"))
        assert sum(option.get("default", False) for option in part["options"]) <= 1

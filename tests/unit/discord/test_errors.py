from __future__ import annotations

import string
from typing import Any

import pytest
from discord import AppCommandOptionType, app_commands
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.errors import UpstreamError, UpstreamKind, UserError
from integrations.discord.errors import explain


def test_a_user_error_is_its_sentence_and_code() -> None:
    explained = explain(UserError("No player is on.", "no_player"), "abcd1234")
    assert explained.text == "No player is on. (`no_player`)"
    assert (explained.outcome, explained.is_incident) == ("refused", False)


@pytest.mark.parametrize("kind", UpstreamKind)
def test_an_upstream_error_names_who_is_silent_and_what_to_do(kind: UpstreamKind) -> None:
    explained = explain(UpstreamError("Plex server attic", kind, detail="secret host 10.0.0.1"), "abcd1234")
    assert explained.text.startswith(f"Plex server attic {kind}; ")
    assert "10.0.0.1" not in explained.text
    assert not explained.is_incident


def test_our_own_bug_shows_only_an_incident_id() -> None:
    explained = explain(KeyError("password=hunter2"), "abcd1234" + 24 * "0")
    assert "(`abcd1234`)" in explained.text
    assert "hunter2" not in explained.text
    assert explained.is_incident


def test_discord_pys_wrappers_are_looked_through() -> None:
    @app_commands.command(description="x")
    async def play(interaction: Any) -> None: ...

    wrapped = app_commands.CommandInvokeError(play, UserError("No.", "no"))
    assert explain(wrapped, "x").text == "No. (`no`)"
    assert explain(app_commands.CommandSignatureMismatch(play), "x").outcome == "outdated"
    assert explain(app_commands.CommandNotFound("play", []), "x").outcome == "outdated"
    transformer: Any = app_commands.Transformer()
    bad = app_commands.TransformerError("ten", AppCommandOptionType.integer, transformer)
    assert "ten" in explain(bad, "x").text


@settings(deadline=None)
@given(st.text(max_size=3000))
def test_whatever_a_member_typed_comes_back_short_and_harmless(typed: str) -> None:
    text = explain(UserError(f"No title is called {typed}.", "no_title"), "x").text
    assert len(text) <= 2000
    assert "\n" not in text
    assert "\u202e" not in text
    assert text.endswith("(`no_title`)")


@settings(deadline=None)
@given(st.text(string.ascii_letters + "*_~`|", min_size=1, max_size=50))
def test_markdown_in_what_was_typed_is_escaped(typed: str) -> None:
    text = explain(UserError(typed, "x"), "y").text.removesuffix(" (`x`)")
    for mark in "*_~`|":
        assert text.count(mark) == text.count("\\" + mark)

from __future__ import annotations

import re
from typing import Any

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.text import plain
from integrations.discord.ui.layout import card, fit, layout, poster_section, row, safe, text


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 6000), min_size=1, max_size=12))
def test_text_is_cut_until_all_of_it_fits(lengths: list[int]) -> None:
    view = card(*(text("x" * length) for length in lengths))
    fit(view)
    assert view.content_length() <= 4000
    displays: list[Any] = [item for item in view.walk_children() if isinstance(item, discord.ui.TextDisplay)]
    assert all(display.content for display in displays)
    if sum(lengths) <= 4000:
        assert [len(display.content) for display in displays] == [length or 1 for length in lengths]


def test_two_components_with_one_custom_id_are_refused() -> None:
    button: Any = discord.ui.Button(label="a", custom_id="same")
    other: Any = discord.ui.Button(label="b", custom_id="same")
    with pytest.raises(ValueError, match="same"):
        fit(layout(row(button, other)))


def test_forty_components_are_the_most() -> None:
    with pytest.raises(ValueError, match="40"):
        card(*(text(str(n)) for n in range(40)))


def test_a_card_is_components_v2() -> None:
    section = poster_section("attachment://poster.jpg", ["### Dune", "2021"], description="Poster of Dune")
    view = card(section, row(discord.ui.Button(label="x", custom_id="x")))
    assert view.has_components_v2()
    container = view.to_components()[0]
    assert container["type"] == 17
    assert container["components"][0]["accessory"]["media"]["url"] == "attachment://poster.jpg"


def test_foreign_text_has_no_effect() -> None:
    assert safe("**Dune** `x`") == "\\*\\*Dune\\*\\* \\`x\\`"
    assert "\n" not in safe("a\n# b")
    assert "\u202e" not in safe("a\u202eb")


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("<@1> <#2> <t:0> </play:1>", "\\<\\@1\\> \\<#2\\> \\<t:0\\> \\</play:1\\>"),
        ("[x](http://y)", "\\[x](http\\://y)"),
        ("<https://y.example>", "\\<https\\://y.example\\>"),
        ("@everyone", "\\@everyone"),
        ("# big", "\\# big"),
        ("-# small", "\\-# small"),
        ("1. one", "1\\. one"),
        ("> said", "\\> said"),
        ("\\<@1>", "\\\\\\<\\@1\\>"),
        ("The Office - S02E04: What's (not) up?", "The Office - S02E04: What's (not) up?"),
        ("1.5 hours, #1 and -30 s", "1.5 hours, #1 and -30 s"),
    ],
)
def test_no_title_mentions_links_or_formats(hostile: str, shown: str) -> None:
    assert safe(hostile) == shown


@given(st.text(st.sampled_from("\\*_~|`<>[]()@#:/-+. 1at\n") | st.characters(), max_size=60))
def test_foreign_text_comes_out_as_it_is(written: str) -> None:
    tokens = re.findall(r"\\[^0-9A-Za-z\s]|.", safe(written), re.DOTALL)
    assert "".join(token[-1] for token in tokens) == plain(written)
    assert not {"\\", "*", "_", "~", "|", "`", "<", ">", "[", "@"} & set(tokens)
    assert "://" not in safe(written)
    assert not re.match(r"[#+-]+\s|\d+\.\s", safe(written))

from __future__ import annotations

from typing import Any

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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

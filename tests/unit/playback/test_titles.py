from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.media import Title, TitleKind
from daemon.core.titles import title_name
from daemon.modules.playback.titles import clear_winner, title_choices, title_label
from tests.unit.playback.things import title

DUNE_84 = title("Dune", 1, year=1984)
DUNE_21 = title("Dune", 2, year=2021)
DUNE_SHOW = title("Dune", 3, TitleKind.SHOW, year=2000)
PILOT = title("Pilot", 4, TitleKind.EPISODE, grandparent="Dune", index=1, parent_index=1)
BLUE_ALBUM = title("Blue Train", 5, TitleKind.ALBUM, parent="Coltrane")
BLUE_TRACK = title("Blue Train", 6, TitleKind.TRACK, grandparent="Coltrane")


@pytest.mark.parametrize(
    ("given_title", "label"),
    [
        (DUNE_21, "Dune (2021)"),
        (DUNE_SHOW, "Dune (2000) · show"),
        (PILOT, "Dune - S01E01 - Pilot"),
        (BLUE_ALBUM, "Coltrane - Blue Train · album"),
        (title("Mix", kind=TitleKind.PLAYLIST), "Mix · playlist"),
        (title("\u202e\x00"), "Untitled movie"),
    ],
)
def test_a_title_is_named_in_a_line(given_title: Title, label: str) -> None:
    assert title_label(given_title) == label


def test_a_long_name_is_cut_but_its_mark_stays() -> None:
    label = title_label(title("x" * 300, kind=TitleKind.SHOW, year=2000), where="attic")
    assert len(label) == 100
    assert label.endswith("x… · show · attic")


@given(st.text(), st.sampled_from(TitleKind), st.text(max_size=30))
def test_any_label_can_be_a_choice(name: str, kind: TitleKind, where: str) -> None:
    assert 1 <= len(title_label(title(name, kind=kind), where=where[:30])) <= 100
    assert title_name(title(name, kind=kind)).strip()


def test_equal_labels_are_told_apart() -> None:
    twins = [
        title("Dune", 1, year=2021, library="Films"),
        title("Dune", 2, year=2021, library="4K"),
        title("Dune", 3, year=2021, library="4K", server="cellar"),
        title("Solaris", 4),
    ]
    assert title_choices(twins) == [
        ("Dune (2021) · Films", "t:attic:1"),
        ("Dune (2021) · 4K on attic", "t:attic:2"),
        ("Dune (2021) · 4K on cellar", "t:cellar:3"),
        ("Solaris", "t:attic:4"),
    ]


def test_no_more_choices_than_discord_takes() -> None:
    assert len(title_choices([title(f"Film {n}", n) for n in range(60)])) == 25


@pytest.mark.parametrize(
    ("text", "titles", "winner"),
    [
        ("anything", [DUNE_21], DUNE_21),
        ("dune", [DUNE_84, DUNE_21], None),
        ("DUNE 1984", [DUNE_84, DUNE_21], DUNE_84),
        ("Dune (2021)", [DUNE_84, DUNE_21], DUNE_21),
        ("pilot", [PILOT, title("Pilots of Orion", 9)], PILOT),
        ("blue train", [BLUE_TRACK, BLUE_ALBUM], BLUE_ALBUM),
        ("Dune", [DUNE_SHOW, PILOT], DUNE_SHOW),
        ("du", [DUNE_84, PILOT], None),
        ("", [DUNE_84, PILOT], None),
        ("x", [], None),
        ("🎬", [title("🎬", 1), title("🎭", 2)], None),
    ],
)
def test_a_pasted_name_wins_when_it_is_clear(text: str, titles: list[Title], winner: Title | None) -> None:
    assert clear_winner(text, titles) is winner

from __future__ import annotations

import pytest

from daemon.core.media import PlayState
from daemon.core.players import about, matching, player_choices, player_label, why_not
from tests.unit.playback.things import player

LIVING = player("Living Room", state=PlayState.PLAYING)
LIVING_2 = player("Living Room", "other", server="cellar")
BED = player("Bedroom")
LAMP = player("Room with a lamp", "lamp")
ALL = [LIVING, LIVING_2, BED, LAMP]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("p:attic:bedroom", [BED]),
        ("p:attic:gone", []),
        ("bedroom", [BED]),
        ("BED", [BED]),
        ("living room", [LIVING, LIVING_2]),
        ("room", [LAMP]),
        ("amp", [LAMP]),
        ("kitchen", []),
        ("", []),
        ("\u202e", []),
    ],
)
def test_a_player_is_found_by_reference_or_name(text: str, found: list[object]) -> None:
    assert matching(text, ALL) == found


def test_labels_say_what_it_does_and_where_two_are_alike() -> None:
    assert player_label(LIVING) == "Living Room · Plex HTPC · playing"
    twins = [player("Den", "a"), player("Den", "b", server="cellar")]
    assert player_choices(twins, first="p:cellar:b") == [
        ("Den · Plex HTPC · cellar", "p:cellar:b"),
        ("Den · Plex HTPC · attic", "p:attic:a"),
    ]


def test_what_discord_cannot_take_is_left_out() -> None:
    many = [player(f"Player {n}") for n in range(40)]
    assert len(player_choices(many)) == 25
    assert player_choices([player("Odd", "x" * 120)]) == []
    assert len(player_label(player("n" * 300), where="attic")) == 100
    assert player_label(player("\x07")).startswith("Plex HTPC")


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        ("Den plays over DLNA, which cannot be helped.", "Plays over DLNA, which cannot be helped."),
        ("Nothing to be done about Den.", "Nothing to be done about Den."),
        (None, ""),
    ],
)
def test_a_problem_beside_the_name_does_without_it(problem: str | None, said: str) -> None:
    assert why_not(player("Den", problem=problem)) == said


def test_nothing_is_said_twice_about_a_player() -> None:
    assert about(player("Den", platform="HTPC")) == ["Plex HTPC", "attic"]
    assert about(player("Den", platform="Chrome", state=PlayState.PAUSED)) == [
        "Plex HTPC",
        "Chrome",
        "attic",
        "paused",
    ]

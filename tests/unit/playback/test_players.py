from __future__ import annotations

import pytest

from daemon.core.media import PlayState
from daemon.modules.playback.players import matching, player_choices, player_label
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

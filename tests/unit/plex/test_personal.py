"""The way back from marking a title."""

from __future__ import annotations

from integrations.plex.personal import TURNS_MAX, Leaf, turned_by

SHOW = 100


def episodes(season: int, count: int, *, seen: int = 0, offset_ms: int = 0) -> list[Leaf]:
    """`count` episodes of a season, the first `seen` of them seen and the last one begun."""
    return [Leaf(season * 10 + n, season, n < seen, offset_ms if n == count - 1 else 0) for n in range(count)]


def test_a_film_leads_back_by_itself() -> None:
    turned = turned_by(7, [Leaf(7, 0, False, 90_000)], is_seen=True)
    assert (turned.total, turned.changed, turned.keys, turned.offsets_ms) == (1, 1, (7,), {7: 90_000})


def test_a_show_that_nobody_had_begun_leads_back_as_a_whole() -> None:
    turned = turned_by(SHOW, [*episodes(1, 8), *episodes(2, 8)], is_seen=True)
    assert (turned.changed, turned.keys) == (16, (SHOW,))


def test_whole_seasons_and_single_episodes_lead_back() -> None:
    turned = turned_by(SHOW, [*episodes(1, 4, seen=2), *episodes(2, 4)], is_seen=True)
    assert (turned.total, turned.changed, turned.keys) == (8, 6, (12, 13, 2))


def test_nothing_changes_what_is_so_already() -> None:
    turned = turned_by(SHOW, episodes(1, 4, seen=4), is_seen=True)
    assert (turned.changed, turned.keys) == (0, ())


def test_what_was_begun_is_begun_again() -> None:
    turned = turned_by(SHOW, episodes(1, 4, seen=1, offset_ms=5_000), is_seen=False)
    assert (turned.changed, turned.keys, turned.offsets_ms) == (1, (10,), {13: 5_000})


def test_too_long_a_way_back_is_none() -> None:
    leaves = [Leaf(n, n // 2 + 1, n % 2 == 0, 0) for n in range(1, 2 * TURNS_MAX + 4)]
    assert turned_by(SHOW, leaves, is_seen=True).keys is None

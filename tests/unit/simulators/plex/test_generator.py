from collections import Counter

import pytest

from simulators.plex.generator import generate
from simulators.plex.world import World

NOW = 1_768_593_600


@pytest.fixture(scope="module")
def world() -> World:
    return generate(7, "small", NOW)


def described(world: World) -> list[tuple[object, ...]]:
    return [
        (item.key, item.kind, item.title, item.year, item.added_at, world.facts(item)) for item in world.items.values()
    ]


def test_the_same_seed_gives_the_same_world(world: World) -> None:
    again = generate(7, "small", NOW)
    assert described(again) == described(world)
    assert again.views == world.views
    assert [account.token for account in again.accounts.values()] == [each.token for each in world.accounts.values()]


def test_small_print_does_not_depend_on_what_was_asked_before(world: World) -> None:
    late = generate(7, "small", NOW)
    last = list(late.items.values())[-4]
    assert late.facts(last) == world.facts(world.items[last.key])


def test_another_seed_is_another_server(world: World) -> None:
    other = generate(8, "small", NOW)
    assert other.accounts[1].token != world.accounts[1].token
    assert other.sections[1].uuid != world.sections[1].uuid


def test_the_small_world_has_something_of_everything(world: World) -> None:
    counts = Counter(item.kind for item in world.items.values())
    assert counts["movie"] >= 60
    assert counts["show"] == 12
    assert counts["artist"] == 10
    assert counts["playlist"] == 3
    assert any(item.index == 0 for item in world.listed(2, "season")), "no specials"
    assert any(len(item.genres) > 2 for item in world.listed(1, "movie")), "no listing has anything to cut"


def test_nasty_titles_are_there(world: World) -> None:
    titles = Counter(item.title for item in world.listed(1, "movie"))
    assert any(len(title) == 300 for title in titles)
    assert titles["The Echo Room"] == 2
    assert any(not title.isascii() for title in titles)
    assert world.find("Untitled Ferry Footage").year is None


def test_no_title_comes_from_the_future(world: World) -> None:
    assert all(item.added_at < NOW for item in world.items.values())


def test_a_large_world_has_the_measured_shares() -> None:
    large = generate(3, "20k", NOW)
    films = large.listed(1, "movie")[:2000]
    assert len(large.items) == pytest.approx(20_000, abs=100)
    taglines = sum(large.facts(film).tagline is not None for film in films) / len(films)
    mkv = sum(large.facts(film).media[0].container == "mkv" for film in films) / len(films)
    assert taglines == pytest.approx(0.94, abs=0.03)
    assert mkv == pytest.approx(297 / 341, abs=0.04)
    assert len({film.title for film in films}) > 1900


def test_an_unknown_size_is_refused() -> None:
    with pytest.raises(ValueError, match="no such size"):
        generate(1, "huge", NOW)


def test_stream_ids_are_unique_and_sound_comes_with_every_film(world: World) -> None:
    seen: set[int] = set()
    for item in world.items.values():
        for media in world.facts(item).media:
            for part in media.parts:
                ids = [stream.id for stream in part.streams]
                assert not seen.intersection(ids)
                seen.update(ids)
                assert any(stream.kind == 2 and stream.is_default for stream in part.streams)
    assert len(seen) > 500


def test_removing_a_show_takes_its_episodes_along() -> None:
    mutable = generate(7, "small", NOW)
    show = mutable.find("Harrow Street")
    episode = mutable.leaves(show)[0]
    before, changed = mutable.revision, mutable.sections[2].changed
    mutable.remove(show)
    assert episode.key not in mutable.items
    assert not any(item.title == "Harrow Street" for item in mutable.items.values())
    assert mutable.revision > before
    assert mutable.sections[2].changed > changed


def test_a_new_rating_key_keeps_what_was_seen() -> None:
    mutable = generate(7, "small", NOW)
    film = mutable.find("Low Orbit")
    mutable.change_view(1, film).count = 3
    old, facts = film.key, mutable.facts(film)
    new = mutable.rekey(film)
    assert old not in mutable.items
    assert mutable.items[new] is film
    assert mutable.view(1, film).count == 3
    assert mutable.facts(film).guid == facts.guid

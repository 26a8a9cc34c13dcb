import json
from io import BytesIO
from xml.etree import ElementTree

import pytest
from PIL import Image

from simulators.plex.artwork import Design, draw
from simulators.plex.elements import element
from simulators.plex.generator import generate
from simulators.plex.listing import matches_words, select
from simulators.plex.render import El, Value, to_json, to_xml
from simulators.plex.world import World


@pytest.fixture(scope="module")
def world() -> World:
    return generate(7, "small", 1_768_593_600)


def test_one_element_two_spellings() -> None:
    about: dict[str, Value] = {"ratingKey": "7", "title": 'a "b" <c> & d\n\x00', "rating": 7.5}
    video = El("Video", about, [El("Genre", {"tag": "Drama"})], "Metadata")
    root = El("MediaContainer", {"size": 1, "allowSync": True, "art": None}, [video])
    shown = ElementTree.fromstring(to_xml(root))[0]
    assert shown.attrib == {"ratingKey": "7", "title": 'a "b" <c> & d\n', "rating": "7.5"}
    assert ElementTree.fromstring(to_xml(root)).attrib == {"size": "1", "allowSync": "1"}
    expected = {"size": 1, "allowSync": True, "Metadata": [{**about, "Genre": [{"tag": "Drama"}]}]}
    assert json.loads(to_json(root)) == {"MediaContainer": expected}


def test_every_title_is_well_formed_in_both_spellings(world: World) -> None:
    rows = [element(world, item, world.accounts[1], full=True, guids=True) for item in world.items.values()]
    root = El("MediaContainer", {"size": len(rows)}, rows)
    assert len(ElementTree.fromstring(to_xml(root))) == len(rows)
    assert len(json.loads(to_json(root))["MediaContainer"]["Metadata"]) == len(rows)


def test_listings_are_cut_and_details_are_not(world: World) -> None:
    film = next(item for item in world.listed(1, "movie") if len(item.genres) > 3)
    listed, full = (element(world, film, world.accounts[1], full=full) for full in (False, True))

    def count(el: El, tag: str) -> int:
        return sum(child.tag == tag for child in el.children)

    assert count(listed, "Genre") == 2
    assert count(full, "Genre") == len(film.genres)
    assert count(listed, "Role") == 3
    assert count(full, "Role") == len(world.facts(film).roles)
    assert count(listed, "Guid") == 0
    assert count(full, "Guid") == 3


def titles(world: World, *query: tuple[str, str]) -> list[str]:
    return [item.title for item in select(world, world.listed(1, "movie"), query, world.accounts[1])]


def test_filters_and_sorting(world: World) -> None:
    assert titles(world, ("title", "sol")) == ["Solar Wake", "The Solitary Mile", "Solstice Run"]
    years = [
        item.year or 0 for item in select(world, world.listed(1, "movie"), [("year>>", "2020")], world.accounts[1])
    ]
    assert years
    assert min(years) == 2021
    newest = titles(world, ("sort", "movie.addedAt:desc"), ("limit", "5"))
    assert len(newest) == 5
    assert newest == sorted(newest, key=lambda title: -world.find(title).added_at)
    unwatched = titles(world, ("unwatched", "1"))
    assert 0 < len(unwatched) < len(titles(world))
    assert all("Mystery" in world.find(title).genres for title in titles(world, ("genre", "Mystery")))
    assert titles(world, ("guid", world.facts(world.find("Low Orbit")).guid)) == ["Low Orbit"]
    assert titles(world, ("year", "1900")) == []


@pytest.mark.parametrize(
    ("title", "text", "is_match"),
    [("The Solitary Mile", "sol", True), ("The Solitary Mile", "mile sol", True), ("Low Orbit", "bit", True),
     ("Low Orbit", "mile", False), ("夜の灯台", "灯", True)],
)  # fmt: skip
def test_what_a_search_finds(title: str, text: str, is_match: bool) -> None:
    assert matches_words(title, text) is is_match


def test_artwork_is_the_same_each_time_and_fits_the_box() -> None:
    design = Design("poster", "Low Orbit", "2022", "Science Fiction", 42)
    first = draw(design, 100, 100)
    assert first == draw(design, 100, 100)
    with Image.open(BytesIO(first)) as picture:
        assert picture.format == "JPEG"
        assert picture.size == (67, 100)


@pytest.mark.parametrize("title", ["夜の灯台", "🎬🚀", "", "x" * 3000, "**", "Ödland"])
def test_artwork_survives_every_title(title: str) -> None:
    with Image.open(BytesIO(draw(Design("still", title, title, "Horror", 3), 64, 0))) as picture:
        assert picture.size == (64, 36)

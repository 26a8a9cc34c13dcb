import pytest

from simulators.plex.disk import Disk
from simulators.plex.elements import element
from simulators.plex.files import SIZES
from simulators.plex.filters import shelf_tag
from simulators.plex.generator import generate
from simulators.plex.items import Item
from simulators.plex.listing import select
from simulators.plex.pages import Pages
from simulators.plex.render import El, page_json, page_xml, to_json, to_xml
from simulators.plex.turns import WAITING_MAX, Turns
from simulators.plex.world import Account, World

NOW = 1_768_593_600


@pytest.fixture
def world() -> World:
    return generate(7, "small", NOW)


def test_guids_are_known_without_the_other_facts(world: World) -> None:
    for item in world.items.values():
        assert world.guid(item) == world.facts(item).guid
    film = world.find("Low Orbit")
    assert world.by_guid(world.guid(film)) == [film]
    world.edit(film, NOW, guid="plex://movie/other")
    assert world.by_guid("plex://movie/other") == [film]
    world.remove(film)
    assert world.by_guid("plex://movie/other") == []
    assert world.by_serial(film.serial) is None


def test_a_change_marks_what_is_above_and_below(world: World) -> None:
    assert world.changes == {}
    episode = world.listed(2, "episode")[0]
    world.edit(episode, NOW, title="x")
    assert set(world.changes) == {episode.serial, episode.parent.serial if episode.parent else 0, episode.top.serial}
    world.changes.clear()
    world.edit(episode.top, NOW, title="x")  # every episode shows the name of its series
    assert {leaf.serial for leaf in world.leaves(episode.top)} <= set(world.changes)


def test_only_rows_that_changed_are_rendered_again(world: World) -> None:
    pages, owner, other = Pages(world), world.accounts[1], world.accounts[4_200_117]
    films = world.listed(1, "movie")

    def read(account: Account = owner) -> int:
        before = pages.own.rendered_total
        assert len(pages.rows(films, account, json=True, guids=True)) == len(films)
        return pages.own.rendered_total - before

    assert read() == 0  # rows of untouched worlds are everybody's
    world.edit(films[20], NOW, title="x")
    assert (read(), read()) == (1, 0)
    world.change_view(1, films[3]).count = 5
    assert (read(), read(), read(other)) == (1, 0, 1)
    show = world.listed(2, "show")[0]
    plain = pages.rows([show], owner, json=True, guids=False)
    world.change_view(1, world.leaves(show)[-1]).count = 5
    assert pages.rows([show], owner, json=True, guids=False) != plain


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_page_of_rows_is_the_document_of_its_elements(world: World, count: int) -> None:
    pages, owner = Pages(world), world.accounts[1]
    films = world.listed(1, "movie")[:count]
    whole = El("MediaContainer", {"size": count}, [element(world, film, owner) for film in films])
    for children in ([], [El("Meta", {"x": "1"})]):
        root = El("MediaContainer", {"size": count}, children)
        both = El(whole.tag, whole.attrs, [*children, *whole.children])
        in_json, in_xml = (pages.rows(films, owner, json=json, guids=False) for json in (True, False))
        assert page_json(root, "Metadata", in_json).decode() == to_json(both)
        assert page_xml(root, in_xml).decode() == to_xml(both)


def test_a_shelf_is_found_by_its_tag_and_not_by_its_key(world: World) -> None:
    shelf, owner = world.listed(1, "collection")[0], world.accounts[1]
    found = select(world, world.listed(1, "movie"), [("collection", str(shelf_tag(shelf)))], owner)
    assert {item.serial for item in found} == {item.serial for _, item in shelf.members}
    assert select(world, world.listed(1, "movie"), [("collection", str(shelf.key))], owner) == []
    film = found[0]
    assert world.shelves(film) == [shelf]
    world.set_members(shelf, [], NOW)
    assert world.shelves(film) == []


def test_a_library_goes_with_all_that_is_in_it(world: World) -> None:
    playlist = next(item for item in world.listed(None, "playlist") if item.members[0][1].section == 3)
    world.remove_section(3)
    assert not [item for item in world.items.values() if item.section == 3]
    assert playlist.members == []
    with pytest.raises(KeyError):
        world.remove_section(3)


def test_files_are_found_and_missed_once(world: World) -> None:
    disk, section, film = Disk(), world.sections[1], world.find("Low Orbit")
    new = Item(0, "movie", "Fresh Paint", 1, NOW, 2026, 5_400_000)
    disk.put(new)
    disk.lose(film)
    assert disk.arrived(world, section, "/media/Other") == disk.lost(world, section, "/media/Other") == []
    assert disk.arrived(world, world.sections[4], "") == []
    assert disk.arrived(world, section, "/media/Movies/") == [new]
    assert disk.arrived(world, section, "") == []
    assert disk.lost(world, section, "") == [film]
    assert disk.lost(world, section, "") == []


def test_turns_come_after_their_requests() -> None:
    turns, seen = Turns(), []
    turns.add(r"^GET /a", lambda: seen.append("second"), after=2)
    turns.add(r"/b", lambda: seen.append("each"), times=2)
    for target in ("GET /a", "GET /b", "POST /a", "GET /b", "GET /b"):
        turns.pass_by(target)
    assert seen == ["each", "each"]
    turns.pass_by("GET /a?x=1")
    turns.pass_by("GET /a")
    assert seen == ["each", "each", "second"]
    for _ in range(WAITING_MAX):
        turns.add("x", lambda: None)
    with pytest.raises(ValueError, match="wait"):
        turns.add("x", lambda: None)
    turns.clear()
    turns.add("x", lambda: None)


def test_labels_are_the_same_in_every_world_of_a_seed() -> None:
    first, second = generate(3, "small", NOW), generate(3, "small", NOW)
    labelled = [item.key for item in first.items.values() if first.labels(item)]
    assert labelled == [item.key for item in second.items.values() if second.labels(item)]
    assert labelled
    assert SIZES["4k"] == (3840, 2160)

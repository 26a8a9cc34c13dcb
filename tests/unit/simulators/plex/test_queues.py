import pytest

from simulators.plex.generator import generate
from simulators.plex.queues import BadUri, PlayQueue, PlayQueues
from simulators.plex.world import World

MACHINE = "abc"


@pytest.fixture(scope="module")
def world() -> World:
    return generate(7, "small", 1_768_593_600)


@pytest.fixture
def queues(world: World) -> PlayQueues:
    return PlayQueues(world, MACHINE)


def titles(queue: PlayQueue) -> list[str]:
    return [entry.item.title for entry in queue.entries]


def create(
    queues: PlayQueues, uri: str, key: str | None = None, *, shuffle: bool = False, continuous: bool = False
) -> PlayQueue:
    return queues.create(uri, "video", 1, key=key, shuffle=shuffle, continuous=continuous)


@pytest.mark.parametrize(
    "shape",
    [
        "server://abc/com.plexapp.plugins.library/library/metadata/{key}",
        "library://some-uuid/item/library/metadata/{key}",
        "library://some-uuid/item/%2Flibrary%2Fmetadata%2F{key}",
        "library:///directory/%2Flibrary%2Fmetadata%2F{key}",
        "/library/metadata/{key}",
    ],
)
def test_every_spelling_of_a_uri(queues: PlayQueues, world: World, shape: str) -> None:
    film = world.find("Low Orbit")
    queue = create(queues, shape.format(key=film.key))
    assert titles(queue) == ["Low Orbit"]
    assert queue.selected is not None
    assert queue.selected.item is film


def test_another_servers_title_and_an_unknown_one_are_refused(queues: PlayQueues) -> None:
    for uri in (
        "server://other/com.plexapp.plugins.library/library/metadata/1001",
        "/library/metadata/999999",
        "rubbish",
        "",
    ):
        with pytest.raises(BadUri):
            create(queues, uri)


def test_a_show_an_album_a_playlist_and_a_list(queues: PlayQueues, world: World) -> None:
    show, album = world.find("Overtime"), world.find("Tidewords", "album")
    assert len(create(queues, f"/library/metadata/{show.key}").entries) == 22
    assert len(create(queues, f"/library/metadata/{album.key}").entries) == 9
    assert len(create(queues, f"/playlists/{world.find('Kitchen Dancing').key}/items").entries) == 8
    both = f"{world.find('Low Orbit').key},{world.find('Blue Hour').key}"
    assert titles(create(queues, f"library:///directory/%2Flibrary%2Fmetadata%2F{both.replace(',', '%2C')}")) == [
        "Low Orbit",
        "Blue Hour",
    ]


def test_key_selects_and_continuous_goes_on_with_the_show(queues: PlayQueues, world: World) -> None:
    show = world.find("Overtime")
    third = world.leaves(show)[2]
    uri = f"server://{MACHINE}/com.plexapp.plugins.library/library/metadata/"
    within = create(queues, f"{uri}{show.key}", f"/library/metadata/{third.key}")
    assert within.selected is not None
    assert within.selected.item is third
    alone = create(queues, f"{uri}{third.key}", continuous=True)
    assert len(alone.entries) == 22
    assert alone.selected is not None
    assert alone.selected.item is third


def test_changes_keep_the_selection_and_move_the_version(queues: PlayQueues, world: World) -> None:
    queue = create(queues, f"/library/metadata/{world.find('Tidewords', 'album').key}")
    first = queue.selected_id
    queues.add(queue, f"/library/metadata/{world.find('Half-Life', 'track').key}", play_next=True)
    assert queue.place(queue.last_added_id or 0) == 1
    assert queues.move(queue, queue.entries[-1].id, first)
    assert queues.remove(queue, queue.entries[3].id)
    assert not queues.remove(queue, 1)
    assert queue.selected_id == first
    assert queue.version == 4
    queues.shuffle(queue)
    assert queue.entries[0].id == first
    order = titles(queue)
    queues.unshuffle(queue)
    assert sorted(titles(queue)) == sorted(order)
    assert queue.entries[0].id == first
    queues.clear(queue)
    assert [entry.id for entry in queue.entries] == [first]


def test_removing_what_is_selected_selects_the_next(queues: PlayQueues, world: World) -> None:
    queue = create(queues, f"/library/metadata/{world.find('Tidewords', 'album').key}")
    second = queue.entries[1].id
    queues.remove(queue, queue.selected_id)
    assert queue.selected_id == second


def test_old_queues_are_forgotten(queues: PlayQueues, world: World) -> None:
    uri = f"/library/metadata/{world.find('Low Orbit').key}"
    first = create(queues, uri)
    for _ in range(500):
        create(queues, uri)
    assert queues.get(first.id) is None
    assert len(queues.all()) == 500

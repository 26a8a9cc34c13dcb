"""Two who read the same libraries: the real plexapi, object by object, and the mirror. They hold the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from plexapi.server import PlexServer

from daemon.data.store import Store
from simulators.plex.sim import PlexSim
from tests.contract.plex.conftest import RealClient
from tests.integration.library.stage import KINDS, Stage, mirroring

# Photos are in no mirror.
KINDS_OF = {"movie": ("movie",), "show": ("show", "season", "episode"), "artist": ("artist", "album", "track")}
LEAVES, EACH = ("episode", "track"), 10  # there are many, and they have few tags: every tenth is asked for in full
BATCH = 50  # titles asked for in full with one request
FIELDS = (
    "kind", "name", "year", "duration_ms", "content_rating", "guid", "index_no", "parent_index_no", "parent_key",
    "grandparent_key", "parent_name", "grandparent_name", "thumb", "leaf_count",
)  # fmt: skip


@pytest.fixture(autouse=True)
def no_unknown_route(sim: PlexSim) -> Iterator[None]:
    yield
    assert sim.unknown_routes == []


def read_all(server: PlexServer) -> dict[int, dict[str, Any]]:
    """Every title of every library as plexapi has it, by rating key: fields from listings, tags from details."""
    found: dict[int, dict[str, Any]] = {}
    for section in server.library.sections():
        for kind in KINDS_OF.get(section.type, ()):
            listed = section.search(libtype=kind)
            for title in listed:
                found[int(title.ratingKey)] = fields_of(title) | {"library": section.title}
            keys = [int(title.ratingKey) for title in listed][:: EACH if kind in LEAVES else 1]
            for first in range(0, len(keys), BATCH):
                for title in server.fetchItems([int(key) for key in keys[first : first + BATCH]]):
                    found[int(title.ratingKey)] |= tags_of(title)
    return found


def fields_of(title: Any) -> dict[str, Any]:
    """What a listing tells of one title, in the mirror's words."""

    def get(name: str) -> Any:
        return getattr(title, name, None)

    def number(name: str) -> int | None:
        return None if get(name) is None else int(get(name))

    return {
        "kind": title.type, "name": " ".join(title.title.split()), "year": get("year"), "duration_ms": get("duration"),
        "content_rating": get("contentRating"), "guid": get("guid"), "index_no": get("index"),
        "parent_index_no": get("parentIndex"), "parent_key": number("parentRatingKey"),
        "grandparent_key": number("grandparentRatingKey"), "parent_name": get("parentTitle"),
        "grandparent_name": get("grandparentTitle"), "thumb": get("thumb"), "leaf_count": get("leafCount"),
        "guids": {guid.id for guid in get("guids") or ()},
        "versions": {
            media.id: (
                media.container, media.videoCodec, media.audioCodec, media.audioChannels, media.videoResolution,
                frozenset((part.id, part.file, part.size) for part in media.parts),
            )
            for media in get("media") or ()
        },
    }  # fmt: skip


def tags_of(title: Any) -> dict[str, Any]:
    """What only the details of a title tell in full."""
    return {
        name: sorted(tag.tag for tag in getattr(title, attribute, None) or ())
        for name, attribute in (("genre", "genres"), ("collection", "collections"), ("label", "labels"))
    }


async def held(stage: Stage) -> dict[int, dict[str, Any]]:
    """Every title as the mirror has it, by rating key."""
    columns = ", ".join(f"t.{field}" for field in FIELDS)
    rows = await stage.rows(
        f"SELECT t.id, t.rating_key, l.name, {columns} FROM library_titles t JOIN libraries l ON l.id = t.library_id"
    )
    guids = grouped(await stage.rows("SELECT title_id, guid FROM library_guids"))
    tags = grouped(
        await stage.rows(
            "SELECT m.title_id, g.kind, g.name FROM library_title_tags m JOIN library_tags g ON g.id = m.tag_id"
        )
    )
    parts = grouped(await stage.rows("SELECT title_id, media_id, part_id, file, size_bytes FROM library_parts"))
    versions = grouped(
        await stage.rows(
            "SELECT title_id, media_id, container, video_codec, audio_codec, audio_channels, resolution "
            "FROM library_versions"
        )
    )
    found = {}
    for title_id, rating_key, library, *fields in rows:
        found[rating_key] = dict(zip(FIELDS, fields, strict=True)) | {
            "library": library,
            "guids": {guid for (guid,) in guids[title_id]},
            "versions": {
                media_id: (
                    *facts,
                    frozenset(part for at, *rest in parts[title_id] if at == media_id for part in [tuple(rest)]),
                )
                for media_id, *facts in versions[title_id]
            },
            **{
                kind: sorted(name for of, name in tags[title_id] if of == kind)
                for kind in ("genre", "collection", "label")
            },
        }
    return found


def grouped(rows: Iterable[tuple[Any, ...]]) -> defaultdict[int, list[tuple[Any, ...]]]:
    found: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for title_id, *rest in rows:
        found[title_id].append(tuple(rest))
    return found


async def test_the_mirror_holds_what_plexapi_reads(sim: PlexSim, real: RealClient, store: Store) -> None:
    theirs = await real.run(read_all)
    async with mirroring(sim, store) as stage:
        await stage.sync()
        ours = await held(stage)
    assert {title["kind"] for title in theirs.values()} == set(KINDS)
    assert ours.keys() == theirs.keys()
    differing = {
        (field, theirs[key]["kind"]): (key, ours[key][field], wanted)
        for key in theirs
        for field, wanted in theirs[key].items()
        if ours[key][field] != wanted
    }
    assert differing == {}
    assert sum(len(title.get("genre", ())) > 2 for title in theirs.values()) > 10
    assert any(title.get("label") for title in theirs.values())
    assert any(len(title["versions"]) > 1 for title in theirs.values())

"""What a listing tells of a title is the same, however the server types it."""

from __future__ import annotations

import json
from typing import Any

from daemon.core.library import ListedTitle
from integrations.plex.mirror_shapes import decode_located, decode_page, to_listed

FILM: dict[str, Any] = {
    "ratingKey": "12", "type": "movie", "title": "Dune", "year": 2021, "rating": 7.8, "addedAt": 1_700_000_000,
    "contentRating": "12", "guid": "plex://movie/1", "Guid": [{"id": "imdb://tt1"}],
    "Director": [{"tag": "Denis"}], "Role": [{"tag": f"R{n}"} for n in range(9)],
    "Media": [{"id": 5, "videoResolution": "1080", "Part": [{"id": 6, "file": "/f.mkv", "size": 7}]}],
}  # fmt: skip
OTHERWISE: dict[str, Any] = {
    **FILM, "ratingKey": 12, "year": "2021", "rating": "7.8", "addedAt": 1_700_000_000.0, "contentRating": 12,
    "titleSort": "", "leafCount": "",
    "Media": [{"id": "5", "videoResolution": 1080, "Part": [{"id": 6.0, "file": "/f.mkv", "size": "7"}]}],
}  # fmt: skip


def page(*entries: object, **more: object) -> bytes:
    return json.dumps({"MediaContainer": {"totalSize": len(entries), "Metadata": entries, **more}}).encode()


def listed(*entries: object) -> list[ListedTitle]:
    shapes, total, count = decode_page(page(*entries))
    assert total == count == len(entries)
    return [title for shape in shapes if (title := to_listed(shape)) is not None]


def test_other_types_are_the_same_title_with_the_same_digest() -> None:
    (usual,), (other,) = listed(FILM), listed(OTHERWISE)
    assert usual == other
    assert (usual.rating_key, usual.year, usual.rating_tenths, usual.content_rating) == (12, 2021, 78, "12")
    assert usual.versions[0].parts[0].size_bytes == 7


def test_a_title_read_alone_has_the_digest_of_the_listing() -> None:
    (one,) = decode_located(page({**OTHERWISE, "librarySectionID": 3, "summary": "long"})).titles
    assert one.library_key == "3"
    assert one.title == listed(FILM)[0]


def test_an_entry_that_cannot_be_read_costs_no_other() -> None:
    bad = [{**FILM, "title": {}}, {**FILM, "Media": {"id": 5}}, {**FILM, "Guid": ["x"]}, "x", {**FILM, "type": "photo"}]
    assert [title.name for title in listed(*bad, {**OTHERWISE, "title": "Heat"})] == ["Heat"]


def test_a_different_value_is_a_different_digest() -> None:
    changes: list[dict[str, Any]] = [
        {}, {"title": "Dune 2"}, {"Guid": []}, {"Media": []}, {"rating": 7.9}, {"thumb": "/t"},
    ]  # fmt: skip
    digests = {listed({**FILM, **change})[0].digest for change in changes}
    assert len(digests) == 6
    assert listed({**FILM, "viewCount": 9, "lastViewedAt": 5})[0].digest == listed(FILM)[0].digest

"""Names and types of what the simulator says, held against captured answers of real servers."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from simulators.plex.sim import PlexSim

Rows = list[dict[str, Any]]

# Real servers of different ages and settings differ in these; nothing of ours depends on them.
MAY_LACK = {
    "grandparentTheme", "parentTheme", "parentStudio", "theme", "primaryExtraKey", "originalTitle", "chapterSource",
    "original", "level", "chromaLocation", "colorRange", "colorSpace", "colorTrc", "tagline", "audienceRating",
}  # fmt: skip
MAY_ADD = {
    "Image", "UltraBlurColors", "art", "grandparentArt", "rating", "ratingImage", "chapterSource", "scanType",
    "audienceRating", "audienceRatingImage", "titleSort", "originalTitle", "tagline", "viewCount", "viewOffset",
    "lastViewedAt", "title", "contentRating", "year", "studio", "Guid", "Director", "Writer", "index",
    "selected", "originallyAvailableAt", "duration", "parentYear", "Collection", "Label",
}  # fmt: skip


async def load(path: Path) -> dict[str, Any]:
    text = await asyncio.to_thread(path.read_text, encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    container: dict[str, Any] = data.get("MediaContainer", data)
    return container


def kinds(rows: Rows) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in rows:
        for name, value in row.items():
            found.setdefault(name, set()).add("number" if type(value) in (int, float) else type(value).__name__)
    return found


def compare(ours: Rows, theirs: Rows) -> None:
    assert ours, "nothing of ours to compare"
    assert theirs, "nothing captured to compare with"
    mine, real = kinds(ours), kinds(theirs)
    counts = Counter(name for row in theirs for name in row)
    always = {name for name, count in counts.items() if count >= 0.95 * len(theirs)}
    assert set(mine) - set(real) - MAY_ADD == set(), "names that a real server does not use"
    assert always - set(mine) - MAY_LACK == set(), "names that a real server always uses"
    wrong = {name: (mine[name], real[name]) for name in set(mine) & set(real) if not mine[name] <= real[name]}
    assert wrong == {}, "other types than a real server's"


def inside(name: str) -> Callable[[Rows], Rows]:
    return lambda rows: [child for row in rows for child in row.get(name, [])]


def below(rows: Rows, *names: str) -> Rows:
    for name in names:
        rows = inside(name)(rows)
    return rows


LISTINGS = [
    ("/library/sections/1/all?includeGuids=1", "plex-api-spec-2025/get-library-all.6.json"),
    ("/library/sections/2/all", "plex-api-spec-2025/get-library-all.2.json"),
    ("/library/sections/2/all?type=4", "plex-api-spec-2025/get-library-all.3.json"),
    ("/library/sections/2/all?type=3", "plex-api.rs/server/media/tv_seasons.json"),
    ("/library/sections/3/all", "plex-api.rs/server/media/music_library.json"),
    ("/library/sections/3/all?type=9", "plex-api-spec-2025/get-library-all.4.json"),
    ("/library/sections/3/all?type=10", "plex-api.rs/server/media/music_tracks.json"),
]


@pytest.mark.parametrize(("path", "file"), LISTINGS)
async def test_listings(sim: PlexSim, ask: Any, captured: Path, path: str, file: str) -> None:
    ours, theirs = await ask.json(path), await load(captured / file)
    compare(ours["Metadata"], theirs["Metadata"])
    head = {name: value for name, value in ours.items() if name != "Metadata"}
    assert set(head) - set(theirs) <= {"content"}
    assert all(type(head[name]) is type(theirs[name]) for name in set(head) & set(theirs))


@pytest.mark.parametrize("path", [["Media"], ["Media", "Part"], ["Image"], ["Guid"], ["Genre"], ["Role"], ["Country"]])
async def test_what_is_inside_a_listed_film(sim: PlexSim, ask: Any, captured: Path, path: list[str]) -> None:
    ours = await ask.json("/library/sections/1/all?includeGuids=1")
    theirs = await load(captured / "plex-api-spec-2025/get-library-all.6.json")
    compare(below(ours["Metadata"], *path), below(theirs["Metadata"], *path))


async def test_listings_are_cut_as_the_real_ones(sim: PlexSim, ask: Any, captured: Path) -> None:
    ours = await ask.json("/library/sections/1/all")
    theirs = await load(captured / "plex-api-spec-2025/get-library-all.6.json")
    for name in ("Genre", "Country", "Writer", "Role", "Director"):
        most = max(len(row.get(name, [])) for row in ours["Metadata"])
        assert most <= max(len(row.get(name, [])) for row in theirs["Metadata"])


async def test_the_detail_of_a_film(sim: PlexSim, ask: Any, captured: Path) -> None:
    ours = await ask.json(f"/library/metadata/{sim.world.find('Solstice Run').key}")
    theirs = await load(captured / "plex-api-spec-2025/get-media-meta-data.2.json")
    compare(ours["Metadata"], theirs["Metadata"])
    for name in ("Genre", "Role", "Rating", "Guid"):
        compare(below(ours["Metadata"], name), below(theirs["Metadata"], name))


@pytest.mark.parametrize("kind", [1, 2, 3])
async def test_streams(sim: PlexSim, ask: Any, captured: Path, kind: int) -> None:
    keys = ",".join(str(film.key) for film in sim.world.listed(1, "movie"))
    ours = await ask.json(f"/library/metadata/{keys}")
    rows: list[Rows] = []
    files = ("get-media-meta-data.2.json", "get-media-meta-data.3.json", "get-media-meta-data.5.json")
    captures = [await load(captured / "plex-api-spec-2025" / name) for name in files]
    captures.append(await load(captured / "plex-api.rs/server/media/metadata_108.json"))
    for details in ([ours], captures):
        streams = [each for one in details for each in below(one["Metadata"], "Media", "Part", "Stream")]
        rows.append([each for each in streams if each["streamType"] == kind])
    compare(*rows)


async def test_search_results_hold_one_title_each(sim: PlexSim, ask: Any, captured: Path) -> None:
    ours = await ask.json("/library/search?query=sol")
    theirs = await load(captured / "plex-api-spec-2025/get-search-library.1.json")
    assert kinds(ours["SearchResult"])["score"] <= kinds(theirs["SearchResult"])["score"]
    assert kinds(ours["SearchResult"])["Metadata"] == kinds(theirs["SearchResult"])["Metadata"] == {"dict"}


async def test_genres(sim: PlexSim, ask: Any, captured: Path) -> None:
    ours = await ask.json("/library/sections/1/genre")
    theirs = await load(captured / "plex-api-spec-2025/get-library-genres.1.json")
    compare(ours["Directory"], theirs["Directory"])


def attributes(root: ElementTree.Element, tag: str) -> list[dict[str, Any]]:
    return [dict(each.attrib) for each in root.iter(tag)]


async def load_xml(path: Path) -> ElementTree.Element:
    return ElementTree.fromstring(await asyncio.to_thread(path.read_text, encoding="utf-8"))


def names(rows: Iterable[dict[str, Any]]) -> set[str]:
    return {name for row in rows for name in row}


@pytest.mark.parametrize(
    ("path", "file", "tags"),
    [
        ("/", "plex_server_base.xml", ["MediaContainer", "Directory"]),
        ("/clients", "plex_server_clients.xml", ["Server"]),
        ("/accounts", "plex_server_accounts.xml", ["MediaContainer", "Account"]),
        ("/status/sessions", "session_base.xml", ["User", "Player", "Session"]),
    ],
)
async def test_xml_answers(sim: PlexSim, ask: Any, captured: Path, path: str, file: str, tags: list[str]) -> None:
    ours, theirs = await ask.xml(path), await load_xml(captured / "home-assistant" / file)
    newer = {"musicAnalysis", "rating"}  # newer servers than the captured one say these too
    older = {"photoAutoTag", "transcoderPhoto", "hubSearch", "requestParametersInCookie", "protocolVersion"}
    for tag in tags:
        mine, real = names(attributes(ours, tag)), names(attributes(theirs, tag))
        assert mine, tag
        assert mine - real - newer == set(), tag
        assert real - mine - older == set(), tag


async def test_a_session_carries_what_a_captured_one_does(sim: PlexSim, ask: Any, captured: Path) -> None:
    ours = await ask.xml("/status/sessions")
    theirs = await load_xml(captured / "home-assistant/session_base.xml")
    needed = {
        "sessionKey", "ratingKey", "key", "guid", "type", "title", "duration", "viewOffset", "librarySectionID",
        "librarySectionTitle", "librarySectionKey", "thumb", "art", "summary",
    }  # fmt: skip
    assert needed <= set(theirs[0].attrib)
    assert len(ours) == 3
    for session in ours:
        assert needed <= set(session.attrib)
        part = session.find("Media/Part")
        assert part is not None
        assert part.get("decision") in ("directplay", "transcode")


async def test_transcode_sessions(sim: PlexSim, ask: Any, captured: Path) -> None:
    ours = await ask.json("/transcode/sessions")
    theirs = await load(captured / "plex-api.rs/transcode/video_sessions.json")
    assert len(ours["TranscodeSession"]) == 2
    mine, real = kinds(ours["TranscodeSession"]), kinds(theirs["TranscodeSession"])
    assert set(mine) <= set(real)
    assert all(mine[name] <= real[name] for name in mine)


async def test_a_play_queue(sim: PlexSim, ask: Any, captured: Path) -> None:
    track = sim.world.find("Half-Life", "track")
    made = await ask.xml(f"/playQueues?type=audio&uri=library://x/item/library/metadata/{track.key}", method="POST")
    theirs = await load_xml(captured / "home-assistant/playqueue_1234.xml")
    optional = {"playQueueLastAddedItemID", "allowSync"}
    assert set(made.attrib) - optional == set(theirs.attrib) - optional
    assert made[0].tag == theirs[0].tag == "Track"
    # the captured one lacks its playQueueItemID, which was edited away
    may_lack = {"lastViewedAt", "viewCount"}
    assert set(theirs[0].attrib) - set(made[0].attrib) - may_lack == set()


async def test_a_player_about_itself(sim: PlexSim, ask: Any, captured: Path) -> None:
    port = sim.server.ports[sim.players["Living Room TV"].spec.id]
    ours = await ask.xml("/resources", base=f"http://127.0.0.1:{port}")
    theirs = await load_xml(captured / "home-assistant/player_plexhtpc_resources.xml")
    assert set(ours[0].attrib) == set(theirs[0].attrib)


@pytest.mark.parametrize("face", ["user", "resources"])
async def test_plex_tv(sim: PlexSim, ask: Any, captured: Path, face: str) -> None:
    status, body, _ = await ask.raw(f"/_plex.tv/api/v2/{face}", Accept="application/json")
    assert status == 200
    file = {"user": "user/user_info_plexpass.json", "resources": "resources.json"}[face]
    theirs = json.loads(await asyncio.to_thread((captured / "plex-api.rs/myplex/api/v2" / file).read_text))
    ours = json.loads(body)
    if face == "resources":
        ours, theirs = ours[0], theirs[0]
        assert set(ours["connections"][0]) == set(theirs["connections"][0])
    assert set(ours) - set(theirs) == set()
    for name, value in ours.items():
        if value is not None and theirs[name] is not None:
            assert type(value) is type(theirs[name]), name


async def test_notifications(sim: PlexSim, captured: Path) -> None:
    samples = json.loads(await asyncio.to_thread((captured / "notification_samples.json").read_text))
    by_kind: dict[str, dict[str, Any]] = {}
    for sample in samples:
        container = sample["NotificationContainer"]
        by_kind.setdefault(container["type"], {}).update(container)
    listener = sim.server.notifications.join(sim.server.owner)
    sim.play("Living Room TV", "Low Orbit")
    sim.server.tell_timeline(sim.world.find("Low Orbit"), 5, "processed")
    for _ in range(2):
        container = json.loads(await listener.next() or "")["NotificationContainer"]
        real = by_kind[container["type"]]
        key = next(name for name in container if name not in ("type", "size"))
        assert container["size"] == len(container[key])
        known = set(real[key][0]) | {"title", "playQueueID", "playQueueItemID", "clientIdentifier"}
        assert set(container[key][0]) - known == set()
        for name, value in container[key][0].items():
            if name in real[key][0]:
                assert type(value) is type(real[key][0][name]), name

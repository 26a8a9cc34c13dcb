"""Making a world from a seed: a hand-written small library, or a large one from word lists."""

from __future__ import annotations

import random
from collections.abc import Iterator

from simulators.plex import catalog_movies, catalog_music, catalog_shows, words
from simulators.plex.details import digest
from simulators.plex.items import Item
from simulators.plex.world import Account, Origin, Section, View, World

MOVIES, SHOWS, MUSIC, KIDS, PHOTOS = 1, 2, 3, 4, 5
SIZES = {"small": 0, "20k": 20_000, "100k": 100_000}
DAY_S = 86_400
SHELF_AGE_DAYS = 900  # the oldest title was added this long ago


def generate(seed: int = 7, size: str = "small", now: float = 0.0) -> World:
    """A world of `size` (`small`, `20k`, `100k`); ValueError for another. Equal arguments give equal worlds."""
    if size not in SIZES:
        raise ValueError(f"no such size: {size!r} (one of {', '.join(SIZES)})")
    world = World(seed, int(now))
    rng = random.Random(f"world:{seed}")
    _sections(world)
    _accounts(world)
    _small(world, rng)
    if SIZES[size]:
        _grow(world, rng, SIZES[size])
    _collections(world)
    _playlists(world, rng)
    _watched(world, rng)
    _labels(world)
    world.changes.clear()  # nobody has seen anything yet
    world.origin = Origin(seed, size, world.now, world.revision)
    return world


def _sections(world: World) -> None:
    rows = (
        (MOVIES, "movie", "Movies", "/media/Movies", "tv.plex.agents.movie", "Plex Movie"),
        (SHOWS, "show", "TV Shows", "/media/TV", "tv.plex.agents.series", "Plex TV Series"),
        (MUSIC, "artist", "Music", "/media/Music", "tv.plex.agents.music", "Plex Music"),
        (KIDS, "movie", "Kids", "/media/Kids", "tv.plex.agents.movie", "Plex Movie"),
        (PHOTOS, "photo", "Photos", "/media/Photos", "com.plexapp.agents.none", "Plex Photo Scanner"),
    )
    made = world.now - SHELF_AGE_DAYS * DAY_S
    for number, kind, title, folder, agent, scanner in rows:
        mark = digest(world.seed, "section", number)
        uuid = f"{mark[:8]}-{mark[8:12]}-4{mark[13:16]}-a{mark[17:20]}-{mark[20:32]}"
        world.sections[number] = Section(
            number, kind, title, uuid, folder, agent, scanner, made, 1000 * number, world.now - 3600
        )


def _accounts(world: World) -> None:
    rows: tuple[tuple[int, str, str, frozenset[int] | None, bool], ...] = (
        (1, "Olivia", "olivia@example.invalid", None, False),
        (4_200_117, "Marcus", "marcus@example.invalid", frozenset({MOVIES, SHOWS}), False),
        (4_200_342, "Yuki", "yuki@example.invalid", frozenset({SHOWS, MUSIC}), False),
        (4_200_568, "Juno", "", frozenset({KIDS}), True),
    )
    for number, name, email, sections, is_managed in rows:
        mark = digest(world.seed, "account", number)
        remote = 4_100_001 if number == 1 else number
        world.accounts[number] = Account(
            number, name, remote, email, mark[:20], mark[20:36], sections, is_managed,
            pin="4711" if is_managed else "",
            access_token="" if number == 1 else digest(world.seed, "access", number)[:20],
        )  # fmt: skip


def _rows(text: str) -> Iterator[list[str | None]]:
    for line in text.strip().splitlines():
        yield [None if cell.strip() in ("-", "") else cell.strip() for cell in line.split(" | ")]


def _small(world: World, rng: random.Random) -> None:
    extra = words.GENRES[:12]  # listings show two genres; a detail that has more proves that they were cut
    shelves = ((MOVIES, catalog_movies.MOVIES), (MOVIES, catalog_movies.NASTY), (KIDS, catalog_movies.KIDS))
    for section, text in shelves:
        for title, year, minutes, genres, tagline, summary in _rows(text):
            given: dict[str, object] = {"tagline": tagline, "summary": summary or ""}
            if not year:
                given |= {"guid": "local://ferry", "guids": (), "audience_rating": None, "content_rating": None}
            film = Item(
                0, "movie", str(title), section, _added(world, rng), int(year) if year else None,
                int(minutes or 90) * 60_000 + rng.randint(-29_000, 29_000), given=given,
                genres=tuple(dict.fromkeys((*_split(genres), *rng.sample(extra, rng.choice((0, 1, 2, 3)))))),
            )  # fmt: skip
            world.add(film)
    pool = [name.strip() for name in catalog_shows.EPISODES.replace("\n", " ").split(";")]
    for title, year, minutes, genres, seasons, studio, summary in _rows(catalog_shows.SHOWS):
        show = Item(
            0, "show", str(title), SHOWS, _added(world, rng), int(year or 2010), int(minutes or 40) * 60_000,
            _split(genres), given={"summary": summary, "studio": studio},
        )  # fmt: skip
        world.add(show)
        counts = [(0, int(n[1:])) if n.startswith("S") else (1, int(n)) for n in _split(seasons)]
        _seasons(world, rng, show, counts, rng.sample(pool, len(pool)))
    songs = [name.strip() for name in catalog_music.TRACKS.replace("\n", " ").split(";")]
    for name, genres, albums, summary in _rows(catalog_music.ARTISTS):
        artist = Item(0, "artist", str(name), MUSIC, _added(world, rng), genres=_split(genres))
        artist.given["summary"] = summary
        world.add(artist)
        titles = iter(rng.sample(songs, len(songs)))
        for entry in str(albums).split("; "):
            album_title, _, album_year = entry.rpartition(" (")
            _album(world, rng, artist, album_title, int(album_year.rstrip(")")), [next(titles) for _ in range(9)])


def _split(cell: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (cell or "").split(",") if part.strip())


def _added(world: World, rng: random.Random) -> int:
    return world.now - int(rng.random() ** 1.7 * SHELF_AGE_DAYS * DAY_S) - 7200


def _seasons(world: World, rng: random.Random, show: Item, counts: list[tuple[int, int]], titles: list[str]) -> None:
    """`counts`: (0 for specials else 1, episodes) of each season in order."""
    number = 0
    drawn = iter(titles * 8)
    for step, episodes in counts:
        number += step
        index = number if step else 0
        season = Item(0, "season", f"Season {index}" if index else "Specials", show.section, show.added_at)
        season.parent, season.index = show, index
        world.add(season)
        for episode in range(1, episodes + 1):
            title = next(drawn) if episode < 10 or not rng.random() < 0.05 else f"Episode {episode}"
            length = (show.duration_ms or 2_400_000) + rng.randint(-240_000, 120_000)
            added = min(world.now - 7200, show.added_at + (index * 20 + episode) * 3600)
            made = Item(0, "episode", title, show.section, added, show.year, max(300_000, length))
            made.parent, made.index = season, episode
            world.add(made)


def _album(world: World, rng: random.Random, artist: Item, title: str, year: int, tracks: list[str]) -> None:
    album = Item(0, "album", title, artist.section, artist.added_at, year, genres=artist.genres[:1])
    album.parent, album.index = artist, 1
    world.add(album)
    for number, name in enumerate(tracks, 1):
        track = Item(0, "track", name, artist.section, artist.added_at, None, rng.randint(130, 390) * 1000)
        track.parent, track.index = album, number
        world.add(track)


def _grow(world: World, rng: random.Random, total: int) -> None:
    """Fill up to about `total` titles: 30 % films, 45 % series with seasons and episodes, 25 % music."""
    for _ in range(max(0, int(total * 0.30) - len(world.listed(MOVIES, "movie")))):
        genres = tuple(rng.sample(words.GENRES, rng.randint(1, 4)))
        year = min(2025, 1950 + int(75 * rng.random() ** 0.5))
        length = rng.randint(78, 165) * 60_000
        world.add(Item(0, "movie", _name(rng), MOVIES, _added(world, rng), year, length, genres))
    while len(world.items) < int(total * 0.75):
        genres = tuple(rng.sample(words.GENRES, rng.randint(1, 3)))
        length = rng.choice((22, 30, 44, 52, 58)) * 60_000
        show = Item(0, "show", _name(rng), SHOWS, _added(world, rng), rng.randint(1975, 2025), length, genres)
        world.add(show)
        counts: list[tuple[int, int]] = [(1, rng.randint(6, 16)) for _ in range(rng.randint(1, 7))]
        _seasons(world, rng, show, counts, [_short_name(rng) for _ in range(24)])
    while len(world.items) < total:
        genres = (rng.choice(words.MUSIC_GENRES),)
        name = f"{rng.choice(words.FIRST_NAMES)} {rng.choice(words.LAST_NAMES)}"
        artist = Item(0, "artist", name, MUSIC, _added(world, rng), genres=genres)
        world.add(artist)
        for _ in range(rng.randint(1, 5)):
            tracks = [_short_name(rng) for _ in range(rng.randint(8, 13))]
            _album(world, rng, artist, _short_name(rng), rng.randint(1970, 2025), tracks)


def _short_name(rng: random.Random) -> str:
    return f"{rng.choice(words.ADJECTIVES).title()} {rng.choice(words.NOUNS).title()}"


def _name(rng: random.Random) -> str:
    shape = rng.randrange(6)
    adjective, noun = rng.choice(words.ADJECTIVES).title(), rng.choice(words.NOUNS).title()
    if shape == 0:
        return f"The {adjective} {noun}"
    if shape == 1:
        return f"The {noun} of {rng.choice(words.PLACES)}"
    if shape == 2:
        return f"{rng.choice(words.FIRST_NAMES)} and the {adjective} {noun}"
    if shape == 3:
        return f"{rng.choice(words.PLACES)} {noun}"
    if shape == 4:
        return f"{adjective} {noun} at {rng.choice(words.PLACES)}"
    return f"A {noun} for {rng.choice(words.FIRST_NAMES)}"


def _collections(world: World) -> None:
    shelves = (("Orbit and Beyond", "Science Fiction"), ("Rainy Day Mysteries", "Mystery"))
    for number, (title, genre) in enumerate(shelves):
        made = Item(0, "collection", title, MOVIES, world.now - 300 * DAY_S)
        films = [film for film in world.listed(MOVIES, "movie") if genre in film.genres][:12]
        made.members = [(number * 100 + place, film) for place, film in enumerate(films, 1)]
        world.add(made)


def _playlists(world: World, rng: random.Random) -> None:
    for number, (title, media_type, source) in enumerate(_rows(catalog_music.PLAYLISTS)):
        made = Item(0, "playlist", str(title), 0, world.now - 90 * DAY_S)
        made.given["playlistType"] = media_type
        pool = world.listed(MOVIES, "movie")[:50] if source == "movies" else world.listed(MUSIC, "track")[:200]
        chosen = rng.sample(pool, 2 if "Double" in str(title) else 8)
        made.members = [(number * 1000 + place, item) for place, item in enumerate(chosen, 1)]
        world.add(made)


def _labels(world: World) -> None:
    """What the owner wrote on films: on those for children, on frightening ones and on some beloved ones."""
    rng = random.Random(f"labels:{world.seed}")
    for film in world.listed(KIDS, "movie"):
        film.given["labels"] = ("Family",)
    for film in world.listed(MOVIES, "movie"):
        fits = (("Late Night", "Horror"), ("Family", "Family"))
        labels = tuple(label for label, genre in fits if genre in film.genres)
        if rng.random() < 0.04:
            labels += ("Staff Pick",)
        if labels:
            film.given["labels"] = labels


def _watched(world: World, rng: random.Random) -> None:
    """What the owner has seen: shares of the captured library, and the beginnings of most series."""
    for film in (*world.listed(MOVIES, "movie"), *world.listed(KIDS, "movie")):
        roll = rng.random() * 100
        seen_at = world.now - rng.randint(1, 300) * DAY_S
        if roll < words.PCT_VIEWED:
            world.views[(1, film.serial)] = View(rng.choice((1, 1, 1, 2)), 0, seen_at)
        elif roll < words.PCT_VIEWED + words.PCT_VIEW_OFFSET:
            offset = int((film.duration_ms or 0) * rng.uniform(0.1, 0.8))
            world.views[(1, film.serial)] = View(0, offset, seen_at)
    for show in world.listed(SHOWS, "show"):
        episodes = [leaf for leaf in world.leaves(show) if leaf.parent and leaf.parent.index]
        for episode in episodes[: rng.choice((0, 0, 2, 5, len(episodes)))]:
            world.views[(1, episode.serial)] = View(1, 0, world.now - rng.randint(1, 200) * DAY_S)

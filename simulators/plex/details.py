"""The small print of a title (people, ratings, files, streams), drawn from the seed when somebody asks for it."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from simulators.plex import words
from simulators.plex.files import Media, draw_media
from simulators.plex.items import Item
from simulators.plex.words import pick

_NAMES = tuple(f"{first} {last}" for first in words.FIRST_NAMES for last in words.LAST_NAMES)
_CHARACTERS = tuple(f"{kind} {last}" for kind in words.CHARACTERS for last in words.LAST_NAMES)
_MONTHS = tuple(f"{n:02}" for n in range(1, 13))
_DAYS = tuple(f"{n:02}" for n in range(1, 29))


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything about a title that no list is sorted or filtered by."""

    summary: str = ""
    tagline: str | None = None
    studio: str | None = None
    rating: float | None = None
    audience_rating: float | None = None
    content_rating: str | None = None
    title_sort: str | None = None
    original_title: str | None = None
    released: str | None = None  # YYYY-MM-DD
    guid: str = ""
    guids: tuple[str, ...] = ()
    directors: tuple[str, ...] = ()
    writers: tuple[str, ...] = ()
    producers: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    roles: tuple[tuple[str, str], ...] = ()  # actor, character
    has_chapters: bool = False
    colors: tuple[str, str, str, str] = ("101010", "202020", "303030", "404040")
    media: tuple[Media, ...] = ()


def digest(*parts: object) -> str:
    """40 hex characters that depend on the parts only."""
    return hashlib.sha1("\x1f".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


@lru_cache(maxsize=65_536)
def tag_id(kind: str, tag: str) -> int:
    """A stable number for a genre, person or country, as the server gives one to each tag."""
    return int(digest(kind, tag)[:7], 16) % 900_000 + 1_000


def drawn_guid(seed: int, item: Item) -> str:
    """The guid that the agent found for a title."""
    mark = digest(seed, item.kind, item.serial)
    return f"collection://{mark[:36]}" if item.kind == "collection" else f"plex://{item.kind}/{mark[:24]}"


def draw_facts(seed: int, item: Item) -> Facts:
    """The facts of `item`; the same seed and serial give the same facts, whatever was asked before."""
    rng = random.Random((seed << 34) ^ item.serial)
    drawn = _DRAWERS.get(item.kind, _plain)(rng, seed, item)
    known = {name: value for name, value in item.given.items() if name in Facts.__dataclass_fields__}
    return replace(drawn, **known) if known else drawn


def _plain(rng: random.Random, seed: int, item: Item) -> Facts:
    """Seasons, albums, artists, playlists, collections: little is known of them."""
    mark = digest(seed, item.kind, item.serial)
    if item.kind == "album":
        released = f"{item.year or 2001}-{pick(rng, _MONTHS)}-{pick(rng, _DAYS)}"
        return Facts(guid=drawn_guid(seed, item), studio=pick(rng, words.STUDIOS), released=released)
    return Facts(
        guid=drawn_guid(seed, item), colors=_colors(mark), summary=_sentence(rng) if item.kind == "artist" else ""
    )


def _film(rng: random.Random, seed: int, item: Item) -> Facts:
    mark = digest(seed, item.kind, item.serial)
    is_film = item.kind == "movie"  # a show has no crew of its own
    has_rating = rng.random() * 100 < words.PCT_RATING
    return Facts(
        summary=_sentence(rng),
        tagline=_fill(rng, words.TAGLINES) if rng.random() * 100 < words.PCT_TAGLINE else None,
        studio=pick(rng, words.STUDIOS),
        rating=round(rng.uniform(3.5, 9.8), 1) if has_rating else None,
        audience_rating=round(rng.uniform(4.0, 9.6), 1),
        content_rating=pick(rng, words.CONTENT_RATINGS) if rng.random() * 100 < words.PCT_CONTENT_RATING else None,
        title_sort=_sort_title(item.title) if rng.random() * 100 < words.PCT_TITLE_SORT * 4 else None,
        original_title=f"{item.title} (original)" if rng.random() * 100 < words.PCT_ORIGINAL_TITLE else None,
        released=f"{item.year}-{pick(rng, _MONTHS)}-{pick(rng, _DAYS)}" if item.year else None,
        guid=drawn_guid(seed, item),
        guids=_external(rng),
        directors=_people(rng, 1 if rng.random() < 0.96 else 2) if is_film else (),
        writers=_people(rng, 1 + int(rng.random() * 4)) if is_film else (),
        producers=_people(rng, 1 + int(rng.random() * 3)),
        countries=_countries(rng),
        roles=tuple([(name, pick(rng, _CHARACTERS)) for name in _people(rng, 3 + int(rng.random() * 12))]),
        has_chapters=rng.random() * 100 < words.PCT_CHAPTERS,
        colors=_colors(mark),
        media=draw_media(rng, item) if is_film else (),
    )


def _episode(rng: random.Random, seed: int, item: Item) -> Facts:
    mark = digest(seed, item.kind, item.serial)
    season = item.parent.index if item.parent and item.parent.index else 0
    year = (item.top.year or 2015) + max(0, season - 1)
    return Facts(
        summary=_sentence(rng),
        audience_rating=round(rng.uniform(5.5, 9.5), 1),
        content_rating="TV-14",
        released=f"{year}-{1 + (item.index or 1) // 5 % 12:02}-{1 + (item.index or 1) * 5 % 28:02}",
        guid=drawn_guid(seed, item),
        guids=_external(rng),
        directors=_people(rng, 1),
        writers=_people(rng, 1 + int(rng.random() * 2)),
        colors=_colors(mark),
        media=draw_media(rng, item),
    )


def _track(rng: random.Random, seed: int, item: Item) -> Facts:
    return Facts(guid=drawn_guid(seed, item), media=draw_media(rng, item))


_DRAWERS = {"movie": _film, "show": _film, "episode": _episode, "track": _track}


def _countries(rng: random.Random) -> tuple[str, ...]:
    first, second = pick(rng, words.COUNTRIES), pick(rng, words.COUNTRIES)
    return (first, second) if rng.random() < 0.36 and second != first else (first,)


def _external(rng: random.Random) -> tuple[str, ...]:
    number = 1_000_000 + int(rng.random() * 8_999_999)
    return (f"imdb://tt{number:07}", f"tmdb://{number % 899_989}", f"tvdb://{number % 399_989}")


def _people(rng: random.Random, count: int) -> tuple[str, ...]:
    return tuple([pick(rng, _NAMES) for _ in range(count)])


def _sentence(rng: random.Random) -> str:
    return _fill(rng, words.SUMMARIES)


def _fill(rng: random.Random, templates: Sequence[str]) -> str:
    return pick(rng, templates).format(
        adj=pick(rng, words.ADJECTIVES),
        noun=pick(rng, words.NOUNS),
        noun2=pick(rng, words.NOUNS),
        place=pick(rng, words.PLACES),
    )


def _sort_title(title: str) -> str | None:
    first, _, rest = title.partition(" ")
    return rest if first in ("The", "A", "An") and rest else None


def _colors(mark: str) -> tuple[str, str, str, str]:
    return (mark[0:6], mark[6:12], mark[12:18], mark[18:24])

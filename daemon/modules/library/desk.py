"""What the commands of the library do: looks things up for whoever asks, never more than they may see."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from daemon.core.clock import Clock
from daemon.core.errors import UpstreamError, UserError
from daemon.core.limits import AUTOCOMPLETE_CHOICES_MAX, CHOICE_CHARS_MAX, QUERY_CHARS_MAX
from daemon.core.media import Found, Title, TitleKind, TitleRef
from daemon.core.query import Query, folded
from daemon.core.text import clamp, plain
from daemon.core.titles import title_label
from daemon.core.visibility import LibraryRef, Visibility
from daemon.services.library import Search, Shelves
from daemon.services.library.shelves import Facts, LibrarySum, Reading, Shown
from daemon.services.visibility import VisibilityService
from integrations.plex import Personal, Plex

from .asking import Searched, Viewer, Wish
from .lines import Arrival, arrivals

FOUND_MAX = 100
RECENT_MAX = 500
LARGEST_MAX = 10
_DRAWN = 60  # random candidates whose being seen is asked for, at once
_SAID_CHARS_MAX = 80
_SUGGESTED = (TitleKind.MOVIE, TitleKind.SHOW, TitleKind.ARTIST, TitleKind.ALBUM)
_DRAWABLE = (TitleKind.MOVIE, TitleKind.SHOW)

Choices = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Storage:
    """What files take up: by library, by resolution, and the largest titles."""

    libraries: list[LibrarySum]
    resolutions: list[tuple[str, int, int]]
    largest: list[tuple[Shown, int]]


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether something is there: titles of that very name, else those with names like it."""

    said: str
    have: tuple[Title, ...]
    near: tuple[Title, ...]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    """A title by chance. `account`: whose not having seen it counted; None: that of the server's owner, or nobody's."""

    facts: Facts
    account: str | None


class Desk:
    """One for the module. UserError codes: `unknown_title`, `unknown_library`, `no_title`, `nothing_fits`."""

    def __init__(
        self,
        search: Search,
        shelves: Shelves,
        visibility: VisibilityService,
        plex: Plex,
        personal: Personal,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._search = search
        self._shelves = shelves
        self._visibility = visibility
        self._plex = plex
        self._personal = personal
        self._clock = clock
        self._rng = rng

    # While somebody types

    async def suggest(self, text: str, viewer: Viewer, library: str | None = None) -> Choices:
        """(label, reference) of titles; the newest films and shows for an empty text."""
        sees = await self._see(viewer)
        if not folded(text):
            new = arrivals(await self._shelves.recent(sees, None, None, AUTOCOMPLETE_CHOICES_MAX))
            return _choices([each.title for each in new])
        return _choices(await self._search.suggest(text, sees, limit=AUTOCOMPLETE_CHOICES_MAX))

    async def suggest_libraries(self, text: str, viewer: Viewer) -> Choices:
        """(name, reference) of the libraries that they see."""
        wanted = folded(text)
        found = await self._shelves.libraries(await self._see(viewer))
        fitting = [(name, str(ref)) for ref, name in found if wanted in folded(name)]
        return [(clamp(plain(name), CHOICE_CHARS_MAX), ref) for name, ref in fitting[:AUTOCOMPLETE_CHOICES_MAX]]

    async def suggest_genres(self, text: str, viewer: Viewer) -> Choices:
        """Genres that contain what was typed."""
        wanted = folded(text)
        found = [name for name in await self._shelves.genres(await self._see(viewer)) if wanted in folded(name)]
        shown = [name for name in found if len(name) <= CHOICE_CHARS_MAX][:AUTOCOMPLETE_CHOICES_MAX]
        return [(plain(name) or name, name) for name in shown]

    # Commands

    async def library(self, text: str | None, viewer: Viewer) -> LibraryRef | None:
        """The library that was chosen or named; None when none was."""
        if text is None or not text.strip():
            return None
        found = await self._shelves.libraries(await self._see(viewer))
        wanted = LibraryRef.parse(text)
        for ref, name in found:
            if ref == wanted or folded(name) == folded(text):
                return ref
        said = clamp(plain(text), _SAID_CHARS_MAX)
        raise UserError(
            f"I know no library called “{said}”; choose one from the list while you type.", "unknown_library"
        )

    async def search(self, searched: Searched, viewer: Viewer) -> Found:
        """At most `FOUND_MAX` titles, best first."""
        kinds = None if searched.kind is None else (searched.kind,)
        sees = await self._see(viewer)
        return await self._search.find(searched.text, sees, kinds=kinds, only=searched.library, limit=FOUND_MAX)

    async def title(self, text: str, viewer: Viewer) -> Facts | Searched:
        """All of the title that was chosen or named; what to search for when several fit."""
        text = clean(text)
        sees = await self._see(viewer)
        if (ref := TitleRef.parse(text)) is None:
            found = (await self._search.find(text, sees, limit=FOUND_MAX)).titles
            same = [title for title in found if folded(text) in (folded(title.name), folded(str(title)))]
            chosen = same if len(same) == 1 else list(found)
            if len(chosen) > 1:
                return Searched(text)
            if not chosen:
                raise UserError(f"I found nothing called “{clamp(text, _SAID_CHARS_MAX)}”.", "unknown_title")
            ref = chosen[0].ref
        facts = await self._shelves.facts(sees, ref)
        if facts is None:
            raise UserError("That title is not in the library any more.", "unknown_title")
        return facts

    async def recent(self, library: LibraryRef | None, days: int | None, viewer: Viewer) -> list[Arrival]:
        """What was added, the newest first, episodes of one season taken together."""
        since = None if days is None else self._clock.now() - timedelta(days=days)
        return arrivals(await self._shelves.recent(await self._see(viewer), library, since, RECENT_MAX))

    async def draw(self, wish: Wish, viewer: Viewer) -> Drawn:
        """A film or show by chance, each as likely as any other."""
        sees = await self._see(viewer)
        ms_max = None if wish.minutes_max is None else wish.minutes_max * 60_000
        ids = await self._shelves.candidates(sees, genre=wish.genre, ms_max=ms_max, kinds=_DRAWABLE)
        drawn = self._rng.sample(ids, min(_DRAWN if wish.unwatched else 1, len(ids)))
        titles, account = [shown.title for shown in await self._shelves.by_ids(sees, drawn)], None
        if wish.unwatched and titles:
            titles, account = await self._unwatched(titles, viewer)
        facts = await self._shelves.facts(sees, titles[0].ref) if titles else None
        if facts is None:
            raise UserError("Nothing in the library is like that.", "nothing_fits")
        return Drawn(facts, account)

    async def sums(self, library: LibraryRef | None, viewer: Viewer) -> list[LibrarySum]:
        """What each library amounts to."""
        return await self._shelves.sums(await self._see(viewer), library)

    async def readings(self, library: LibraryRef | None, viewer: Viewer) -> list[Reading]:
        """What is being read at the moment."""
        return await self._shelves.readings(await self._see(viewer), library)

    async def storage(self, library: LibraryRef | None, viewer: Viewer) -> Storage:
        """What files take up."""
        sees = await self._see(viewer)
        return Storage(
            await self._shelves.sums(sees, library),
            await self._shelves.by_resolution(sees, library),
            await self._shelves.largest(sees, library, LARGEST_MAX),
        )

    async def have(self, text: str, viewer: Viewer) -> Answer:
        """Whether a title is there."""
        text, sees = clean(text), await self._see(viewer)
        if (ref := TitleRef.parse(text)) is not None:
            facts = await self._shelves.facts(sees, ref)
            return Answer(text, (facts.shown.title,) if facts else (), (), is_complete=True)
        found = await self._search.find(text, sees, kinds=_SUGGESTED, limit=FOUND_MAX)
        wanted = Query.parse(text)
        have = tuple(title for title in found.titles if _is_called(title, wanted))
        near = () if have else tuple(await self._search.nearest(text, sees, kinds=_SUGGESTED))
        return Answer(text, have[:5], near, found.is_complete)

    async def _unwatched(self, titles: Collection[Title], viewer: Viewer) -> tuple[list[Title], str | None]:
        """Those that the viewer has not seen, and what their account is called.

        Of somebody on whose account we may not act, those that the owner of the server has not seen, and None.
        """
        refs = [title.ref for title in titles]
        if viewer.profile_id is not None:
            try:
                account = await self._personal.account(viewer.profile_id)
                unseen = await self._personal.unseen(viewer.profile_id, refs)
            except (UserError, UpstreamError):
                pass  # not linked, no access, or plex.tv is away: the answer says whose account it went by instead
            else:
                return [title for title in titles if title.ref in unseen], account.name
        told = await self._plex.about(refs)
        return [title for title in titles if title.ref in told and not told[title.ref].is_seen], None

    async def _see(self, viewer: Viewer) -> Visibility:
        return await self._visibility.of(viewer.member_id, viewer.guild_id)


def clean(text: str) -> str:
    """What was typed, on one line and bounded; UserError when nothing is left."""
    cleaned = clamp(plain(text[: 4 * QUERY_CHARS_MAX]), QUERY_CHARS_MAX)
    if not cleaned:
        raise UserError("Type a few letters of the name.", "no_title")
    return cleaned


def _is_called(title: Title, query: Query) -> bool:
    name = folded(title.name)
    names = {name, folded(str(title)), f"{name} {title.year}"}
    return query.key in names or query.stripped in names or f"the {query.key}" in names


def _choices(titles: list[Title]) -> Choices:
    return [(title_label(title), str(title.ref)) for title in titles]

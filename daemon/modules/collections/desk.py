"""What people mean by a library, a collection and a title, and what of a collection they see."""

from __future__ import annotations

from dataclasses import dataclass

from daemon.core.errors import UserError
from daemon.core.library import CollectionRef
from daemon.core.limits import AUTOCOMPLETE_CHOICES_MAX, CHOICE_CHARS_MAX, QUERY_CHARS_MAX
from daemon.core.media import Title, TitleKind, TitleRef
from daemon.core.query import folded
from daemon.core.text import clamp, plain
from daemon.core.visibility import LibraryRef, Visibility
from daemon.services.library import Search, Shelves
from daemon.services.library.shelves import Collected, Shown
from daemon.services.visibility import VisibilityService
from integrations.plex import Collections

from .asking import Shelf, Viewer

FOUND_MAX = 25
_RECENT_MAX = 100
_SAID_CHARS_MAX = 80
_KINDS = (TitleKind.MOVIE, TitleKind.SHOW, TitleKind.SEASON, TitleKind.ARTIST, TitleKind.ALBUM)

Choices = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Opened:
    """A collection and what of it is seen. `is_ordered`: in its own order, which only its server knows."""

    collection: Collected
    titles: list[Shown]
    is_ordered: bool


class Desk:
    """One for the module. UserError codes: `unknown_library`, `unknown_collection`, `unknown_title`, `several`."""

    def __init__(
        self, search: Search, shelves: Shelves, visibility: VisibilityService, collections: Collections
    ) -> None:
        self._search = search
        self._shelves = shelves
        self._visibility = visibility
        self.collections = collections

    # While somebody types

    async def suggest_libraries(self, text: str, viewer: Viewer) -> Choices:
        """(name, reference) of the libraries that they see."""
        wanted = folded(text)
        found = await self._shelves.libraries(await self._see(viewer))
        fitting = [(name, str(ref)) for ref, name in found if wanted in folded(name)]
        return [(clamp(plain(name), CHOICE_CHARS_MAX), ref) for name, ref in fitting[:AUTOCOMPLETE_CHOICES_MAX]]

    async def suggest_collections(self, text: str, viewer: Viewer) -> Choices:
        """(name and library, reference) of the collections that they see."""
        wanted = folded(text)
        found = await self._shelves.collections(await self._see(viewer))
        fitting = [one for one in found if wanted in folded(one.name)][:AUTOCOMPLETE_CHOICES_MAX]
        return [(_label(one.name, one.library_name), str(one.ref)) for one in fitting]

    async def suggest_titles(self, text: str, viewer: Viewer, collection: str | None, *, inside: bool) -> Choices:
        """Titles of the collection (`inside`), or of its library; of all libraries while none is chosen."""
        sees = await self._see(viewer)
        known = await self._known(collection, sees) if collection else None
        if inside and known is not None:
            wanted = folded(text)
            shown = await self._shelves.collected(sees, known, None)
            found = [each.title for each in shown if wanted in folded(str(each.title))]
        elif folded(text):
            only = known.library if known is not None else None
            found = await self._search.suggest(text, sees, kinds=_KINDS, only=only, limit=AUTOCOMPLETE_CHOICES_MAX)
        else:
            only = known.library if known is not None else None
            new = await self._shelves.recent(sees, only, None, _RECENT_MAX)
            found = [each.title for each in new if each.title.kind in _KINDS]
        return [(_label(str(title), title.library or ""), str(title.ref)) for title in found[:AUTOCOMPLETE_CHOICES_MAX]]

    # What is meant

    async def library(self, text: str | None, viewer: Viewer) -> Shelf | None:
        """The library that was chosen or named; None when none was."""
        if text is None or not text.strip():
            return None
        wanted = LibraryRef.parse(text)
        for ref, name in await self._shelves.libraries(await self._see(viewer)):
            if ref == wanted or folded(name) == folded(text):
                return Shelf(ref, name)
        raise UserError(
            f"I know no library called “{_said(text)}”; choose one from the list while you type.", "unknown_library"
        )

    async def collection(self, text: str, viewer: Viewer) -> Collected:
        """The collection that was chosen or named, as far as they see it."""
        return await self._meant(text, await self._see(viewer))

    async def title(self, text: str, viewer: Viewer, only: LibraryRef | None) -> TitleRef:
        """The title that was chosen or named; UserError `several` when more than one fits."""
        found = await self.titles(text, viewer, only)
        if len(found) > 1:
            names = ", ".join(plain(str(title)) for title in found[:3])
            raise UserError(f"Several titles fit: {names}; choose one from the list while you type.", "several")
        return found[0].ref

    async def titles(self, text: str, viewer: Viewer, only: LibraryRef | None) -> list[Title]:
        """The title that was chosen, or those that were named, at least one; `only` those of one library."""
        sees, said = await self._see(viewer), clamp(plain(text), QUERY_CHARS_MAX)
        if (ref := TitleRef.parse(said)) is not None:
            facts = await self._shelves.facts(sees, ref)
            if facts is None:
                raise UserError("That title is not in the library any more.", "unknown_title")
            return [facts.shown.title]
        found = (await self._search.find(said, sees, only=only, limit=FOUND_MAX)).titles if said else ()
        same = [title for title in found if folded(said) in (folded(title.name), folded(str(title)))]
        if not found:
            raise UserError(f"I found nothing called “{_said(text)}” there.", "unknown_title")
        return same if len(same) == 1 else list(found)

    # What is seen

    async def listing(self, only: LibraryRef | None, viewer: Viewer) -> list[Collected]:
        """The collections that they see, by name."""
        return await self._shelves.collections(await self._see(viewer), only)

    async def open(self, text: str, viewer: Viewer) -> Opened:
        """What they see of a collection, in its own order when its server tells it soon."""
        sees = await self._see(viewer)
        collection = await self._meant(text, sees)
        order = await self.collections.order(collection.ref, collection.library)
        titles = await self._shelves.collected(sees, collection, order)
        return Opened(collection, titles, order is not None)

    async def _meant(self, text: str, sees: Visibility) -> Collected:
        known = await self._known(text, sees)
        if known is None:
            raise UserError(
                f"I know no collection called “{_said(text)}”; choose one from the list while you type.",
                "unknown_collection",
            )
        return known

    async def _known(self, text: str, sees: Visibility) -> Collected | None:
        found = await self._shelves.collections(sees)
        if (ref := CollectionRef.parse(text.strip())) is not None:
            return next((one for one in found if one.ref == ref), None)
        named = [one for one in found if folded(one.name) == folded(text)]
        if len(named) > 1:
            places = ", ".join(plain(one.library_name) for one in named)
            raise UserError(f"There are several of that name ({places}); choose one while you type.", "several")
        return named[0] if named else None

    async def _see(self, viewer: Viewer) -> Visibility:
        return await self._visibility.of(viewer.member_id, viewer.guild_id)


def _label(name: str, place: str) -> str:
    """A line for a list of choices, at most 100 characters: `Dune (2021) · Movies`."""
    tail = clamp(f" · {plain(place)}", CHOICE_CHARS_MAX // 2) if place else ""
    return (clamp(plain(name), CHOICE_CHARS_MAX - len(tail)) or "?") + tail


def _said(text: str) -> str:
    return clamp(plain(text), _SAID_CHARS_MAX)

"""Which title somebody means, of those that they may see."""

from __future__ import annotations

from collections.abc import Collection

from daemon.core.errors import UserError
from daemon.core.ids import GuildId, MemberId
from daemon.core.limits import AUTOCOMPLETE_CHOICES_MAX, CHOICE_CHARS_MAX, QUERY_CHARS_MAX, SELECT_OPTIONS_MAX
from daemon.core.media import Title, TitleKind, TitleRef
from daemon.core.query import folded
from daemon.core.text import clamp, plain
from daemon.core.titles import KIND_WORDS, title_label
from daemon.core.visibility import Visibility
from daemon.services.library import Search, Shelves
from daemon.services.visibility import VisibilityService

WATCHABLE = (TitleKind.MOVIE, TitleKind.SHOW, TitleKind.SEASON, TitleKind.EPISODE)
ANY = (*WATCHABLE, TitleKind.ARTIST, TitleKind.ALBUM, TitleKind.TRACK)

_SAID_CHARS_MAX = 80


class Titles:
    """Looks titles up. UserError codes: `no_title`, `unknown_title`, `other_kind`."""

    def __init__(self, search: Search, shelves: Shelves, visibility: VisibilityService) -> None:
        self._search = search
        self._shelves = shelves
        self._visibility = visibility

    async def sees(self, member_id: MemberId, guild_id: GuildId | None) -> Visibility:
        """What the member may see there."""
        return await self._visibility.of(member_id, guild_id)

    async def suggest(
        self, text: str, member_id: MemberId, guild_id: GuildId | None, kinds: Collection[TitleKind]
    ) -> list[tuple[str, str]]:
        """(label, reference) for what somebody types; what is new for an empty text."""
        sees = await self.sees(member_id, guild_id)
        if folded(text):
            found = await self._search.suggest(text, sees, kinds=kinds, limit=AUTOCOMPLETE_CHOICES_MAX)
        else:
            new = await self._shelves.recent(sees, None, None, AUTOCOMPLETE_CHOICES_MAX)
            found = [shown.title for shown in new if shown.title.kind in kinds]
        return [(title_label(title), str(title.ref)) for title in found if len(str(title.ref)) <= CHOICE_CHARS_MAX]

    async def named(
        self, text: str | None, member_id: MemberId, guild_id: GuildId | None, kinds: Collection[TitleKind]
    ) -> Title | tuple[Title, ...]:
        """The title that was chosen or named; several when it is not clear."""
        text = clamp(plain((text or "")[: 4 * QUERY_CHARS_MAX]), QUERY_CHARS_MAX)
        if not text:
            raise UserError("Type a few letters of the name.", "no_title")
        sees = await self.sees(member_id, guild_id)
        if (ref := TitleRef.parse(text)) is not None:
            return await self._of(ref, sees, kinds)
        found = (await self._search.find(text, sees, kinds=kinds, limit=SELECT_OPTIONS_MAX)).titles
        same = [title for title in found if folded(text) in (folded(title.name), folded(str(title)))]
        fitting = same or list(found)
        if not fitting:
            raise UserError(f"I found nothing called “{clamp(text, _SAID_CHARS_MAX)}”.", "unknown_title")
        return await self._of(fitting[0].ref, sees, kinds) if len(fitting) == 1 else tuple(fitting)

    async def seen(
        self, refs: Collection[TitleRef], member_id: MemberId, guild_id: GuildId | None
    ) -> dict[TitleRef, Title]:
        """Those of these titles that they may see there, as the mirror has them."""
        found = await self._shelves.by_refs(await self.sees(member_id, guild_id), refs)
        return {ref: shown.title for ref, shown in found.items()}

    async def _of(self, ref: TitleRef, sees: Visibility, kinds: Collection[TitleKind]) -> Title:
        facts = await self._shelves.facts(sees, ref)
        if facts is None:
            raise UserError("That title is not in the library any more.", "unknown_title")
        title = facts.shown.title
        if title.kind not in kinds:
            words = KIND_WORDS.get(title.kind.value, ("title", "titles"))[1]
            raise UserError(f"That cannot be done with {words}.", "other_kind")
        return title

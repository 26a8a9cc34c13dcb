"""What the commands and buttons of rounds do, for whoever asks and never more than they may."""

from __future__ import annotations

from datetime import timedelta

from daemon.core.clock import Clock
from daemon.core.errors import OutOfDate, UserError
from daemon.core.ids import GuildId, ProfileId
from daemon.core.leaving import Halt, RoundState, RoundTitle, Rule
from daemon.core.library import LibraryKind
from daemon.core.limits import AUTOCOMPLETE_CHOICES_MAX, CHOICE_CHARS_MAX, LEAVING_TITLES_MAX
from daemon.core.query import folded
from daemon.core.text import clamp, plain, titles_line
from daemon.core.visibility import LibraryRef
from daemon.services.leaving import Announced, Kept, Leaving, NewRound, Whole, unplayed
from daemon.services.library import Shelves, Stock
from daemon.services.panels import Place
from daemon.services.visibility import VisibilityService
from integrations.plex import Removal

from .asking import Draft, Viewer
from .lines import halt_line, size

_SAID_CHARS_MAX = 80
_ROUND_DIGITS_MAX = 18

Choices = list[tuple[str, str]]


class Desk:
    """One for the module. UserError codes: `no_guild`, `unknown_library`, `not_read`, `music`, `nothing_leaves`,
    `unknown_round`, `kept`, `keep_over`, `not_seen`, `deletion_off`, `decided`.
    """

    def __init__(
        self,
        leaving: Leaving,
        removal: Removal,
        shelves: Shelves,
        stock: Stock,
        visibility: VisibilityService,
        clock: Clock,
    ) -> None:
        self._leaving = leaving
        self._removal = removal
        self._shelves = shelves
        self._stock = stock
        self._visibility = visibility
        self._clock = clock

    # While somebody types

    async def suggest_libraries(self, text: str, viewer: Viewer) -> Choices:
        """(name, reference) of the libraries that they see."""
        wanted = folded(text)
        fitting = [(name, str(ref)) for ref, name in await self._libraries(viewer) if wanted in folded(name)]
        return [(clamp(plain(name), CHOICE_CHARS_MAX), ref) for name, ref in fitting[:AUTOCOMPLETE_CHOICES_MAX]]

    async def suggest_rounds(self, text: str, viewer: Viewer) -> Choices:
        """(label, number) of the guild's rounds that an owner can still decide about."""
        wanted = folded(text)
        choices = []
        for whole in await self.running(viewer):
            label = f"{whole.round.round_id} · {plain(whole.round.library_name)} · {whole.round.state}"
            label += f" · {titles_line(len(whole.titles))}, {len(whole.wanted)} kept"
            if wanted in folded(label):
                choices.append((clamp(label, CHOICE_CHARS_MAX), str(whole.round.round_id)))
        return choices[:AUTOCOMPLETE_CHOICES_MAX]

    # Announcing

    async def draft(self, text: str, rule: Rule, viewer: Viewer) -> Draft:
        """What the rule lists in a library now, the largest first."""
        guild_of(viewer)
        library, name = await self._library(text, viewer)
        sees = await self._visibility.of(viewer.member_id, viewer.guild_id)
        kind = await self._stock.kind(library)
        if kind is None:
            raise UserError("That library has not been read yet; please try again in a moment.", "not_read")
        if kind is LibraryKind.ARTIST:
            raise UserError("Only films and shows can be listed, not music.", "music")
        found = await self._leaving.candidates(sees, library, rule)
        if found:
            since = self._clock.now() - timedelta(days=rule.unwatched_days)
            found = unplayed(found, await self._removal.played(library, kind, since), since)
        if not found:
            raise UserError(f"Nothing in {clamp(plain(name), _SAID_CHARS_MAX)} is like that.", "nothing_leaves")
        return Draft(library, name, rule, tuple(found[:LEAVING_TITLES_MAX]), len(found))

    async def announce(self, draft: Draft, place: Place, profile_id: ProfileId) -> Announced:
        """Begin the round of a draft."""
        if place.guild_id is None:
            raise OutOfDate
        keep_until = self._clock.now() + timedelta(days=draft.rule.keep_days)
        new = NewRound(
            place.guild_id, place.app_id, place.channel_id, draft.library, draft.library_name, draft.rule, profile_id,
            keep_until,
        )  # fmt: skip
        return await self._leaving.announce(new, draft.titles)

    # Looking and keeping

    async def running(self, viewer: Viewer) -> list[Whole]:
        """The guild's rounds that are not done, of libraries that the viewer sees."""
        seen = {ref for ref, _ in await self._libraries(viewer)}
        return [whole for whole in await self._leaving.running(guild_of(viewer)) if whole.round.library in seen]

    async def round(self, number: str, viewer: Viewer) -> Whole:
        """A round of this guild."""
        is_number = number.isascii() and number.isdigit() and len(number) <= _ROUND_DIGITS_MAX
        whole = await self._leaving.whole(int(number)) if is_number else None
        if whole is None or whole.round.guild_id != viewer.guild_id:
            raise UserError("There is no such round here; choose one from the list while you type.", "unknown_round")
        return whole

    async def seen_round(self, number: str, viewer: Viewer) -> Whole:
        """A round of this guild whose library the viewer sees."""
        whole = await self.round(number, viewer)
        if whole.round.library not in {ref for ref, _ in await self._libraries(viewer)}:
            raise OutOfDate
        return whole

    async def keep(self, title_id: int, profile_id: ProfileId, viewer: Viewer) -> Whole:
        """Have a title stay; how its round stands then. UserError when there is nothing to be changed."""
        title = await self._leaving.title(title_id)
        whole = None if title is None else await self._leaving.whole(title.round_id)
        if title is None or whole is None or whole.round.guild_id != viewer.guild_id:
            raise OutOfDate
        await self._check_sight(title, viewer)
        match await self._leaving.keep(title_id, profile_id):
            case Kept.OVER:
                raise UserError("The time for keeping titles of this round is over.", "keep_over")
            case Kept.KNOWN:
                raise UserError(f"You keep {clamp(plain(str(title.listed)), _SAID_CHARS_MAX)} already.", "kept")
        return await self._again(whole)

    async def note_shown(self, whole: Whole) -> None:
        """The card of the round shows this."""
        await self._leaving.note_shown(whole.round)

    # Deciding

    async def close(self, whole: Whole) -> Whole:
        """End the time for keeping, if it is not over; how the round stands then."""
        await self._leaving.close(whole.round.round_id)
        return await self._again(whole)

    async def leave(self, whole: Whole) -> Whole:
        """Delete nothing of it."""
        if not await self._leaving.leave(whole.round.round_id):
            raise UserError("That round is not to be decided about any more.", "decided")
        return await self._again(whole)

    async def check_deletion(self, whole: Whole) -> None:
        """UserError while the server does not let media be deleted, with where to change that."""
        server = whole.round.library.server
        if not await self._removal.may_delete(server):
            raise UserError(halt_line(Halt.SWITCHED_OFF, server), "deletion_off")

    async def delete(self, whole: Whole, count: int, size_bytes: int, profile_id: ProfileId) -> Whole:
        """Begin to delete what nobody kept, when it is what was confirmed; of several owners one does."""
        unwanted = whole.unwanted
        if whole.round.state is RoundState.CLOSED and (len(unwanted), size(unwanted)) != (count, size_bytes):
            raise OutOfDate
        if not await self._leaving.begin(whole.round.round_id, profile_id):
            raise UserError("Another owner was first: that round has been decided about.", "decided")
        return await self._again(whole)

    async def _again(self, whole: Whole) -> Whole:
        found = await self._leaving.whole(whole.round.round_id)
        if found is None:
            raise OutOfDate
        return found

    async def _check_sight(self, title: RoundTitle, viewer: Viewer) -> None:
        sees = await self._visibility.of(viewer.member_id, viewer.guild_id)
        if await self._shelves.facts(sees, title.ref) is None:
            raise UserError("That title is not in the library any more, or not among what you see.", "not_seen")

    async def _libraries(self, viewer: Viewer) -> list[tuple[LibraryRef, str]]:
        return await self._shelves.libraries(await self._visibility.of(viewer.member_id, viewer.guild_id))

    async def _library(self, text: str, viewer: Viewer) -> tuple[LibraryRef, str]:
        wanted = LibraryRef.parse(text)
        for ref, name in await self._libraries(viewer):
            if ref == wanted or folded(name) == folded(text):
                return ref, name
        said = clamp(plain(text), _SAID_CHARS_MAX)
        raise UserError(
            f"I know no library called “{said}”; choose one from the list while you type.", "unknown_library"
        )


def guild_of(viewer: Viewer) -> GuildId:
    """The guild that is asked from; UserError in a direct message."""
    if viewer.guild_id is None:
        raise UserError("That works in a server only, not in a direct message.", "no_guild")
    return viewer.guild_id

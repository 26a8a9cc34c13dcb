"""What somebody has seen, rated and would go on with, on their own Plex account."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any, Final, TypeVar

import integrations.plex.adapter_personal as adapter_personal
from daemon.core.errors import UpstreamError, UpstreamKind, UserError
from daemon.core.ids import ProfileId, RatingKey, ServerId
from daemon.core.media import Title, TitleKind, TitleRef
from integrations.plex.account_shapes import PlexUser
from integrations.plex.mirror import to_abouts
from integrations.plex.parse import to_title
from integrations.plex.personal_access import PersonalAccess
from integrations.plex.shapes import ItemShape, Loose, container, entries, number

S = TypeVar("S", bound=ItemShape)

DECK_MAX: Final = 50  # titles to go on with, of one server
TURNS_MAX: Final = 300  # what one step back may take: it is kept behind a button, and each is a request
_PAGE = 250
_LEAVES_MAX = 20_000
_GONE = "That title is no longer on the server."
_BELOW = {TitleKind.SHOW: "allLeaves", TitleKind.SEASON: "children"}


@dataclass(frozen=True, slots=True)
class OnDeck:
    """What an account goes on with, the latest first; `failures`: why servers of theirs are missing."""

    titles: tuple[Title, ...]
    failures: tuple[UserError | UpstreamError, ...] = ()


@dataclass(frozen=True, slots=True)
class Turned:
    """What marking a title has changed: `changed` of its `total` films and episodes were otherwise before.

    `keys` and `offsets_ms` lead back: titles to be marked the other way, each with all below it, and where some were
    left. None when that is more than one step back may take.
    """

    total: int
    changed: int
    keys: tuple[int, ...] | None = ()
    offsets_ms: dict[int, int] = field(default_factory=dict)


class _DeckShape(ItemShape):
    lastViewedAt: Loose = None


class _LeafShape(ItemShape):
    parentRatingKey: Loose = None


class _RatedShape(ItemShape):
    userRating: Loose = None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A film or an episode, below a `season` (0: none), as an account has seen it."""

    key: int
    season: int
    is_seen: bool
    offset_ms: int


class Personal:
    """On the account of whoever asks. UserError as for `PersonalAccess`, and `title_gone`."""

    def __init__(self, access: PersonalAccess) -> None:
        self._access = access

    async def account(self, profile_id: ProfileId) -> PlexUser:
        """The person's account. UserError `not_linked`."""
        link = await self._access.link(profile_id)
        return PlexUser(link.account_id, link.name)

    async def on_deck(self, profile_id: ProfileId) -> OnDeck:
        """What they would go on with, of all servers that answer. What stands in the way when none does."""
        await self._access.link(profile_id)
        servers = self._access.servers()
        answers = await asyncio.gather(*(self._deck(profile_id, server) for server in servers))
        failures = [answer for answer in answers if isinstance(answer, UserError | UpstreamError)]
        if failures and len(failures) == len(answers):
            # What the person can put right is worth more than that some server is away.
            raise min(failures, key=lambda failure: isinstance(failure, UpstreamError))
        found = [one for answer in answers if isinstance(answer, list) for one in answer]
        found.sort(key=lambda one: -one[0])
        told = [one for one in failures if not (isinstance(one, UserError) and one.code == "not_shared")]
        return OnDeck(tuple(title for _, title in found), tuple(told))

    async def left_at(self, profile_id: ProfileId, ref: TitleRef) -> int:
        """Where they have left the title, in ms; 0 when they have not begun it."""
        shape = await self._detail(profile_id, ref, _DeckShape)
        return number(shape.viewOffset) or 0

    async def unseen(self, profile_id: ProfileId, refs: Collection[TitleRef]) -> set[TitleRef]:
        """Those of at most a hundred titles that their account has not seen; of servers that answer them."""
        ordered = sorted(refs, key=lambda ref: ref.server)
        found: set[TitleRef] = set()
        failures: list[UserError | UpstreamError] = []
        is_answered = not ordered
        for server, group in groupby(ordered, key=lambda ref: ref.server):
            keys = ",".join(ref.rating_key for ref in group)
            try:
                answer = await self._access.read(profile_id, server, f"/library/metadata/{keys}", decode=container)
            except (UserError, UpstreamError) as error:
                failures.append(error)
                continue
            is_answered = True
            abouts = to_abouts(answer).items()
            found |= {TitleRef(server, RatingKey(str(key))) for key, about in abouts if not about.is_seen}
        if not is_answered:
            raise failures[0]
        return found

    async def mark(self, profile_id: ProfileId, title: Title, *, is_seen: bool) -> Turned:
        """Mark a film or an episode, or all of a season or show, as watched or not."""
        leaves = await self._leaves(profile_id, title)
        turned = turned_by(int(title.ref.rating_key), leaves, is_seen=is_seen)
        if turned.changed or turned.offsets_ms:
            await self._mark(profile_id, title.ref.server, (int(title.ref.rating_key),), {}, is_seen=is_seen)
        return turned

    async def turn_back(
        self, profile_id: ProfileId, server: ServerId, keys: Sequence[int], offsets_ms: dict[int, int], *, is_seen: bool
    ) -> None:
        """Undo: mark these as `is_seen` says, and have them be left where they were."""
        await self._mark(profile_id, server, keys, offsets_ms, is_seen=is_seen)

    async def rate(self, profile_id: ProfileId, ref: TitleRef, rating: float | None) -> float | None:
        """Rate a title from 0 to 10, or take the rating away (None); the rating of before."""
        before = _rating((await self._detail(profile_id, ref, _RatedShape)).userRating)
        if before != rating:
            work = partial(adapter_personal.rate, key=int(ref.rating_key), rating=rating)
            await self._act(profile_id, ref.server, work)
        return before

    async def _deck(
        self, profile_id: ProfileId, server: ServerId
    ) -> list[tuple[int, Title]] | UserError | UpstreamError:
        try:
            answer = await self._access.read(
                profile_id, server, "/library/onDeck", decode=container, start=0, size=DECK_MAX
            )
        except (UserError, UpstreamError) as error:
            return error
        shapes = entries(answer.Metadata, _DeckShape)[:DECK_MAX]
        read = [(number(shape.lastViewedAt) or 0, to_title(server, shape)) for shape in shapes]
        # The next episode of a show was never seen, so it bears no time; the list comes in the order of those times.
        found: list[tuple[int, Title]] = []
        latest = max((at for at, _ in read), default=0)
        for at, title in read:
            latest = at or latest
            if title is not None:
                found.append((latest, title))
        return found

    async def _detail(self, profile_id: ProfileId, ref: TitleRef, shape: type[S]) -> S:
        path = f"/library/metadata/{ref.rating_key}"
        try:
            answer = await self._access.read(profile_id, ref.server, path, decode=container)
        except UpstreamError as error:
            raise _gone(error) from None
        found = entries(answer.Metadata, shape)
        if not found:
            raise UserError(_GONE, "title_gone")
        return found[0]

    async def _leaves(self, profile_id: ProfileId, title: Title) -> list[Leaf]:
        """The films or episodes that a title is, or has below it."""
        path = f"/library/metadata/{title.ref.rating_key}"
        if title.kind in _BELOW:
            path += f"/{_BELOW[title.kind]}"
        found: dict[int, Leaf] = {}
        for start in range(0, _LEAVES_MAX, _PAGE):
            try:
                head, shapes = await self._access.read(
                    profile_id, title.ref.server, path, decode=_leaf_page, start=start, size=_PAGE
                )
            except UpstreamError as error:
                raise _gone(error) from None
            for shape in shapes:
                if (key := number(shape.ratingKey)) is not None:
                    season = number(shape.parentRatingKey) or 0
                    found[key] = Leaf(key, season, bool(number(shape.viewCount)), number(shape.viewOffset) or 0)
            if not shapes or start + len(shapes) >= head:
                break
        if not found:
            raise UserError("There is nothing in it that could be watched.", "nothing_to_watch")
        return list(found.values())

    async def _mark(
        self, profile_id: ProfileId, server: ServerId, keys: Sequence[int], offsets_ms: dict[int, int], *, is_seen: bool
    ) -> None:
        work = partial(adapter_personal.mark, keys=keys, offsets_ms=offsets_ms, is_seen=is_seen)
        await self._act(profile_id, server, work)

    async def _act(self, profile_id: ProfileId, server: ServerId, work: Callable[[Any], None]) -> None:
        try:
            await self._access.act(profile_id, server, work)
        except UpstreamError as error:
            raise _gone(error) from None


def _leaf_page(body: bytes) -> tuple[int, list[_LeafShape]]:
    """(total, entries) of a page."""
    answer = container(body)
    found = entries(answer.Metadata, _LeafShape)
    total = number(answer.totalSize)
    return (len(found) if total is None else total), found


def turned_by(key: int, leaves: Sequence[Leaf], *, is_seen: bool) -> Turned:
    """What marking title `key` changes of its `leaves`, and the shortest way back: whole seasons where that will do.

    Of a season of ten with two seen already, "watched" changes eight, and eight keys lead back; of one that nobody had
    begun the season's key does.
    """
    changed = [leaf for leaf in leaves if leaf.is_seen != is_seen]
    offsets_ms = {leaf.key: leaf.offset_ms for leaf in leaves if leaf.offset_ms}
    back: list[int] = []
    if len(changed) == len(leaves):
        back = [key]
    else:
        for season, group in groupby(sorted(changed, key=lambda leaf: leaf.season), key=lambda leaf: leaf.season):
            mine = [leaf.key for leaf in group]
            is_whole = season != 0 and len(mine) == sum(leaf.season == season for leaf in leaves)
            back += [season] if is_whole else mine
    if len(back) + len(offsets_ms) > TURNS_MAX:
        return Turned(len(leaves), len(changed), None)
    return Turned(len(leaves), len(changed), tuple(back), offsets_ms)


def _rating(value: Loose) -> float | None:
    try:
        found = float(value) if value not in (None, "") else None
    except ValueError:
        return None
    return found if found is not None and found >= 0 else None


def _gone(error: UpstreamError) -> UserError | UpstreamError:
    return UserError(_GONE, "title_gone") if error.kind is UpstreamKind.NOT_FOUND else error

"""Collections on their servers: looked at, made, filled, emptied, deleted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from daemon.core.errors import UpstreamError, UpstreamKind, UserError
from daemon.core.ids import RatingKey
from daemon.core.library import CollectionRef, Tag, TagKind
from daemon.core.limits import MIRROR_TITLES_MAX
from daemon.core.media import TitleKind, TitleRef
from daemon.core.text import clamp, plain
from daemon.core.visibility import LibraryRef
from integrations.plex.adapter_writing import Params, Rows, encoded, writing
from integrations.plex.editing import Editing
from integrations.plex.editing_shapes import Editable
from integrations.plex.filters import parse
from integrations.plex.mirror import TYPES
from integrations.plex.offers import Offers
from integrations.plex.plex import Plex
from integrations.plex.server import Server
from integrations.plex.shapes import Loose, Shape, container, entries, flag, number, text

NAME_CHARS_MAX = 100
MEMBERS_MAX = 2_000  # whose order is read; a larger collection is listed by name
_ORDER_S = 1.5  # for that, while somebody waits
_KINDS = {kind.value: kind for kind in TitleKind}


class _CollectionShape(Shape):
    ratingKey: Loose = None
    type: Loose = None
    subtype: Loose = None
    title: Loose = None
    smart: Loose = None
    childCount: Loose = None
    librarySectionID: Loose = None
    librarySectionTitle: Loose = None


@dataclass(frozen=True, slots=True)
class CollectionState:
    """A collection as its server has it. `kind` of its titles; `count` of all of them, whoever may see them."""

    ref: CollectionRef
    name: str
    library: LibraryRef
    library_name: str
    kind: TitleKind | None
    count: int
    is_smart: bool


class Collections:
    """For whoever may. What is written is told to the mirror at once.

    UserError codes: `collection_gone`, `smart_collection`, `already_in`, `not_in`, `last_title`, `other_library`,
    `other_kind`, `name_taken`, `bad_name`, `nothing_fits`, `refused`, and those of `filters`; UpstreamError when the
    server fails.
    """

    def __init__(self, plex: Plex) -> None:
        self._plex = plex
        self._titles = Editing(plex)

    async def read(self, ref: CollectionRef) -> CollectionState:
        """A collection as it is now; `collection_gone`."""
        server = self._plex.server(ref.server)
        try:
            answer = await server.http.fetch(_path(ref), decode=container)
        except UpstreamError as error:
            raise _gone(server, ref, error) from error
        for shape in entries(answer.Metadata, _CollectionShape):
            section = text(shape.librarySectionID)
            if text(shape.type) == "collection" and section is not None:
                return CollectionState(
                    ref,
                    plain(text(shape.title) or "") or ref.key,
                    LibraryRef(ref.server, section),
                    plain(text(shape.librarySectionTitle) or "") or section,
                    _KINDS.get(text(shape.subtype) or ""),
                    number(shape.childCount) or 0,
                    flag(shape.smart),
                )
        raise UserError("That collection is no longer on the server.", "collection_gone")

    async def order(self, ref: CollectionRef, library: LibraryRef) -> list[int] | None:
        """Rating keys of its titles in its own order; None when the server does not tell soon, or there are too many.

        For lists that do without it when they must.
        """
        try:
            async with asyncio.timeout(_ORDER_S):
                keys, total = await self._members(ref, library, MEMBERS_MAX)
        except (TimeoutError, UpstreamError, UserError):
            return None
        return keys if total <= MEMBERS_MAX else None

    async def create(self, library: LibraryRef, name: str, title: TitleRef) -> CollectionState:
        """A collection that begins with this title."""
        first = await self._titles.read(title)
        wanted = await self.check_name(library, name)
        if LibraryRef(title.server, first.library_key) != library:
            raise UserError(f"{first} is not in that library but in {first.library}.", "other_library")
        uri = self._uri(library, f"/library/metadata/{title.rating_key}")
        return await self._create(library, wanted, first.kind, uri, is_smart=False)

    async def create_smart(self, library: LibraryRef, name: str, filter_text: str) -> CollectionState:
        """A collection of whatever passes the filter, now and later; see `filters` for what can be said."""
        terms = parse(filter_text)
        wanted = await self.check_name(library, name)
        offers = Offers(self._plex.server(library.server), library)
        rule = await offers.rule(terms)
        if not rule.count:
            raise UserError(
                f"Nothing in {rule.library} is like that now, so I have not made an empty collection.", "nothing_fits"
            )
        uri = self._uri(library, f"/library/sections/{library.key}/all{encoded(rule.query)}")
        return await self._create(library, wanted, rule.kind, uri, is_smart=True)

    async def add(self, ref: CollectionRef, title: TitleRef) -> tuple[CollectionState, Editable]:
        """Put a title at its end; the collection afterwards, and the title."""
        state, item = await self._both(ref, title)
        if item.ref.server != ref.server or item.library_key != state.library.key:
            raise UserError(
                f"{item} is in {item.library}; {state.name} is a collection of {state.library_name}, and Plex keeps "
                "titles of one library in it.",
                "other_library",
            )
        if state.kind is not None and item.kind is not state.kind:
            raise UserError(
                f"{state.name} is a collection of {state.kind.value}s, and {item} is a {item.kind.value}.", "other_kind"
            )
        if int(title.rating_key) in (await self._members(ref, state.library))[0]:
            raise UserError(f"{item} is in {state.name} already.", "already_in")
        uri = self._uri(state.library, f"/library/metadata/{title.rating_key}")
        try:
            await self._write(ref, "PUT", f"{_path(ref)}/items", {"uri": uri})
        except UserError:
            await self._titles.read(title)  # it may have gone meanwhile, which then is the reason
            raise
        return await self._after(ref, title), item

    async def remove(self, ref: CollectionRef, title: TitleRef) -> tuple[CollectionState, Editable]:
        """Take a title out; the collection afterwards, and the title. `last_title`: it would go with that."""
        state, item = await self._both(ref, title)
        keys, _ = await self._members(ref, state.library)
        if title.server != ref.server or int(title.rating_key) not in keys:
            raise UserError(f"{item} is not in {state.name}.", "not_in")
        if len(keys) == 1:
            raise UserError(
                f"{item} is the only title in {state.name}, and Plex keeps no empty collections; "
                "/collection delete removes it.",
                "last_title",
            )
        try:
            await self._write(ref, "DELETE", f"{_path(ref)}/items/{title.rating_key}")
        except UserError as error:
            if error.code == "collection_gone" and int(title.rating_key) not in (await self._kept(ref, state))[0]:
                raise UserError(f"{item} is not in {state.name} any more.", "not_in") from error
            raise
        return await self._after(ref, title), item

    async def delete(self, ref: CollectionRef) -> None:
        """Throw the collection away; its titles stay. `collection_gone` when somebody else was quicker."""
        await self._write(ref, "DELETE", _path(ref))
        self._plex.server(ref.server).note_library(int(ref.key))

    async def _both(self, ref: CollectionRef, title: TitleRef) -> tuple[CollectionState, Editable]:
        state = await self.read(ref)
        if state.is_smart:
            raise UserError(
                f"{state.name} is a smart collection: what is in it follows from its filter and cannot be changed by "
                "hand.",
                "smart_collection",
            )
        return state, await self._titles.read(title)

    async def _kept(self, ref: CollectionRef, state: CollectionState) -> tuple[list[int], int]:
        """Its titles, when it is still there; `collection_gone`."""
        await self.read(ref)
        return await self._members(ref, state.library)

    async def _after(self, ref: CollectionRef, title: TitleRef) -> CollectionState:
        server = self._plex.server(ref.server)
        server.note_library(int(ref.key))
        server.note_library(int(title.rating_key))
        return await self.read(ref)

    async def _members(
        self, ref: CollectionRef, library: LibraryRef, most: int = MIRROR_TITLES_MAX
    ) -> tuple[list[int], int]:
        """Rating keys in its order, the first `most`, and how many titles there are."""
        server, tag = self._plex.server(ref.server), Tag(TagKind.COLLECTION, ref.key, "")
        found: dict[int, None] = {}
        start = 0
        while True:
            try:
                keys, total, entries_read = await server.mirror.members(library.key, tag, TitleKind.MOVIE, start)
            except UpstreamError as error:
                raise _gone(server, ref, error) from error
            found |= dict.fromkeys(keys)
            start += entries_read
            if not entries_read or start >= total or start >= most:
                return list(found), total

    async def check_name(self, library: LibraryRef, name: str) -> str:
        """The name on one line; `bad_name`, and `name_taken` when the library has such a collection."""
        wanted = clamp(plain(name), NAME_CHARS_MAX)
        if not wanted:
            raise UserError("A collection needs a name.", "bad_name")
        known = await self._plex.server(library.server).mirror.tags(library.key, TagKind.COLLECTION)
        if any(plain(tag.name).casefold() == wanted.casefold() for tag in known):
            raise UserError(f"There is a collection called “{wanted}” already.", "name_taken")
        return wanted

    async def _create(
        self, library: LibraryRef, name: str, kind: TitleKind, uri: str, *, is_smart: bool
    ) -> CollectionState:
        server = self._plex.server(library.server)
        params: Params = {
            "sectionId": library.key, "type": TYPES[kind], "title": name, "smart": int(is_smart), "uri": uri,
        }  # fmt: skip
        rows = await self._request(server, "POST", "/library/collections", params)
        key = next((row["ratingKey"] for row in rows if row.get("ratingKey")), None)
        if key is None:
            raise UpstreamError(server.http.service, UpstreamKind.BROKEN, "no collection in the answer")
        server.note_library(int(key))
        return await self.read(CollectionRef(library.server, key))

    def _uri(self, library: LibraryRef, path: str) -> str:
        return f"server://{self._plex.machine_id(library.server)}/com.plexapp.plugins.library{path}"

    async def _write(self, ref: CollectionRef, method: str, path: str, params: Params | None = None) -> None:
        server = self._plex.server(ref.server)
        try:
            await self._request(server, method, path, params)
        except UpstreamError as error:
            raise _gone(server, ref, error) from error

    async def _request(self, server: Server, method: str, path: str, params: Params | None) -> Rows:
        return await server.adapter().on_server(writing(method, path, params))


def _path(ref: CollectionRef) -> str:
    return f"/library/collections/{RatingKey(ref.key)}"


def _gone(server: Server, ref: CollectionRef, error: UpstreamError) -> UserError | UpstreamError:
    if error.kind is not UpstreamKind.NOT_FOUND:
        return error
    server.note_library(int(ref.key))
    return UserError("That collection is no longer on the server.", "collection_gone")

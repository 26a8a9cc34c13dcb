"""Titles put right on their server: matched anew, split, merged, edited. Each is read in full before and after."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import AsyncExitStack
from dataclasses import replace
from urllib.parse import quote
from weakref import WeakValueDictionary

from daemon.core.errors import UpstreamError, UpstreamKind, UserError
from daemon.core.ids import RatingKey
from daemon.core.library import TagKind
from daemon.core.media import TitleKind, TitleRef
from daemon.core.text import plain
from integrations.plex.adapter_writing import Params, encoded, writing
from integrations.plex.editing_fields import Change, Field, Mode, after_edit, check_allowed, is_same, to_text, without
from integrations.plex.editing_shapes import (
    Candidate,
    Editable,
    EditedShape,
    decode_candidates,
    to_editable,
)
from integrations.plex.http import paging
from integrations.plex.mirror import TYPES
from integrations.plex.plex import Plex
from integrations.plex.server import Server
from integrations.plex.shapes import container, entries, number

QUERY_BYTES_MAX = 7_500  # of one edit: servers and what stands before them take about 8 KiB in an address
_LOST = frozenset({UpstreamKind.UNREACHABLE, UpstreamKind.TIMED_OUT})  # what was asked for may have been done
_ATTEMPTS = 2  # at an edit while somebody else edits the same
_NAMESAKES_MAX = 100
_MATCHED = (TitleKind.MOVIE, TitleKind.SHOW, TitleKind.ARTIST, TitleKind.ALBUM)


class Editing:
    """For owners. UpstreamError when a server fails.

    UserError codes: `title_gone`, `not_matched`, `nothing_to_split`, `not_mergeable`, `refused`, `changed_meanwhile`,
    `changed_since`, `too_long`, `unverified`, and those of `editing_fields`.
    """

    def __init__(self, plex: Plex) -> None:
        self._plex = plex
        self._locks: WeakValueDictionary[TitleRef, asyncio.Lock] = WeakValueDictionary()

    async def read(self, ref: TitleRef) -> Editable:
        """A title as it is now, with all its tags; `title_gone`."""
        server = self._plex.server(ref.server)
        try:
            answer = await server.http.fetch(_path(ref), decode=container)
        except UpstreamError as error:
            raise _gone(server, ref, error) from error
        for shape in entries(answer.Metadata, EditedShape):
            if (found := to_editable(ref.server, shape)) is not None:
                return found
        if answer.Metadata:
            raise UpstreamError(server.http.service, UpstreamKind.BROKEN, "no title in the answer")
        raise UserError("That title is no longer on the server.", "title_gone")

    # What it is

    async def candidates(self, title: Editable) -> list[Candidate]:
        """What Plex thinks the title could be, the likeliest first; none when nothing fits."""
        if title.kind not in _MATCHED:
            above = {TitleKind.TRACK: "artist or album"}.get(title.kind, "show")
            raise UserError(
                f"Plex matches films, shows, artists and albums; match the {above} that this belongs to.", "not_matched"
            )
        server = self._plex.server(title.ref.server)
        try:
            return await server.http.fetch(f"{_path(title.ref)}/matches", {"manual": 1}, decode=decode_candidates)
        except UpstreamError as error:
            raise _gone(server, title.ref, error) from error

    async def match(self, ref: TitleRef, candidate: Candidate) -> Editable:
        """Have the title be that; how it is then, which may still be the old until Plex has read everything anew."""
        await self._write(ref, "PUT", "/match", {"guid": candidate.guid, "name": candidate.name})
        return await self._after(ref)

    # What belongs together

    def check_split(self, title: Editable) -> None:
        """UserError `nothing_to_split` when there is nothing to take apart."""
        if title.kind not in _MATCHED:
            raise UserError("Plex splits films, shows, artists and albums, nothing below them.", "nothing_to_split")
        if len(title.versions) < 2 and len(title.folders) < 2:
            what = "one version only" if title.versions else "one folder only"
            raise UserError(f"{title} has {what}, so there is nothing to split.", "nothing_to_split")

    async def split(self, ref: TitleRef) -> int:
        """Make a title of each version; how many titles there are with what it is matched to."""
        async with self._alone(ref):
            title = await self.read(ref)
            self.check_split(title)
            await self._write(ref, "PUT", "/split")
        server = self._plex.server(ref.server)
        keys = await self._namesakes(server, title)
        for key in {*keys, int(ref.rating_key)}:
            server.note_library(key)
        return len(keys)

    def check_merge(self, title: Editable, into: Editable) -> None:
        """UserError `not_mergeable` with the reason."""
        reason = None
        if title.ref == into.ref:
            reason = "That is the same title twice."
        elif title.ref.server != into.ref.server:
            reason = (
                f"{title} is on {title.ref.server} and {into} on {into.ref.server}: Plex merges on one server only."
            )
        elif title.library_key != into.library_key:
            reason = f"{title} is in {title.library} and {into} in {into.library}: Plex merges within one library only."
        elif title.kind is not into.kind:
            reason = f"{title} is a {title.kind.value} and {into} a {into.kind.value}: these cannot be one."
        elif title.kind not in _MATCHED:
            reason = "Plex merges films, shows, artists and albums, nothing below them."
        if reason is not None:
            raise UserError(reason, "not_mergeable")

    async def merge(self, ref: TitleRef, into: TitleRef) -> Editable:
        """Make the files of `ref` versions of `into`, and return that; `ref` is no title any more."""
        async with AsyncExitStack() as locks:
            for each in sorted({ref, into}, key=str):  # always in one order: two who merge crosswise do not block
                await locks.enter_async_context(self._alone(each))
            title, other = await self.read(ref), await self.read(into)
            self.check_merge(title, other)
            await self._write(into, "PUT", "/merge", {"ids": ref.rating_key})
        self._plex.server(ref.server).note_library(int(ref.rating_key))
        return await self._after(into)

    # What is written on it

    async def edit(self, ref: TitleRef, field: Field, mode: Mode, value: str) -> Change:
        """Change a field, lock it as Plex does, and read whether it is so.

        A list is always written whole, from a reading made directly before: nobody's tag is lost. When it is not as
        it should be afterwards, somebody else writes there: once more from what they wrote, then `changed_meanwhile`.
        """
        async with self._alone(ref):
            return await self._edit(ref, field, mode, value)

    async def _edit(self, ref: TitleRef, field: Field, mode: Mode, value: str) -> Change:
        first: Change | None = None
        for _ in range(_ATTEMPTS):
            title = await self.read(ref)
            check_allowed(field, mode, title.kind)
            before = title.now(field)
            try:
                after = _wanted(field, mode, value, before)
            except UserError as error:
                if first is None or error.code != "nothing_changes":
                    raise
                return replace(first, after=before)  # somebody else has done it
            first = first or Change(ref, field, before, after, field.plex_name in title.locked)
            found = await self._put(title, field, after, is_locked=True)
            if _is_as_wanted(field, found, after):
                return replace(first, after=found)
        raise UserError(
            f"Somebody else changed the {field.value} at the same time; look at it again before you do.",
            "changed_meanwhile",
        )

    async def undo(self, change: Change) -> Change:
        """Take a change back, and the lock with it if it came with the change; what others did since stays.

        `changed_since` when the text is another than the change made it.
        """
        async with self._alone(change.ref):
            return await self._undo(change)

    async def _undo(self, change: Change) -> Change:
        title = await self.read(change.ref)
        field, now = change.field, title.now(change.field)
        if _is_as_wanted(field, now, change.after):
            wanted = change.before
        elif field.is_tags:
            kept = without(now, without(change.after, change.before))
            wanted = (*kept, *without(without(change.before, change.after), kept))
        else:
            raise UserError(
                f"The {field.value} has been changed again since, so I have left it as it is.", "changed_since"
            )
        found = await self._put(title, field, wanted, is_locked=change.was_locked)
        if not _is_as_wanted(field, found, wanted):
            raise UserError(f"Somebody else changed the {field.value} at the same time.", "changed_meanwhile")
        return Change(change.ref, field, now, found, was_locked=True)

    def _alone(self, ref: TitleRef) -> asyncio.Lock:
        """A lock that all who change a title share: between reading a list and writing it nobody of ours writes."""
        lock = self._locks.get(ref)
        if lock is None:
            self._locks[ref] = lock = asyncio.Lock()
        return lock

    async def _put(self, title: Editable, field: Field, wanted: tuple[str, ...], *, is_locked: bool) -> tuple[str, ...]:
        """Write a field and read it again."""
        params: dict[str, str | int] = {"type": TYPES[title.kind], "id": title.ref.rating_key}
        name, before = field.plex_name, title.now(field)
        if field.is_tags:
            if without(wanted, before) or not is_same(wanted, before):
                params |= _tag_params(name, before, wanted)
        else:
            params[f"{name}.value"] = wanted[0] if wanted else ""
        params[f"{name}.locked"] = int(is_locked)
        if len(encoded(params)) > QUERY_BYTES_MAX:
            raise UserError(f"That is more {field.value} than fits into one request to Plex.", "too_long")
        shelves = await self._shelves(title, field, {*before, *wanted})
        found = await self._put_and_read(title, params, field, wanted)
        server = self._plex.server(title.ref.server)
        for key in shelves | await self._shelves(title, field, {*before, *wanted}):
            server.note_library(key)
        return found

    async def _put_and_read(
        self, title: Editable, params: Params, field: Field, wanted: tuple[str, ...]
    ) -> tuple[str, ...]:
        """An answer that was lost on its way says nothing: whether the edit was made is read, then, too."""
        lost: UpstreamError | None = None
        try:
            await self._request(title.ref, "PUT", f"/library/sections/{title.library_key}/all", params)
        except UpstreamError as error:
            if error.kind not in _LOST:
                raise
            lost = error
        try:
            found = (await self._after(title.ref)).now(field)
        except UpstreamError as error:
            if lost is not None:
                raise lost from error
            raise UserError(
                f"The {field.value} was written, but then its server did not answer when I looked at it again; look "
                "yourself before you go on.",
                "unverified",
            ) from error
        if lost is not None and not _is_as_wanted(field, found, wanted):
            raise lost
        return found

    async def _shelves(self, title: Editable, field: Field, names: Collection[str]) -> set[int]:
        """Rating keys of the collections of these names: they are told of as titles are."""
        if field is not Field.COLLECTION:
            return set()
        folded = {name.casefold() for name in names}
        mirror = self._plex.server(title.ref.server).mirror
        found = await mirror.tags(title.library_key, TagKind.COLLECTION)
        return {int(tag.key) for tag in found if tag.name.casefold() in folded and tag.key.isdigit()}

    async def _namesakes(self, server: Server, title: Editable) -> list[int]:
        if title.guid is None:
            return []
        params: Params = {"guid": title.guid, "type": TYPES[title.kind]}
        headers = paging(0, _NAMESAKES_MAX)
        answer = await server.http.fetch("/library/all", params, decode=container, headers=headers)
        return [key for each in entries(answer.Metadata, EditedShape) if (key := number(each.ratingKey)) is not None]

    async def _after(self, ref: TitleRef) -> Editable:
        """The title after a change, which the mirror is told of."""
        self._plex.server(ref.server).note_library(int(ref.rating_key))
        return await self.read(ref)

    async def _write(self, ref: TitleRef, method: str, what: str, params: Params | None = None) -> None:
        await self._request(ref, method, f"{_path(ref)}{what}", params)

    async def _request(self, ref: TitleRef, method: str, path: str, params: Params | None) -> None:
        server = self._plex.server(ref.server)
        try:
            await server.adapter().on_server(writing(method, path, params))
        except UpstreamError as error:
            raise _gone(server, ref, error) from error


def _path(ref: TitleRef) -> str:
    return f"/library/metadata/{RatingKey(ref.rating_key)}"


def _gone(server: Server, ref: TitleRef, error: UpstreamError) -> UserError | UpstreamError:
    """What a failure means; a title that is not there is also told to the mirror, which may still have it."""
    if error.kind is not UpstreamKind.NOT_FOUND:
        return error
    server.note_library(int(ref.rating_key))
    return UserError("That title is no longer on the server.", "title_gone")


def _wanted(field: Field, mode: Mode, value: str, before: tuple[str, ...]) -> tuple[str, ...]:
    if field.is_tags:
        return after_edit(field, mode, value, before)
    text = to_text(field, value)
    after = (text,) if text else ()
    if after == before:
        raise UserError(f"The {field.value} is so already.", "nothing_changes")
    return after


def _is_as_wanted(field: Field, found: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    if field.is_tags:
        return is_same(found, wanted)
    return [plain(text) for text in found] == [plain(text) for text in wanted]


def _tag_params(name: str, before: tuple[str, ...], wanted: tuple[str, ...]) -> dict[str, str | int]:
    """The whole list, and by name what is to go: right whether a server replaces a list or adds to it.

    When something is only to go, it alone is named: what others add meanwhile then stays.
    """
    params: dict[str, str | int] = {}
    if without(wanted, before):
        params = {f"{name}[{place}].tag.tag": word for place, word in enumerate(wanted)}
    if gone := without(before, wanted):
        params[f"{name}[].tag.tag-"] = ",".join(quote(word, safe="") for word in gone)  # they may hold commas
    return params

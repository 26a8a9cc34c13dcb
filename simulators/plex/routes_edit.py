"""Edits of titles: `PUT /library/sections/N/all?id=..&title.value=..&genre[0].tag.tag=..`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from simulators.plex.answers import NotThere, Refused, nothing
from simulators.plex.items import KIND_NUMBERS, Item
from simulators.plex.server import Server
from simulators.plex.shelves import put_on_shelves

_TAG = re.compile(r"^(?P<tag>\w+)\[(?P<place>\d*)\]\.tag\.tag(?P<minus>-?)$")
# Field as sent -> (name here, what makes a value of its text).
FIELDS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "title": ("title", str), "titleSort": ("title_sort", str), "originalTitle": ("original_title", str),
    "summary": ("summary", str), "tagline": ("tagline", str), "studio": ("studio", str),
    "contentRating": ("content_rating", str), "originallyAvailableAt": ("released", str), "year": ("year", int),
    "rating": ("rating", float), "audienceRating": ("audience_rating", float), "addedAt": ("added_at", int),
    "index": ("index", int),
}  # fmt: skip
TAGS = {
    "genre": "genres", "country": "countries", "director": "directors", "writer": "writers", "producer": "producers",
    "label": "labels",
}  # fmt: skip


class EditRoutes:
    """What the owner writes on titles. A list of tags replaces the whole old list, as on a real server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._world = server.world

    def table(self) -> list[web.RouteDef]:
        """Routes for the application."""
        return [
            web.put("/library/sections/{section}/all", self.edit),
            web.put("/library/metadata/{key}", self.edit_one),
        ]

    async def edit(self, request: web.Request) -> web.Response:
        """Change fields, locks and tags of one or several titles (`id=1,2`) of one type."""
        keys = request.query.get("id", "").split(",")
        items = [item for key in keys if key.isdigit() and (item := self._world.items.get(int(key)))]
        section, number = request.match_info["section"], request.query.get("type", "")
        if not items or any(str(item.section) != section for item in items):
            raise NotThere
        if number and any(str(KIND_NUMBERS[item.kind]) != number for item in items):
            raise Refused
        self._change(items, list(request.query.items()))
        return nothing()

    async def edit_one(self, request: web.Request) -> web.Response:
        """The same of one title by its own address."""
        key = request.match_info["key"]
        item = self._world.items.get(int(key)) if key.isascii() and key.isdigit() else None
        if item is None:
            raise NotThere
        self._change([item], list(request.query.items()))
        return nothing()

    def _change(self, items: Sequence[Item], query: list[tuple[str, str]]) -> None:
        fields = _fields(query)
        written, removed = _tags(query)
        locks = {name.removesuffix(".locked"): value == "1" for name, value in query if name.endswith(".locked")}
        for item in items:
            changes = dict(fields)
            for tag in {*written, *removed} & set(TAGS):
                changes[TAGS[tag]] = self._tags_after(item, tag, written.get(tag), removed.get(tag, []))
            kept = item.locked - {name for name, is_locked in locks.items() if not is_locked}
            item.locked = kept | {name for name, is_locked in locks.items() if is_locked}
            self._world.edit(item, int(self._server.clock.now()), **changes)
            if "collection" in written or "collection" in removed:
                names = [shelf.title for shelf in self._world.shelves(item)]
                put_on_shelves(self._server, item, _after(names, written.get("collection"), removed.get("collection")))
            self._server.tell_timeline(item, 5, "processed")

    def _tags_after(self, item: Item, tag: str, written: list[str] | None, removed: list[str]) -> tuple[str, ...]:
        if tag == "genre":
            before: Sequence[str] = item.genres
        elif tag == "label":
            before = self._world.labels(item)
            written = [name[:1].upper() + name[1:] for name in written] if written else written
        else:
            before = getattr(self._world.facts(item), TAGS[tag])
        return tuple(_after(before, written, removed))


def _after(before: Sequence[str], written: list[str] | None, removed: list[str] | None) -> list[str]:
    """What stands there after an edit; a tag is the same whatever its case."""
    gone = {name.casefold() for name in removed or ()}
    names = before if written is None else written
    return list({name.casefold(): name for name in reversed(names) if name.casefold() not in gone}.values())[::-1]


def _fields(query: list[tuple[str, str]]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for name, text in query:
        field, _, part = name.partition(".")
        if part != "value" or field not in FIELDS:
            continue
        own, make = FIELDS[field]
        try:
            changes[own] = make(text) if text or make is str else None
        except ValueError as error:
            raise Refused from error
    if changes.get("title") == "":
        raise Refused
    return changes


def _tags(query: list[tuple[str, str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """(whole new lists, tags to take away) by kind of tag."""
    placed: dict[str, list[tuple[int, str]]] = {}
    removed: dict[str, list[str]] = {}
    for name, text in query:
        match = _TAG.match(name)
        if match is None:
            continue
        if match["minus"]:
            removed.setdefault(match["tag"], []).extend(unquote(part).strip() for part in text.split(","))
        else:
            placed.setdefault(match["tag"], []).append((int(match["place"] or 0), text.strip()))
    written = {tag: [text for _, text in sorted(rows, key=lambda row: row[0]) if text] for tag, rows in placed.items()}
    return written, removed

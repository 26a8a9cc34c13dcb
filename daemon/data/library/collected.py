"""Collections for people: those of the libraries they see, counted and listed by the titles they see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, select

from daemon.core.ids import ServerId
from daemon.core.library import CollectionRef, TagKind
from daemon.core.visibility import LibraryRef, Visibility
from daemon.data.library.shown import Shown, condition, of_rating_keys, of_tag, within_libraries
from daemon.data.library.tables import libraries, library_tags, library_title_tags, library_titles

_l, _t = libraries.c, library_titles.c
_tags, _marks = library_tags.alias(), library_title_tags.alias()  # what narrows a title asks for tags of its own
_g, _m = _tags.c, _marks.c


@dataclass(frozen=True, slots=True)
class Collected:
    """A collection as the mirror has it; `count` are its titles that are seen."""

    ref: CollectionRef
    name: str
    library: LibraryRef
    library_name: str
    count: int


def listing(tx: Connection, visibility: Visibility, only: LibraryRef | None = None) -> list[Collected]:
    """By name. Where labels or ratings hide titles of a library, a collection of hidden titles is not told of."""
    inside = and_(_g.kind == TagKind.COLLECTION.value, within_libraries(visibility, only))
    shelves = tx.execute(
        select(_g.id, _g.key, _g.name, _l.server, _l.key.label("section"), _l.name.label("library"))
        .select_from(_tags.join(libraries, _l.id == _g.library_id))
        .where(inside)
    ).all()
    counts = tx.execute(
        select(_g.id, func.count())
        .select_from(
            _tags.join(libraries, _l.id == _g.library_id)
            .join(_marks, _m.tag_id == _g.id)
            .join(library_titles, _t.id == _m.title_id)
        )
        .where(inside, condition(visibility, only))
        .group_by(_g.id)
    )
    seen = {row[0]: int(row[1]) for row in counts}
    found = []
    for row in shelves:
        library = LibraryRef(ServerId(row.server), row.section)
        if row.id in seen or library not in visibility.restrictions:
            ref = CollectionRef(ServerId(row.server), row.key)
            found.append(Collected(ref, row.name, library, row.library, seen.get(row.id, 0)))
    return sorted(found, key=lambda one: (one.name.casefold(), one.library_name, str(one.ref)))


def titles(
    tx: Connection, visibility: Visibility, collection: Collected, rating_keys: Sequence[int] | None
) -> list[Shown]:
    """What of a collection is seen: these titles in this order, or all that the mirror knows to be in it, by name."""
    if rating_keys is not None:
        return of_rating_keys(tx, visibility, collection.ref.server, rating_keys, collection.library)
    return of_tag(tx, visibility, collection.library, TagKind.COLLECTION, collection.ref.key)

"""What may be listed: films and shows of one library as the mirror holds them, by size, age and rating."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Subquery, exists, func, select

from daemon.core.ids import RatingKey
from daemon.core.leaving import Listed, Rule
from daemon.core.media import TitleKind
from daemon.core.visibility import LibraryRef, Visibility
from daemon.data.leaving.tables import leaving_titles
from daemon.data.library.shown import condition
from daemon.data.library.tables import libraries, library_parts, library_titles

_l, _t, _p, _out = libraries.c, library_titles.c, library_parts.c, leaving_titles.c
_rating = func.coalesce(_t.audience_rating_tenths, _t.rating_tenths)


def candidates(
    tx: Connection, visibility: Visibility, library: LibraryRef, rule: Rule, added_before: datetime, at: datetime
) -> list[Listed]:
    """Titles that the rule allows but for who played them: that the server alone knows. The largest first.

    A show is as old as its newest episode. What an undecided round lists, and what was kept lately, is left out; so is
    what has no guid, because it could not be recognised again.
    """
    found: list[Listed] = []
    films = _files(library, TitleKind.MOVIE, _t.rating_key)
    shows = _files(library, TitleKind.EPISODE, _t.grandparent_key)
    for kind, files in ((TitleKind.MOVIE, films), (TitleKind.SHOW, shows)):
        statement = _matching(visibility, library, rule, added_before, at, kind, files)
        found += (_to_listed(row) for row in tx.execute(statement))
    return sorted(found, key=lambda one: (-one.size_bytes, one.name, one.rating_key))


def _matching(
    visibility: Visibility,
    library: LibraryRef,
    rule: Rule,
    added_before: datetime,
    at: datetime,
    kind: TitleKind,
    files: Subquery,
) -> Select[Any]:
    added_at = func.coalesce(files.c.added_at, _t.added_at).label("added")
    is_listed = exists().where(_out.server == _t.server, _out.undecided_key == _t.rating_key)
    is_exempt = exists().where(_out.server == _t.server, _out.guid == _t.guid, _out.exempt_until > at)
    joined = library_titles.join(libraries, _l.id == _t.library_id).join(files, files.c.key == _t.rating_key)
    statement = (
        select(
            _t.rating_key, _t.kind, _t.guid, _t.name, _t.year, _t.added_at, added_at, _rating.label("rating"),
            files.c.size_bytes, files.c.files,
        )
        .select_from(joined)
        .where(condition(visibility, library), _t.kind == kind.value, _t.guid.is_not(None), _t.added_at < added_before)
        .where(added_at < added_before, files.c.size_bytes >= rule.size_bytes_min, ~is_listed, ~is_exempt)
    )  # fmt: skip
    if rule.rating_tenths_max is not None:
        statement = statement.where(_rating <= rule.rating_tenths_max)
    return statement


def _files(library: LibraryRef, kind: TitleKind, key: ColumnElement[int]) -> Subquery:
    """(key, added_at, size_bytes, files) of the titles of a kind together that have the same `key`."""
    return (
        select(
            key.label("key"),
            func.max(_t.added_at).label("added_at"),
            func.sum(_p.size_bytes).label("size_bytes"),
            func.count(_p.part_id).label("files"),
        )
        .select_from(library_titles.join(libraries, _l.id == _t.library_id).join(library_parts, _p.title_id == _t.id))
        .where(_l.server == library.server, _l.key == library.key, _t.kind == kind.value)
        .group_by(key)
        .subquery()
    )


def _to_listed(row: Any) -> Listed:
    return Listed(
        RatingKey(str(row.rating_key)), TitleKind(row.kind), row.guid, row.name, row.year, int(row.size_bytes or 0),
        int(row.files), row.added_at, None, row.rating,
    )  # fmt: skip

"""What may be listed: films and shows of one library as the mirror holds them, by size, age and rating."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Subquery, exists, func, select

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
    for kind, files in ((TitleKind.MOVIE, _files_of_films(library)), (TitleKind.SHOW, _files_of_shows(library))):
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
    joined = library_titles.join(libraries, _l.id == _t.library_id).join(files, files.c.title_id == _t.id)
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


def _files_of_films(library: LibraryRef) -> Subquery:
    """(title_id, added_at, size_bytes, files) of each film."""
    return (
        select(
            _t.id.label("title_id"),
            func.max(_t.added_at).label("added_at"),
            func.sum(_p.size_bytes).label("size_bytes"),
            func.count(_p.part_id).label("files"),
        )
        .select_from(library_titles.join(libraries, _l.id == _t.library_id).join(library_parts, _p.title_id == _t.id))
        .where(_l.server == library.server, _l.key == library.key, _t.kind == TitleKind.MOVIE.value)
        .group_by(_t.id)
        .subquery()
    )


def _files_of_shows(library: LibraryRef) -> Subquery:
    """The same of each show, over all of its episodes."""
    show, episode = library_titles.alias(), library_titles.alias()
    joined = (
        show.join(libraries, _l.id == show.c.library_id)
        .join(episode, (episode.c.library_id == show.c.library_id) & (episode.c.grandparent_key == show.c.rating_key))
        .join(library_parts, _p.title_id == episode.c.id)
    )
    return (
        select(
            show.c.id.label("title_id"),
            func.max(episode.c.added_at).label("added_at"),
            func.sum(_p.size_bytes).label("size_bytes"),
            func.count(_p.part_id).label("files"),
        )
        .select_from(joined)
        .where(_l.server == library.server, _l.key == library.key)
        .where(show.c.kind == TitleKind.SHOW.value, episode.c.kind == TitleKind.EPISODE.value)
        .group_by(show.c.id)
        .subquery()
    )


def _to_listed(row: Any) -> Listed:
    return Listed(
        RatingKey(str(row.rating_key)), TitleKind(row.kind), row.guid, row.name, row.year, int(row.size_bytes or 0),
        int(row.files), row.added_at, None, row.rating,
    )  # fmt: skip

"""Titles and sums of the mirror for people: whatever is asked, what they may not see is left out by the statement."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, distinct, exists, false, func, not_, or_, select, true

from daemon.core.ids import RatingKey, ServerId
from daemon.core.library import TagKind
from daemon.core.media import Title, TitleKind, TitleRef
from daemon.core.query import folded, without_article
from daemon.core.visibility import LibraryRef, Restriction, Visibility
from daemon.data.library.tables import (
    libraries,
    library_guids,
    library_parts,
    library_tags,
    library_title_tags,
    library_titles,
    library_versions,
)

_l, _t, _v, _p = libraries.c, library_titles.c, library_versions.c, library_parts.c
_KEY_MAX = 2**63 - 1
_TITLE = (
    _t.id, _t.server, _t.rating_key, _t.kind, _t.name, _t.year, _t.duration_ms, _t.parent_name, _t.grandparent_name,
    _t.index_no, _t.parent_index_no, _l.name.label("library"), _t.thumb, _t.leaf_count, _t.added_at, _t.parent_key,
)  # fmt: skip

_KEYS_AT_ONCE = 500  # titles asked for by one statement


@dataclass(frozen=True, slots=True)
class Shown:
    """A title with what lists say of it. `parent_key` is the rating key of its season or album."""

    title_id: int
    title: Title
    added_at: datetime | None
    parent_key: int | None


@dataclass(frozen=True, slots=True)
class FileFacts:
    """One version of a title, its files taken together."""

    resolution: str | None
    video_codec: str | None
    audio_codec: str | None
    audio_channels: int | None
    container: str | None
    bitrate_kbps: int | None
    size_bytes: int
    parts: int


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the mirror knows of one title. `people` is JSON; ratings are tenths."""

    shown: Shown
    library: LibraryRef
    content_rating: str | None
    rating_tenths: int | None
    audience_rating_tenths: int | None
    people: str | None
    genres: tuple[str, ...]
    collections: tuple[str, ...]
    guids: tuple[str, ...]
    files: tuple[FileFacts, ...]


@dataclass(frozen=True, slots=True)
class LibrarySum:
    """What a library amounts to. `counts` are by kind; sizes are of all files, `play_ms` of what plays."""

    ref: LibraryRef
    name: str
    kind: str
    counts: dict[str, int]
    play_ms: int
    size_bytes: int
    files: int
    newest_at: datetime | None
    read_at: datetime | None


def within_libraries(visibility: Visibility, only: LibraryRef | None = None) -> ColumnElement[bool]:
    """What a row of libraries has to fulfil to be one of those that are seen, whatever of its titles is; `only` one."""
    parts: list[ColumnElement[bool]] = []
    if visibility.libraries is not None:
        parts.append(or_(false(), *(_is(ref) for ref in sorted(visibility.libraries, key=str))))
    if only is not None:
        parts.append(_is(only))
    return and_(true(), *parts)


def condition(visibility: Visibility, only: LibraryRef | None = None) -> ColumnElement[bool]:
    """What a title joined to its library has to fulfil to be seen; `only` one library."""
    parts = [within_libraries(visibility, only)]
    for ref, restriction in visibility.restrictions.items():
        parts.append(or_(not_(_is(ref)), _passes(restriction)))
    return and_(true(), *parts)


def _is(ref: LibraryRef) -> ColumnElement[bool]:
    return and_(_l.server == ref.server, _l.key == ref.key)


def _passes(restriction: Restriction) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = []
    if restriction.labels:
        parts.append(_labelled(restriction.labels))
    if restriction.hidden_labels:
        parts.append(not_(_labelled(restriction.hidden_labels)))
    if restriction.ratings:
        parts.append(_t.content_rating.in_(restriction.ratings))
    if restriction.hidden_ratings:
        parts.append(or_(_t.content_rating.is_(None), _t.content_rating.not_in(restriction.hidden_ratings)))
    return and_(true(), *parts)


def _labelled(labels: frozenset[str]) -> ColumnElement[bool]:
    """The title, or what it is part of, has one of the labels."""
    above = library_titles.alias()
    return exists(
        select(above.c.id)
        .join(library_title_tags, library_title_tags.c.title_id == above.c.id)
        .join(library_tags, library_tags.c.id == library_title_tags.c.tag_id)
        .where(
            library_tags.c.kind == "label",
            library_tags.c.name.in_(labels),
            above.c.library_id == _t.library_id,
            or_(above.c.id == _t.id, above.c.rating_key == _t.parent_key, above.c.rating_key == _t.grandparent_key),
        )
    )


def _titles(visibility: Visibility, only: LibraryRef | None = None) -> Select[Any]:
    joined = library_titles.join(libraries, _l.id == _t.library_id)
    return select(*_TITLE).select_from(joined).where(condition(visibility, only))


def recent(
    tx: Connection, visibility: Visibility, only: LibraryRef | None, since: datetime | None, most: int
) -> list[Shown]:
    """Films, episodes and albums, the newest first."""
    kinds = (TitleKind.MOVIE.value, TitleKind.EPISODE.value, TitleKind.ALBUM.value)
    statement = _titles(visibility, only).where(_t.kind.in_(kinds), _t.added_at.is_not(None))
    if since is not None:
        statement = statement.where(_t.added_at >= since)
    return [_to_shown(row) for row in tx.execute(statement.order_by(_t.added_at.desc(), _t.id.desc()).limit(most))]


def candidates(
    tx: Connection, visibility: Visibility, *, genre: str | None, ms_max: int | None, kinds: Sequence[TitleKind]
) -> list[int]:
    """Ids of all titles that a random choice may fall on."""
    statement = _titles(visibility).with_only_columns(_t.id).where(_t.kind.in_([kind.value for kind in kinds]))
    if genre is not None:
        g, m = library_tags.c, library_title_tags.c
        has = select(m.title_id).join(library_tags, g.id == m.tag_id).where(g.kind == "genre", g.name == genre)
        statement = statement.where(_t.id.in_(has))
    if ms_max is not None:
        statement = statement.where(_t.duration_ms <= ms_max)
    return list(tx.execute(statement.order_by(_t.id)).scalars())


def by_ids(tx: Connection, visibility: Visibility, title_ids: Sequence[int]) -> list[Shown]:
    """These titles, those of them that are seen."""
    rows = tx.execute(_titles(visibility).where(_t.id.in_(title_ids)))
    found = {row.id: _to_shown(row) for row in rows}
    return [found[title_id] for title_id in title_ids if title_id in found]


def of_rating_keys(
    tx: Connection, visibility: Visibility, server: ServerId, keys: Sequence[int], only: LibraryRef | None = None
) -> list[Shown]:
    """The titles of these rating keys that are seen, in this order."""
    found: dict[str, Shown] = {}
    for at in range(0, len(keys), _KEYS_AT_ONCE):
        these = _titles(visibility, only).where(_t.server == server, _t.rating_key.in_(keys[at : at + _KEYS_AT_ONCE]))
        found |= {shown.title.ref.rating_key: shown for row in tx.execute(these) if (shown := _to_shown(row))}
    return [found[key] for key in dict.fromkeys(str(key) for key in keys) if key in found]


def of_tag(tx: Connection, visibility: Visibility, library: LibraryRef, kind: TagKind, key: str) -> list[Shown]:
    """The titles of a library that have a tag and are seen, as libraries sort their names."""
    g, m = library_tags.c, library_title_tags.c
    has = select(m.title_id).join(library_tags, g.id == m.tag_id)
    has = has.where(g.kind == kind.value, g.key == key, g.library_id == _t.library_id).correlate(library_titles)
    rows = tx.execute(_titles(visibility, library).where(_t.id.in_(has)).order_by(_t.id))
    found = [_to_shown(row) for row in rows]
    return sorted(found, key=lambda shown: (without_article(folded(shown.title.name)), shown.title.year or 0))


def by_refs(tx: Connection, visibility: Visibility, refs: Collection[TitleRef]) -> dict[TitleRef, Shown]:
    """Those of these titles that are seen."""
    keys: dict[ServerId, list[int]] = {}
    for ref in refs:
        keys.setdefault(ref.server, []).append(int(ref.rating_key))
    found: dict[TitleRef, Shown] = {}
    for server, wanted in keys.items():
        found |= {shown.title.ref: shown for shown in of_rating_keys(tx, visibility, server, wanted)}
    return found


def facts(tx: Connection, visibility: Visibility, ref: TitleRef) -> Facts | None:
    """All of one title; None when the mirror does not hold it or it is not seen."""
    if (key := key_of(ref)) is None:
        return None
    more = (_l.key, _t.content_rating, _t.rating_tenths, _t.audience_rating_tenths, _t.people)
    this = _titles(visibility).add_columns(*more)
    row = tx.execute(this.where(_t.server == ref.server, _t.rating_key == key)).first()
    if row is None:
        return None
    g, m = library_tags.c, library_title_tags.c
    tags = tx.execute(
        select(g.kind, g.name).join(library_title_tags, m.tag_id == g.id).where(m.title_id == row.id).order_by(g.name)
    ).all()
    guids = tx.execute(select(library_guids.c.guid).where(library_guids.c.title_id == row.id)).scalars()
    return Facts(
        _to_shown(row), LibraryRef(ServerId(row.server), row.key), row.content_rating, row.rating_tenths,
        row.audience_rating_tenths, row.people, tuple(name for kind, name in tags if kind == "genre"),
        tuple(name for kind, name in tags if kind == "collection"), tuple(sorted(guids)), _files(tx, row.id),
    )  # fmt: skip


def key_of(ref: TitleRef) -> int | None:
    """The rating key as a number; None for one that no title has."""
    text = str(ref.rating_key)
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > _KEY_MAX:
        return None
    return int(text)


def _files(tx: Connection, title_id: int) -> tuple[FileFacts, ...]:
    joined = library_versions.join(
        library_parts, and_(_p.title_id == _v.title_id, _p.media_id == _v.media_id), isouter=True
    )
    columns = (_v.resolution, _v.video_codec, _v.audio_codec, _v.audio_channels, _v.container, _v.bitrate_kbps)
    sums = (func.coalesce(func.sum(_p.size_bytes), 0), func.count(_p.part_id))
    rows = tx.execute(
        select(*columns, *sums)
        .select_from(joined)
        .where(_v.title_id == title_id)
        .group_by(_v.media_id, *columns)
        .order_by(_v.media_id)
    )
    return tuple(FileFacts(row[0], row[1], row[2], row[3], row[4], row[5], int(row[6]), int(row[7])) for row in rows)


def genres(tx: Connection, visibility: Visibility) -> list[str]:
    """The genres of all libraries that are seen, by name."""
    joined = library_tags.join(libraries, _l.id == library_tags.c.library_id)
    seen = or_(false(), *(_is(ref) for ref in visibility.libraries)) if visibility.libraries is not None else true()
    statement = select(distinct(library_tags.c.name)).select_from(joined).where(library_tags.c.kind == "genre", seen)
    return sorted(tx.execute(statement).scalars())


def sums(tx: Connection, visibility: Visibility, only: LibraryRef | None = None) -> list[LibrarySum]:
    """Each library that is seen, as far as it is seen."""
    joined = library_titles.join(libraries, _l.id == _t.library_id)
    seen = condition(visibility, only)
    columns = (_l.id, _l.server, _l.key, _l.name, _l.kind, _l.read_at)
    counts = tx.execute(
        select(*columns, _t.kind.label("of"), func.count().label("n"), func.sum(_t.duration_ms), func.max(_t.added_at))
        .select_from(joined)
        .where(seen)
        .group_by(*columns, _t.kind)
    ).all()
    with_parts = joined.join(library_parts, _p.title_id == _t.id)
    sizes = {
        row[0]: (int(row[1] or 0), int(row[2]))
        for row in tx.execute(
            select(_l.id, func.sum(_p.size_bytes), func.count()).select_from(with_parts).where(seen).group_by(_l.id)
        )
    }
    found: dict[int, list[Any]] = {}
    for row in counts:
        found.setdefault(row.id, []).append(row)
    leaves = {TitleKind.MOVIE.value, TitleKind.EPISODE.value, TitleKind.TRACK.value}
    made = [
        LibrarySum(
            LibraryRef(ServerId(rows[0].server), rows[0].key),
            rows[0].name,
            rows[0].kind,
            {row.of: row.n for row in rows},
            sum(int(row[8] or 0) for row in rows if row.of in leaves),
            *sizes.get(library_id, (0, 0)),
            max((row[9] for row in rows if row[9] is not None), default=None),
            rows[0].read_at,
        )
        for library_id, rows in found.items()
    ]
    return sorted(made, key=lambda one: (one.ref.server, one.name))


def largest(tx: Connection, visibility: Visibility, only: LibraryRef | None, most: int) -> list[tuple[Shown, int]]:
    """The titles whose files are largest, with their bytes."""
    size = func.sum(_p.size_bytes).label("size_bytes")
    big = select(_p.title_id, size).group_by(_p.title_id).subquery()
    statement = _titles(visibility, only).add_columns(big.c.size_bytes).join(big, big.c.title_id == _t.id)
    rows = tx.execute(statement.order_by(big.c.size_bytes.desc(), _t.id).limit(most))
    return [(_to_shown(row), int(row.size_bytes or 0)) for row in rows]


def by_resolution(tx: Connection, visibility: Visibility, only: LibraryRef | None) -> list[tuple[str, int, int]]:
    """(resolution, versions, bytes) of everything that is seen, the largest share first; "" where none is told."""
    joined = (
        library_titles.join(libraries, _l.id == _t.library_id)
        .join(library_versions, _v.title_id == _t.id)
        .join(library_parts, and_(_p.title_id == _v.title_id, _p.media_id == _v.media_id))
    )
    name = func.coalesce(_v.resolution, "")
    rows = tx.execute(
        select(name, func.count(), func.sum(_p.size_bytes))
        .select_from(joined)
        .where(condition(visibility, only))
        .group_by(name)
    )
    return sorted(((row[0], int(row[1]), int(row[2] or 0)) for row in rows), key=lambda one: (-one[2], one[0]))


def _to_shown(row: Any) -> Shown:
    return Shown(
        row.id,
        Title(
            TitleRef(ServerId(row.server), RatingKey(str(row.rating_key))),
            TitleKind(row.kind),
            row.name,
            row.year,
            row.duration_ms,
            row.parent_name,
            row.grandparent_name,
            row.index_no,
            row.parent_index_no,
            row.library,
            row.thumb,
            0,
            row.leaf_count,
        ),
        row.added_at,
        row.parent_key,
    )

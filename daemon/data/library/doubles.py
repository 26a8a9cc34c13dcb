"""What a library holds more than once: titles with several versions, and one film or episode as several titles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, select

from daemon.core.media import TitleKind
from daemon.core.visibility import LibraryRef, Visibility
from daemon.data.library import libraries
from daemon.data.library.shown import Shown, by_ids
from daemon.data.library.tables import library_guids, library_parts, library_titles, library_versions

DOUBLES_MAX = 5_000  # titles that are looked at
_AT_ONCE = 500
_t, _v, _p, _g = library_titles.c, library_versions.c, library_parts.c, library_guids.c
_TWINS = (TitleKind.MOVIE.value, TitleKind.EPISODE.value)
UNMATCHED = ("local://%", "%.agents.none://%")
"""How the guids begin of titles that no agent knows."""


@dataclass(frozen=True, slots=True)
class VersionSize:
    """One version: where it belongs, how good it is, how large, and its first file."""

    title_id: int
    resolution: str | None
    video_codec: str | None
    size_bytes: int
    file: str | None


@dataclass(frozen=True, slots=True)
class Double:
    """Titles that are one (usually a single title), with their versions, the largest first."""

    titles: tuple[Shown, ...]
    versions: tuple[VersionSize, ...]

    @property
    def saved_bytes(self) -> int:
        """What would be free if only the largest version stayed. A file that stands behind several counts once."""
        files = {version.file or index: version.size_bytes for index, version in enumerate(self.versions)}
        return sum(files.values()) - max(files.values(), default=0)


def doubles(tx: Connection, ref: LibraryRef) -> list[Double]:
    """Everything that is there more than once, what saves most first; of `DOUBLES_MAX` titles at most."""
    library = libraries.find(tx, ref)
    if library is None:
        return []
    here = _t.library_id == library.library_id
    groups = _Groups()
    # Counted before the join: the key of the versions is in this order already.
    many = select(_v.title_id).group_by(_v.title_id).having(func.count() > 1).subquery()
    several = select(many.c.title_id).join(library_titles, _t.id == many.c.title_id).where(here)
    several = several.order_by(many.c.title_id).limit(DOUBLES_MAX)
    groups.join((title_id, title_id) for title_id in tx.execute(several).scalars())
    groups.join(_same_guid(tx, here))
    groups.join(_same_external_guid(tx, here))
    ids = groups.ids()[:DOUBLES_MAX]
    shown, versions = _shown(tx, ids), _versions(tx, ids)
    found = []
    for members in groups.members(ids):
        titles = tuple(shown[title_id] for title_id in members if title_id in shown)
        files = [version for title_id in members for version in versions.get(title_id, ())]
        if titles and len(files) > 1:
            found.append(Double(titles, tuple(sorted(files, key=lambda one: -one.size_bytes))))
    return sorted(found, key=lambda one: (-one.saved_bytes, one.titles[0].title_id))


def is_matched() -> ColumnElement[bool]:
    """Whether an agent knows the title."""
    return and_(_t.guid.is_not(None), *(_t.guid.not_like(pattern) for pattern in UNMATCHED))


def _same_guid(tx: Connection, here: ColumnElement[bool]) -> list[tuple[int, int]]:
    of = here, _t.kind.in_(_TWINS), is_matched()
    twice = select(_t.kind, _t.guid).where(*of).group_by(_t.kind, _t.guid).having(func.count() > 1).subquery()
    same = and_(_t.kind == twice.c.kind, _t.guid == twice.c.guid)
    rows = tx.execute(
        select(_t.kind, _t.guid, _t.id).join(twice, same).where(*of).order_by(_t.id).limit(DOUBLES_MAX)
    ).all()
    return _pairs((f"{row[0]} {row[1]}", row[2]) for row in rows)


def _same_external_guid(tx: Connection, here: ColumnElement[bool]) -> list[tuple[int, int]]:
    of = here, _t.kind.in_(_TWINS)
    joined = library_guids.join(library_titles, _t.id == _g.title_id)
    twice = (
        select(_t.kind, _g.guid)
        .select_from(joined)
        .where(*of)
        .group_by(_t.kind, _g.guid)
        .having(func.count() > 1)
        .subquery()
    )
    same = and_(_t.kind == twice.c.kind, _g.guid == twice.c.guid)
    rows = tx.execute(
        select(_t.kind, _g.guid, _t.id)
        .select_from(joined.join(twice, same))
        .where(*of)
        .order_by(_t.id)
        .limit(DOUBLES_MAX)
    ).all()
    return _pairs((f"{row[0]} {row[1]}", row[2]) for row in rows)


def _pairs(named: Iterable[tuple[str, int]]) -> list[tuple[int, int]]:
    first: dict[str, int] = {}
    return [(first.setdefault(name, title_id), title_id) for name, title_id in named]


def _shown(tx: Connection, ids: Sequence[int]) -> dict[int, Shown]:
    found: dict[int, Shown] = {}
    for at in range(0, len(ids), _AT_ONCE):
        found |= {one.title_id: one for one in by_ids(tx, Visibility(), ids[at : at + _AT_ONCE])}
    return found


def _versions(tx: Connection, ids: Sequence[int]) -> dict[int, list[VersionSize]]:
    joined = library_versions.join(
        library_parts, and_(_p.title_id == _v.title_id, _p.media_id == _v.media_id), isouter=True
    )
    columns = (_v.title_id, _v.media_id, _v.resolution, _v.video_codec)
    sums = (func.coalesce(func.sum(_p.size_bytes), 0), func.min(_p.file))
    found: dict[int, list[VersionSize]] = {}
    for at in range(0, len(ids), _AT_ONCE):
        some = select(*columns, *sums).select_from(joined).where(_v.title_id.in_(ids[at : at + _AT_ONCE]))
        for row in tx.execute(some.group_by(*columns).order_by(_v.title_id, _v.media_id)):
            found.setdefault(row[0], []).append(VersionSize(row[0], row[2], row[3], int(row[4]), row[5]))
    return found


class _Groups:
    """Numbers that belong together because pairs of them do; each group goes by its lowest number."""

    def __init__(self) -> None:
        self._above: dict[int, int] = {}

    def join(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Take the two of each pair into one group."""
        for one, other in pairs:
            low, high = sorted((self._top(one), self._top(other)))
            self._above[high] = low

    def ids(self) -> list[int]:
        """Every number, group by group."""
        return sorted(self._above, key=lambda number: (self._top(number), number))

    def members(self, ids: Sequence[int]) -> list[list[int]]:
        """The groups, as far as their numbers are among `ids`."""
        found: dict[int, list[int]] = {}
        for number in ids:
            found.setdefault(self._top(number), []).append(number)
        return list(found.values())

    def _top(self, number: int) -> int:
        above = self._above.setdefault(number, number)
        while above != number:
            number, above = above, self._above[above]
        return number

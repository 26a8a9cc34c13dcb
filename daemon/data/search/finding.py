"""Finding titles in the search file. What a member may not see is left out by the statements themselves.

So every list is full of what may be seen, however little that is: nothing is cut first and filtered afterwards.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from daemon.core.ids import ServerId
from daemon.core.visibility import LibraryRef, Restriction, Visibility
from daemon.data.search.file import KIND_NO, NEW_KINDS, Doc
from daemon.data.search.tokens import all_prefixes, any_of, grams, kind_token, library_token

_ROW = (
    "d.id, d.library, d.kind, d.server, d.rating_key, d.name, d.year, d.duration_ms, d.parent, d.grandparent, "
    "d.index_no, d.parent_index_no, d.thumb, d.leaf_count, d.show_key, d.rating, d.added_at"
)
_FIRST = frozenset(KIND_NO[kind] for kind in ("movie", "show", "artist", "album"))
_SECOND = frozenset(KIND_NO[kind] for kind in ("season", "episode", "track"))
_LAST = chr(0x10FFFF)
_FEW = 300
_GRAMS_MAX = 6
_CANDIDATES_MIN, _CANDIDATES_MAX = 3_000, 30_000  # measured: enough for 0.95 of 100,000 and 0.9 of 1,000,000


@dataclass(frozen=True, slots=True)
class Sight:
    """Whose libraries are searched, as numbers of the search file, and how single ones are narrowed.

    `names` are those of all libraries, by number.
    """

    libraries: tuple[int, ...]
    is_all: bool
    restrictions: dict[int, Restriction]
    names: dict[int, str]


def sight(connection: sqlite3.Connection, visibility: Visibility, only: LibraryRef | None = None) -> Sight:
    """What somebody sees, in the numbers of the file; `only` one library of it."""
    names: dict[int, str] = {}
    seen: list[int] = []
    restrictions: dict[int, Restriction] = {}
    for number, server, key, name in connection.execute("SELECT id, server, key, name FROM libraries ORDER BY id"):
        ref = LibraryRef(ServerId(server), key)
        names[number] = name
        if (visibility.libraries is None or ref in visibility.libraries) and only in (None, ref):
            seen.append(number)
            if ref in visibility.restrictions:
                restrictions[number] = visibility.restrictions[ref]
    return Sight(tuple(seen), len(seen) == len(names), restrictions, names)


def by_name(
    connection: sqlite3.Connection, sees: Sight, kinds: Sequence[int], beginning: str, limit: int
) -> list[tuple[str, Doc]]:
    """Titles whose folded name, with or without its article, begins so: (that name, title), at most `limit` a kind."""
    found: list[tuple[str, Doc]] = []
    for kind in kinds:
        of_kind: list[tuple[str, Doc]] = []
        for library in sees.libraries:
            narrowed, values = _narrowed(sees, library)
            rows = connection.execute(
                f"SELECT n.key, {_ROW} FROM names n JOIN docs d ON d.id = n.doc WHERE n.library = ? AND n.kind = ? "  # noqa: S608
                f"AND n.key >= ? AND n.key < ?{narrowed} ORDER BY n.key LIMIT ?",
                (library, kind, beginning, beginning + _LAST, *values, limit),
            )
            of_kind += [(row[0], Doc._make((*row[1:], ()))) for row in rows]
        of_kind.sort(key=lambda pair: pair[0])
        found += of_kind[:limit]
    return found


def newest(connection: sqlite3.Connection, sees: Sight, kinds: Collection[int], limit: int) -> list[Doc]:
    """Of films, shows and albums, as far as those are among `kinds`, the latest ones, at most `limit`."""
    found: list[Doc] = []
    for library in sees.libraries:
        narrowed, values = _narrowed(sees, library)
        for kind in NEW_KINDS:
            if kind in kinds:
                # The kinds of the index are named as the index names them: only so it is used.
                rows = connection.execute(
                    f"SELECT {_ROW} FROM docs d WHERE d.kind IN {NEW_KINDS} AND d.library = ? AND d.kind = ? "  # noqa: S608
                    f"AND d.added_at IS NOT NULL{narrowed} ORDER BY d.added_at DESC LIMIT ?",
                    (library, kind, *values, limit),
                )
                found += [Doc._make((*row, ())) for row in rows]
    found.sort(key=lambda doc: (-(doc.added_at or 0), doc.kind_no, doc.name, doc.title_id))
    return found[:limit]


def by_words(
    connection: sqlite3.Connection, sees: Sight, kinds: Collection[int], words: Sequence[str], limit: int
) -> list[tuple[str, Doc]]:
    """Titles with a word that begins with each of these, whatever is useful first: (bare name, title), about `limit`.

    Where few titles have the words, their kinds are looked at afterwards: to leave the others out by the index, it has
    to walk through all titles of those kinds. By three questions at most, for each of which the beginnings of words are
    gathered anew.
    """
    if not words:
        return []
    expression = all_prefixes(words)
    some = _matching(connection, "words", f"{_ROW}, d.bare", sees, expression, _FEW + 1)
    if len(some) <= _FEW:
        return [_named(row) for row in some if row[2] in kinds]
    found: list[tuple[str, Doc]] = []
    for group in (_FIRST, _SECOND):
        wanted = [kind for kind in kinds if kind in group]
        if wanted and len(found) < limit:
            narrow = f"{expression} AND {any_of(map(kind_token, wanted))}"
            found += map(_named, _matching(connection, "words", f"{_ROW}, d.bare", sees, narrow, limit))
    return found


def _named(row: Sequence[Any]) -> tuple[str, Doc]:
    return row[-1], Doc._make((*row[:-1], ()))


def near_names(
    connection: sqlite3.Connection, sees: Sight, kinds: Collection[int], bare: str, size: int
) -> list[tuple[int, str]]:
    """(id, bare name) of titles that share the rarest pieces of one: the candidates among which a mistyped one is.

    `size` is how many titles the file holds: of more, more candidates are looked at.
    """
    wanted = grams(bare)
    marks = ", ".join("?" * len(wanted))
    rows = connection.execute(f"SELECT gram, docs FROM grams WHERE gram IN ({marks}) ORDER BY docs", wanted)  # noqa: S608
    most = min(_CANDIDATES_MAX, max(_CANDIDATES_MIN, size // 33))
    chosen: list[str] = []
    total = 0
    for gram, docs in rows:
        if chosen and (len(chosen) >= _GRAMS_MAX or total + docs > most):
            break
        chosen.append(gram)
        total += docs
    if not chosen:
        return []
    expression = f"{any_of(chosen)} AND {any_of(kind_token(kind) for kind in sorted(kinds))}"
    return _matching(connection, "pieces", "d.id, d.bare", sees, expression, _CANDIDATES_MAX)


def by_ids(connection: sqlite3.Connection, ids: Sequence[int]) -> dict[int, Doc]:
    """These titles; they were found for whoever asks."""
    rows = connection.execute(f"SELECT {_ROW} FROM docs d WHERE d.id IN ({_marks(map(str, ids))})", ids)  # noqa: S608
    return {row[0]: Doc._make((*row, ())) for row in rows}


def episodes(connection: sqlite3.Connection, sees: Sight, show: Doc, season: int, episode: int | None) -> list[Doc]:
    """The episodes of a show with that number; of its season when no episode is named, at most 50."""
    narrowed, values = _narrowed(sees, show.library_id)
    number, numbers = ("", ()) if episode is None else (" AND d.index_no = ?", (episode,))
    rows = connection.execute(
        f"SELECT {_ROW} FROM docs d WHERE d.library = ? AND d.show_key = ? AND d.parent_index_no = ?{number}{narrowed} "  # noqa: S608
        "ORDER BY d.index_no LIMIT 50",
        (show.library_id, show.rating_key, season, *numbers, *values),
    )
    return [Doc._make((*row, ())) for row in rows]


def size(connection: sqlite3.Connection) -> int:
    """About how many titles the file holds."""
    return int(connection.execute("SELECT coalesce(max(rowid), 0) FROM docs").fetchone()[0])


def _matching(
    connection: sqlite3.Connection, table: str, columns: str, sees: Sight, expression: str, limit: int
) -> list[Any]:
    """Rows of a full-text table. The library is part of the expression, so that the index passes over all others."""
    if not sees.libraries:
        return []
    if not sees.is_all:
        expression = f"{expression} AND {any_of(map(library_token, sees.libraries))}"
    conditions, values = _all_narrowed(sees)
    return connection.execute(
        f"SELECT {columns} FROM {table} f JOIN docs d ON d.id = f.rowid WHERE {table} MATCH ?{conditions} LIMIT ?",  # noqa: S608
        (expression, *values, limit),
    ).fetchall()


def _narrowed(sees: Sight, library: int) -> tuple[str, tuple[str, ...]]:
    """The condition on `d` for a title of one library, to be appended."""
    restriction = sees.restrictions.get(library)
    if restriction is None:
        return "", ()
    parts, values = [], []
    for words, sql in (
        (restriction.labels, "EXISTS (SELECT 1 FROM labels l WHERE l.doc = d.id AND l.label IN ({}))"),
        (restriction.hidden_labels, "NOT EXISTS (SELECT 1 FROM labels l WHERE l.doc = d.id AND l.label IN ({}))"),
        (restriction.ratings, "d.rating IN ({})"),
        (restriction.hidden_ratings, "(d.rating IS NULL OR d.rating NOT IN ({}))"),
    ):
        if words:
            parts.append(sql.format(_marks(words)))
            values += sorted(words)
    return "".join(f" AND {part}" for part in parts), tuple(values)


def _all_narrowed(sees: Sight) -> tuple[str, tuple[str | int, ...]]:
    """The same for titles of all libraries."""
    sql: list[str] = []
    values: list[str | int] = []
    for library in sees.restrictions:
        condition, words = _narrowed(sees, library)
        if condition:
            sql.append(f" AND (d.library <> ? OR (1{condition}))")
            values += [library, *words]
    return "".join(sql), tuple(values)


def _marks(words: Iterable[str]) -> str:
    return ", ".join("?" for _ in words)

"""The file itself: its tables, what is written into it, and how it is recognised as ours and whole."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from daemon.core.ids import RatingKey, ServerId
from daemon.core.media import Title, TitleKind, TitleRef
from daemon.core.query import folded, without_article
from daemon.core.visibility import LibraryRef
from daemon.data.search.tokens import bare_name, gram_text, grams, word_text

FORMAT = 3  # another one is no file of ours: it is made again
KINDS = (
    TitleKind.MOVIE,
    TitleKind.SHOW,
    TitleKind.ARTIST,
    TitleKind.SEASON,
    TitleKind.ALBUM,
    TitleKind.EPISODE,
    TitleKind.TRACK,
)  # the most useful first; their places are the numbers that stand in the file
KIND_NO = {kind.value: number for number, kind in enumerate(KINDS)}
NEW_KINDS = tuple(KIND_NO[kind] for kind in (TitleKind.MOVIE, TitleKind.SHOW, TitleKind.ALBUM))
"""Of these it can be told which are new."""
_BUSY_S = 5.0

_SCHEMA = f"""
CREATE TABLE libraries (id INTEGER PRIMARY KEY, server TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL,
    at_revision INTEGER NOT NULL, at_id INTEGER NOT NULL);
CREATE TABLE docs (id INTEGER PRIMARY KEY, library INTEGER NOT NULL, kind INTEGER NOT NULL, server TEXT NOT NULL,
    rating_key INTEGER NOT NULL, name TEXT NOT NULL, year INTEGER, duration_ms INTEGER, parent TEXT, grandparent TEXT,
    index_no INTEGER, parent_index_no INTEGER, thumb TEXT, leaf_count INTEGER, show_key INTEGER, rating TEXT,
    added_at INTEGER, bare TEXT NOT NULL);
CREATE INDEX docs_library ON docs (library);
CREATE INDEX docs_episode ON docs (library, show_key, parent_index_no, index_no) WHERE show_key IS NOT NULL;
CREATE INDEX docs_new ON docs (library, kind, added_at) WHERE kind IN {NEW_KINDS};
CREATE TABLE names (library INTEGER NOT NULL, kind INTEGER NOT NULL, key TEXT NOT NULL, doc INTEGER NOT NULL,
    PRIMARY KEY (library, kind, key, doc)) WITHOUT ROWID;
CREATE TABLE labels (doc INTEGER NOT NULL, label TEXT NOT NULL, PRIMARY KEY (doc, label)) WITHOUT ROWID;
CREATE TABLE grams (gram TEXT PRIMARY KEY, docs INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5(text, content='', columnsize=0, detail=none, prefix='1 2 3',
    tokenize="unicode61 remove_diacritics 0 tokenchars '_'");
CREATE VIRTUAL TABLE pieces USING fts5(text, content='', columnsize=0, detail=none,
    tokenize="unicode61 remove_diacritics 0 tokenchars '_'");
"""
_DOC_COLUMNS = (
    "id, library, kind, server, rating_key, name, year, duration_ms, parent, grandparent, index_no, parent_index_no, "
    "thumb, leaf_count, show_key, rating, added_at"
)


class Doc(NamedTuple):
    """A title as the search file holds it: the columns of `docs`, then its labels and those of what it is part of."""

    title_id: int
    library_id: int
    kind_no: int
    server: str
    rating_key: int
    name: str
    year: int | None
    duration_ms: int | None
    parent: str | None
    grandparent: str | None
    index_no: int | None
    parent_index_no: int | None
    thumb: str | None
    leaf_count: int | None
    show_key: int | None  # of an episode: the rating key of its show
    rating: str | None  # its content rating
    added_at: int | None = None  # Unix seconds
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """A library as far as the file holds it: all titles up to a revision and, of that one, up to a title's id."""

    library_id: int
    ref: LibraryRef
    name: str
    at_revision: int = -1
    at_id: int = 0


def open_file(path: Path) -> sqlite3.Connection:
    """The file for whoever writes it, made anew when it is missing, broken or of another format."""
    try:
        connection = _connect(path)
        if connection.execute("PRAGMA user_version").fetchone()[0] == FORMAT:
            connection.execute("SELECT count(*) FROM libraries").fetchone()
            return connection
        connection.close()
    except sqlite3.DatabaseError:
        pass
    delete_file(path)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    connection = _connect(path)
    connection.executescript(_SCHEMA)
    connection.execute(f"PRAGMA user_version = {FORMAT}")
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """The file for whoever only reads it. sqlite3.OperationalError when it is not there."""
    return sqlite3.connect(
        f"file:{path}?mode=ro", uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
    )


def delete_file(path: Path) -> None:
    """Delete the file and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).unlink()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")  # what a crash of the machine damages is made again
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def known(connection: sqlite3.Connection) -> dict[int, Known]:
    """The libraries that the file holds, by their number in the main database."""
    rows = connection.execute("SELECT id, server, key, name, at_revision, at_id FROM libraries")
    return {row[0]: Known(row[0], LibraryRef(ServerId(row[1]), row[2]), *row[3:]) for row in rows}


def count(connection: sqlite3.Connection, library_id: int) -> int:
    """How many titles of a library the file holds."""
    return int(connection.execute("SELECT count(*) FROM docs WHERE library = ?", (library_id,)).fetchone()[0])


def counts(connection: sqlite3.Connection) -> dict[int, int]:
    """How many titles of each library the file holds."""
    return dict(connection.execute("SELECT library, count(*) FROM docs GROUP BY library").fetchall())


def ids(connection: sqlite3.Connection, library_id: int) -> set[int]:
    """Which ones they are."""
    return {row[0] for row in connection.execute("SELECT id FROM docs WHERE library = ?", (library_id,))}


def put(connection: sqlite3.Connection, library: Known, docs: Sequence[Doc]) -> None:
    """Write titles, replacing what is held of them, and how far the library is with them: one transaction."""
    with _transaction(connection):
        if docs:
            remove_docs(connection, [doc.title_id for doc in docs])
            _insert(connection, docs)
        connection.execute(
            "INSERT OR REPLACE INTO libraries VALUES (?, ?, ?, ?, ?, ?)",
            (library.library_id, library.ref.server, library.ref.key, library.name, library.at_revision, library.at_id),
        )


def remove(connection: sqlite3.Connection, title_ids: Sequence[int]) -> None:
    """Forget titles, a few hundred: one transaction."""
    with _transaction(connection):
        remove_docs(connection, title_ids)


def optimize(connection: sqlite3.Connection) -> None:
    """Merge what many small transactions have left behind: each is one more place to look at for every search."""
    for table in ("words", "pieces"):
        connection.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")  # noqa: S608 - our own names


def remove_library(connection: sqlite3.Connection, library_id: int) -> None:
    """Forget a library whose titles were removed."""
    connection.execute("DELETE FROM libraries WHERE id = ?", (library_id,))


def remove_docs(connection: sqlite3.Connection, title_ids: Sequence[int]) -> None:
    """Forget titles, within the caller's transaction."""
    marks = ", ".join("?" * len(title_ids))
    rows = connection.execute(f"SELECT {_DOC_COLUMNS} FROM docs WHERE id IN ({marks})", title_ids).fetchall()  # noqa: S608
    old = [Doc(*row) for row in rows]
    if not old:
        return
    connection.executemany(
        "INSERT INTO words (words, rowid, text) VALUES ('delete', ?, ?)",
        [(doc.title_id, word_text(to_title(doc, None), doc.library_id, doc.kind_no)) for doc in old],
    )
    connection.executemany(
        "INSERT INTO pieces (pieces, rowid, text) VALUES ('delete', ?, ?)",
        [(doc.title_id, gram_text(bare_name(doc.name), doc.library_id, doc.kind_no)) for doc in old],
    )
    connection.executemany(
        "DELETE FROM names WHERE library = ? AND kind = ? AND key = ? AND doc = ?",
        [(doc.library_id, doc.kind_no, key, doc.title_id) for doc in old for key in _keys(doc.name)],
    )
    connection.executemany("DELETE FROM labels WHERE doc = ?", [(doc.title_id,) for doc in old])
    connection.executemany("DELETE FROM docs WHERE id = ?", [(doc.title_id,) for doc in old])


def to_title(doc: Doc, library: str | None) -> Title:
    """The title that a row describes."""
    return Title(
        TitleRef(ServerId(doc.server), RatingKey(str(doc.rating_key))),
        KINDS[doc.kind_no],
        doc.name,
        doc.year,
        doc.duration_ms,
        doc.parent,
        doc.grandparent,
        doc.index_no,
        doc.parent_index_no,
        library,
        doc.thumb,
        0,
        doc.leaf_count,
    )


def _insert(connection: sqlite3.Connection, docs: Sequence[Doc]) -> None:
    folds = [folded(doc.name) for doc in docs]
    bare = [without_article(name) for name in folds]
    marks = ", ".join("?" * len(Doc._fields))
    connection.executemany(
        f"INSERT INTO docs ({_DOC_COLUMNS}, bare) VALUES ({marks})",  # noqa: S608
        [(*doc[:-1], name) for doc, name in zip(docs, bare, strict=True)],
    )
    connection.executemany(
        "INSERT INTO words (rowid, text) VALUES (?, ?)",
        [(doc.title_id, word_text(to_title(doc, None), doc.library_id, doc.kind_no)) for doc in docs],
    )
    connection.executemany(
        "INSERT INTO pieces (rowid, text) VALUES (?, ?)",
        [(doc.title_id, gram_text(name, doc.library_id, doc.kind_no)) for doc, name in zip(docs, bare, strict=True)],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO names VALUES (?, ?, ?, ?)",
        [
            (doc.library_id, doc.kind_no, key, doc.title_id)
            for doc, *keys in zip(docs, folds, bare, strict=True)
            for key in dict.fromkeys(keys)
        ],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO labels VALUES (?, ?)", [(doc.title_id, label) for doc in docs for label in doc.labels]
    )
    counted = Counter(gram for name in bare for gram in grams(name))
    connection.executemany(
        "INSERT INTO grams VALUES (?, ?) ON CONFLICT (gram) DO UPDATE SET docs = docs + excluded.docs",
        list(counted.items()),
    )


def _keys(name: str) -> set[str]:
    """What a name begins with, as it is typed: with its article and without."""
    return {folded(name), bare_name(name)}


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:  # something was raised, and is on its way to the caller
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")

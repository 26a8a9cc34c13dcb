"""Every row of ours as plain values: out of one consistent snapshot, and into a schema that has none yet.

The values are the database's own (int, str, bytes, None) and not our types. `columns.py` sees to it that they are the
same on SQLite and PostgreSQL, so what was read from one can be written to the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import TypeAlias

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from daemon.data import tables
from daemon.data.columns import metadata
from daemon.data.engine import open_engine, parse_url
from daemon.data.failures import translate
from daemon.data.queue.tables import claim_bodies
from daemon.data.rows import postgres, sqlite
from daemon.data.version import VERSION_TABLE

Value: TypeAlias = int | str | bytes | None
Row: TypeAlias = tuple[Value, ...]

# The revision is not a row but what the schema is made at; bodies of messages travel as what they are, wherever
# they lie.
_LEFT_OUT = {VERSION_TABLE, claim_bodies.name}


@dataclass(frozen=True, slots=True)
class Shape:
    """A table's name, and its columns in the order of a row's values."""

    name: str
    columns: tuple[str, ...]


def shapes() -> tuple[Shape, ...]:
    """Every table at `version.HEAD`, each behind those that its rows refer to."""
    assert tables  # importing it is what fills `metadata`
    return tuple(
        Shape(str(table.name), tuple(str(column.name) for column in table.columns))  # plain, for other libraries
        for table in metadata.sorted_tables
        if table.name not in _LEFT_OUT
    )


@contextmanager
def snapshot(url: str) -> Iterator[Connection]:
    """One consistent view of the database, for as long as it takes. Writers go on meanwhile and are not held up.

    On SQLite that is what its write-ahead log gives a reader; the log grows until the block ends.
    """
    engine = open_engine(parse_url(url))
    with translated(engine), engine.connect() as tx:
        _of(tx).begin_snapshot(tx)
        yield tx


@contextmanager
def translated(engine: Engine) -> Iterator[None]:
    """Raise what the driver reports as the store would; the engine is disposed of afterwards."""
    try:
        yield
    except (DBAPIError, engine.dialect.loaded_dbapi.Error) as error:
        raise translate(error) from error
    finally:
        engine.dispose()


def count(tx: Connection, shape: Shape) -> int:
    """How many rows the table has."""
    return int(tx.execute(text(f'SELECT count(*) FROM "{shape.name}"')).scalar_one())  # noqa: S608 - checked names


def read(tx: Connection, shape: Shape) -> Iterator[Row]:
    """The table's rows, in no particular order, as few at a time in memory as the driver can do."""
    rows: Iterator[Row] = _of(tx).read(tx, shape.name, shape.columns)
    return rows


def write(tx: Connection, shape: Shape, rows: Sequence[Row]) -> None:
    """Append rows. The driver's errors are raised as they are."""
    _of(tx).write(tx, shape.name, shape.columns, rows)


def read_counters(tx: Connection) -> dict[str, int]:
    """The last number given to a row, for each table that numbers its rows and has given one."""
    counters: dict[str, int] = _of(tx).read_counters(tx, [shape.name for shape in shapes()])
    return counters


def raise_counters(tx: Connection, counters: dict[str, int]) -> None:
    """Number new rows from behind `counters`, and behind every row that is there: no number is given twice."""
    _of(tx).raise_counters(tx, counters)


def check_source(tx: Connection, tick: Callable[[], None]) -> list[str]:
    """What is broken about a database: nothing on PostgreSQL, where reading every row is all there is to try.

    `tick` is called many times a minute; a MarqueeError that it raises ends the check.
    """
    problems: list[str] = _of(tx).check_source(tx, tick)
    return problems


def find_unknown(tx: Connection, wanted: Iterable[Shape]) -> str | None:
    """The first of `wanted` tables, or columns as `table.column`, that the database does not have."""
    inspector = inspect(tx)
    there = {name: {column["name"] for column in inspector.get_columns(name)} for name in inspector.get_table_names()}
    for shape in wanted:
        if shape.name not in there:
            return shape.name
        if missing := sorted(set(shape.columns) - there[shape.name]):
            return f"{shape.name}.{missing[0]}"
    return None


def is_empty(tx: Connection) -> bool:
    """Whether no table of ours holds a row; tables of others do not count."""
    there = set(inspect(tx).get_table_names())
    return not any(
        tx.execute(text(f'SELECT 1 FROM "{name}" LIMIT 1')).first()  # noqa: S608 - our own names
        for name in metadata.tables
        if name in there and name != VERSION_TABLE
    )


def drop_all(tx: Connection) -> None:
    """Drop every table of ours, and what belongs to them."""
    if there := taken(tx):
        listed = ", ".join(f'"{name}"' for name in there)
        tx.execute(text(f"DROP TABLE {listed}"))
    _of(tx).drop_functions(tx)


def taken(tx: Connection) -> list[str]:
    """Names of ours that tables of the database have, whoever made them."""
    return sorted(set(inspect(tx).get_table_names()) & set(metadata.tables))


def _of(tx: Connection) -> ModuleType:
    return sqlite if tx.dialect.name == "sqlite" else postgres
